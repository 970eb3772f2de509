"""A place to work in, as the hard tests have it."""

from pathlib import Path

import pytest

from tests.hard.conftest import place
from tests.privacy.scene import KEY

__all__ = ["place"]


@pytest.fixture
def keyed(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key for the suppression list."""
    monkeypatch.setenv("PRIVACY__KEY", KEY)
    return KEY
