"""Leadping, whole: over real HTTP into DuckDB, compared with what the sandbox holds."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.syncing.reconcile import reconcile
from pipelines.syncing.status import read_status
from pipelines.syncing.sync import Report
from sources.core.engine.run import Run
from sources.core.errors import Unauthorized
from sources.core.privacy.configuration import load_policy
from sources.leadping import LEADPING
from sources.leadping.sandbox import Churn, Fault, Paging, Window
from tests.support import run_leadhouse

from .conftest import Start
from .place import LISTS, Place

READS = {
    ("GET", "/organizations/me"),
    ("POST", "/leads/all/my"),
    ("POST", "/conversations/my"),
    ("POST", "/events/sms/all/my"),
    ("POST", "/events/calls/all/my"),
    ("POST", "/events/all/my"),
    ("POST", "/lead-status-changes/all/my"),
    ("POST", "/sources/all/my"),
    ("POST", "/suppressions/all/my"),
    ("POST", "/transactions/all/my"),
    ("POST", "/usage/all/my"),
    ("GET", "/tags"),
    ("GET", "/lead-statuses"),
    ("GET", "/analytics/my"),
}
NEVER = (
    ("POST", "/leads"),
    ("GET", "/leads/intake"),
    ("POST", "/leads/intake"),
    ("GET", "/leads/all/my"),
    ("POST", "/leads/lead_1"),
    ("PUT", "/leads/lead_1"),
    ("DELETE", "/leads/lead_1"),
    ("POST", "/tags"),
    ("POST", "/organizations/me"),
    ("POST", "/leads/all/my/archive"),
    ("GET", "/reports/exports/1/download"),
)


def statuses(report: Report) -> dict[str, str]:
    return {unit.resource: str(outcome.status) for unit, outcome in report.run.outcomes.items()}


@pytest.mark.long
def test_all_lists_are_read_and_a_sync_that_finds_nothing_new_costs_a_request_each(place: Start) -> None:
    there = place()
    assert there.sync().exit == 0
    assert there.agrees()
    assert {name for name, scan in there.scans().items() if "by time, closed" in scan} == {*LISTS} - {
        "conversations",
        "suppression_entries",
    }
    there.sync()
    there.sandbox.clear_requests()
    report = there.sync()
    assert report.exit == 0
    assert len(there.sandbox.requests) == len(READS)
    assert (
        sum(o.read for u, o in report.run.outcomes.items() if u.resource in ("leads", "conversations")) == 0
    )
    assert {(request.method, request.path) for request in there.sandbox.requests} == READS


def test_nothing_but_reads_is_ever_sent() -> None:
    assert not any(LEADPING.is_read(method, path) for method, path in NEVER if path != "/leads/intake")
    # `GET /leads/{id}` is a read, and this stands right where an id would.
    assert not LEADPING.is_read("GET", "/leads/intake")


PAGINGS = {
    "clamped to 30": Paging(cap=30),
    "more than 100 refused": Paging(largest=100),
    "more than 60 refused": Paging(largest=60, cap=60),
    "tokens are offsets": Paging(tokens="offset"),
    "tokens live for a few requests": Paging(lives=40),
    "no order": Paging(order="ignored"),
    "order refused": Paging(order="refused"),
    "filter ignored": Paging(filter="ignored"),
    "filter refused": Paging(filter="refused"),
    "no total": Paging(count=False),
    "a total that is too large": Paging(count_off=9),
    "all is not known": Paging(archive="refused"),
    "all is taken for active": Paging(archive="ignored"),
    "July": Paging(era="july"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", PAGINGS)
def test_all_is_read_however_the_server_answers(place: Start, name: str) -> None:
    there = place(PAGINGS[name])
    lists = [n for n in LISTS if name != "July" or n not in ("lead_status_changes", "suppression_entries")]
    for _ in range(2):
        report = there.sync()
        assert report.exit == 0, statuses(report)
        assert there.agrees(*lists), there.scans()
        there.world.insert("", "leads")
        there.world.insert("", "sms_events")
        there.world.edit("", "leads", there.world.ids("", "leads")[3], status="Called")
        there.world.archive(there.world.ids("", "leads")[4])


@pytest.mark.long
@pytest.mark.parametrize("paging", ["august", "tokens are offsets", "order refused", "all is not known"])
def test_nothing_is_lost_or_buried_while_rows_come_and_go(place: Start, paging: str) -> None:
    there = place(PAGINGS.get(paging), leads=420)
    before = {name: set(there.world.ids("", name)) for name in LISTS}
    churn, changing = Churn(deletes=0.4, inserts=0.5, edits=1, where="anywhere"), [True]
    there.sandbox.before_each(
        lambda world, account, resource, offset: (
            changing and resource != "sources" and churn(world, account, resource, offset)
        )
    )
    report = there.sync()
    for name in LISTS:
        lost = before[name] & set(there.world.ids("", name)) - set(there.rows(name))
        assert not lost or statuses(report)[name] != "ok", (name, there.scans()[name])
    changing.clear()
    for _ in range(2):
        assert there.sync(full=True).exit == 0
    assert there.agrees(), there.scans()


@pytest.mark.long
def test_both_eras_come_out_in_one_shape(place: Start) -> None:
    august, july = place(), place(Paging(era="july"))
    shapes = {}
    for there, name in ((august, "a"), (july, "j")):
        there.home = there.home / name
        there.home.mkdir()
        assert there.sync().exit == 0
        shapes[name] = {
            table: there.query(f"SELECT {columns} FROM leadping.{table} ORDER BY id")
            for table, columns in {
                "leads": "id, organization__id, organization__name, source__id, source__name, "
                "current_lead_status__category, updated_at, _misfits",
                "sms_events": "id, lead__id, lead__name, organization, organization_name, text, _misfits",
                "call_events": "id, lead_id, lead_name, organization, organization_name, _misfits",
                "transactions": "id, lead__id, organization__id, amount, _misfits",
                "sources": "id, organization__id, name, api_key_preview, _misfits",
            }.items()
        }
        columns = there.query("SELECT column_name FROM information_schema.columns")
        assert not {c for (c,) in columns if "business" in c or "disposition" in c}
    assert shapes["a"] == shapes["j"]
    july.sandbox.clear_requests()
    assert july.sync().exit == 0
    assert july.sandbox.count("/organizations/me") == 0  # it is remembered which one answers
    assert july.sandbox.count("/lead-statuses") == 0


@pytest.mark.long
def test_an_archived_lead_is_not_a_deleted_one(place: Start) -> None:
    there = place()
    there.sync("leads")
    first, second, third = there.world.ids("", "leads")[:3]
    there.world.archive(first)
    there.world.delete("", "leads", second)
    there.sync("leads")
    assert there.rows("leads")[first][2] is True
    there.world.archive(first, archived=False)
    for _ in range(2):
        assert there.sync("leads", full=True).exit == 0
    assert there.agrees("leads")
    assert set(there.rows("leads", "deleted_at IS NOT NULL")) == {second}
    assert third in there.rows("leads", "archived_at IS NULL")


@pytest.mark.long
def test_what_became_of_texts_is_filled_in_by_the_next_run(place: Start) -> None:
    there = place(leads=60, texts=700)
    there.sync("sms_events")
    late = max(there.world.snapshot()["sms_events"], key=lambda row: row["createdAt"])["id"]
    there.world.edit("", "sms_events", late, status="failed")
    for _ in range(5):
        there.world.insert("", "sms_events")
    there.sandbox.clear_requests()
    assert there.sync("sms_events").exit == 0
    assert there.agrees("sms_events")
    assert there.sandbox.count("/events/sms/all/my") <= 4


@pytest.mark.long
def test_what_became_of_one_of_many_texts_is_filled_in_by_the_next_run(place: Start) -> None:
    there = place(leads=60, texts=3000)
    there.sync("sms_events")
    there.sync("sms_events")
    rows = sorted(there.world.snapshot()["sms_events"], key=lambda row: row["createdAt"], reverse=True)
    recent = [row for row in rows if moment(row) > moment(rows[0]) - timedelta(days=6)]
    assert len(recent) > 120  # more than a page
    there.world.edit("", "sms_events", recent[-1]["id"], status="failed")
    assert there.sync("sms_events").exit == 0
    assert there.agrees("sms_events")


def moment(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row["createdAt"])


@pytest.mark.long
@pytest.mark.parametrize("slow", [timedelta(0), timedelta(days=10)])
def test_details_of_leads_that_changed_are_read_though_a_run_reads_few_of_them(
    place: Start, slow: timedelta
) -> None:
    """And whatever the server's clock says."""
    there = place(leads=20)
    there.sync("leads", "lead_details", details=True)
    for n, lead in enumerate(there.world.ids("", "leads")[:12]):
        then = f"{datetime.now(UTC) - slow:%Y-%m-%dT%H:%M:%S.000Z}"
        there.world.edit("", "leads", lead, email=f"edited{n}@example.com", updatedAt=then)
    stale = (
        "SELECT count(*) FROM leadping.leads l JOIN leadping.lead_details d ON d.lead_id = l.id "
        "WHERE l.email <> d.contact__email"
    )
    there.sandbox.faults.add(Fault("error", re.compile("^/leads/(?!all/)"), status=500, times=None))
    there.sync("leads", "lead_details", details=True, full=True)
    there.sandbox.faults.clear()
    assert there.query(stale) == [(12,)]
    for _ in range(3):
        there.sync("leads", "lead_details", details=True, details_per_run=5)
    assert there.query(stale) == [(0,)]


