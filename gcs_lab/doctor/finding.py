"""What one look at the machine brought: a line of the screen, an object of ``--json``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Finding", "Level", "looked"]


class Level(StrEnum):
    """How a finding is to be taken."""

    #: As it should be.
    GOOD = "good"
    #: Something more would be possible, or is worth knowing.
    NOTE = "note"
    #: Something that is needed, or that the user has set, does not work.
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One line.

    Attributes
    ----------
    about
        What was looked at, in one or two words.
    level
        How it is to be taken.
    text
        What was found.
    remedy
        The command that adds or mends it, or in words what to do; empty if nothing is to be done.
    """

    about: str
    level: Level
    text: str
    remedy: str = ""


def looked(about: str, look: Callable[[], list[Finding]], *, otherwise: Level = Level.BROKEN) -> list[Finding]:
    """Return what a look brings; one that fails brings a finding that says so, at the level `otherwise`."""
    try:
        return look()
    except Exception as error:
        # Whatever is wrong with this machine, the other lines are told.
        said = str(error).strip().splitlines()
        return [Finding(about, otherwise, f"could not look: {said[0] if said else type(error).__name__}")]
