"""Leadping as a dlt source: an organization's leads, conversations, texts, calls and money.

import dlt
from sources.leadping import leadping_source

pipeline = dlt.pipeline("leadhouse", destination="duckdb", dataset_name="leadping")
pipeline.run(leadping_source())
"""

from __future__ import annotations

from dlt.extract import DltSource

from sources.core.engine.source import make_source
from sources.core.vendor_settings import load_config
from sources.leadping.vendor import LEADPING

__all__ = ["LEADPING", "leadping_source"]


def leadping_source(
    api_key: str | None = None, base_url: str | None = None, details: bool | None = None
) -> DltSource:
    """The Leadping source: one resource a table.

    Settings that are not given come from dlt's configuration, section `sources.leadping`, or from LEADPING_API_KEY
    and LEADPING_BASE_URL. Nothing is sent before dlt extracts.

    Args:
        api_key: an organization's.
        base_url: of the API.
        details: read each lead's details too, which hold birth dates, income and medical conditions.

    Raises:
        ConfigurationError: a setting is missing or cannot be right.
    """
    config = load_config(LEADPING, api_key=api_key, base_url=base_url, details=details)
    return make_source(LEADPING, config)
