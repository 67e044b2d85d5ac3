"""What a page may say to the host of the side panel, and whether a message is one of those.

The other half of ``labextension/src/protocol/panel_messages.ts``; docs/panel-protocol.md says when each is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.message_parts import checked_message, is_flag, is_text, is_whole, list_of, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ACTIONS", "PROTOCOL", "check_message"]

PROTOCOL = 1

#: What can be done to a row of the panel, in the order in which it is offered.
ACTIONS = ("cancel", "hold", "release", "suspend", "resume", "clear_error", "rerun_failed")

#: Notebooks that one page may have open.
_MOST_NOTEBOOKS = 200


def _job_id(value: object) -> bool:
    return is_text(value) and bool(value)


#: Parts of each kind of message; all of them have to be there.
_PARTS: dict[str, dict[str, Callable[[object], bool]]] = {
    "hello": {"protocol": is_whole},
    "visible": {"visible": is_flag},
    "watch": {"notebooks": list_of(is_text, _MOST_NOTEBOOKS)},
    "act": {"id": is_whole, "action": one_of(*ACTIONS), "job_id": _job_id},
    "refresh": {},
}


def check_message(message: object) -> Mapping[str, Any]:
    """Return `message` if it is one that a page may send.

    Raises
    ------
    InvalidArgument
        If it is none; the text names the part that is wrong.
    """
    return checked_message(message, _PARTS)