@pytest.mark.parametrize(
    "answer",
    [
        "another lead's",
        pytest.param({"error": {"code": "upstream_timeout"}}, marks=pytest.mark.long),
        pytest.param({"title": "Upstream timeout", "status": 503}, marks=pytest.mark.long),
        pytest.param({}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_what_is_not_about_a_lead_does_not_take_the_place_of_its_details(place: Start, answer: Any) -> None:
    there = place(leads=3)
    there.sync("leads", "lead_details", details=True)
    asked = "SELECT lead_id, id, contact__email FROM leadping.lead_details ORDER BY 1"
    before = there.query(asked)
    first, *others = there.world.ids("", "leads")
    for lead in others:
        there.world.edit("", "leads", lead, firstName="Edited")
    body = {"id": first, "contact": {"email": "kestrel@example.com"}} if isinstance(answer, str) else answer
    there.sandbox.faults.add(*(Fault("body", f"/leads/{lead}", body=body, times=None) for lead in others))
    report = there.sync("leads", "lead_details", details=True)
    assert statuses(report)["lead_details"] == "failed"
    assert there.query(asked) == before
    there.sandbox.faults.clear()
    assert there.sync("leads", "lead_details", details=True).exit == 0
    assert [lead for lead, _, email in there.query(asked) if email != "kestrel@example.com"] == sorted(
        [first, *others]
    )


@pytest.mark.long
def test_a_list_that_says_the_year_1_for_never_keeps_no_other_from_being_read(place: Start) -> None:
    there = place(leads=60)
    for entry in there.world.ids("", "suppression_entries"):
        there.world.edit("", "suppression_entries", entry, suppressedAt="0001-01-01T00:00:00Z")
    for full in (False, True):
        assert there.sync(full=full).exit == 0
        assert there.agrees()


@pytest.mark.long
def test_a_lead_whose_id_is_no_step_of_a_path_is_asked_for_under_no_other(place: Start) -> None:
    there = place(leads=5)
    leads = there.world.lists["leads"]
    for name, lead in zip((".", ".."), there.world.ids("", "leads"), strict=False):
        leads.rows[name] = {**leads.rows.pop(lead), "id": name}
    leads.changed()
    for full in (False, True):
        assert there.sync(full=full, details=True).exit == 0
        assert there.agrees("leads")
    details = there.query("SELECT lead_id FROM leadping.lead_details")
    assert {lead for (lead,) in details} == {*there.world.ids("", "leads")} - {".", ".."}
    assert there.sandbox.count("/") == there.sandbox.count("/leads/") == 0


def test_what_nobody_thought_of_is_one_list_s_trouble(place: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def strange(row: Any) -> Any:
        raise KeyError("kestrel@example.com")

    there = place(leads=5)
    listing = replace(LEADPING.listings["transactions"], reshape=strange)
    monkeypatch.setitem(LEADPING.listings, "transactions", listing)
    report = there.sync()
    (trouble,) = [outcome for outcome in report.run.outcomes.values() if outcome.status == "failed"]
    assert trouble.unit.resource == "transactions"
    assert "KeyError at test_leadping.py:" in trouble.note
    assert "kestrel" not in trouble.note
    assert there.agrees("leads", "sms_events")


@pytest.mark.long
def test_somebody_elses_lead_is_passed_over_and_a_refused_list_hurts_no_other(place: Start) -> None:
    there = place(leads=30)
    foreign = there.world.ids("", "leads")[5]
    there.world.foreign.add(foreign)
    report = there.sync("leads", "lead_details", details=True)
    assert report.exit == 0
    read = {row for (row,) in there.query("SELECT lead_id FROM leadping.lead_details")}
    assert read == set(there.world.ids("", "leads")) - {foreign}
    there.sandbox.faults.add(Fault("error", "/events/sms/all/my", status=401, times=None))
    report = there.sync(full=True)
    assert {u.resource for u, o in report.run.outcomes.items() if o.status == "denied"} == {"sms_events"}
    there.sandbox.faults.add(Fault("error", "/organizations/me", after=1, status=401, times=None))
    with pytest.raises(Unauthorized):
        there.sync(full=True)


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", "*", status=500, after=3, times=4),
        Fault("error", "*/my", status=429, retry_after=0, after=3, times=4),
        Fault("truncated", "*/my", after=5, times=4),
        Fault("reset", "*/my", after=5, times=4),
        Fault("html", "*/my", after=5, times=4),
        Fault("empty", "*/my", after=5, times=4),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status or ''}",
)
def test_trouble_on_the_way_loses_nothing(place: Start, fault: Fault) -> None:
    there = place()
    there.sandbox.faults.add(fault)
    report = there.sync(requests_a_minute=1_000_000)
    assert report.exit == 0, statuses(report)
    assert there.agrees()


@pytest.mark.long
def test_the_documented_limit_is_never_exceeded(place: Start) -> None:
    window = Window(60, seconds=60)
    there = place(leads=120, rate_limit=window)
    assert there.sync("leads", "sms_events", "tags", requests_a_minute=57).exit == 0
    assert window.refused == 0


@pytest.mark.long
def test_a_killed_sync_goes_on_and_nothing_is_lost_or_doubled(place: Start) -> None:
    there = place(leads=500, texts=6000, latency=0.02)
    environment = {
        "LEADPING_API_KEY": there.world.key,
        "LEADPING_BASE_URL": there.sandbox.base_url,
        "LEADHOUSE__WAREHOUSE": str(there.home / "w.duckdb"),
        "LEADHOUSE__FOLDER": str(there.home / "work"),
        "LEADHOUSE__SLICE_ROWS": "1500",
        "SOURCES__LEADPING__REQUESTS_A_MINUTE": "100000",  # else the second run waits for the limit
    }
    killed = 0
    for seconds in (3.0, 4.0, 5.0):
        process = run_leadhouse("sync", "--source", "leadping", folder=there.home, environment=environment)
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed
    process = run_leadhouse("sync", "--source", "leadping", folder=there.home, environment=environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert there.agrees()


def reconciled(there: Place, **more: Any) -> dict[str, Any]:
    with there.storage().look("leadping") as pipeline:
        run = Run(LEADPING, there.config(**more), load_policy())
        return {c.unit.resource: c for c in reconcile(run, pipeline, LISTS, None)}


@pytest.mark.long
def test_reconcile_agrees_after_a_sync_and_finds_what_differs(place: Start) -> None:
    there = place()
    there.sync()
    assert all(c.agrees for c in reconciled(there).values()), reconciled(there)
    row_id = there.world.ids("", "sms_events")[0]
    there.world.edit("", "sms_events", row_id, status="failed")
    assert reconciled(there)["sms_events"].different == {row_id: ["status"]}


@pytest.mark.long
def test_a_number_of_rows_that_no_reading_bears_out_is_told_once_by_a_sync_and_always_by_status(
    place: Start,
) -> None:
    there = place(Paging(count_off=9), leads=60)
    said = "the API counts 9 rows more than it lists, however it is asked"
    for told in (True, False):
        report = there.sync("leads", full=True)
        assert report.exit == 0
        assert there.agrees("leads")
        assert (said in {outcome.note for outcome in report.run.outcomes.values()}) is told
        storage = there.storage()
        with storage.look("leadping") as pipeline:
            units = read_status(pipeline, LEADPING, storage, None).units
        assert said in {unit.note for unit in units}
