"""The section `[privacy]` of dlt's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sources.core.configuration import SECRET, example, read_settings
from sources.core.errors import ConfigurationError
from sources.core.lookup import nearest
from sources.core.privacy.policy import Policy, parse_category, parse_treatment
from sources.core.tables import Category

SHORTEST_KEY = 16
"""Characters: with fewer, whoever has hashes might try all keys, and tell from then on whose a hash is."""


@dataclass(frozen=True)
class PrivacyConfig:
    """How personal data is treated.

    Args:
        treatment: of every kind that is not named: tag, mask, hash or drop.
        categories: treatments by kind; hashing takes `key` under [privacy] in secrets.toml.
        columns: what undocumented columns were found to hold: a kind, or "none".
        key: for keyed hashes; a secret.
        contract: `evolve`, or `freeze` to give undocumented fields no columns; they go to `_misfits`.
        retention_days: personal columns are blanked so long after a row or a client is gone; 0 for never.
    """

    treatment: str = "tag"
    categories: dict[str, str] | None = field(default=None, metadata=example(email="hash", phone="drop"))
    columns: dict[str, str] | None = field(default=None, metadata=example(**{"leads.tags": "none"}))
    key: str | None = field(default=None, repr=False, metadata=SECRET)
    contract: str = "evolve"
    retention_days: int = 0


def load_policy(**explicit: Any) -> Policy:
    """The policy that the configuration describes.

    Raises:
        ConfigurationError: it cannot be read, names something unknown, or lacks the key that it needs.
    """
    config = read_settings(PrivacyConfig, "privacy", explicit)
    by_category = {}
    for name, treatment in (config.categories or {}).items():
        if name not in list(Category):
            raise ConfigurationError(
                f"unknown kind {name} in [privacy.categories]: {nearest(name, list(Category))}"
            )
        by_category[Category(name)] = parse_treatment(treatment)
    reviewed = {_known(name): parse_category(kind) for name, kind in (config.columns or {}).items()}
    if config.retention_days < 0:
        raise ConfigurationError("retention_days under [privacy] is a number of days, or 0 for never")
    if config.key and len(config.key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"`key` under [privacy], or PRIVACY__KEY, has fewer than {SHORTEST_KEY} characters and could be guessed: "
            "take a long random text, such as `openssl rand -hex 32` prints, and keep it"
        )
    if config.contract not in ("evolve", "freeze"):
        raise ConfigurationError("contract under [privacy] is either evolve or freeze")
    return Policy(
        parse_treatment(config.treatment),
        by_category,
        reviewed,
        config.key.encode() if config.key else None,
        config.contract == "freeze",
        config.retention_days or None,
    )


def _known(name: str) -> str:
    if name.count(".") != 1:
        raise ConfigurationError(f"{name!r} under [privacy.columns] is not `table.column`")
    return name
