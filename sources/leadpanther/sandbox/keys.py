"""API keys: whose they are and what they may read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sources.core.simulator.dice import Dice

from .making import READ_SCOPES

ActorType = Literal["agency", "direct_user"]


@dataclass
class Key:
    """What the API knows of one key. `owner` is the user_id of its account."""

    actor_type: ActorType
    owner: str
    scopes: tuple[str, ...]
    active: bool = True

    def allows(self, scope: str | None) -> bool:
        return scope is None or scope in self.scopes or "*" in self.scopes


class KeyRing:
    """All keys of a world, by their secret; the secrets are made from the seed."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(f"{seed}/keys")
        self._keys: dict[str, Key] = {}

    def add(self, actor_type: ActorType, owner: str, scopes: Iterable[str] = READ_SCOPES) -> str:
        secret = f"lp_test_{self._dice.getrandbits(160):040x}"
        self._keys[secret] = Key(actor_type, owner, tuple(scopes))
        return secret

    def find(self, secret: str) -> Key | None:
        """The key, unless it is unknown or disabled."""
        key = self._keys.get(secret)
        return key if key and key.active else None

    def disable(self, secret: str) -> None:
        self._keys[secret].active = False
