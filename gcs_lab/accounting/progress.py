"""How far the reading of records is, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Ingested", "Progress", "Totals"]


class Progress(NamedTuple):
    """How far a refresh is.

    ``bytes_total`` is what this refresh has to read of the files as they lie on the disk (a compressed one: its
    compressed size), ``bytes_done`` what it has read of that; ``records`` and ``rejects`` are those found by it;
    ``seconds`` is the time since it began; ``message`` says what is being done, for people.
    """

    bytes_done: int
    bytes_total: int
    records: int
    rejects: int
    seconds: float
    message: str

    @property
    def rate(self) -> float:
        """Bytes per second so far; 0 as long as nothing is known."""
        return self.bytes_done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are probably left; None as long as nothing is known."""
        rate = self.rate
        return max(0.0, (self.bytes_total - self.bytes_done) / rate) if rate else None


class Ingested(NamedTuple):
    """What a refresh did.

    ``records`` and ``rejects`` were added; ``dropped`` are records that were taken out because their file was
    rewritten; ``complete`` is False where `stop` was set before everything was read: the next refresh goes on from
    there. ``notes`` are sentences for the user: a store that could not be kept, a file that could not be read.
    """

    records: int = 0
    rejects: int = 0
    dropped: int = 0
    seconds: float = 0.0
    complete: bool = True
    notes: tuple[str, ...] = ()


class Totals(NamedTuple):
    """What the store holds: counts, bytes of (uncompressed) text, files, and the span of ``end_time`` in seconds."""

    records: int
    rejects: int
    bytes: int
    files: int
    first_end: float | None
    last_end: float | None
