"""JSON that strict decoders refuse, made acceptable."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DEEPEST = 64
"""Levels of arrays and objects that are kept as such."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def parsed(body: bytes | msgspec.Raw) -> Any:
    """Any JSON's value, as `lenient` decodes it."""
    return lenient(_ANY, bytes(body))


def lenient(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes JSON, and what strict decoders refuse for a single value's sake.

    Raises:
        ValueError: it is not JSON at all, or not of the decoder's type.
    """
    try:
        return decoder.decode(body)
    except RecursionError:
        body = shallow(body)
    except ValueError:
        return decoder.decode(mend(body))
    try:
        return decoder.decode(body)
    except ValueError:
        return decoder.decode(mend(body))


def mend(body: bytes) -> bytes:
    """Makes JSON that strict decoders refuse acceptable, losing as little as can be.

    Half of a surrogate pair (an emoji that somebody cut in two) and undecodable bytes become U+FFFD, as in
    every browser; a number beyond a double, and what is no number (`NaN`, as Python writes it), become their text.

    Raises:
        ValueError: it is not JSON at all.
    """
    try:
        value = _loads(body)
    except RecursionError:
        value = _loads(shallow(body))
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _loads(body: bytes) -> Any:
    def number(text: str) -> float | str:
        value = float(text)
        return value if math.isfinite(value) else text

    return json.loads(body.decode("utf-8", "replace"), parse_float=number, parse_constant=str)


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
