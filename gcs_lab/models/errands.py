"""One thread for what need not be done at once and may take long: questions to a scheduler that nobody waits for."""

from __future__ import annotations

import threading

from gcs_lab.cells.errands import Errands

__all__ = ["Errands", "errands"]

_errands: Errands | None = None
_lock = threading.Lock()


def errands() -> Errands:
    """Return the one that does the errands of this process."""
    global _errands  # noqa: PLW0603
    with _lock:
        _errands = _errands or Errands()
        return _errands
