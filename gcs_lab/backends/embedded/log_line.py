"""Lines in ``scheduler.log`` from the small processes beside the scheduler: shepherds and senders of mail."""

from __future__ import annotations

import contextlib
import os
import time

__all__ = ["log_line"]


def log_line(text: str) -> None:
    """Write a line to standard error, which is the scheduler's log.

    Nothing is raised: the log is on the same disk as all the rest, and who has to tell of a full one must live on.
    """
    with contextlib.suppress(OSError):
        os.write(2, f"{time.strftime('%Y-%m-%d %H:%M:%S')} WARNING {text}\n".encode(errors="backslashreplace"))
