"""One byte for the state of a task of an array, so that 100,000 of them are 100 kB.

====================  ====================================================================================
code                  meaning
====================  ====================================================================================
0 to 7                it waits: bits :data:`USER_HOLD`, :data:`TASK_HOLD` and :data:`AGAIN`
8 to 127              any other state and its letters, numbered as they come up (:func:`code_of`)
128 to 255            it was ended with many others while it waited: number of that ending in its array
====================  ====================================================================================
"""

from __future__ import annotations

from gcs_lab.vocabulary import JobState

__all__ = [
    "AGAIN",
    "FIRST_ENDING",
    "MOST_ENDINGS",
    "TASK_HOLD",
    "USER_HOLD",
    "WAITING_CODES",
    "code_of",
    "is_ended",
    "meaning",
    "waiting_letters",
]

#: Held by the user; held by the same task of another array (``qsub -hold_jid_ad``); ran before and was requeued.
USER_HOLD, TASK_HOLD, AGAIN = 1, 2, 4
WAITING_CODES = 8
FIRST_ENDING = 128
MOST_ENDINGS = 256 - FIRST_ENDING

_numbered: list[tuple[JobState, str]] = []
_numbers: dict[tuple[JobState, str], int] = {}


def code_of(state: JobState, letters: str) -> int:
    """Return the code of a state in which a task does not wait."""
    pair = (state, letters)
    number = _numbers.get(pair)
    if number is None:
        number = _numbers[pair] = WAITING_CODES + len(_numbered)
        assert number < FIRST_ENDING, "too many states"  # noqa: S101  (the letters are few)
        _numbered.append(pair)
    return number


def waiting_letters(*, held: bool, again: bool) -> tuple[JobState, str]:
    """Return the state of a task that waits, with the letters that qstat prints (``sge_status(5)``)."""
    if again:
        return (JobState.REQUEUED_HELD, "hRwq") if held else (JobState.REQUEUED, "Rq")
    return (JobState.QUEUED_HELD, "hqw") if held else (JobState.QUEUED, "qw")


def meaning(code: int, *, blocked: bool) -> tuple[JobState, str]:
    """Return state and letters for a code; `blocked`: something keeps all waiting tasks of the array back."""
    if code < WAITING_CODES:
        return waiting_letters(held=blocked or bool(code & (USER_HOLD | TASK_HOLD)), again=bool(code & AGAIN))
    if code >= FIRST_ENDING:
        return JobState.FAILED, "z"
    return _numbered[code - WAITING_CODES]


def is_ended(code: int) -> bool:
    """Tell whether a task with this code has ended for good."""
    return code >= WAITING_CODES and meaning(code, blocked=False)[1] == "z"
