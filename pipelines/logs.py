"""dlt's own log, made fit for sharing: some of its errors quote rows."""

from __future__ import annotations

import logging

import dlt


class WithoutValues(logging.Filter):
    """Keeps where something was logged, and drops what: it may hold values of rows."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = f"{record.module}.{record.funcName} (its text is withheld, for it may quote rows)"
        record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return True


_FILTER = WithoutValues()


def tame_dlt() -> None:
    """Takes row values out of dlt's log, and shows only errors unless the configuration says otherwise; of sqlglot, which
    it writes SQL with, too."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    logger = logging.getLogger("dlt")
    logger.addFilter(_FILTER)
    if dlt.config.get("runtime.log_level") is None:
        logger.setLevel(logging.ERROR)
