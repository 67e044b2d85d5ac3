"""The name of a job that was given none."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["name_of_command"]


def name_of_command(command: str, is_forbidden: Callable[[str], bool]) -> str:
    """Return a name for a job after its command's file name, as Grid Engine gives one (qsub(1), ``-N``).

    Parameters
    ----------
    command
        The command, with or without its folder.
    is_forbidden
        Tells whether a character may not be in a name; ``_`` takes its place. A digit at the beginning gets a ``_``
        before it.
    """
    name = "".join("_" if is_forbidden(char) else char for char in PurePosixPath(command).name)
    return f"_{name}" if name[:1].isdigit() else name
