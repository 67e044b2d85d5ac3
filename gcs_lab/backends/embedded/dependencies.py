"""Which jobs wait for which (``qsub -hold_jid``), and what the names in a dependency mean."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

__all__ = ["Dependencies", "JobNames", "check_entries", "words_of"]

_WILD = frozenset("*?[")
#: More digits than any job's number has.
_MOST_DIGITS = 18


def words_of(entries: Iterable[str]) -> list[str]:
    """Return ids, names and patterns one by one: each entry may be a list with commas, as ``-hold_jid`` takes it."""
    return [word for entry in entries for word in entry.split(",")]


def check_entries(attribute: str, entries: Iterable[str]) -> None:
    """Make sure that the entries of a dependency are ids, names or patterns.

    Raises
    ------
    InvalidArgument
        If one is not.
    """
    for word in words_of(entries):
        if not word.strip():
            raise InvalidArgument(f"{attribute} has an empty entry; expected ids, names, or names with * ? [].")
        if word[0].isdigit() and not (word.isascii() and word.isdigit()):
            raise InvalidArgument(
                f"{attribute}: {word!r} is neither a job's id (digits alone) nor a name (no digit first). For the "
                "tasks of an array, wait for the whole array, or task by task with hold_jid_ad."
            )


class JobNames:
    """The jobs that have not ended, by name; the table is made when it is first asked for.

    Parameters
    ----------
    present
        Gives names and ids of the jobs that have not ended.
    """

    def __init__(self, present: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._present = present
        self._ids: dict[str, set[int]] | None = None

    def add(self, name: str, job_id: int) -> None:
        """Note a job that was submitted."""
        if self._ids is not None:
            self._ids.setdefault(name, set()).add(job_id)

    def remove(self, name: str, job_id: int) -> None:
        """Note a job that has ended."""
        if self._ids is not None and (ids := self._ids.get(name)) is not None:
            ids.discard(job_id)
            if not ids:
                del self._ids[name]

    @property
    def in_use(self) -> bool:
        """Whether the table was made, so that changes must be told."""
        return self._ids is not None

    def resolve(self, entries: Iterable[str]) -> Iterator[int]:
        """Yield the ids that entries of a dependency mean now; ids are given back as they are, ended or not."""
        for word in words_of(entries):
            if word.isascii() and word.isdigit():
                if len(word) <= _MOST_DIGITS:
                    yield int(word)
                continue
            if self._ids is None:
                self._ids = {}
                for name, job_id in self._present():
                    self.add(name, job_id)
            yield from self._ids.get(word, ())
            if _WILD & set(word):
                for name, ids in self._ids.items():
                    if name != word and fnmatchcase(name, word):
                        yield from ids


class Dependencies:
    """Jobs that wait until others have left the queue."""

    def __init__(self) -> None:
        self._left: dict[int, int] = {}
        self._followers: dict[int, list[int]] = {}
        self._array_followers: dict[int, list[int]] = {}

    def add(self, job_id: int, before: Collection[int]) -> bool:
        """Let a job wait for others, which have not ended; tell whether it waits."""
        if before:
            self._left[job_id] = len(before)
            for other in before:
                self._followers.setdefault(other, []).append(job_id)
        return bool(before)

    def add_array(self, job_id: int, before: Iterable[int]) -> None:
        """Let an array wait, task by task, for other arrays, which have not ended."""
        for other in before:
            self._array_followers.setdefault(other, []).append(job_id)

    def ended(self, job_id: int) -> list[int]:
        """Note that a job has left the queue; return the jobs that wait for nothing any more."""
        self._left.pop(job_id, None)
        self._array_followers.pop(job_id, None)
        free = []
        for follower in self._followers.pop(job_id, ()):
            if follower in self._left:
                self._left[follower] -= 1
                if not self._left[follower]:
                    del self._left[follower]
                    free.append(follower)
        return free

    def wait(self, job_id: int) -> bool:
        """Tell whether a job waits for others."""
        return job_id in self._left

    def array_followers(self, job_id: int) -> list[int]:
        """Return the arrays that wait, task by task, for an array."""
        return self._array_followers.get(job_id, [])
