"""The report of four vendors in a real browser."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.commands.report import assemble
from pipelines.report.page import load_library, render
from tests.browser.test_page import CONTRAST, MARKS
from tests.people.everybody import some_of_everything
from tests.support import DuckDB

if TYPE_CHECKING:
    from tests.browser.browser import Browser

pytestmark = pytest.mark.long

LOOKS = [(size, scheme) for size in ((400, 800), (1400, 900)) for scheme in ("light", "dark")]
PAGES: dict[str, str] = {}


CUT_OFF = """
return [...document.querySelectorAll('.chart svg')].flatMap((svg) => {
  const { right } = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')]
    .filter((text) => text.getBoundingClientRect().right > right + 1)
    .map((text) => text.textContent);
});
"""


@pytest.fixture
def everything(duck: DuckDB, tmp_path: Path) -> Path:
    """A report of four vendors, who know some people together; synced once for all tests."""
    if not PAGES:
        some_of_everything().sync(duck)
        PAGES["all"] = render(assemble(duck.storage(dataset=""), None, (), personal=False), load_library())
    file = tmp_path / "report.html"
    file.write_text(PAGES["all"], "utf-8")
    return file


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_every_vendor_has_its_figures_at_any_size_in_light_and_dark(
    browser: "Browser", everything: Path, size: tuple[int, int], scheme: str
) -> None:
    assert everything.stat().st_size < 1_500_000
    browser.look_like(size, scheme)
    browser.open(everything)
    headings = browser.texts("h2")
    assert [text.split(":")[0] for text in headings] == [
        "All vendors",
        "LeadPanther",
        "LeadLeap",
        "Leadron",
        "Leadping",
    ]
    titles = {chart["title"] for chart in browser.run(MARKS)}
    assert {
        "Leads per week, by vendor",
        "People whom several vendors know",
        "What each vendor knows",
        "How good segments are",
        "Pipeline",
        "Speed to lead",
    } <= titles
    for chart in browser.run(MARKS):
        assert chart["marks"] > 0, chart
        assert chart["label"], chart
        assert chart["tables"] > 0, chart
    assert len(browser.texts("figcaption .note")) == len(browser.texts("figure"))
    assert all(browser.texts("figcaption .note")), "each figure says what it counts"
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    text, drawn_text, marks = browser.run(CONTRAST)
    assert min(text, drawn_text) >= 4.5
    assert marks >= 3
    assert browser.run(CUT_OFF) == []
    assert len(browser.requests()) == 1
    assert browser.complaints() == []


def test_headings_go_down_by_one_and_everything_has_a_name(browser: "Browser", everything: Path) -> None:
    browser.look_like()
    browser.open(everything)
    levels = browser.run("return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    named = browser.run(
        "return [...document.querySelectorAll('section')]"
        ".map((s) => document.getElementById(s.getAttribute('aria-labelledby'))?.textContent)"
    )
    assert len(set(named)) == 5
    tables = browser.run(
        "return [...document.querySelectorAll('table')].map((t) => t.getAttribute('aria-label'))"
    )
    assert len(set(tables)) == len(tables) > 10
    assert browser.run("return new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size") == (
        browser.run("return document.querySelectorAll('[id]').length")
    )


def test_a_vendor_is_chosen_with_the_keyboard(browser: "Browser", everything: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.look_like()
    browser.open(everything)
    assert browser.texts("#shown option") == [
        "everything",
        "All vendors",
        "all 2 clients",
        *browser.run(
            "return [...document.querySelectorAll('optgroup[label=LeadPanther] option')].slice(1)"
            ".map((o) => o.textContent)"
        ),
        "everybody",
        "acme-corp",
        "org_7f3a",
    ]
    select = browser.driver.find_element(By.ID, "shown")
    select.send_keys(Keys.END)
    browser.wait_until_drawn("leadping/org_7f3a")
    assert browser.texts("h2") == ["Leadping: org_7f3a"]
    summary = browser.driver.find_element(By.CSS_SELECTOR, "details summary")
    summary.send_keys(Keys.ENTER)
    assert browser.run("return document.querySelector('details').open")
    browser.driver.back()
    browser.wait_until_drawn()
    assert len(browser.texts("h2")) == 5
    assert browser.complaints() == []


def test_the_overlap_stands_there_in_words_and_numbers(browser: "Browser", everything: Path) -> None:
    browser.look_like()
    browser.open(everything, "leadhouse")
    cells = browser.run(
        "const figure = [...document.querySelectorAll('figure')]"
        ".find((f) => f.textContent.startsWith('People whom'));"
        "return [...figure.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"
    )
    assert cells == [
        ["LeadPanther and Leadping", "2", "4"],
        ["LeadLeap, LeadPanther, Leadping and Leadron", "1", "4"],
        ["Leadping and Leadron", "1", "2"],
    ]
