"""What a browser may say to the host of an explorer, and whether a message is one of those.

The other half of ``labextension/src/protocol/explorer_messages.ts``; docs/explorer.md says when each is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.message_parts import (
    are_columns,
    are_keys,
    checked_message,
    is_flag,
    is_row_count,
    is_sorting,
    is_whole,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PROTOCOL", "VIEW", "check_message"]

PROTOCOL = 1
#: The one table.
VIEW = "records"

_KINDS: dict[str, dict[str, Callable[[object], bool]]] = {
    "hello": {"protocol": is_whole},
    # What it may hold is looked at where it is read (`ExplorerState.from_json`).
    "state": {"sequence": is_whole, "state": lambda value: isinstance(value, dict)},
    "view": {
        "view": one_of(VIEW),
        "id": is_whole,
        "sort": is_sorting,
        "first": is_whole,
        "count": is_row_count,
        "columns": are_columns,
        "expanded": are_keys,
        "anew": is_flag,
    },
    "unview": {"view": one_of(VIEW)},
    "export": {"id": is_whole, "format": one_of("csv", "parquet", "html")},
    "copy": {
        "id": is_whole,
        "view": one_of(VIEW),
        "format": one_of("text", "csv"),
        "keys": lambda value: value == "matching" or are_keys(value),
        "columns": are_columns,
    },
    "code": {"id": is_whole},
    "refresh": {},
    "cancel": {},
    "module": {"id": is_whole, "name": one_of("chart")},
    "visible": {"visible": is_flag},
}


def check_message(message: object) -> dict[str, Any]:
    """Return `message` if it is one that a browser may send.

    Raises
    ------
    InvalidArgument
        If it is none; the text names the part that is wrong.
    """
    return checked_message(message, _KINDS)
