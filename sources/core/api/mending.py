"""JSON that strict decoders refuse, made acceptable."""

from __future__ import annotations

import json
import math


def mend(body: bytes) -> bytes:
    """Makes JSON that strict decoders refuse acceptable, losing as little as can be.

    Half of a surrogate pair (an emoji that somebody cut in two) and undecodable bytes become U+FFFD, as in
    every browser; a number beyond a double becomes its text.

    Raises:
        ValueError: it is not JSON at all.
    """

    def number(text: str) -> float | str:
        value = float(text)
        return value if math.isfinite(value) else text

    def constant(text: str) -> None:
        raise ValueError(f"{text} is not JSON")

    value = json.loads(body.decode("utf-8", "replace"), parse_float=number, parse_constant=constant)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
