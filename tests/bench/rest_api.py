"""dlt's rest_api source on the same account, as its documents recommend it and tuned: parallel, parquet, no
child tables. A program: `rest_api.py FOLDER` appends all; with lists behind it, it merges those by key."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

LISTS = {"leads": "leads", "activity": "activity", "posts": "posts", "lead_magnets": "lead-magnets"}


def resource(name: str, path: str, parent: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "endpoint": {"path": path, "data_selector": "data", **more},
        "include_from_parent": ["user_id"] if parent == "clients" else ["_clients_user_id", "id"],
        "parallelized": True,
    }


def lists(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            **resource(name, f"clients/{{resources.clients.user_id}}/{LISTS[name]}", "clients"),
            "primary_key": ["_clients_user_id", "id"],
        }
        for name in names
    ]


def details() -> list[dict[str, Any]]:
    once = {"paginator": "single_page"}
    root = "clients/{resources.%s._clients_user_id}"
    return [
        resource("engagement", root % "posts" + "/posts/{resources.posts.id}/engagement", "posts", **once),
        resource(
            "analytics",
            root % "lead_magnets" + "/lead-magnets/{resources.lead_magnets.id}/analytics",
            "lead_magnets",
            **once,
        ),
    ]


def config(merged: Sequence[str]) -> Any:
    return {
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
        "resource_defaults": {"max_table_nesting": 0, "write_disposition": "merge" if merged else "append"},
        "resources": [
            {
                "name": "clients",
                "primary_key": "user_id",
                "endpoint": {"path": "clients", "data_selector": "data"},
            },
            *(lists(merged) if merged else [*lists(list(LISTS)), *details()]),
        ],
    }


def main(folder: str, *merged: str) -> None:
    os.environ |= {
        "EXTRACT__WORKERS": "16",
        "EXTRACT__MAX_PARALLEL_ITEMS": "32",
        "DATA_WRITER__DISABLE_COMPRESSION": "true",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    destination = dlt.destinations.duckdb(
        f"{folder}/leadhouse.duckdb", preferred_loader_file_format="parquet"
    )
    pipeline = dlt.pipeline("rest", pipelines_dir=folder, destination=destination, dataset_name="leadpanther")
    pipeline.run(rest_api_source(config(merged)))


if __name__ == "__main__":
    main(*sys.argv[1:])
