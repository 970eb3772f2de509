"""LeadPanther as a dlt source: all granted clients' leads, activity, posts, lead magnets and their numbers.

import dlt
from sources.leadpanther import leadpanther_source

pipeline = dlt.pipeline("leadhouse", destination="duckdb", dataset_name="leadpanther")
pipeline.run(leadpanther_source())
"""

from __future__ import annotations

from collections.abc import Sequence

from dlt.extract import DltSource

from sources.core.engine.source import make_source
from sources.core.vendor_settings import load_config
from sources.leadpanther.vendor import LEADPANTHER

__all__ = ["LEADPANTHER", "leadpanther_source"]


def leadpanther_source(
    api_key: str | None = None,
    base_url: str | None = None,
    clients: Sequence[str] | None = None,
    exclude_clients: Sequence[str] | None = None,
) -> DltSource:
    """The LeadPanther source: one resource a table, over all clients that the key may read.

    Choose with `with_resources("leads", ...)`. Settings that are not given come from dlt's configuration,
    section `sources.leadpanther`, or from LEADPANTHER_API_KEY and LEADPANTHER_BASE_URL. Nothing is sent
    before dlt extracts.

    Args:
        api_key: `lp_live_...` or `lp_test_...`.
        base_url: of the API.
        clients: ids of the only clients to read.
        exclude_clients: ids of clients to leave out.

    Raises:
        ConfigurationError: a setting is missing or cannot be right.
    """
    config = load_config(
        LEADPANTHER,
        api_key=api_key,
        base_url=base_url,
        clients=clients,
        exclude_clients=exclude_clients,
    )
    return make_source(LEADPANTHER, config)
