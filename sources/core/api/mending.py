"""JSON that strict decoders refuse, made acceptable."""

from __future__ import annotations

import math
import re
from typing import Any, TypeVar

import msgspec

from sources.core.raw import Raw

T = TypeVar("T")

DEEPEST = 64
"""Levels of arrays and objects that are kept as such."""

_TEXT = rb'"(?:[^"\\]|\\.)*"'

_TOKEN = re.compile(_TEXT + rb"|[\[\]{}]", re.DOTALL)

_VALUE = re.compile(_TEXT + rb"|-?\d[\d.eE+-]*|-?Infinity|NaN", re.DOTALL)

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][\da-fA-F]{2})|\\.",
    re.DOTALL,
)


def parsed(body: Raw) -> Any:
    """Any JSON's value, as `lenient` decodes it."""
    return lenient(_ANY, bytes(body))


def lenient(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes JSON, and what strict decoders refuse for a single value's sake.

    Raises:
        ValueError: it is not JSON at all, or not of the decoder's type.
    """
    for _ in range(2):  # it may be too deep, and hold such values too
        try:
            return decoder.decode(body)
        except RecursionError:
            body = shallow(body)
        except ValueError:
            body = mend(body)
    return decoder.decode(body)


def mend(body: bytes) -> bytes:
    """Makes JSON that strict decoders refuse acceptable, losing as little as can be.

    Half of a surrogate pair (an emoji that somebody cut in two) and undecodable bytes become U+FFFD, as in
    every browser; a number beyond a double, and what is no number (`NaN`, as Python writes it), become their text.

    All else stays as it came, byte for byte: pages are linked by the rows that they share, and a row has to be the
    same beside one that is mended.

    Nothing is checked: what was no JSON still is none.
    """
    return _VALUE.sub(_mended, body.decode("utf-8", "replace").encode())


def _mended(found: re.Match[bytes]) -> bytes:
    value = found[0]
    if value.startswith(b'"'):
        return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["half"] else escape[0], value)
    return value if _is_double(value) else b'"%b"' % value


def _is_double(number: bytes) -> bool:
    try:
        return math.isfinite(float(number))
    except ValueError:
        return True  # no JSON, whatever is made of it


def shallow(body: bytes) -> bytes:
    """JSON in which what is nested deeper than anything can take is the text of itself, so that no value is lost.

    Nothing is checked: what was no JSON still is none.
    """
    parts: list[bytes] = []
    depth = kept = start = 0
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in b"{[":
            depth += 1
            if depth == DEEPEST + 1:
                start = token.start()
        elif mark in b"}]":
            if depth == DEEPEST + 1:
                text = body[start : token.end()].decode("utf-8", "replace")
                parts += [body[kept:start], msgspec.json.encode(text)]
                kept = token.end()
            depth -= 1
    return b"".join([*parts, body[kept:]])


_ANY = msgspec.json.Decoder(Any)
