"""The states of a filter: letters as qstat prints and takes them, DRMAA2's names, and plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["QUEUE_WORDS", "STATE_WORDS", "StateTest", "is_near_state", "read_job_state"]

#: Plain words: kinds of tasks (names in `KINDS`).
STATE_WORDS: dict[str, tuple[str, ...]] = {
    "running": ("running",),
    "pending": ("pending", "held", "error"),
    "queued": ("pending",),
    "held": ("held",),
    "suspended": ("suspended",),
    "error": ("error",),
    "active": ("running", "suspended"),
}
_OTHER_WORDS = {"waiting": "pending", "hold": "held", "run": "running", "failed": "error"}
#: qstat(1), -s.
_CLASSES = {"p": "pending", "r": "running", "s": "suspended", "h": "held"}
#: Letters and states that tasks of an array may have while the array shows those of its furthest task.
_ARRAYS_IN: dict[str, tuple[str, ...]] = {
    "qw": ("pending",),
    "hqw": ("held",),
    "Eqw": ("error",),
    "QUEUED": ("pending",),
    "QUEUED_HELD": ("held",),
    "RUNNING": ("running",),
    "SUSPENDED": ("suspended",),
    "FAILED": ("error",),
}
#: Letters of sge_status(5) and qstat(1).
_LETTERS = frozenset("dEhrRsStTwqPzx")

#: Plain words for the letters of queue instances and hosts (qstat(1), STATUS): those that have one of the letters.
QUEUE_WORDS = {
    "disabled": "dD",
    "unknown": "u",
    "error": "E",
    "suspended": "sSC",
    "alarm": "aA",
    "ambiguous": "c",
    "orphaned": "o",
}


@dataclass(frozen=True)
class StateTest:
    """Which jobs or tasks a word means: those of some kinds, of a state, or with some letters.

    ``kinds`` are names of :data:`~gcs_lab.status.state_kinds.KINDS`; ``state`` is a DRMAA2 name; ``letters`` a
    pattern with ``*`` and ``?``; ``letter`` one that the letters have. With a state or letters, an array job is
    meant, too, if one of its tasks is of one of the kinds.
    """

    kinds: tuple[str, ...] = ()
    state: str = ""
    letters: str = ""
    letter: str = ""


def read_job_state(text: str) -> StateTest | None:
    """Return what a value of ``state:`` means for jobs; None: nothing.

    ``p``, ``r``, ``s``, ``h`` are as ``qstat -s`` takes them; another single letter is one that the letters have
    (``d``, ``E``, ``R``, ``t`` …); more letters are all that a job shows, in their case (``hqw``, ``Eqw``, ``dr``).
    """
    word = _OTHER_WORDS.get(text.lower(), text.lower())
    if word in STATE_WORDS and text not in JobState.__members__:
        return StateTest(kinds=STATE_WORDS[word])
    if text.upper() in JobState.__members__:
        return StateTest(state=text.upper(), kinds=_ARRAYS_IN.get(text.upper(), ()))
    if text in _CLASSES:
        return StateTest(kinds=STATE_WORDS[_CLASSES[text]])
    if text and set(text) <= _LETTERS | {"*", "?"}:
        if len(text) == 1 and text in _LETTERS:
            return StateTest(letter=text)
        return StateTest(letters=text, kinds=_ARRAYS_IN.get(text, ()))
    return None


def is_near_state(text: str, words: Iterable[str] = (*STATE_WORDS, *_OTHER_WORDS, *JobState.__members__)) -> bool:
    """Tell whether `text` is how a word for a state begins."""
    return any(word.lower().startswith(text.lower()) for word in words)
