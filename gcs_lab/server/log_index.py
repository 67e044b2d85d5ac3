"""Lines by number in a text that grows, of any size: an index of where they stand, built once and then extended."""

from __future__ import annotations

import bisect
import codecs
import re
import threading
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gcs_lab.errors import InvalidState

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COLOURS", "LineIndex", "Lines", "Matches", "Piece", "Stop", "TextSource", "shown_line"]

#: Characters of a line that are told, and bytes of all lines of one answer.
MOST_OF_LINE = 10_000
MOST_BYTES = 2 << 20
#: Text between two entries of the index: 1 GB of text has 1,000 of them.
_STRIDE = 1 << 20
#: Bytes before the place that was reached, by which a file that was written anew is known.
_TAIL = 64

#: Bytes of a line that are looked at: no character has more than four.
_MOST_RAW = 4 * MOST_OF_LINE

#: Colours (SGR) of ECMA-48; they are told, and left out for matching.
_COLOUR = r"\x1b\[[0-9;:]*m"
#: All other sequences and controls: nobody who reads a line has a use for them.
_OTHER = (
    r"\x1b(?:\[(?![0-9;:]*m)[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)|[@-Z\\-_])"
    r"|\x1b(?!\[[0-9;:]*m)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)
COLOURS, _OTHERS = re.compile(_COLOUR), re.compile(_OTHER)
_SEQUENCES = re.compile(f"{_COLOUR}|{_OTHER}".encode())
#: What sequences and controls are made of: to take it out is ten times as fast as to look for it.
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r"))


class Piece(NamedTuple):
    """Some bytes of a text, and the place in its source from which :meth:`TextSource.pieces` gives them again."""

    place: int
    data: bytes


class TextSource(Protocol):
    """Where a text comes from."""

    def pieces(self, place: int) -> Iterator[Piece]:
        """Yield the text from a place on, as far as it is there; the last place is its end, with no bytes.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        ...

    def mark(self) -> object:
        """Return what tells one text from another that took its place; None: there is none. Raises OSError."""
        ...

    def tail(self, place: int, length: int) -> bytes:
        """Return the source's bytes before a place: they never change as long as it is the same text."""
        ...


class Lines(NamedTuple):
    """Lines from number ``first`` on, of ``total``; ``notes`` say what is left out of them."""

    first: int
    lines: list[str]
    total: int
    notes: list[str]


class Matches(NamedTuple):
    """Numbers and texts of lines that match.

    ``total`` counts those that were found, ``more`` says that there are others after them.
    """

    matches: list[tuple[int, str]]
    total: int
    more: bool


class Stop(threading.Event):
    """Set by who does not wait for an answer any more."""

    def check(self) -> None:
        """Raise InvalidState if nobody waits."""
        if self.is_set():
            raise InvalidState("nobody waits for the answer any more.")


class LineIndex:
    """The lines of a text, counted from 0. Any thread may ask; they take turns where the index is extended.

    A text that does not end in a newline has a last line that may still grow. Memory is bounded by the size of the
    text: an entry a MiB.

    Parameters
    ----------
    source
        Where the text comes from.
    """

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._reset(None)

    def _reset(self, mark: object) -> None:
        self._mark = mark
        #: Newlines before each of the places.
        self._newlines: list[int] = [0]
        self._places: list[int] = [0]
        self._end = 0  # the place that was reached
        self._count = 0  # newlines before it
        self._open = False  # whether text stands after the last newline
        self._since = 0  # bytes of text since the last entry
        self._tail = b""

    # -- counting ------------------------------------------------------------------------------------------------

    def extend(self, stop: Stop | None = None) -> int:
        """Count what came since the last time; return the number of lines. Raises OSError."""
        with self._lock:
            mark = self._source.mark()
            if mark != self._mark or self._source.tail(self._end, _TAIL) != self._tail:
                self._reset(mark)
            if mark is not None:
                self._count_from_here(stop)
            return self._count + self._open

    def _count_from_here(self, stop: Stop | None) -> None:
        start = self._end
        try:
            for piece in self._source.pieces(start):
                # All before this piece is counted, also if nobody waits for the rest.
                self._end = piece.place
                if stop is not None:
                    stop.check()
                if self._since >= _STRIDE:
                    self._newlines.append(self._count)
                    self._places.append(piece.place)
                    self._since = 0
                if piece.data:
                    self._count += piece.data.count(b"\n")
                    self._open = not piece.data.endswith(b"\n")
                    self._since += len(piece.data)
        finally:
            if self._end != start:
                self._tail = self._source.tail(self._end, _TAIL)

    # -- asking --------------------------------------------------------------------------------------------------

    def lines(self, first: int, count: int, stop: Stop | None = None) -> Lines:
        """Return lines by number.

        Parameters
        ----------
        first
            Number of the first one; negative: from the end (-10: the last ten).
        count
            How many at most; fewer come where they are long (the notes say so).
        stop
            Set when nobody waits any more.

        Raises
        ------
        OSError
            If the text cannot be read.
        InvalidState
            If nobody waits any more.
        """
        total = self.extend(stop)
        first = max(total + first, 0) if first < 0 else min(first, total)
        wanted = min(count, total - first)
        found: list[str] = []
        cut = size = 0
        if wanted > 0:
            for line, is_cut in self._from(first, stop):
                cut += is_cut
                size += len(line)
                found.append(line)
                if len(found) == wanted or size > MOST_BYTES:
                    break
        notes = []
        if cut:
            notes.append(f"{cut:,} lines are longer than {MOST_OF_LINE:,} characters; their rest is left out.")
        if len(found) < wanted:
            notes.append(f"{len(found):,} of {wanted:,} lines are told: they are long. Ask for the next ones.")
        return Lines(first, found, total, notes)

    def matches(self, text: str, after: int, limit: int, stop: Stop | None = None) -> Matches:
        """Return the lines with a number above `after` that contain `text`; colours do not count.

        Capitals count only if `text` has some. Of a line, its first 10,000 characters are looked at.

        Parameters
        ----------
        text
            What is looked for.
        after
            Number of a line; -1: all are looked at.
        limit
            So many matches are returned at most; the search ends when one more is found.
        stop
            Set when nobody waits any more.

        Raises
        ------
        OSError, InvalidState
            As :meth:`lines`.
        """
        total = self.extend(stop)
        wanted = _Wanted(text)
        found: list[tuple[int, str]] = []
        for start, block in self._blocks(after + 1, stop):
            if not wanted.may_be_in(block):
                continue
            for number, data in enumerate(block.split(b"\n"), start):
                if number >= total or not wanted.may_be_in(data):
                    continue
                plain = COLOURS.sub("", _told(data)[0])
                if wanted.is_in(plain):
                    if len(found) == limit:
                        return Matches(found, limit + 1, more=True)
                    found.append((number, plain))
        return Matches(found, len(found), more=False)

    def _from(self, first: int, stop: Stop | None) -> Iterator[tuple[str, bool]]:
        """Yield the lines from a number on, each with whether it was cut."""
        for _, block in self._blocks(first, stop):
            for line in block.split(b"\n"):
                yield _told(line)

    def _blocks(self, first: int, stop: Stop | None) -> Iterator[tuple[int, bytes]]:
        """Yield lines from a number on, many at once, each time with the number of the first of them.

        The last one may have no end yet; of one that is very long not more is told than shows that.
        """
        with self._lock:
            # A line begins after the newline before it, so the entry must have fewer newlines than its number.
            at = max(bisect.bisect_left(self._newlines, first) - 1, 0)
            skip, place = first - self._newlines[at], self._places[at]
        number, rest = first, b""
        for piece in self._source.pieces(place):
            if stop is not None:
                stop.check()
            at = 0
            while skip and (newline := piece.data.find(b"\n", at)) >= 0:
                at, skip = newline + 1, skip - 1
            if skip:
                continue
            data = piece.data[at:] if at else piece.data
            end = data.rfind(b"\n")
            if end < 0:
                rest += data[: max(_MOST_RAW + 1 - len(rest), 0)]
                continue
            block = rest + data[:end]
            yield number, block
            number += block.count(b"\n") + 1
            rest = data[end + 1 :][: _MOST_RAW + 1]
        if rest:
            yield number, rest


class _Wanted:
    """A text that is looked for: quickly in many lines as they stand in a file, and then in one as it is shown.

    Parameters
    ----------
    text
        Capitals count only if it has some.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._with_capitals = text != text.lower()
        self._raw = text.encode("utf-8", "replace")
        self._is_plain = text.isascii()

    def is_in(self, line: str) -> bool:
        """Tell whether it is in a line without colours."""
        return self._text in (line if self._with_capitals else line.lower())

    def may_be_in(self, data: bytes) -> bool:
        """Tell whether it may be in lines as they stand in the file; False is certain."""
        if len(data.translate(None, _CONTROLS)) != len(data):
            data = _SEQUENCES.sub(b"", data)
        if self._with_capitals:
            return self._raw in data
        # Only of ASCII bytes are small letters.
        return self._raw in data.lower() if self._is_plain else self.is_in(data.decode("utf-8", "replace"))


def _told(data: bytes) -> tuple[str, bool]:
    """Return a line as it is shown, and whether it was cut."""
    # Of the last line a character may be written by half: it is shown when it is whole.
    text = shown_line(codecs.getincrementaldecoder("utf-8")(errors="replace").decode(data[:_MOST_RAW]))
    return text[:MOST_OF_LINE], len(data) > _MOST_RAW or len(text) > MOST_OF_LINE


def shown_line(line: str) -> str:
    r"""Return a line as a terminal would leave it, with its colours: of what ``\r`` rewrote, the last state."""
    line = line.rstrip("\r").rpartition("\r")[2]
    return _OTHERS.sub("", line) if not line.isprintable() else line
