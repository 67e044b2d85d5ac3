"""The exit statuses of a job (the BSD ``sysexits.h`` where a number of its own is needed)."""

from __future__ import annotations

import sys

__all__ = ["EXIT_NO_SPEC", "EXIT_OUTPUT_LOST", "EXIT_UPSTREAM_FAILED", "exit_status_of"]


#: ``EX_IOERR``: the cell went well, and its log or outputs could not be written.
EXIT_OUTPUT_LOST = 74
#: ``EX_NOINPUT``: ``spec.json`` cannot be used.
EXIT_NO_SPEC = 66
#: ``EX_UNAVAILABLE``: the code was not run, because an earlier job that it needs did not end well.
EXIT_UPSTREAM_FAILED = 69


def exit_status_of(leaving: SystemExit) -> int:
    """Return the status that ``sys.exit`` asked for; its message goes to the cell's ``sys.stderr``."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return 1
