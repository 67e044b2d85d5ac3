"""Which jobs' rows changed, in order: so that who looks again is told of these alone."""

from __future__ import annotations

import secrets

__all__ = ["RowLog"]

#: Changes of so many jobs are remembered; who missed more of them lists all jobs anew.
REMEMBERED = 100_000


class RowLog:
    """Numbers the last change of each job, ended ones too.

    Parameters
    ----------
    remembered
        Of how many jobs.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was told of before may not be so."""
        #: It differs each time: numbers of another epoch mean nothing.
        self.epoch = secrets.token_hex(8)
        self.number = 0
        self._floor = 0
        # In the order of the numbers.
        self._numbers: dict[int, int] = {}

    def note(self, job_id: int) -> None:
        """Note that something changed which rows of the job tell of, or that it came or has ended."""
        self.number += 1
        self._numbers.pop(job_id, None)
        self._numbers[job_id] = self.number
        if len(self._numbers) > self._remembered:
            oldest = next(iter(self._numbers))
            self._floor = self._numbers.pop(oldest)

    def knows(self, epoch: str | None, number: int | None) -> bool:
        """Tell whether all changes since a number are known here."""
        return epoch == self.epoch and number is not None and number >= self._floor

    def since(self, number: int, most: int) -> tuple[list[int], int]:
        """Return the jobs that changed after `number`, the oldest change first, and the last one's number."""
        found: list[tuple[int, int]] = []
        for job_id in reversed(self._numbers):
            if self._numbers[job_id] <= number:
                break
            found.append((job_id, self._numbers[job_id]))
        chosen = found[::-1][:most]
        return [job_id for job_id, _ in chosen], chosen[-1][1] if chosen else self.number
