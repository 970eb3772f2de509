"""What finding people takes of SQL, and each engine calls otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """An engine's words.

    Args:
        nfc: the function that composes Unicode.
        decoded: `link`, a URL, without percent signs; what is no such is as it was. `{schema}` is where functions are.
        hashed: a whole number of the text `{}`, none below zero, quickly: another release of the engine may make another
            one, so then all is looked at.
        version: the same of several values, with commas between.
        lacks: that `{version}` is in no row of `{versions}`.
        moments: the moments `{}` added up, exactly.
        said_of_table: what asks for the comment on a table, whose schema and name are the parameters.
        functions: statements that make functions, in `{schema}`.
        memory: a statement that has it take no more than `{}`; empty where a server sees to that.
        schema_of_file: where things are in a file whose name is the first word: that and a schema of the same name would
            be ambiguous. Empty where there are no files.
    """

    nfc: str
    decoded: str
    hashed: str
    version: str
    lacks: str
    moments: str
    said_of_table: str
    functions: Sequence[str] = ()
    memory: str = ""
    schema_of_file: str = ""
