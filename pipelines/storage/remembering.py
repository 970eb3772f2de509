"""What dlt works out thousands of times a sync though it cannot change: what the types of settings and of parts of a
schema mean. It took a fifth of the processor's time of a sync that finds nothing new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlt.common import validation
from dlt.common.configuration import resolve
from dlt.common.configuration.providers import environ

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


def remember_types() -> None:
    """Has dlt work out each type once from now on. Safe to repeat."""
    for module, names in ABOUT_TYPES.items():
        for name in names:
            if not isinstance(work_out := vars(module)[name], Remembering):
                vars(module)[name] = Remembering(work_out)
