"""What dlt works out again and again in a sync though it did not change: what the types of settings and of parts of a
schema mean, thousands of times, and what a schema's file holds, some forty times. Together they took a third of the
processor's time of a sync that finds nothing new."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from dlt.common import validation
from dlt.common.configuration import resolve
from dlt.common.configuration.providers import environ
from dlt.common.schema import Schema
from dlt.common.storages import LiveSchemaStorage, SchemaStorageConfiguration

ABOUT_TYPES = {
    environ: ("is_secret_hint",),
    resolve: (
        "is_base_configuration_inner_hint",
        "is_context_inner_hint",
        "is_hint_not_resolvable",
        "is_secret_hint",
        "is_union_type",
    ),
    validation: ("get_type_hints", "is_literal_type", "is_optional_type", "is_union_type"),
}
"""Functions of a type, by the module of dlt's that asks them."""


class Remembering:
    """A function of a type that works out each only once.

    Args:
        work_out: the function; what else it is given follows from the type.
    """

    def __init__(self, work_out: Callable[..., Any]) -> None:
        self._work_out = work_out
        self._known: dict[Any, Any] = {}

    def __call__(self, about: Any, **more: Any) -> Any:
        try:
            if about not in self._known:
                self._known[about] = self._work_out(about, **more)
            return self._known[about]
        except TypeError:  # a type that cannot be looked up
            return self._work_out(about, **more)


class RememberedSchemas(LiveSchemaStorage):
    """A pipeline's schemas, each read when its file changed and not whenever anybody asks for it."""

    def __init__(self, config: SchemaStorageConfiguration, makedirs: bool = False) -> None:
        super().__init__(config, makedirs)
        self._read: dict[str, tuple[int, ...] | None] = {}
        """Which version of each file was read last."""

    def __getitem__(self, name: str) -> Schema:
        live, version = self.live_schemas.get(name), self._version(name)
        if live and version and version == self._read.get(name) and not live.is_modified:
            return live
        schema = super().__getitem__(name)
        self._read[name] = version
        return schema

    def _version(self, name: str) -> tuple[int, ...] | None:
        """Which version of a schema's file is there: dlt puts a new file in the place of the old. None where that does
        not tell, for dlt looks into another one as well."""
        try:
            found = os.stat(self.storage.make_full_path(self._file_name_in_store(name, "json")))
        except FileNotFoundError:
            return None
        return None if self.config.import_schema_path else (found.st_ino, found.st_mtime_ns, found.st_size)


def remember() -> None:
    """Has dlt work out each type once from now on, and read schemas only where they changed. Safe to repeat."""
    pipelines = import_module("dlt.pipeline.pipeline")  # dlt.pipeline.pipeline itself is a function
    vars(pipelines)["LiveSchemaStorage"] = RememberedSchemas
    for module, names in ABOUT_TYPES.items():
        for name in names:
            if not isinstance(work_out := vars(module)[name], Remembering):
                vars(module)[name] = Remembering(work_out)
