"""`leadhouse report`: the page's numbers, whose they are, and that nothing personal is among them."""

import json
import re
import stat
import sys
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.report import assemble
from pipelines.report.gathering import excerpt
from pipelines.report.page import load_library, render, write
from sources.core.errors import ConfigurationError, WarehouseError
from sources.core.report import LONG
from sources.leadpanther.sandbox import World
from tests.conftest import StartSandbox, small_world
from tests.privacy.canaries import aviary, seen
from tests.support import DATASET, DuckDB, Record, Target, run_leadhouse


def report_of(target: Target, *clients: str, personal: bool = False) -> dict[str, Any]:
    """What the page shows of one vendor."""
    report = assemble(target.storage(), DATASET, clients, personal)
    assert [section["name"] for section in report["sections"]] == [DATASET]
    return report


def rows_of(report: dict[str, Any], title: str, section: str = DATASET) -> list[Record]:
    """A figure's rows by column, accounts by their id."""
    (found,) = (each for each in report["sections"] if each["name"] == section)
    (figure,) = (f for f in (found["accounts"], *found["figures"]) if f["title"] == title)
    named = [dict(zip(figure["names"], row, strict=True)) for row in figure["rows"]]
    ids = found["ids"]
    return [{**row, "account": None if row["account"] is None else ids[row["account"]]} for row in named]


def busy_world() -> World:
    """All its leads are qualified and have intent, and its rows are of the last weeks."""
    world = small_world(leads=30, activity=30, now=datetime.now(UTC) - timedelta(days=1))
    for client in world.client_ids:
        for lead in world.ids(client, "leads"):
            world.edit(client, "leads", lead, has_intent=True, qualification_status="qualified")
    return world


