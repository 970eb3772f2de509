"""A declarative source of Airbyte's, run by PyAirbyte."""

import os
from pathlib import Path
from typing import Any

os.environ |= {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1", "AIRBYTE_LOGGING_ROOT": str(Path.cwd())}

import airbyte
from airbyte.caches import DuckDBCache
from fields import CLIENTS, LISTS


def stream(
    name: str, path: str, key: list[str], fields: dict[str, Any], router: dict[str, Any] | None = None
) -> dict[str, Any]:
    added = {"path": ["client_id"], "value": "{{ stream_partition['client_id'] }}"}
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": key,
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": os.environ["LEADPANTHER_BASE_URL"],
                "path": path,
                "http_method": "GET",
                "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_size_option": _parameter("limit"),
                "page_token_option": _parameter("offset"),
                "pagination_strategy": {"type": "OffsetIncrement", "page_size": 100},
            },
            **({"partition_router": router} if router else {}),
        },
        "transformations": [{"type": "AddFields", "fields": [added]}] if router else [],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": fields},
    }


def _parameter(name: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


def main() -> None:
    clients = stream("clients", "/clients", ["user_id"], CLIENTS)
    of_clients = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {
                "type": "ParentStreamConfig",
                "parent_key": "user_id",
                "partition_field": "client_id",
                "stream": clients,
            }
        ],
    }
    lists = [
        stream(
            name, "/clients/{{ stream_partition.client_id }}/" + name, ["client_id", "id"], fields, of_clients
        )
        for name, fields in LISTS.items()
    ]
    source = airbyte.get_source(
        "source-leadpanther",
        config={"key": os.environ["LEADPANTHER_API_KEY"]},
        source_manifest={
            "version": "6.0.0",
            "type": "DeclarativeSource",
            "check": {"type": "CheckStream", "stream_names": ["clients"]},
            "streams": [clients, *lists],
            "spec": {
                "type": "Spec",
                "connection_specification": {
                    "type": "object",
                    "properties": {"key": {"type": "string", "airbyte_secret": True}},
                },
            },
        },
    )
    source.select_streams(["leads", "activity"])
    source.read(cache=DuckDBCache(db_path="leadhouse.duckdb", schema_name="leadpanther"))


if __name__ == "__main__":
    main()
