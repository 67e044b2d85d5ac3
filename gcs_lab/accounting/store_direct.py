"""Answer before everything is stored: what is not yet there is read straight from the file, where that is exact."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.accounting import formats
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.ingest import changed_files
from gcs_lab.accounting.ingest_match import continued
from gcs_lab.accounting.ingest_text import Text
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gcs_lab.accounting.manifest import Manifest

__all__ = ["Background", "Remainder", "remainder"]

#: Bytes that are stored at once, without a second thought: less than a second.
DIRECT_FROM = 64 << 20
#: Bytes that are read without being stored, at the most, some seconds: of more, somebody wants to see how far it is.
DIRECT_TO = 2 << 30
#: Bytes a second that a question may need of the file, at the least; storing them waits as long, plus a second.
_SLOWEST = 300 << 20
_LAST_LINE = 1 << 20
#: Seconds that the end of the program may wait for a block that is being stored.
_PATIENCE = 2.0


class Remainder(NamedTuple):
    """Bytes ``start`` to ``end`` of a plain classic file: whole lines that are not stored."""

    path: Path
    start: int
    end: int


def remainder(manifest: Manifest, paths: Sequence[Path]) -> list[Remainder] | None:
    """Return what is not stored of `paths`; None where storing it tells, or it is little or very much.

    Exact means: each file that changed is plain and classic, goes on where its source was left, or nothing is stored
    at all; and no last line has to be taken without its newline.
    """
    changed, notes = changed_files(manifest, paths)
    if notes or sum(path.stat().st_size for path in changed if path.exists()) < DIRECT_FROM:
        return None
    found: list[Remainder] = []
    heads: set[bytes] = set()
    try:
        for path in changed:
            with Text(path) as text:
                one = _remainder(manifest, text)
                if one is None or text.head in heads:
                    return None
                heads.add(text.head)
                found.append(one)
    except (OSError, GcsError):
        return None
    return found if DIRECT_FROM <= sum(one.end - one.start for one in found) <= DIRECT_TO else None


def _remainder(manifest: Manifest, text: Text) -> Remainder | None:
    if text.compressed or text.size is None or not text.look:
        return None
    if not isinstance(formats.reader_for(text.look, text.path.name), ClassicReader):
        return None
    source = continued(text, manifest.sources.values())
    if (source is None and manifest.sources) or (source is not None and source.torn is not None):
        return None
    begin = max(0, text.size - _LAST_LINE)
    newline = text.read_at(begin, _LAST_LINE).rfind(b"\n")
    end = begin + newline + 1
    start = source.offset if source is not None else 0
    return Remainder(text.path, start, end) if newline >= 0 and end == text.size and end >= start else None


class Background:
    """A thread that stores what was answered directly; it does not keep the program from ending."""

    def __init__(self, store: Callable[[threading.Event], object], length: int) -> None:
        self._stop = threading.Event()
        delay = 1.0 + length / _SLOWEST
        self._thread = threading.Thread(
            target=_run, args=(store, self._stop, delay), name="gcs_lab-store", daemon=True
        )
        # Also at the end of the program: a block that is being written is waited for.
        self.stop = weakref.finalize(self, _end, self._stop, self._thread)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether there is still something to store."""
        return self._thread.is_alive()


def _run(store: Callable[[threading.Event], object], stop: threading.Event, delay: float) -> None:
    # The question that is being answered has the processors first.
    if stop.wait(delay):
        return
    # Whatever is wrong, the next question finds it too, and has someone to tell it to.
    with contextlib.suppress(Exception):
        store(stop)


def _end(stop: threading.Event, thread: threading.Thread) -> None:
    stop.set()
    if thread is not threading.current_thread():
        thread.join(_PATIENCE)
