"""`leadhouse report` over all vendors: its figures are the sandboxes' truth, whatever is loaded and whatever is not."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.commands.report import assemble
from pipelines.report.page import render
from tests.people.everybody import Everybody, some_of_everything
from tests.support import DuckDB, Record, Target, run_leadhouse, sync
from tests.test_report import rows_of

VENDORS = ("leadpanther", "leadleap", "leadron", "leadping")
TITLES = ["All vendors", "LeadPanther", "LeadLeap", "Leadron", "Leadping"]


def report_of(target: Target, name: str | None = None) -> dict[str, Any]:
    return assemble(target.storage(dataset=""), name, (), personal=False)


def sums(rows: Iterable[Record], by: str, what: str) -> dict[Any, int]:
    """By the values of a column, sums of another."""
    found: Counter[Any] = Counter()
    for row in rows:
        found[row[by]] += row[what]
    return dict(found)


def week_of(time: str) -> str:
    day = datetime.fromisoformat(time).astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def recent(weeks: Iterable[str]) -> dict[str, int]:
    """How many of weeks that the report shows."""
    since = datetime.now(UTC).date() - timedelta(days=182)
    return dict(Counter(week for week in weeks if date.fromisoformat(week) > since))


def minutes(world: Any) -> dict[str, float | None]:
    """By lead, after how many minutes it was first called or written to."""
    lists = {name: world.lists[name].rows.values() for name in ("leads", "sms_events", "call_events")}
    times: dict[str, list[str]] = {}
    for text in lists["sms_events"]:
        if text["direction"] == "outbound":
            times.setdefault(text["lead"]["id"], []).append(text["sentAt"])
    for call in lists["call_events"]:
        if call["direction"] == "outbound":
            times.setdefault(call["leadId"], []).append(call["createdAt"])

    def after(lead: Mapping[str, Any]) -> float | None:
        came = datetime.fromisoformat(lead["createdAt"])
        waits = [(datetime.fromisoformat(at) - came).total_seconds() / 60 for at in times.get(lead["id"], ())]
        return min((wait for wait in waits if wait >= 0), default=None)

    return {lead["id"]: after(lead) for lead in lists["leads"]}


def check_everything(report: dict[str, Any], everybody: Everybody) -> None:
    """Holds all figures against the worlds."""
    town = everybody.town
    assert [section["title"] for section in report["sections"]] == TITLES
    panther = sum(len(town.panther.ids(client, "leads")) for client in town.panther.client_ids)
    counts = {
        "leadpanther": panther,
        "leadleap": len(town.leap.ids()),
        "leadron": len(everybody.leadron.ids()),
        "leadping": len(everybody.leadping.ids()),
    }
    # All vendors.
    (totals,) = rows_of(report, "All vendors", "leadhouse")
    assert totals["leads"] == sum(counts.values())
    assert totals["people"] == sum(counts.values()) - 3 - 1 - 1 - 1  # of four, two, two and two leads
    assert (totals["known_to_several"], totals["their_leads"]) == (4, 4 + 2 + 2 + 2)
    overlap = rows_of(report, "People whom several vendors know", "leadhouse")
    assert {row["vendors"]: (row["people"], row["leads"]) for row in overlap} == {
        "leadleap, leadpanther, leadping, leadron": (1, 4),
        "leadpanther, leadping": (2, 4),
        "leadping, leadron": (1, 2),
    }
    known = rows_of(report, "What each vendor knows", "leadhouse")
    assert {row["vendor"]: (row["leads"], row["known_elsewhere"]) for row in known} == {
        "leadpanther": (counts["leadpanther"], 3),
        "leadleap": (counts["leadleap"], 1),
        "leadron": (counts["leadron"], 2),
        "leadping": (counts["leadping"], 4),
    }
    weeks = rows_of(report, "Leads per week, by vendor", "leadhouse")
    for source, world in (("leadron", everybody.leadron), ("leadping", everybody.leadping)):
        created = [row["createdAt"] for row in world.snapshot()["leads"]]
        shown = {row["week"]: row["leads"] for row in weeks if row["vendor"] == source}
        assert shown == recent(map(week_of, created)), source
    # Nobody knows when the others came: they were there before.
    undated = {row["vendor"]: row["leads"] for row in weeks if row["week"] is None}
    assert undated == {name: counts[name] for name in ("leadpanther", "leadleap")}
    fresh = rows_of(report, "How fresh each vendor is", "leadhouse")
    assert {row["source"]: row["behind"] for row in fresh} == dict.fromkeys(VENDORS, 0)
    # Each.
    for vendor in VENDORS:
        log = rows_of(report, "How fresh it is", vendor)
        assert {row["behind"] for row in log} == {0}, vendor
        assert rows_of(report, "What is missing", vendor) == []
    leads = everybody.leadron.snapshot()["leads"]
    pipeline = rows_of(report, "Pipeline", "leadron")
    assert sums(pipeline, "status", "leads") == dict(Counter(row["status"] for row in leads))
    ages = [row["older"] + sum(row[f"under_{n}_days"] for n in (7, 30, 90)) for row in pipeline]
    assert sum(ages) == len(leads)
    commissions = rows_of(report, "Commissions", "leadron")
    assert sums(commissions, "status", "commissions") == dict(
        Counter(row["status"] for row in everybody.leadron.truth("commission_records"))
    )
    (speed,) = rows_of(report, "Speed to lead", "leadping")
    waits = minutes(everybody.leadping)
    reached = [wait for wait in waits.values() if wait is not None]
    assert 0 < len(reached) < len(waits)
    assert (speed["leads"], speed["reached"]) == (len(waits), len(reached))
    assert speed["within_an_hour"] == sum(wait <= 60 for wait in reached)
    assert speed["within_five_minutes"] == sum(wait <= 5 for wait in reached)
    soon = rows_of(report, "Leads per week, by how soon they were reached out to", "leadping")
    assert sum(row["not_yet"] for row in soon) == len(waits) - len(reached)
    rows = town.leap.snapshot()["leads"]
    (segment,) = rows_of(report, "Segments", "leadleap")
    assert segment["account"] == "everybody"
    assert segment["leads_unlocked"] == sum(row["is_unlocked"] for row in rows)
    assert segment["score_80_and_more"] == sum(row["ai_score"] >= 80 for row in rows)
    countries = rows_of(report, "Countries", "leadleap")
    assert sums(countries, "country", "leads") == dict(Counter(row["country"] for row in rows))


@pytest.mark.long
def test_all_figures_of_all_vendors_are_the_apis_truth(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = some_of_everything()
    everybody.sync(target)
    report = report_of(target)
    check_everything(report, everybody)
    # Nothing personal is in it.
    page = render(report, "")
    said = ("@", "example", "415", *(str(row["firstName"]) for row in everybody.leadping.snapshot()["leads"]))
    numbers = page[page.index('id="data"') :].partition("</script>")[0]
    assert not [words for words in said if words in numbers]
    # Without what is said over all vendors, the others still stand.
    target.query("DROP SCHEMA leadhouse_shareable CASCADE")
    without = report_of(target)
    assert [section["title"] for section in without["sections"]] == TITLES[1:]
    assert "leadhouse finish" in capsys.readouterr().err


@pytest.mark.long
def test_a_warehouse_in_which_nothing_is_yet_makes_a_page_all_the_same(target: Target) -> None:
    Everybody().sync(target)
    report = report_of(target)
    assert [section["title"] for section in report["sections"]] == TITLES
    (totals,) = rows_of(report, "All vendors", "leadhouse")
    assert totals["leads"] == totals["people"] == 0
    assert render(report, "")


@pytest.mark.long
def test_the_published_file_is_reported_of_though_it_is_called_after_the_schema(duck: DuckDB) -> None:
    everybody = some_of_everything()
    with everybody.open() as sources:
        for source in sources.values():
            sync(source, duck.storage(dataset="", publish=True))
    published = duck.storage(dataset="", publish=True)
    check_everything(assemble(published, None, (), False), everybody)
    alone = assemble(published, "leadron", (), False)
    assert [section["name"] for section in alone["sections"]] == ["leadron"]


@pytest.mark.long
def test_what_is_not_up_to_date_is_named_by_vendor(duck: DuckDB) -> None:
    everybody = some_of_everything()
    everybody.sync(duck)
    duck.query(
        "UPDATE leadron.sync_log SET status = 'failed', note = 'the server answers 503' WHERE resource = 'partners'"
    )
    missing = rows_of(report_of(duck), "What is missing of each vendor", "leadhouse")
    assert [(row["source"], row["resource"], row["status"], row["note"]) for row in missing] == [
        ("leadron", "partners", "failed", "the server answers 503")
    ]
    # A page of the vendor alone says it as well.
    alone = report_of(duck, "leadron")
    missing = rows_of(alone, "What is missing", "leadron")
    assert [(row["what"], row["why"], row["read_at"]) for row in missing] == [
        ("partners", "failed: the server answers 503", None)
    ]
    fresh = rows_of(alone, "How fresh it is", "leadron")
    assert [row["resource"] for row in fresh if row["behind"]] == ["partners"]


@pytest.mark.long
def test_the_demo_of_all_vendors_shows_who_is_known_to_several(home: Path) -> None:
    pytest.importorskip("vl_convert")
    process = run_leadhouse("demo", "--all", folder=home)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Who is known to several vendors?" in out
    with duckdb.connect(str(home / "leadhouse-demo" / "leadhouse.duckdb"), read_only=True) as connection:
        known = connection.execute(
            "SELECT lower(email), string_agg(DISTINCT source, ', ' ORDER BY source) FROM leadhouse.all_leads "
            "WHERE email LIKE '%@known.example.com' GROUP BY 1 HAVING count(DISTINCT source) > 1"
        ).fetchall()
        found = connection.execute(
            "SELECT sources, count(*) FROM leadhouse.people WHERE source_count > 1 GROUP BY 1"
        ).fetchall()
    assert len(known) > 20
    assert Counter(sources for _, sources in known) == dict(found)
    assert (home / "leadhouse-demo" / "report.html").stat().st_size < 1_500_000
