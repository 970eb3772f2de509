"""What commands end with."""

from collections.abc import Mapping
from itertools import permutations

import pytest

from pipelines.exits import Exit, exit_for, worst
from pipelines.syncing.several import for_each
from sources.core.errors import (
    ConfigurationError,
    Damaged,
    DeadlineReached,
    LeadhouseError,
    LockedError,
    WarehouseError,
)
from sources.core.vendor import Vendor
from sources.leadleap import LEADLEAP
from sources.leadron import LEADRON

ERRORS: dict[type[LeadhouseError], Exit] = {
    LockedError: Exit.LOCKED,
    DeadlineReached: Exit.PARTLY,
    WarehouseError: Exit.FAILED,
    ConfigurationError: Exit.USAGE,
}
"""What each is, the worst last."""


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_of_the_only_vendor_ends_as_it_does_with_one_of_several(kind: type[LeadhouseError]) -> None:
    def do(vendor: Vendor) -> Exit:
        raise kind("trouble")

    with pytest.raises(kind) as alone:
        for_each([LEADLEAP], do)
    assert exit_for(alone.value) == for_each([LEADLEAP, LEADRON], do) == ERRORS[kind]


def test_of_several_vendors_the_worst_tells_and_one_that_is_locked_hides_no_trouble() -> None:
    order = list(ERRORS)
    for pair in permutations(order, 2):
        errors = dict(zip((LEADLEAP.name, LEADRON.name), pair, strict=True))

        def do(vendor: Vendor, errors: Mapping[str, type[LeadhouseError]] = errors) -> Exit:
            raise errors[vendor.name]("trouble")

        assert for_each([LEADLEAP, LEADRON], do) == ERRORS[max(pair, key=order.index)]
    for code in Exit:
        assert worst([Exit.DONE, code]) == worst([code, Exit.DONE]) == code


def test_a_damaged_warehouse_ends_it_for_all() -> None:
    def do(vendor: Vendor) -> Exit:
        raise Damaged("trouble")

    with pytest.raises(Damaged):
        for_each([LEADLEAP, LEADRON], do)
