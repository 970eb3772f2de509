"""What MySQL takes that MariaDB, which is tried here, does not insist on."""

from contextlib import closing

import pymysql
import pytest
import sqlglot
from sqlglot import exp

from tests.conftest import StartSandbox
from tests.destinations.targets import MariaDB, configure
from tests.support import DATASET
from tests.truth import differences

CHANGES = exp.Delete | exp.Update


@pytest.mark.long
def test_nothing_is_changed_by_a_statement_that_reads_the_same_table(
    sandbox: StartSandbox, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL 8 refuses those (error 1093), unless a derived table is made of what is read first."""
    configure(monkeypatch, mariadb)
    monkeypatch.setenv("PRIVACY__RETENTION_DAYS", "30")
    monkeypatch.setenv("PRIVACY__KEY", "a key that nobody guesses, really")
    api = sandbox()
    mariadb.query(
        "SET GLOBAL log_output = 'TABLE'", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = 1"
    )
    try:
        for _ in range(2):
            mariadb.sync(api, full=True)
    finally:
        mariadb.query("SET GLOBAL general_log = 0")
    said = [row["argument"] for row in mariadb.query("SELECT argument FROM mysql.general_log")]
    changes = [text for text in map(_text, said) if text.lstrip().upper().startswith(("DELETE", "UPDATE"))]
    assert len(changes) > 20
    assert [text for text in changes if reads_what_it_changes(text)] == []


def _text(said: object) -> str:
    return said.decode() if isinstance(said, bytes) else str(said)


def reads_what_it_changes(sql: str) -> bool:
    """Whether a statement reads, other than to make a derived table of it, what it deletes from or updates."""
    tree = sqlglot.parse_one(sql, read="mysql")
    changed = tree.this
    return any(
        table is not changed
        and (table.db, table.name) == (changed.db, changed.name)
        and not _is_derived(table)
        for table in tree.find_all(exp.Table)
    )


def _is_derived(table: exp.Table) -> bool:
    """Whether a table is read by what is put together first: rows of groups, or of an aggregate."""
    select = table.find_ancestor(exp.Select)
    stands = select and select.parent
    return (
        isinstance(stands, exp.Subquery)
        and isinstance(stands.parent, exp.From)
        and (bool(select.args.get("group")) or any(select.find_all(exp.AggFunc)))
    )


@pytest.mark.long
def test_who_may_see_the_shareable_views_sees_all_rows_and_nothing_personal(
    sandbox: StartSandbox, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, mariadb)
    shareable = f"{DATASET}_shareable"
    mariadb.query(
        "CREATE OR REPLACE USER analyst@localhost",
        f"GRANT SELECT ON {shareable}.* TO analyst@localhost",
        "FLUSH PRIVILEGES",
    )
    api = sandbox()
    world = api.world
    mariadb.sync(api)
    with closing(pymysql.connect(unix_socket=mariadb.socket, user="analyst")) as connection:
        cursor = connection.cursor(pymysql.cursors.DictCursor)
        cursor.execute(f"SELECT * FROM {shareable}.leads")
        leads = cursor.fetchall()
        cursor.execute(f"SELECT count(*) AS n FROM {shareable}.hot_leads")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute(f"SELECT * FROM {DATASET}.leads")
    assert {row["id"] for row in leads} == {
        row_id for c in world.client_ids for row_id in world.ids(c, "leads")
    }
    personal = {row["column_name"] for row in mariadb.rows("pii_columns") if row["table_name"] == "leads"}
    assert personal - {"client_id"}
    assert not (personal - {"client_id"}) & leads[0].keys()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t WHERE a < (SELECT max(a) FROM t)",
        "DELETE FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.a < t.a)",
        "UPDATE t SET a = NULL WHERE a IN (SELECT a FROM t)",
        "DELETE FROM t WHERE a IN (SELECT a FROM (SELECT a FROM t) AS merged)",
    ],
)
def test_what_mysql_refuses_is_known(sql: str) -> None:
    assert reads_what_it_changes(sql)


@pytest.mark.long
def test_a_text_of_any_length_has_room(
    sandbox: StartSandbox, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dlt calls text has room for 64 KB in MySQL's `TEXT`, which Leadping's schema alone exceeds."""
    configure(monkeypatch, mariadb)
    api = sandbox()
    world, client = api.world, api.world.client_ids[0]
    world.edit(client, "posts", world.ids(client, "posts")[0], content="ø" * 70_000)
    assert mariadb.sync(api).exit == 0
    assert differences(mariadb, world) == []
