"""The bar below a cell, or in a terminal, while records of accounting are read for the first time."""

from __future__ import annotations

import html
import sys
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from gcs_lab.jobs.requests import format_memory, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from gcs_lab.accounting.progress import Progress

__all__ = ["progress_text", "show"]

#: Seconds between two pictures.
_PACE = 0.1
_WIDTH = 30


class _Place(Protocol):
    """Where the bar is drawn."""

    def draw(self, progress: Progress) -> None: ...

    def clear(self) -> None: ...

    def tell(self, text: str) -> None: ...


@contextmanager
def show() -> Iterator[Callable[[Progress], None]]:
    """Yield what each :class:`~gcs_lab.accounting.progress.Progress` is given to; the bar is gone afterwards.

    An interrupt (the kernel's stop button, Ctrl-C) goes through, and a line says that nothing is lost.
    """
    bar = _Bar(_place())
    try:
        yield bar.take
    except KeyboardInterrupt:
        bar.interrupted()
        raise
    finally:
        bar.close()


def progress_text(progress: Progress) -> str:
    """Return how far it is, in one line for people."""
    share = _share(progress)
    left = progress.left
    parts = [
        progress.message or "reading accounting",
        f"{share:.0%} of {_size(progress.bytes_total)}",
        f"{progress.records:,} records",
        f"{_size(progress.rate)}/s",
        "" if left is None else f"{format_time(max(1.0, left))} left",
        f"{progress.rejects:,} lines are no records" if progress.rejects else "",
    ]
    return " · ".join(part for part in parts if part)


def _share(progress: Progress) -> float:
    return min(1.0, progress.bytes_done / progress.bytes_total) if progress.bytes_total else 0.0


def _size(number: float) -> str:
    """Return bytes as people read them; whole numbers, so that the line does not flicker."""
    return format_memory(round(number))


class _Bar:
    def __init__(self, place: _Place) -> None:
        self._place = place
        self._next = 0.0
        self._latest: Progress | None = None
        self._drawn = False

    def take(self, progress: Progress) -> None:
        """Draw it, if it is time."""
        self._latest = progress
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PACE
            self._drawn = True
            self._place.draw(progress)

    def interrupted(self) -> None:
        """Say what has become of it."""
        done = "" if self._latest is None else f" at {_share(self._latest):.0%}"
        self._place.tell(
            f"reading accounting was interrupted{done}; what was read is kept, and the next question goes on there"
        )

    def close(self) -> None:
        """Take it away."""
        if self._drawn:
            self._place.clear()


def _place() -> _Place:
    if "IPython" in sys.modules:
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None and getattr(shell, "kernel", None) is not None:
            return _Cell()
    return _Terminal(sys.stderr)


class _Terminal:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, progress: Progress) -> None:
        full = round(_share(progress) * _WIDTH)
        self._write(f"\r\033[K[{'#' * full}{'.' * (_WIDTH - full)}] {progress_text(progress)}")

    def clear(self) -> None:
        self._write("\r\033[K")

    def tell(self, text: str) -> None:
        self._write(f"\r\033[Kgcs: {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class _Cell:
    """A display of the cell that is updated in place; nothing of it stays in the saved notebook."""

    def __init__(self) -> None:
        self._id = f"gcs-ingest-{uuid.uuid4().hex}"
        self._shown = False

    def draw(self, progress: Progress) -> None:
        text = progress_text(progress)
        bar = (
            f'<progress value="{_share(progress):.4f}" max="1" style="width: 20em; vertical-align: middle" '
            f'aria-label="reading accounting"></progress> <span>{html.escape(text)}</span>'
        )
        self._display({"text/plain": text, "text/html": f'<div style="font-size: 0.9em">{bar}</div>'})

    def clear(self) -> None:
        if self._shown:
            self._display({"text/plain": "", "text/html": ""})

    def tell(self, text: str) -> None:
        print(f"gcs: {text}", file=sys.stderr)  # noqa: T201

    def _display(self, data: dict[str, str]) -> None:
        from IPython.display import publish_display_data

        publish_display_data(  # type: ignore[no-untyped-call]
            data, transient={"display_id": self._id}, update=self._shown
        )
        self._shown = True
