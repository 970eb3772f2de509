"""dlt's rest_api source, merging by key."""

import os
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source


def of_client(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "primary_key": ["_clients_user_id", "id"],
        "write_disposition": "merge",
        "include_from_parent": ["user_id"],
        "endpoint": {"path": f"clients/{{resources.clients.user_id}}/{name}", "data_selector": "data"},
    }


def main() -> None:
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false"}
    source = rest_api_source(
        {
            "client": {
                "base_url": os.environ["LEADPANTHER_BASE_URL"] + "/",
                "auth": {"type": "bearer", "token": os.environ["LEADPANTHER_API_KEY"]},
                "paginator": {
                    "type": "offset",
                    "limit": 100,
                    "total_path": None,
                    "has_more_path": "pagination.has_more",
                },
            },
            "resource_defaults": {"max_table_nesting": 0},
            "resources": [
                {"name": "clients", "endpoint": {"path": "clients", "data_selector": "data"}},
                of_client("leads"),
                of_client("activity"),
            ],
        }
    )
    destination = dlt.destinations.duckdb("leadhouse.duckdb")
    pipeline = dlt.pipeline(
        "rest", pipelines_dir=".", destination=destination, dataset_name="leadpanther", progress=None
    )
    pipeline.run(source)


if __name__ == "__main__":
    main()
