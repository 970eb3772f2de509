"""What the operating system does not open is said in one line: which file, and what to do."""

import errno
from pathlib import Path

import pytest

from pipelines import start
from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.storage.file import File
from sources.core.errors import ConfigurationError, WarehouseError
from tests.support import DuckDB
from tests.test_publishing import published_to


@pytest.mark.parametrize("name", ["warehouse", "folder"])
@pytest.mark.parametrize("value", ["", " ", "a\0b"])
def test_what_is_no_path_is_refused_as_one(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} under .leadhouse. is no path"):
        load_sync_config(**{name: value})


@pytest.mark.parametrize("publish", [True, False])
def test_a_folder_where_the_warehouse_should_be_is_said_to_be_one(duck: DuckDB, publish: bool) -> None:
    duck.file.mkdir()
    storage = storage_for(published_to(duck, publish=publish))
    with pytest.raises(ConfigurationError, match=f"{duck.file}.* is a folder"), storage.claimed():
        pass
    with pytest.raises(ConfigurationError, match=f"{duck.file}.* is a folder"), storage.look("leadpanther"):
        pass


def test_a_folder_where_a_working_file_should_be_is_said_to_be_one(duck: DuckDB) -> None:
    config = published_to(duck)
    folder = File(config).folder
    for name in ("lock", duck.file.name):
        in_the_way = folder / name
        in_the_way.unlink(missing_ok=True)
        in_the_way.mkdir(parents=True)
        with pytest.raises(WarehouseError, match=f"{in_the_way} is a folder"), storage_for(config).claimed():
            pass
        in_the_way.rmdir()


def test_a_folder_where_settings_should_be_is_said_in_one_line(home: Path) -> None:
    (home / ".dlt" / "config.toml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"config\.toml cannot be read"):
        load_sync_config()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "state.json"),
            "state.json: Permission denied. Does it",
        ),
        (OSError(errno.EIO, "Input/output error", "rows.parquet"), "rows.parquet: Input/output error"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
    ],
)
def test_whatever_else_the_system_refuses_is_one_line_that_names_the_file(
    capsys: pytest.CaptureFixture[str], error: OSError, said: str
) -> None:
    def refused() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        start._run(refused)
    assert ended.value.code == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err
