"""The report in a real browser: what is drawn, what it looks like where, and that it keeps to itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.crowd import MORE, client_id, crowd, make_everything, page
from tests.views.ground import Ground

if TYPE_CHECKING:
    from tests.browser.browser import Browser

pytestmark = pytest.mark.long

CHARTS = 7
SIZES = {"desktop": (1280, 900), "tablet": (768, 1000), "phone": (375, 740), "small phone": (320, 560)}

MARKS = """
return Array.from(document.querySelectorAll('figure .chart'), (chart) => ({
  title: chart.closest('figure').querySelector('h3').textContent,
  label: chart.getAttribute('aria-label'),
  role: chart.getAttribute('role'),
  marks: chart.querySelectorAll('.mark-rect.role-mark path').length,
  width: chart.querySelector('svg')?.getBoundingClientRect().width,
  tables: chart.closest('figure').querySelectorAll('details table tbody tr').length,
}))
"""

CONTRAST = """
const parse = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = (color) => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = parse(color).map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!/, 0\\)$|transparent/.test(color)) return color;
  }
  return 'rgb(255, 255, 255)';
};
const text = Array.from(document.querySelectorAll('h1, h2, h3, p, dt, dd, td, th, a, summary, label, select'))
  .filter((each) => each.textContent.trim() && each.getClientRects().length)
  .map((each) => ratio(getComputedStyle(each).color, behind(each)));
const drawn = Array.from(document.querySelectorAll('.chart .mark-text text'))
  .filter((each) => each.textContent.trim())
  .map((each) => ratio(getComputedStyle(each).fill, behind(each.closest('figure'))));
const marks = Array.from(document.querySelectorAll('.chart .mark-rect.role-mark path'))
  .map((each) => ratio(getComputedStyle(each).fill, behind(each.closest('figure'))));
return [Math.min(...text), Math.min(...drawn), Math.min(...marks)];
"""


def address(number: int) -> str:
    """Of a client's charts, after the page's #."""
    return f"leadpanther/{client_id(number)}"


@pytest.fixture
def desktop(browser: "Browser") -> "Browser":
    browser.look_like()
    return browser


def drawn(browser: "Browser") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.run(MARKS)
    return found


def save(folder: Path, text: str) -> Path:
    file = folder / "report.html"
    file.write_text(text, "utf-8")
    return file


def test_all_charts_are_drawn_with_a_name_and_a_table_and_without_a_complaint(
    desktop: "Browser", crowded: Path
) -> None:
    desktop.open(crowded)
    charts = drawn(desktop)
    assert len(charts) == CHARTS
    for chart in charts:
        assert chart["marks"] > 0, chart
        assert chart["width"] > 300, chart
        assert chart["role"] == "graphics-document", chart
        assert chart["label"], chart
        assert chart["tables"] > 0, chart
    assert desktop.complaints() == []


def test_the_page_asks_for_nothing_but_itself(desktop: "Browser", crowded: Path) -> None:
    desktop.open(crowded)
    desktop.run("location.hash = arguments[0]", address(3))
    desktop.wait_until_drawn(address(3))
    (request,) = desktop.requests()
    assert f"file://{crowded}" in request
    denied = desktop.run(
        "return fetch('https://example.com').then(() => 'sent', (error) => 'denied: ' + error.name)"
    )
    assert denied.startswith("denied")


def test_two_hundred_clients_open_in_under_a_second(desktop: "Browser", crowded: Path) -> None:
    taken = []
    for _ in range(5):
        desktop.open(crowded)
        taken.append(desktop.run("return performance.getEntriesByName('drawn')[0].startTime"))
        if taken[-1] < 1000:
            break  # others may keep the machine busy: once is proof enough
    assert min(taken) < 1000, taken
    assert len(desktop.texts("#shown option")) == 201


