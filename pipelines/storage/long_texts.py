"""Text in MySQL: dlt makes columns of it that hold 64 KB, which a post may exceed, and so may what dlt itself writes down
of a schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext

from sources.core.warehouse.engines import MySql


def with_long_texts(can: DestinationCapabilitiesContext) -> DestinationCapabilitiesContext:
    """What a destination can, its columns of text long enough for any."""
    if can.sqlglot_dialect == MySql.speaks:
        can.type_mapper = _long_texts()
    return can


@cache
def _long_texts() -> Any:
    from dlt.destinations.impl.sqlalchemy.type_mapper import MysqlVariantTypeMapper
    from sqlalchemy import Text
    from sqlalchemy.dialects.mysql import LONGTEXT

    class LongTexts(MysqlVariantTypeMapper):
        """As dlt has it, but for texts."""

        def db_type_from_text_type(self, column: Any, table: Any) -> Any:
            found = super().db_type_from_text_type(column, table)
            return LONGTEXT() if isinstance(found, Text) else found

    return LongTexts
