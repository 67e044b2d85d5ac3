"""The bar that a person sees while many records are read for the first time: found by name, as it lives higher up."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import nullcontext
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from gcs_lab.accounting.progress import Progress

__all__ = ["PATIENCE", "progress_face"]

#: Seconds that pass before anything is looked for and shown: what is done sooner needs no bar.
PATIENCE = 0.7


def progress_face(patience: float = PATIENCE) -> AbstractContextManager[Callable[[Progress], None] | None]:
    """Return what shows how far reading is, to be entered around it and called with each Progress.

    Somebody who looks is a notebook's kernel or a terminal on standard error; there it is what the entry point
    ``gcs_lab.faces``/``ingest_progress`` names. Where nobody looks, and in threads of programs, it shows nothing.

    Parameters
    ----------
    patience
        Seconds before it is shown.
    """
    if threading.current_thread() is not threading.main_thread() or not _somebody_looks():
        return nullcontext()
    return _LateFace(patience)


def _somebody_looks() -> bool:
    # Without importing it: whoever has a kernel has imported it.
    kernel = "ipykernel" in sys.modules and "IPython" in sys.modules
    return kernel or (sys.stderr is not None and sys.stderr.isatty())


class _LateFace:
    """Looks for the face only when reading takes long: that costs more than reading what was appended."""

    def __init__(self, patience: float) -> None:
        self._at = time.monotonic() + patience
        self._face: Any = None
        self._take: Callable[[Progress], None] | None = None

    def __enter__(self) -> Callable[[Progress], None]:
        return self._told

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._face is not None:
            self._face.__exit__(kind, error, traceback)

    def _told(self, progress: Progress) -> None:
        if self._face is None and time.monotonic() >= self._at:
            self._face = next((point.load()() for point in _faces()), nullcontext())
            self._take = self._face.__enter__()
        if self._take is not None:
            self._take(progress)


def _faces() -> Any:
    return entry_points(group="gcs_lab.faces", name="ingest_progress")
