"""Views for analysts where sqlglot puts them into the destination's own words."""

import pytest

from tests.conftest import StartSandbox
from tests.destinations.targets import SQLite, configure

VIEWS = "SELECT name, rowid FROM leadpanther.sqlite_master WHERE type = 'view' ORDER BY name"


@pytest.mark.long
def test_views_are_made_anew_where_one_is_not_what_it_should_be_and_else_stay(
    sandbox: StartSandbox, sqlite: SQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, sqlite)
    api = sandbox()
    assert sqlite.sync(api).exit == 0
    made = sqlite.query(VIEWS)
    assert {"leads_current", "views_made"} <= {row["name"] for row in made}
    assert sqlite.sync(api).exit == 0
    assert sqlite.query(VIEWS) == made
    sqlite.query("DROP VIEW leadpanther.leads_current")
    assert sqlite.sync(api).exit == 0
    assert {row["name"] for row in made} <= {row["name"] for row in sqlite.query(VIEWS)}
    client = api.world.client_ids[0]
    api.world.edit(client, "leads", api.world.ids(client, "leads")[0], undocumented=7)
    assert sqlite.sync(api, full=True).exit == 0
    assert sqlite.query("SELECT undocumented FROM leadpanther.leads_current WHERE undocumented = 7")
