"""A tap made with Meltano's singer-sdk; `target-duckdb` loads what it writes."""

import os
from typing import Any, ClassVar

from fields import CLIENTS, LISTS
from singer_sdk import RESTStream, Tap
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseOffsetPaginator


class Pages(BaseOffsetPaginator):
    def has_more(self, response: Any) -> bool:
        return bool(response.json()["pagination"]["has_more"])


class Listed(RESTStream[int]):
    records_jsonpath = "$.data[*]"
    url_base = os.environ["LEADPANTHER_BASE_URL"]

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=os.environ["LEADPANTHER_API_KEY"])

    def get_new_paginator(self) -> Pages:
        return Pages(start_value=0, page_size=100)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        return {"limit": 100, "offset": next_page_token or 0}


class Clients(Listed):
    name, path, primary_keys, schema = "clients", "/clients", ("user_id",), CLIENTS

    def get_child_context(self, record: Any, context: Any) -> dict[str, Any]:
        return {"client_id": record["user_id"]}


class OfClient(Listed):
    parent_stream_type, primary_keys = Clients, ("client_id", "id")

    def post_process(self, row: Any, context: Any = None) -> Any:
        return {**row, "client_id": context["client_id"]}


class Leads(OfClient):
    name, path, schema = "leads", "/clients/{client_id}/leads", LISTS["leads"]


class Activity(OfClient):
    name, path, schema = "activity", "/clients/{client_id}/activity", LISTS["activity"]


class TapLeadPanther(Tap):
    name = "tap-leadpanther"
    config_jsonschema: ClassVar[Any] = {"type": "object", "properties": {}}

    def discover_streams(self) -> list[Any]:
        return [Clients(self), Leads(self), Activity(self)]


if __name__ == "__main__":
    TapLeadPanther.cli()
