"""Leadron, whole: over real HTTP into DuckDB, compared with what the sandbox holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.exits import Exit
from sources.core.engine.clock import Clock
from sources.core.errors import ConfigurationError, Unauthorized
from sources.leadron import LEADRON
from sources.leadron.sandbox import Behaviour, Churn, Fault, Paging, World
from tests.leadron.conftest import Place, Start, statuses

UNITS = ("leads", "partners", "marketers", "commissions/records", "commissions/rules", "sequences", "teams")
REPORTS = ("overview", "leads", "commissions", "partners", "conversion-rate", "sms")
LISTS = ("partners", "marketers", "commission_records", "commission_rules", "sequences", "teams")


def old(leads: int = 120, **options: object) -> World:
    """A world whose leads are not young, so that what was read of them is not read again at once."""
    world = World.make(leads=leads, now=datetime.now(UTC) - timedelta(days=40), **options)  # type: ignore[arg-type]
    return world


def test_everything_is_read_as_it_is(place: Start) -> None:
    there = place(leads=70)
    assert there.sync().exit == Exit.DONE
    assert there.leads() == there.truth()
    assert there.notes() == there.true_notes()
    assert there.query("SELECT count(*) FROM leadron.lead_timeline") == [
        (sum(map(len, there.world.details("timeline").values())),)
    ]
    for resource in LISTS:
        ids = there.column(f"SELECT id FROM leadron.{resource} WHERE tenant_id = 'acme-corp'")
        assert sorted(ids) == sorted(there.world.ids("", resource)), resource
    assert set(there.column("SELECT report FROM leadron.analytics")) == set(REPORTS)
    assert there.column("SELECT data FROM leadron.analytics WHERE report = 'conversion-rate'") == ["0.125"]
    assert there.column("SELECT plan FROM leadron.account") == ["starter"]
    assert there.column("SELECT count(_misfits) FROM leadron.leads") == [0]
    assert {request.method for request in there.sandbox.requests} == {"GET"}


def test_a_sync_that_finds_nothing_new_costs_a_request_a_unit(place: Start) -> None:
    there = place(old(70))
    there.sync()
    there.sandbox.clear_requests()
    assert there.sync().exit == Exit.DONE
    assert {unit: there.asked(f"/{unit}") for unit in UNITS} == dict.fromkeys(UNITS, 1)
    assert there.asked("/leads/*") == 0
    who, snapshots = 2, 1 + len(REPORTS)
    assert len(there.sandbox.requests) == len(UNITS) + who + snapshots


@pytest.mark.long
def test_only_reads_are_ever_sent(place: Start) -> None:
    there = place(leads=12)
    there.sync()
    there.sync(full=True)
    assert {request.method for request in there.sandbox.requests} == {"GET"}
    known = {f"/{unit}" for unit in UNITS} | {f"/analytics/{report}" for report in REPORTS}
    known |= {"/account", "/account/usage", "/api-keys/scopes"}
    asked = {request.path for request in there.sandbox.requests if not request.path.startswith("/leads/")}
    assert asked == known
    for method, path in (
        ("POST", "/leads"),
        ("GET", "/api-keys"),
        ("PATCH", "/leads/1"),
        ("GET", "/search/leads"),
    ):
        assert not LEADRON.is_read(method, path)


@pytest.mark.long
def test_what_a_key_may_not_read_is_skipped_at_once_where_its_scopes_say_so(place: Start) -> None:
    there = place(leads=12)
    there.world.scopes = ("leads:read",)
    report = there.sync()
    assert report.exit == Exit.DONE
    readable = {"leads", "lead_notes", "lead_timeline"}
    assert {name for name, status in statuses(report).items() if status == "ok"} == readable
    assert {status for name, status in statuses(report).items() if name not in readable} == {"skipped"}
    assert there.leads() == there.truth()


@pytest.mark.long
def test_what_a_key_may_not_read_is_news_once_where_nothing_tells_its_scopes(place: Start) -> None:
    there = place(leads=12)
    there.world.scopes, there.world.missing = ("leads:read",), {"/api-keys/.*"}
    first = there.sync()
    assert first.exit == Exit.PARTLY
    assert statuses(first)["partners"] == statuses(first)["analytics"] == "denied"
    second = there.sync()
    assert second.exit == Exit.DONE
    assert statuses(second)["partners"] == statuses(second)["analytics"] == "skipped"
    there.world.scopes = ("*",)
    third = there.sync()
    assert set(statuses(third).values()) == {"ok"}


@pytest.mark.long
def test_what_is_not_offered_is_remembered_and_asked_about_a_week_later(
    place: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(leads=12)
    there.world.missing = {"/teams", "/leads/\\w+/timeline", "/analytics/sms", "/account", "/api-keys/scopes"}
    first = there.sync()
    assert first.exit == Exit.DONE
    assert {n for n, s in statuses(first).items() if s == "skipped"} == {"account", "teams", "lead_timeline"}
    there.sandbox.clear_requests()
    assert there.sync().exit == Exit.DONE
    unasked = ("/teams", "/leads/*/timeline", "/analytics/sms", "/account", "/api-keys/scopes")
    assert {path: there.asked(path) for path in unasked} == dict.fromkeys(unasked, 0)
    assert there.asked("/leads") == 2  # whose rows there are, and whether any is new
    assert there.leads() == there.truth()
    there.world.missing = set()
    now = Clock.now
    monkeypatch.setattr(Clock, "now", lambda clock: now(clock) + timedelta(days=8))
    assert there.sync().exit == Exit.DONE
    assert there.column("SELECT count(*) FROM leadron.teams") == [2]
    assert there.column("SELECT count(*) > 0 FROM leadron.lead_timeline") == [True]


def is_missed(there: Place, resource: str, path: str) -> None:
    """Reads a resource, and then twice while a path of it is not there; in the end it is there again."""
    assert there.sync(resource, "teams").exit == Exit.DONE
    there.world.missing = {path}
    first = there.sync(resource, "teams")
    assert (first.exit, statuses(first)[resource]) == (Exit.PARTLY, "gone")
    assert statuses(there.sync(resource, "teams"))[resource] == "skipped"
    there.world.missing = set()


@pytest.mark.long
def test_a_list_that_was_read_before_and_is_not_there_is_asked_for_by_every_sync(place: Start) -> None:
    there = place(leads=5)
    is_missed(there, "partners", "/partners")
    there.world.delete("", "partners", there.world.ids("", "partners")[0])
    new = there.world.insert("", "partners")["id"]
    assert there.sync("partners", "teams").exit == Exit.DONE
    assert there.column(f"SELECT count(*) FROM leadron.partners WHERE id = '{new}'") == [1]


@pytest.mark.long
def test_a_figure_that_was_there_before_and_is_not_is_missed_and_asked_for_by_each_sync(place: Start) -> None:
    there = place(leads=5)
    is_missed(there, "analytics", "/analytics/sms")
    there.sandbox.clear_requests()
    assert there.sync("analytics", "teams").exit == Exit.DONE
    assert there.asked("/analytics/sms") == 1


@pytest.mark.long
def test_a_tenant_keeps_the_name_that_its_rows_are_stored_under(place: Start) -> None:
    """A second name would make two rows of each, and nobody would ever call the first ones deleted."""
    there = place(leads=12)
    there.world.missing = {"/account", "/api-keys/scopes"}
    there.sync()
    first, *others = there.world.ids()
    for lead in others:
        there.world.edit("", "leads", lead, tenantId="renamed")
    there.world.edit("", "leads", first, tenantId=None)
    assert there.sync(full=True).exit == Exit.DONE
    assert there.query("SELECT DISTINCT tenant_id FROM leadron.leads") == [("acme-corp",)]
    assert there.column("SELECT id FROM leadron.leads ORDER BY id") == sorted(there.world.ids())


@pytest.mark.long
def test_a_tenant_whose_leads_do_not_name_it_is_asked_for_and_not_read_as_nothing(place: Start) -> None:
    there = place(leads=12)
    there.world.missing = {"/account", "/api-keys/scopes"}
    for lead in there.world.ids():
        there.world.edit("", "leads", lead, tenantId=None)
    with pytest.raises(ConfigurationError, match=r"set tenant_id under \[sources.leadron\]"):
        there.sync()
    assert there.sync(tenant_id="acme-corp").exit == Exit.DONE
    assert there.column("SELECT id FROM leadron.leads ORDER BY id") == sorted(there.world.ids())


@pytest.mark.long
@pytest.mark.parametrize("trouble", [Fault("error", status=500), Fault("html", status=200)])
def test_what_no_document_promises_may_fail_and_the_rest_is_read(place: Start, trouble: Fault) -> None:
    there = place(leads=12)
    for path in ("/account", "/api-keys/scopes"):
        there.sandbox.faults.add(replace(trouble, path=path, times=None))
    report = there.sync()
    assert (report.exit, statuses(report)["account"]) == (Exit.PARTLY, "failed")
    assert there.leads() == there.truth()


@pytest.mark.long
def test_a_deleted_lead_is_no_sign_that_notes_are_not_offered(place: Start) -> None:
    there = place(old(12))
    there.sync()
    lead = there.world.ids()[0]
    there.world.note(lead)
    there.sandbox.faults.add(Fault("error", f"/leads/{lead}/notes", status=404, times=None))
    assert statuses(there.sync())["lead_notes"] == "ok"
    other = there.world.ids()[1]
    there.world.note(other, "News.")
    assert statuses(there.sync())["lead_notes"] == "ok"
    assert "News." in {content for _, _, content in there.notes()}


PAGINGS = {
    "20 rows whatever is asked": Paging(own_size=20),
    "20 rows, and nothing said": Paging(own_size=20, echo=False),
    "nothing said": Paging(echo=False),
    "everything in one reply, and nothing said": Paging(unpaged=True, echo=False),
    "everything in one reply": Paging(unpaged=True),
    "100 rows": Paging(cap=100),
    "the last page for all past the end": Paging(last_for_all=True),
    "a total that is too small": Paging(total_off=-100),
    "a total that is too large": Paging(total_off=100),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name == "20 rows, and nothing said" else pytest.param(name, marks=pytest.mark.long)
        for name in PAGINGS
    ],
)
def test_all_is_read_however_the_server_pages(place: Start, name: str) -> None:
    there = place(leads=130)
    there.world.paging = PAGINGS[name]
    for full in (False, False, True):
        assert there.sync("leads", "partners", "commission_records", full=full).exit == Exit.DONE
        assert there.leads() == there.truth()
        for resource in ("partners", "commission_records"):
            ids = there.column(f"SELECT id FROM leadron.{resource} WHERE deleted_at IS NULL")
            assert sorted(ids) == sorted(there.world.ids("", resource))


@pytest.mark.long
def test_empty_details_that_say_nothing_of_pages_are_read_over_several_slices(
    place: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADHOUSE__SLICE_MINUTES", "0.005")
    there = place(old(60), latency=0.05)
    there.sandbox.faults.add(Fault("body", "/leads/*/notes", times=None, body={"success": True, "data": []}))
    assert there.sync("leads", "lead_notes").exit == Exit.DONE
    assert there.column("SELECT count(*) FROM leadron.detail_reads WHERE resource = 'lead_notes'") == [60]


@pytest.mark.long
@pytest.mark.parametrize("name", ["100 rows", "20 rows, and nothing said"])
def test_nothing_is_lost_or_buried_while_rows_come_and_go(place: Start, name: str) -> None:
    there = place(leads=400)
    there.world.paging = PAGINGS[name]
    before, changing = set(there.world.ids()), [True]
    churn = Churn(deletes=1, inserts=1, edits=1, where="anywhere", resources=("leads",))
    there.sandbox.before_each(lambda *request: changing and churn(*request))
    report = there.sync("leads")
    throughout = before & set(there.world.ids())
    assert report.exit == Exit.PARTLY or throughout <= {row[1] for row in there.leads()}
    changing.clear()
    for _ in range(3):
        report = there.sync("leads", full=True)
        notes = [outcome.note for outcome in report.run.outcomes.values()]
        # Very many rows that came and went are told with an exit code when they are concluded.
        assert report.exit == Exit.DONE or any("three complete scans agree" in note for note in notes)
    assert there.sync("leads").exit == Exit.DONE
    assert there.leads() == there.truth()


@pytest.mark.long
def test_an_order_that_is_not_stable_loses_nothing(place: Start) -> None:
    there = place(leads=300, behaviour=Behaviour(ties=40))
    for _ in range(2):
        assert there.sync("leads", full=True).exit == Exit.DONE
        assert there.leads() == there.truth()


@pytest.mark.long
def test_deletes_are_concluded_after_two_scans_and_asked_for_one_by_one(place: Start) -> None:
    there = place(leads=130)
    there.sync("leads")
    gone = there.world.ids()[:3]
    for lead in gone:
        there.world.delete("", "leads", lead)
    there.sync("leads", full=True)
    there.sandbox.clear_requests()
    report = there.sync("leads", full=True)
    assert {row[1] for row in there.leads("deleted_at IS NOT NULL")} == set(gone)
    assert sum(there.asked(f"/leads/{lead}") for lead in gone) == len(gone)
    ids = [request.request_id for request in there.sandbox.requests]
    assert len(set(ids)) == len(ids) == report.run.traffic.requests  # those after the load, too
    assert there.leads() == there.truth()


@pytest.mark.long
def test_a_row_of_which_nobody_can_say_whether_it_is_gone_keeps_no_other_from_being_marked(
    place: Start,
) -> None:
    there = place(leads=130)
    there.sync("leads")
    silent, *gone = there.world.ids()[:4]
    for lead in (silent, *gone):
        there.world.delete("", "leads", lead)
    there.sandbox.faults.add(Fault("error", f"/leads/{silent}", status=500, times=None))
    for _ in range(2):
        report = there.sync("leads", full=True)
    assert {row[1] for row in there.leads("deleted_at IS NOT NULL")} == set(gone)
    assert any("does not say" in outcome.note for outcome in report.run.outcomes.values())
    there.sandbox.faults.clear()
    there.sync("leads", full=True)
    assert there.leads() == there.truth()


@pytest.mark.long
def test_the_brake_holds_where_most_leads_seem_gone(place: Start) -> None:
    there = place(leads=130)
    there.sync("leads")
    for lead in there.world.ids()[:90]:
        there.world.delete("", "leads", lead)
    for _ in range(2):
        report = there.sync("leads", full=True)
    assert any("held back" in outcome.note for outcome in report.run.outcomes.values())
    assert not there.leads("deleted_at IS NOT NULL")
    there.sync("leads", full=True)
    assert there.leads() == there.truth()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["error", "truncated", "disconnect", "html", "empty", "garbage"])
def test_whatever_fails_now_and_then_everything_is_read(place: Start, kind: str) -> None:
    there = place(old(60))
    for after in range(0, 100, 7):
        there.sandbox.faults.add(Fault(kind, "*", after=after, status=500 if kind == "error" else None))  # type: ignore[arg-type]
    assert there.sync().exit == Exit.DONE
    assert there.leads() == there.truth()
    assert there.notes() == there.true_notes()


@pytest.mark.long
def test_what_answers_401_though_the_key_is_good_is_a_refusal_like_any_other(place: Start) -> None:
    there = place(old(12))
    for path in ("/api-keys/*", "/account*", "/partners", "/leads/*/timeline", "/analytics/*"):
        there.sandbox.faults.add(Fault("error", path, status=401, times=None))
    first = there.sync()
    assert first.exit == Exit.PARTLY
    refused = {"account", "account_usage", "partners", "lead_timeline", "analytics"}
    assert {name for name, status in statuses(first).items() if status == "denied"} == refused
    assert there.leads() == there.truth()
    assert there.notes() == there.true_notes()
    assert there.sync().exit == Exit.DONE


@pytest.mark.long
def test_a_key_that_is_not_accepted_ends_the_run(place: Start) -> None:
    there = place(leads=12)
    with pytest.raises(Unauthorized):
        there.sync(api_key="ldr_live_sk_another")
