"""Which Leadhouse may touch a warehouse."""

import pytest

from pipelines.storage import formats
from sources.core.errors import WarehouseError
from sources.core.warehouse.warehouse import Warehouse
from tests.conftest import StartSandbox, small_world
from tests.support import Target
from tests.truth import differences

FORMATS = "leadpanther.warehouse_formats"


@pytest.mark.long
def test_a_warehouse_says_its_format_once(target: Target, sandbox: StartSandbox) -> None:
    api = sandbox()
    target.sync(api)
    target.sync(api)
    assert [row["format"] for row in target.query(f"SELECT format FROM {FORMATS}")] == [formats.FORMAT]


@pytest.mark.long
def test_a_warehouse_from_before_there_were_formats_goes_on_and_says_its_own(
    target: Target, sandbox: StartSandbox
) -> None:
    world = small_world()
    api = sandbox(world)
    target.sync(api)
    target.query(f"DELETE FROM {FORMATS}")
    world.insert(world.client_ids[0], "leads")
    target.sync(api)
    assert not differences(target, world)


def test_an_older_leadhouse_refuses_what_a_newer_one_wrote(target: Target, sandbox: StartSandbox) -> None:
    world = small_world()
    api = sandbox(world)
    target.sync(api)
    target.query(f"UPDATE {FORMATS} SET format = {formats.FORMAT + 1}, leadhouse = '9.9'")
    before = target.rows("leads")
    api.clear_requests()
    with pytest.raises(WarehouseError, match=r"Leadhouse 9\.9 wrote .* install 9\.9"):
        target.sync(api)
    assert not api.requests
    assert target.rows("leads") == before


@pytest.mark.long
def test_a_newer_leadhouse_brings_a_warehouse_up_to_date_before_it_reads(
    target: Target, sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sandbox()
    target.sync(api)

    def upgrade(warehouse: Warehouse) -> None:
        warehouse.execute("UPDATE clients SET business_name = 'upgraded'")

    monkeypatch.setattr(formats, "FORMAT", formats.FORMAT + 1)
    monkeypatch.setitem(formats.UPGRADES, formats.FORMAT - 1, upgrade)
    target.sync(api)
    target.sync(api)
    assert {row["business_name"] for row in target.rows("clients")} == {"upgraded"}
    found = [row["format"] for row in target.query(f"SELECT format FROM {FORMATS} ORDER BY format")]
    assert found == [formats.FORMAT - 1, formats.FORMAT]
