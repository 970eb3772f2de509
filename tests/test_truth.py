"""The comparison with the truth: it finds whatever is wrong in a warehouse."""

from pathlib import Path
from typing import Any

import pytest

from sources.leadpanther.sandbox import Sandbox, World
from tests.conftest import small_world
from tests.support import DuckDB, forget_pipelines
from tests.truth import differences

Loaded = tuple[DuckDB, World]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A warehouse that holds the truth."""
    folder: Path = tmp_path_factory.mktemp("truth")
    forget_pipelines(folder)
    world, duck = small_world(clients=1), DuckDB(folder)
    with Sandbox(world) as sandbox:
        duck.load(sandbox)
    forget_pipelines(folder)
    return duck, world


SPOILS = {
    "another value": "UPDATE leads SET name = 'Somebody Else' WHERE rowid = 0",
    "a value where none belongs": "UPDATE leads SET emails__personal = 'x@y.example' WHERE rowid = {nobody}",
    "a null": "UPDATE activity SET author_name = NULL WHERE rowid = 0",
    "another boolean": "UPDATE leads SET has_intent = NOT has_intent WHERE rowid = 0",
    "another moment": "UPDATE leads SET created_at = created_at + INTERVAL 1 MILLISECOND WHERE rowid = 0",
    "other JSON": """UPDATE posts SET images = '["x"]' WHERE rowid = 0""",
    "a misfit too many": """UPDATE posts SET _misfits = '{{"x": 1}}' WHERE rowid = 0""",
    "a row too few": "DELETE FROM lead_magnets WHERE rowid = 0",
    "a row twice": "INSERT INTO leads SELECT * FROM leads WHERE rowid = 0",
    "a row too many": "INSERT INTO leads SELECT * REPLACE ('x' AS id) FROM leads WHERE rowid = 0",
    "another client's row": "UPDATE leads SET client_id = 'x' WHERE rowid = 0",
    "a row that counts as deleted": "UPDATE leads SET deleted_at = now() WHERE rowid = 0",
    "a number": "UPDATE post_engagement SET clicks = clicks + 1 WHERE rowid = 0",
    "a capture of another lead magnet": "UPDATE lead_magnet_captures SET lead_magnet_id = '' WHERE rowid = 0",
    "no time of the first sight": "UPDATE leads SET first_seen_at = NULL WHERE rowid = 0",
    "an empty text for null": "UPDATE posts SET theme_id = '' WHERE theme_id IS NULL",
    "a client's other name": "UPDATE clients SET full_name = 'x'",
    "a column too many": "ALTER TABLE leads ADD COLUMN x VARCHAR DEFAULT 'x'",
    "a column of another type": "ALTER TABLE posts ALTER text TYPE INTEGER USING 1",
}


class Undoing(DuckDB):
    """A DuckDB file in which nothing that happens lasts longer than this."""

    def __enter__(self) -> "Undoing":
        self._connection = super().open()
        self._connection.execute("USE leadpanther; BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()

    def open(self) -> Any:
        return self

    def cursor(self) -> Any:
        return self

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    @property
    def description(self) -> Any:
        return self._connection.description

    def fetchall(self) -> Any:
        return self._connection.fetchall()

    def close(self) -> None:
        """Not yet."""


def test_it_finds_nothing_in_a_good_one(loaded: Loaded) -> None:
    assert differences(*loaded) == []


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_it_finds(loaded: Loaded, spoil: str) -> None:
    good, world = loaded
    with Undoing(good.folder) as spoilt:
        nobody = spoilt.query("SELECT rowid FROM leads WHERE emails__personal IS NULL")[0]["rowid"]
        spoilt.query(spoil.format(nobody=nobody))
        assert differences(spoilt, world)


def test_it_finds_that_the_truth_has_changed(loaded: Loaded) -> None:
    duck, _ = loaded
    for change in (
        lambda world, client: world.insert(client, "leads"),
        lambda world, client: world.edit(client, "posts", world.ids(client, "posts")[0], theme=["new"]),
        lambda world, client: world.delete(client, "activity", world.ids(client, "activity")[0]),
        lambda world, client: world.add_client(),
    ):
        other = small_world(clients=1)
        change(other, other.client_ids[0])
        assert differences(duck, other)
