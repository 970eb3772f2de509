"""Leadron: custom fields of any shape, users through whose eyes it is read, details under a budget, limits and quotas."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.exits import Exit
from sources.core.simulator.dice import Dice
from sources.leadron.sandbox import Usage, Window, World
from tests.leadron.conftest import Place, Start, statuses

OLD = datetime.now(UTC) - timedelta(days=200)


# --- custom fields -----------------------------------------------------------------------------------


def custom(there: Place, bound: int = 200) -> dict[str, dict[str, Any]]:
    """By lead, its custom fields as the warehouse has them, by path."""
    names = there.column(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'leadron' "
        "AND table_name = 'leads' AND column_name LIKE 'custom\\_fields\\_\\_%' ESCAPE '\\'"
    )
    assert len(names) <= bound
    columns = ", ".join(f'"{name}"' for name in names)
    found = {}
    for lead, left, *values in there.query(f"SELECT id, custom_fields, {columns} FROM leadron.leads"):
        own = {name.removeprefix("custom_fields__"): v for name, v in zip(names, values, strict=True)}
        found[lead] = {
            **(json.loads(left) if left else {}),
            **{n: v for n, v in own.items() if v is not None},
        }
    return found


def many(dice: Dice, number: int) -> dict[str, Any]:
    return {f"field_{n}": f"{number}-{n}" for n in range(1500)}


@pytest.mark.long
def test_thousands_of_custom_fields_get_columns_up_to_a_bound_and_none_is_lost(place: Start) -> None:
    there = place(World.make(leads=25, custom_fields=many))
    assert there.sync("leads", max_custom_fields=50).exit == Exit.DONE
    assert custom(there, 50) == {row["id"]: row["customFields"] for row in there.world.truth()}
    assert there.sync("leads", full=True, max_custom_fields=50).exit == Exit.DONE
    assert custom(there, 50) == {row["id"]: row["customFields"] for row in there.world.truth()}


@pytest.mark.long
def test_custom_fields_whose_names_collide_are_both_kept(place: Start) -> None:
    there = place(World.make(leads=25, custom_fields=lambda dice, n: {"Deal Size": n, "deal_size": -n}))
    there.sync("leads")
    stored = there.query("SELECT id, custom_fields__deal_size, custom_fields FROM leadron.leads")
    assert {lead: (first, json.loads(second)) for lead, first, second in stored} == {
        row["id"]: (row["customFields"]["Deal Size"], {"deal_size": row["customFields"]["deal_size"]})
        for row in there.world.truth()
    }
    assert there.column("SELECT count(_misfits) FROM leadron.leads") == [0]


@pytest.mark.long
def test_custom_fields_that_are_a_map_stay_one_column(place: Start) -> None:
    there = place(World.make(leads=60, custom_fields=lambda dice, n: {f"q{n}-{i}": i for i in range(3)}))
    there.sync("leads")
    assert custom(there, 0) == {row["id"]: row["customFields"] for row in there.world.truth()}


SHAPES = ("text", 7, [1, {"a": 2}], {}, None, {"deep": {"er": {"x": [1]}}}, {"": 1, "a@b.example": "x"})


@pytest.mark.long
def test_custom_fields_of_any_shape_are_loaded(place: Start) -> None:
    there = place(World.make(leads=28, custom_fields=lambda dice, n: SHAPES[n % len(SHAPES)]))
    for _ in range(2):
        assert there.sync("leads", full=True).exit == Exit.DONE
    stored = there.query("SELECT id, custom_fields FROM leadron.leads")
    whole = {lead: json.loads(left) for lead, left in stored if left}
    for row in there.world.truth():
        value = row["customFields"]
        if not isinstance(value, dict):
            assert whole.get(row["id"]) == value
        elif "a@b.example" in value:
            assert whole[row["id"]]["a@b.example"] == "x"


@pytest.mark.long
def test_custom_fields_are_unreviewed(place: Start) -> None:
    there = place(leads=20)
    there.sync("leads")
    kinds = dict(
        there.query("SELECT column_name, category FROM leadron.pii_columns WHERE table_name = 'leads'")
    )
    assert {kinds[name] for name in kinds if name.startswith("custom_fields")} == {"unreviewed"}
    assert (kinds["email"], kinds["phone"], kinds["last_name"]) == ("email", "phone", "name")


# --- users -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_what_several_users_see_is_loaded_as_one_union(place: Start) -> None:
    there = place(World.make(leads=120, now=OLD))
    first, second, *_ = there.world.users
    there.world.users[second] = lambda lead: lead["assignedTo"] in (first, second)  # they overlap
    seen = {row["id"] for row in there.world.truth() if row["assignedTo"] in (first, second)}
    users = {"on_behalf_of": [first, second]}
    assert there.sync(**users).exit == Exit.DONE
    assert sorted(there.column("SELECT id FROM leadron.leads")) == sorted(seen)
    assert {row for row in there.true_notes() if row[0] in seen} == there.notes()
    assert set(there.column("SELECT DISTINCT tenant_id FROM leadron.leads")) == {"acme-corp"}
    there.sandbox.clear_requests()
    assert there.sync(**users).exit == Exit.DONE
    assert there.asked("/leads") == 2
    assert there.asked("/leads/*") == 0
    assert {unit.account for unit in there.sync(**users).run.outcomes} == {
        "",
        f"acme-corp/{first}",
        f"acme-corp/{second}",
    }


@pytest.mark.long
def test_a_lead_is_deleted_only_where_none_of_the_users_sees_it(place: Start) -> None:
    there = place(World.make(leads=200, now=OLD))
    first, second, third, *_ = there.world.users
    users = {"on_behalf_of": [first, second]}
    there.sync("leads", **users)
    mine = [row["id"] for row in there.world.truth() if row["assignedTo"] == first]
    there.world.edit("", "leads", mine[0], assignedTo=second)
    there.world.edit("", "leads", mine[1], assignedTo=third)
    there.world.delete("", "leads", mine[2])
    for _ in range(2):
        assert there.sync("leads", full=True, **users).exit == Exit.DONE
    assert set(there.column("SELECT id FROM leadron.leads WHERE deleted_at IS NOT NULL")) == {
        mine[1],
        mine[2],
    }


@pytest.mark.long
def test_a_user_who_may_not_be_acted_for_leaves_the_others_alone(place: Start) -> None:
    there = place(World.make(leads=60, now=OLD))
    first = next(iter(there.world.users))
    report = there.sync("leads", on_behalf_of=[first, "nobody0123456789"])
    assert report.exit == Exit.PARTLY
    seen = {row["id"] for row in there.world.truth() if row["assignedTo"] == first}
    assert set(there.column("SELECT id FROM leadron.leads")) == seen


# --- details -----------------------------------------------------------------------------------------


@pytest.mark.long
def test_notes_of_many_leads_are_read_fairly_under_a_budget(place: Start) -> None:
    there = place(World.make(leads=300, now=OLD))
    for run in range(1, 6):
        changed = there.world.ids()[0]
        there.world.note(changed, f"News of run {run}.")
        there.sandbox.clear_requests()
        assert there.sync("leads", "lead_notes", full=True, details_per_run=60).exit == Exit.DONE
        # Where the first list that answers is empty, one of them is asked whether there is a page 0, too.
        assert there.asked("/leads/*/notes") in (60, 61)
        if run > 1:
            assert there.asked(f"/leads/{changed}/notes") == 1
    read = there.column("SELECT count(*) FROM leadron.detail_reads WHERE resource = 'lead_notes'")
    assert read[0] == 5 * 60 - 3  # the lead with news was read four times, once of them as one that never was
    assert len(there.notes() & there.true_notes()) == len(there.notes())


@pytest.mark.long
def test_a_lead_that_changed_is_read_at_once_and_no_other(place: Start) -> None:
    there = place(World.make(leads=30, now=OLD))
    there.sync("leads", "lead_notes")
    there.sandbox.clear_requests()
    lead = there.world.ids()[4]
    there.world.note(lead, "Wants two.")
    there.sync("leads", "lead_notes", full=True)
    assert there.asked("/leads/*/notes") == there.asked(f"/leads/{lead}/notes") == 1
    assert there.notes() == there.true_notes()
    there.sandbox.clear_requests()
    there.sync("leads", "lead_notes")
    assert there.asked("/leads/*/notes") == 0


# --- limits ------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("relative", [False, True])
def test_a_published_limit_is_kept_before_anything_is_refused(place: Start, relative: bool) -> None:
    window = Window(30, seconds=1.0, relative=relative)
    there = place(World.make(leads=60, now=OLD), rate_limit=window)
    there.world.usage = Usage(limit=5_000)  # the other document's quota, at the same time
    assert there.sync().exit == Exit.DONE
    assert there.leads() == there.truth()
    assert window.refused == 0


@pytest.mark.long
def test_a_run_stops_at_the_quota_that_is_to_be_kept_and_the_next_period_goes_on(place: Start) -> None:
    there = place(World.make(leads=200, now=OLD))
    there.world.usage = Usage(limit=1_000, used=800)
    report = there.sync(keep_quota=10.0)
    assert report.exit == Exit.PARTLY
    assert 890 <= there.world.usage.used <= 910
    assert any("requests left in the plan's period" in o.note for o in report.run.outcomes.values())
    (left,) = there.column(
        "SELECT DISTINCT quota_left FROM leadron.sync_log WHERE finished = (SELECT max(finished) FROM leadron.sync_log)"
    )
    assert left <= 110
    before = there.world.usage.used
    assert there.sync(keep_quota=10.0).exit == Exit.PARTLY
    assert there.world.usage.used <= before + 2
    there.world.usage.used = 0
    assert there.sync().exit == Exit.DONE
    assert there.notes() == there.true_notes()
    assert set(statuses(there.sync()).values()) == {"ok"}