class Page(HTMLParser):
    """What stands in a page's scripts, and in its meta elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.policy = ""
        self._inside: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "script":
            self._inside = found
            self.scripts.append((found, ""))
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.scripts[-1] = (self._inside, self.scripts[-1][1] + data)


# --- numbers -----------------------------------------------------------------------------------------


def test_the_pages_numbers_are_the_views_numbers(target: Target, sandbox: StartSandbox) -> None:
    world = busy_world()
    target.sync(sandbox(world))
    report = report_of(target)
    clients = rows_of(report, "Clients")
    assert sorted(row["account"] for row in clients) == sorted(world.client_ids)
    for client in clients:
        id = client["account"]
        assert client["leads"] == client["leads_hot"] == len(world.ids(id, "leads")) > 0
        assert client["activity"] == len(world.ids(id, "activity")) > 0
    sums = target.query(
        f"SELECT client_id, keyword, sum(leads) AS leads, sum(activity) AS activity "
        f"FROM {DATASET}.lead_funnel WHERE keyword IS NOT NULL GROUP BY 1, 2"
    )
    assert {(r["account"], r["keyword"], r["leads"], r["activity"]) for r in rows_of(report, "Keywords")} == {
        (r["client_id"], r["keyword"], r["leads"], r["activity"]) for r in sums
    }
    posts = target.query(f"SELECT client_id, impressions, activity FROM {DATASET}.post_performance")
    assert sorted((r["account"], r["impressions"], r["activity"]) for r in rows_of(report, "Top posts")) == (
        sorted((r["client_id"], r["impressions"], r["activity"]) for r in posts)
    )
    resources = {r["resource"] for r in target.query(f"SELECT resource FROM {DATASET}.sync_health")}
    assert {row["resource"] for row in rows_of(report, "How fresh it is")} == resources


def test_leads_per_week_and_growth_per_day_are_those_of_the_last_months(
    duck: DuckDB, sandbox: StartSandbox
) -> None:
    duck.sync(sandbox(busy_world()))
    report = report_of(duck)
    weeks = duck.query(
        f"SELECT CAST(week AS text) AS week, client_id, CAST(sum(leads) AS bigint) AS n "
        f"FROM {DATASET}.lead_funnel WHERE week > current_date - 7 * 26 "
        "GROUP BY 1, 2 HAVING sum(leads) > 0"
    )
    shown: dict[tuple[str, str], int] = {}
    for row in rows_of(report, "Leads per week, by source"):
        key = (row["week"], row["account"])
        shown[key] = shown.get(key, 0) + row["leads"]
    assert shown
    assert shown == {(row["week"], row["client_id"]): row["n"] for row in weeks}
    days = duck.query(
        f"SELECT sum(new_impressions) AS n FROM {DATASET}.post_engagement_daily WHERE day > current_date - 90"
    )
    assert sum(row["impressions"] or 0 for row in rows_of(report, "Impressions per day")) == (
        days[0]["n"] or 0
    )


def test_a_report_of_one_client_holds_nobody_elses_rows(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = busy_world()
    duck.sync(sandbox(world))
    one, other = world.client_ids
    report = report_of(duck, one, personal=True)
    (section,) = report["sections"]
    assert section["ids"] == [one]
    assert {row[0] for figure in section["figures"] for row in figure["rows"]} == {0}
    page = render(report, "")
    assert one in page
    theirs = [other, *(id for list in ("leads", "posts", "lead_magnets") for id in world.ids(other, list))]
    assert not [id for id in theirs if id in page]


def test_an_unknown_client_is_refused(duck: DuckDB, sandbox: StartSandbox) -> None:
    world = small_world()
    duck.sync(sandbox(world))
    with pytest.raises(ConfigurationError, match="no client nobody"):
        report_of(duck, world.client_ids[0], "nobody")


def test_a_warehouse_without_views_is_told_how_to_get_them(duck: DuckDB, sandbox: StartSandbox) -> None:
    api = sandbox(small_world())
    duck.sync(api)
    duck.query(f"DROP SCHEMA {DATASET}_shareable CASCADE")
    with pytest.raises(WarehouseError, match="leadhouse finish"):
        report_of(duck)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  two\n\nlines ", "two lines"),
        ("x" * LONG, "x" * LONG),
        ("x" * (LONG + 1), "x" * (LONG - 1) + "…"),
    ],
)
def test_of_a_post_its_beginning_is_shown_in_one_line(text: str, shown: str) -> None:
    assert excerpt(text) == shown


# --- personal values ---------------------------------------------------------------------------------


def test_nothing_personal_is_in_a_report_unless_it_was_asked_for(
    target: Target, sandbox: StartSandbox
) -> None:
    flock = aviary()
    for client in flock.world.client_ids:
        for lead in flock.world.ids(client, "leads"):
            with suppress(TypeError):  # a row that is no object
                flock.world.edit(client, "leads", lead, has_intent=True, qualification_status="qualified")
    target.sync(sandbox(flock.world))
    assert seen(render(report_of(target), "")) == set()
    shown = {flock.origin[canary] for canary in seen(render(report_of(target, personal=True), ""))}
    assert shown >= {"clients.business_name", "leads.name", "leads.linkedin_profile_url"}
    assert not [origin for origin in shown if "email" in origin or "content" in origin]


# --- the page ----------------------------------------------------------------------------------------

REPORT = {"personal": False, "sections": [], "text": "</script><script>alert(1)</script><!-- & ü 👋"}


def test_no_text_can_leave_the_element_that_the_numbers_stand_in() -> None:
    page = Page(render(REPORT, "library()"))
    (data, library, _) = page.scripts
    assert data[0] == {"type": "application/json", "id": "data"}
    assert json.loads(data[1]) == REPORT
    assert library[1] == "library()"


def test_the_page_allows_its_own_scripts_and_nothing_else() -> None:
    page = Page(render(REPORT, "library()"))
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for _, script in page.scripts[1:]
    ]
    assert page.policy.startswith("default-src 'none'; ")
    assert f"script-src {' '.join(hashes)};" in page.policy
    assert "unsafe-eval" not in page.policy
    assert "{{" not in render(REPORT, "").replace(REPORT["text"], "")  # type: ignore[arg-type]


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    text = render(REPORT, "")
    assert not re.findall(r"<(?:link|img|iframe|script[^>]+src)\b|@import|url\(", text)


def test_the_library_comes_whole_and_without_ends_of_scripts() -> None:
    pytest.importorskip("vl_convert")
    library = load_library()
    assert "window.vegaEmbed" in library
    assert "</script" not in library.lower()
    assert "<!--" not in library


def test_without_the_charting_library_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConfigurationError, match=re.escape('pip install "leadhouse[report]"')):
        load_library()


# --- the file ----------------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_only_even_where_another_one_was(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    file.chmod(0o644)
    write(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write(file, "half a page \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write(tmp_path / "nowhere" / "report.html", "new")


def leadhouse(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = run_leadhouse(*arguments, folder=folder)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def one_line(answer: Sequence[Any]) -> bool:
    return len(answer[2].splitlines()) == 1 and answer[2].startswith("leadhouse: ")


@pytest.mark.long
def test_the_command_writes_the_report_and_says_what_is_in_it(duck: DuckDB, sandbox: StartSandbox) -> None:
    pytest.importorskip("vl_convert")
    world = small_world()
    nothing = leadhouse(duck.folder, "report")
    assert nothing[0] == 1
    assert one_line(nothing)
    duck.sync(sandbox(world))
    code, out, _ = leadhouse(duck.folder, "report", "--out", "ours.html")
    assert code == 0
    assert out.startswith("ours.html: all vendors, LeadPanther (2 clients); no personal values, ")
    assert "vega" in (duck.folder / "ours.html").read_text()
    code, out, _ = leadhouse(duck.folder, "report", "--client", world.client_ids[0], "--personal")
    assert out.startswith("leadhouse-report.html: LeadPanther (1 client); WITH PERSONAL VALUES, ")
    wrong = leadhouse(duck.folder, "report", "--client", "nobody")
    assert wrong[0] == 2
    assert one_line(wrong)
