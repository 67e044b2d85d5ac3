"""Strict JSON of anything that a cell shows or raises."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["to_json"]


def to_json(value: object) -> bytes:
    """Return strict JSON of anything: NaN becomes null, arrays lists, bytes base64, lone surrogates ``?``."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_jsonable(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


_DEEPEST = 200


def _jsonable(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        # Infinity and NaN differ from themselves when taken from themselves.
        return value if value - value == 0 else None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _base64(value)
    return "…" if depth > _DEEPEST else _jsonable_whole(value, depth + 1)


def _jsonable_whole(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item, depth) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonable(item, depth) for item in value]
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return _jsonable(getattr(value, method)(), depth)
    return str(value)


def _base64(data: bytes | bytearray | memoryview) -> str:
    import binascii

    return binascii.b2a_base64(data, newline=False).decode("ascii")
