"""Kinds of trouble that any API may make, as faults have them."""

from collections.abc import Mapping
from typing import Any

FOR_EVER = None

TROUBLE: Mapping[str, Mapping[str, Any]] = {
    "disconnect": {"kind": "disconnect"},
    "reset": {"kind": "reset"},
    "timeout": {"kind": "slow", "seconds": 20},
    "truncated": {"kind": "truncated"},
    "cut JSON": {"kind": "cut_json"},
    "HTML 502": {"kind": "html"},
    "500": {"kind": "error", "status": 500},
    "503": {"kind": "error", "status": 503},
    "garbage": {"kind": "garbage"},
    "empty body": {"kind": "empty"},
    "[]": {"kind": "body", "body": []},
    "{}": {"kind": "body", "body": {}},
    "error with a 200": {"kind": "body", "body": {"data": {}, "error": {"code": "timeout"}}},
}
