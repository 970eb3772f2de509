"""Which posts and lead magnets are due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sources.core.engine.details import Parent, due
from sources.core.resources import BY_AGE, DAILY

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def parent(row_id: str = "a", age_days: float | None = None, **facts: object) -> Parent:
    born = None if age_days is None else NOW - timedelta(days=age_days)
    return Parent("client", row_id, born, **facts)  # type: ignore[arg-type]


def ids(parents: list[Parent], now: datetime = NOW, budget: int = 1000) -> list[str]:
    return [p.id for p in due(parents, BY_AGE, now, budget)]


def days_due(age_days: float | None, days: int) -> list[int]:
    """On which of the coming days a row is read, one sync a day."""
    fetched, read = NOW.date(), []
    for day in range(1, days + 1):
        now = NOW + timedelta(days=day)
        born = None if age_days is None else NOW - timedelta(days=age_days)
        if due([Parent("client", "some-id", born, fetched=fetched)], BY_AGE, now, 10):
            read.append(day)
            fetched = now.date()
    return read


def test_a_row_whose_details_were_never_read_is_due() -> None:
    assert ids([parent()]) == ["a"]


def test_a_row_in_its_first_week_is_due_on_every_run() -> None:
    assert ids([parent(age_days=6.9, fetched=NOW.date())]) == ["a"]


def test_a_scheduled_row_counts_as_young() -> None:
    assert ids([parent(age_days=-3, fetched=NOW.date())]) == ["a"]


def test_a_row_in_its_first_month_is_due_once_a_day() -> None:
    assert ids([parent(age_days=8, fetched=NOW.date())]) == []
    assert ids([parent(age_days=8, fetched=NOW.date() - timedelta(days=1))]) == ["a"]


def test_a_row_in_its_first_quarter_is_due_once_a_week() -> None:
    read = days_due(31, 42)
    assert len(read) == 6
    assert {later - earlier for earlier, later in pairwise(read)} == {7}


def test_an_old_row_and_one_of_unknown_age_are_due_once_in_thirty_days() -> None:
    assert len(days_due(400, 300)) == len(days_due(None, 300)) == 10


def test_a_changed_row_is_due_at_once() -> None:
    assert ids([parent(fetched=NOW.date(), changed=True)]) == ["a"]


def test_days_without_a_sync_are_caught_up_by_the_next_one() -> None:
    assert ids([parent(age_days=50, fetched=NOW.date() - timedelta(days=7))]) == ["a"]
    assert ids([parent(age_days=500, fetched=NOW.date() - timedelta(days=30))]) == ["a"]


def test_due_days_of_many_rows_are_spread() -> None:
    rows = [parent(f"post-{n}", fetched=NOW.date()) for n in range(3000)]
    counts = [len(ids(rows, NOW + timedelta(days=1) * day, 5000)) for day in range(1, 2)]
    assert all(50 < count < 150 for count in counts)


def test_the_budget_goes_to_those_read_longest_ago() -> None:
    rows = [parent(str(n), 1, fetched=date(2026, 11, 1 + n)) for n in range(10)]
    assert ids(rows[::-1], budget=3) == ["0", "1", "2"]


def test_never_read_rows_go_before_all_others() -> None:
    assert ids([parent("b", 1, fetched=NOW.date()), parent("a")], budget=1) == ["a"]


def test_lead_magnets_are_due_daily_whatever_their_age() -> None:
    old = parent(fetched=NOW.date() - timedelta(days=1))
    assert due([old], DAILY, NOW, 10) == [old]
    assert due([parent(fetched=NOW.date())], DAILY, NOW, 10) == []


@given(st.integers(0, 400), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_after_a_sync_no_row_is_older_than_its_tier_allows(age: int, gaps: list[int]) -> None:
    now, fetched = NOW, NOW.date()
    for gap in gaps:
        now += timedelta(days=gap)
        row = Parent("client", "x", NOW - timedelta(days=age), fetched=fetched)
        if due([row], BY_AGE, now, 1):
            fetched = now.date()
        assert (now.date() - fetched).days < 30