def test_choosing_a_client_draws_that_clients_numbers(desktop: "Browser", crowded: Path) -> None:
    desktop.open(crowded)
    everybody = desktop.texts(".tiles dd.value")
    assert everybody[2] == "30,000"
    chosen = address(12)
    desktop.run(
        "const s = document.getElementById('shown'); s.value = arguments[0];"
        "s.dispatchEvent(new Event('change'))",
        chosen,
    )
    desktop.wait_until_drawn(chosen)
    assert desktop.texts(".tiles dd.value")[2] == "150"
    charts = drawn(desktop)
    assert len(charts) == CHARTS
    assert all(chart["marks"] > 0 for chart in charts)
    assert "Clients" not in desktop.texts("h3")
    assert desktop.run("return location.hash") == f"#{chosen}"
    desktop.driver.back()
    desktop.wait_until_drawn()
    assert desktop.texts(".tiles dd.value") == everybody
    assert desktop.complaints() == []


def test_the_charts_tables_say_the_views_numbers(desktop: "Browser", tmp_path: Path) -> None:
    ground = crowd(3)
    file = save(tmp_path, page(ground))
    desktop.open(file, address(1))
    cells = desktop.run(
        "const figures = [...document.querySelectorAll('figure')];"
        "const figure = figures.find((f) => f.textContent.startsWith('Keywords'));"
        "return [...figure.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
    )
    expected = ground.query(
        "SELECT keyword, sum(leads), sum(leads_hot), sum(activity) FROM leadpanther.lead_funnel "
        "WHERE client_id = %s AND keyword IS NOT NULL GROUP BY 1",
        client_id(1),
    )
    assert {tuple(row) for row in cells} == {tuple(map(str, row)) for row in expected}
    desktop.open(file)
    (total,) = ground.query("SELECT count(*) FROM leadpanther.leads_current")
    assert desktop.texts(".tiles dd.value")[2] == f"{total[0]:,}"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(browser: "Browser", crowded: Path, size: str) -> None:
    browser.look_like(SIZES[size])
    browser.open(crowded)
    width = browser.run("return document.documentElement.clientWidth")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    too_wide = browser.run(
        "return [...document.querySelectorAll('figure, .chart svg, .tiles, section, header')]"
        ".filter((e) => e.getBoundingClientRect().right > arguments[0] + 0.5)"
        ".map((e) => e.outerHTML.slice(0, 80))",
        width,
    )
    assert too_wide == []
    assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out_in_light_and_dark(browser: "Browser", crowded: Path, scheme: str) -> None:
    browser.look_like(scheme=scheme)
    browser.open(crowded)
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    is_dark = sum(int(part) for part in background.strip("rgb()").split(",")) < 3 * 128
    assert is_dark == (scheme == "dark")
    text, drawn_text, marks = browser.run(CONTRAST)
    assert text >= 4.5
    assert drawn_text >= 4.5
    assert marks >= 3


def test_changing_to_dark_mode_draws_the_charts_anew(browser: "Browser", crowded: Path) -> None:
    fill = "return getComputedStyle(document.querySelector('.chart .mark-rect.role-mark path')).fill"
    browser.look_like()
    browser.open(crowded)
    light = browser.run(fill)
    browser.run("delete document.body.dataset.drawn")
    browser.look_like(scheme="dark")
    browser.wait_until_drawn()
    assert browser.run(fill) != light


def test_an_empty_warehouse_makes_a_page_that_says_so(desktop: "Browser", tmp_path: Path) -> None:
    ground = Ground(None, MORE)
    make_everything(ground)
    desktop.open(save(tmp_path, page(ground)))
    assert drawn(desktop) == []
    assert len(desktop.texts(".empty")) == CHARTS + 2  # nothing is fresh, and nothing missing
    assert desktop.complaints() == []


def test_a_report_of_one_client_has_no_choice(desktop: "Browser", tmp_path: Path) -> None:
    desktop.open(save(tmp_path, page(crowd(3), client_id(2))))
    assert desktop.texts("#shown option") == [client_id(2)]
    assert len(drawn(desktop)) == CHARTS


def test_names_show_only_where_they_were_asked_for(desktop: "Browser", tmp_path: Path) -> None:
    ground = crowd(3)
    desktop.open(save(tmp_path, page(ground)))
    assert "Secret" not in desktop.run("return document.documentElement.outerHTML")
    desktop.open(save(tmp_path, page(ground, personal=True)))
    assert "Whom to call" in desktop.texts("h3")
    assert "Secret Firm 1" in desktop.texts("#shown option")
    assert any(name.startswith("Secret Person") for name in desktop.texts("td a"))
