"""LeadLeap as a dlt source: segments of its contact database, the account's usage and its webhooks.

import dlt
from sources.leadleap import leadleap_source

pipeline = dlt.pipeline("leadhouse", destination="duckdb", dataset_name="leadleap")
pipeline.run(leadleap_source(segments={"us_saas": {"country": "US", "industry": "Software & SaaS"}}))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.extract import DltSource

from sources.core.engine.source import make_source
from sources.core.vendor_settings import load_config
from sources.leadleap.vendor import LEADLEAP

__all__ = ["LEADLEAP", "leadleap_source"]


def leadleap_source(
    api_key: str | None = None,
    base_url: str | None = None,
    segments: Mapping[str, Mapping[str, Any]] | None = None,
) -> DltSource:
    """The LeadLeap source: one resource a table.

    Settings that are not given come from dlt's configuration, section `sources.leadleap`, or from LEADLEAP_API_KEY
    and LEADLEAP_BASE_URL. Nothing is sent before dlt extracts.

    Args:
        api_key: `ll_...`.
        base_url: of the API.
        segments: by name, the filters of what is to be read.

    Raises:
        ConfigurationError: a setting is missing or cannot be right.
    """
    given = {name: dict(filters) for name, filters in segments.items()} if segments else None
    config = load_config(LEADLEAP, api_key=api_key, base_url=base_url, segments=given)
    return make_source(LEADLEAP, config)
