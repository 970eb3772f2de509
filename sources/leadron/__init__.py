"""Leadron as a dlt source: leads with their notes and timelines, partners, commissions and the rest of a tenant.

import dlt
from sources.leadron import leadron_source

pipeline = dlt.pipeline("leadhouse", destination="duckdb", dataset_name="leadron")
pipeline.run(leadron_source())
"""

from __future__ import annotations

from collections.abc import Sequence

from dlt.extract import DltSource

from sources.core.engine.source import make_source
from sources.core.vendor_settings import load_config
from sources.leadron.vendor import LEADRON

__all__ = ["LEADRON", "leadron_source"]


def leadron_source(
    api_key: str | None = None, base_url: str | None = None, on_behalf_of: Sequence[str] | None = None
) -> DltSource:
    """The Leadron source: one resource a table.

    Settings that are not given come from dlt's configuration, section `sources.leadron`, or from LEADRON_API_KEY and
    LEADRON_BASE_URL. Nothing is sent before dlt extracts.

    Args:
        api_key: `ldr_live_sk_...` or `ldr_sandbox_sk_...`.
        base_url: of the API.
        on_behalf_of: ids of the users to read as.

    Raises:
        ConfigurationError: a setting is missing or cannot be right.
    """
    acting = list(on_behalf_of) if on_behalf_of else None
    config = load_config(LEADRON, api_key=api_key, base_url=base_url, on_behalf_of=acting)
    return make_source(LEADRON, config)
