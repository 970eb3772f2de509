"""The floors of the house: each room uses what stands below it, and no name stands where it does not belong."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = (
    "clocks configuration errors ids lookup naming raw report tables together",
    "api",
    "privacy",
    "resources accounts",
    "vendor declaration vendor_settings",
    "rows",
    "units",
    "listing",
    "warehouse",
    "people",
    "engine",
)
"""The rooms of `sources/core`, from the ground up."""
FLOORS: dict[str, int] = {
    f"sources.core.{room}": floor for floor, rooms in enumerate(CORE) for room in rooms.split()
}
FLOORS |= {"sources.core.simulator": -1, "sources": 20, "pipelines": 30}
VENDORS = sorted(
    folder.name
    for folder in (ROOT / "sources").iterdir()
    if folder.is_dir() and (folder / "access.py").exists()
)


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("sources", "pipelines"):
        for file in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file


def imports(module: str, file: Path) -> Iterator[str]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            yield ".".join([*above, *([node.module] if node.module else [])])
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def floor(module: str) -> int | None:
    """How high a module stands; None for what is not ours."""
    names = [name for name in FLOORS if f"{module}.".startswith(f"{name}.")]
    return FLOORS[max(names, key=len)] if names else None


def test_every_module_uses_only_what_stands_below_it() -> None:
    upwards = [
        (module, used)
        for module, file in modules()
        for used in imports(module, file)
        if (at := floor(used)) is not None and at > (floor(module) or 0)
    ]
    assert upwards == []


def test_there_is_a_vendor_to_name() -> None:
    assert "leadpanther" in VENDORS


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_core_names_no_vendor(vendor: str) -> None:
    named = [
        str(file)
        for file in (ROOT / "sources/core").rglob("*.py")
        if re.search(vendor, file.read_text(), re.I)
    ]
    assert named == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_knows_no_other(vendor: str) -> None:
    others = [other for other in VENDORS if other != vendor]
    used = [
        name
        for module, file in modules()
        if module.startswith(f"sources.{vendor}")
        for name in imports(module, file)
    ]
    assert [name for name in used if any(name.startswith(f"sources.{other}") for other in others)] == []
