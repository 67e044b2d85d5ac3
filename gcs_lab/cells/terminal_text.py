"""What a job printed, as a terminal would leave it on the screen."""

from __future__ import annotations

import re

__all__ = ["plain_text", "screen_text"]

_MOST_CHARACTERS = 64_000
#: ECMA-48 control sequences (colours, cursor movements) and operating system commands (titles, links).
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_OTHER_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def screen_text(text: str) -> str:
    """Return `text` as a terminal would leave it: no escape sequences, and of rewritten lines the last state."""
    text = _OTHER_CONTROLS.sub("", _ESCAPES.sub("", text).replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def plain_text(text: str) -> str:
    """Return the last 64,000 characters of :func:`screen_text`."""
    return screen_text(text)[-_MOST_CHARACTERS:]
