"""Two machines that load into one warehouse at the same time: the second one is told, and reads nothing."""

import pytest

from sources.leadpanther.sandbox import Fault
from tests.conftest import StartSandbox
from tests.destinations.test_conformance import child_settings
from tests.hard import child
from tests.privacy.scene import KEY
from tests.support import DATASET, Target
from tests.truth import differences


@pytest.fixture(params=["sqlite", "mariadb", "parquet"])
def shared(request: pytest.FixtureRequest) -> Target:
    """A destination that several machines reach."""
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.mark.long
def test_while_one_machine_loads_another_one_and_an_erasure_are_locked_out(
    sandbox: StartSandbox, shared: Target
) -> None:
    api = sandbox()
    given = {**shared.settings(), **child_settings(api), "LEADHOUSE__DATASET": DATASET, "PRIVACY__KEY": KEY}

    def start(machine: str, *words: str) -> child.Child:
        folder = shared.folder / machine
        folder.mkdir(exist_ok=True)
        return child.start(folder, given, *words)

    api.faults.add(Fault("hold", path="/me"))
    running = start("one", "sync")
    while not api.count("/me"):
        assert running.process.is_alive(), running.text()
    others = [start("two", "sync"), start("three", "erase", "--email", "x@example.com")]
    assert [other.wait() for other in others] == [4, 4], [other.text() for other in others]
    api.release()
    assert running.wait() == 0, running.text()
    assert start("two", "sync").wait() == 0
    assert differences(shared, api.world) == []
