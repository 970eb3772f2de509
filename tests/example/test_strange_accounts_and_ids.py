"""What is odd in accounts and ids of an API of one's own is said in a line, and loses no row."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.check import run_check
from pipelines.settings import load_sync_config
from pipelines.storage import Storage, storage_for
from pipelines.syncing.sync import Wanted
from pipelines.vendors import VENDORS, Source
from sources.core.accounts import Access, Account, Opener
from sources.core.errors import ConfigurationError, Unforeseen
from sources.core.resources import Listing
from sources.core.vendor import Vendor
from sources.core.vendor_settings import load_config
from tests.example.birdhouse import BIRDHOUSE, MEMBERS
from tests.example.test_your_own_api import KEY, Club, club, members, true_members
from tests.support import sync

__all__ = ["club"]


@pytest.fixture
def storage(home: Path) -> Storage:
    return storage_for(load_sync_config(warehouse=str(home / "birds.duckdb"), folder=str(home / "w")))


def reading(vendor: Vendor, base_url: str) -> Source:
    return Source(vendor, load_config(vendor, api_key=KEY, base_url=base_url, attempts=1))


def opening(account_of: Callable[[dict[str, str]], Account]) -> Vendor:
    """Birdhouse, with another idea of what an account is."""

    async def open_account(opener: Opener) -> Access:
        clubs = (await opener.item("members", "/me"))["clubs"]
        return Access("", list(map(account_of, clubs)))

    return replace(BIRDHOUSE, open=open_account)


def count(file: Path, table: str) -> int:
    with duckdb.connect(str(file), read_only=True) as connection:
        ((found,),) = connection.execute(f"SELECT count(*) FROM birdhouse.{table}").fetchall()
    return int(found)


def test_two_accounts_with_one_id_are_refused_by_check_and_sync(
    club: Club, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.clubs = [{"id": "c1"}, {"id": "c2"}]
    vendor = opening(lambda each: Account("main", f"/clubs/{each['id']}"))
    monkeypatch.setitem(VENDORS, "birdhouse", vendor)
    with club.serving() as base_url:
        monkeypatch.setenv("BIRDHOUSE_API_KEY", KEY)
        monkeypatch.setenv("BIRDHOUSE_BASE_URL", base_url)
        for command in (
            lambda: run_check("birdhouse", None),
            lambda: sync(reading(vendor, base_url), storage),
        ):
            with pytest.raises(ConfigurationError, match=r"two clubs .* have the id 'main'.*`owner`"):
                command()
    assert not any(path.endswith("/members") for path in club.asked)


@pytest.mark.long
def test_an_account_that_is_listed_twice_under_a_number_is_read_once(
    club: Club, storage: Storage, home: Path
) -> None:
    club.clubs = [{"id": 7, "name": "The Owls"}, {"id": 7, "name": "the owls"}]
    with club.serving() as base_url:
        assert sync(reading(BIRDHOUSE, base_url), storage).exit == 0
    assert members(home / "birds.duckdb", "club_id = '7'") == true_members(club)
    assert count(home / "birds.duckdb", "members") == len(club.members)


def test_an_answer_about_the_key_that_lacks_what_it_should_have_is_one_line(
    club: Club, storage: Storage
) -> None:
    club.clubs = [{"name": "The Owls"}]
    with (
        club.serving() as base_url,
        pytest.raises(Unforeseen, match=r"Birdhouse's answer about the key: .*KeyError"),
    ):
        sync(reading(BIRDHOUSE, base_url), storage)


@pytest.mark.long
def test_a_list_none_of_whose_rows_has_an_id_fails_until_they_have_one(
    club: Club, storage: Storage, home: Path
) -> None:
    file = home / "birds.duckdb"
    for member in club.members:
        member["bird_id"] = member.pop("id")
    with club.serving() as base_url:
        birds = reading(BIRDHOUSE, base_url)
        for _ in range(2):
            report = sync(birds, storage)
            (failed,) = [o for o in report.run.outcomes.values() if o.status == "failed"]
            assert report.exit == 1
            assert failed.error_code == "no_ids"
            assert "none of its 230 rows has a usable `id`" in failed.note
            assert count(file, "quarantine") == 10
            assert count(file, "members") == 0
        for member in club.members[1:]:
            member["id"] = member["bird_id"]
        report = sync(birds, storage)
    assert report.exit == 0
    assert count(file, "members") == 229
    assert count(file, "quarantine") == 10  # the one that has none still was among them


@pytest.mark.long
def test_rows_may_be_told_apart_by_a_field_of_any_name(club: Club, storage: Storage, home: Path) -> None:
    for member in club.members:
        member["ring"] = f"r{member.pop('id')}"
    ring = replace(MEMBERS.by_name["id"], name="ring")
    columns = tuple(ring if column.name == "id" else column for column in MEMBERS.columns)
    vendor = replace(
        BIRDHOUSE,
        resources=(Listing("members", "/members", row_id="ring"),),
        tables={"members": replace(MEMBERS, key=("club_id", "ring"), columns=columns)},
    )
    with club.serving() as base_url:
        birds = reading(vendor, base_url)
        sync(birds, storage)
        club.members.append({"ring": "new", "name": "", "email": "new@example.org", "birds": 3})
        assert sum(outcome.new_rows for outcome in sync(birds, storage).run.outcomes.values()) == 1
        del club.members[40:50]
        club.members[100]["birds"] = 9_000
        for _ in range(2):
            assert sync(birds, storage, Wanted(full=True)).exit == 0
    with duckdb.connect(str(home / "birds.duckdb"), read_only=True) as connection:
        sql = "SELECT ring, birds FROM birdhouse.members WHERE deleted_at IS NULL"
        assert set(connection.execute(sql).fetchall()) == {(m["ring"], m["birds"]) for m in club.members}
