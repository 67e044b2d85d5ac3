"""Paths in templates: where placeholders may stand, and that a relative path stays below where it starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gcs_lab.jobs.value_checks import refuse, text
from gcs_lab.vocabulary import HOME_DIRECTORY, PARAMETRIC_INDEX, WORKING_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["command", "path"]

#: ``PATH_MAX`` of Linux is 4096 with the NUL at the end (limits.h).
_MOST_BYTES = 4095
_PLACEHOLDER = re.compile(r"\$(?:DRMAA2_\w*|drmaa_\w*)\$?")
_check_text = text(_MOST_BYTES)


def path(*beginnings: str, index: bool = True) -> Callable[[str, Any], int]:
    """Return a check for a path.

    Parameters
    ----------
    beginnings
        The placeholders that it may begin with.
    index
        Whether ``$DRMAA2_INDEX$`` may stand in it.
    """

    def check(name: str, value: Any) -> int:
        size = _check_text(name, value)
        _check_placeholders(name, value, beginnings, index=index)
        _check_stays_below(name, value)
        return size

    return check


def command(name: str, value: Any) -> int:
    """Check a path or name of a program."""
    if not isinstance(value, str) or not value:
        raise refuse(name, value, "the path or the name of a program; say which program the job shall run.")
    size = _check_text(name, value)
    _check_placeholders(name, value, (), index=False)
    if "/" in value:
        _check_stays_below(name, value)
    return size


def _check_placeholders(name: str, value: str, beginnings: tuple[str, ...], *, index: bool) -> None:
    if "$" not in value:
        return
    for found in _PLACEHOLDER.finditer(value):
        word = found[0]
        if word == PARAMETRIC_INDEX and index:
            continue
        rest = value[found.end() : found.end() + 1]
        if word in beginnings and found.start() == 0 and rest in ("", "/"):
            continue
        at_begin = f"{' or '.join(beginnings)} at its beginning (and a / after it)" if beginnings else "none there"
        anywhere = f", and {PARAMETRIC_INDEX} anywhere" if index else ""
        raise refuse(name, value, f"placeholders only where they may stand: {at_begin}{anywhere}.")


def _check_stays_below(name: str, value: str) -> None:
    if ".." not in value or value.startswith("/"):
        return
    beginning = value.partition("/")[0]
    has_placeholder = beginning in (HOME_DIRECTORY, WORKING_DIRECTORY)
    depth = 0
    for part in value.split("/")[1 if has_placeholder else 0 :]:
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            start = beginning if has_placeholder else "the folder that it starts in"
            raise refuse(name, value, f"a path that does not climb out of {start}. Give the absolute path instead.")
