"""The pipes between the supervisor and the cell's process."""

from __future__ import annotations

import os

__all__ = ["Pipes"]


class Pipes:
    """The pipes between child and supervisor; read end first. By `drained` the supervisor answers a DRAIN."""

    def __init__(self) -> None:
        self.channel, self.stdout, self.stderr = os.pipe(), os.pipe(), os.pipe()
        self.drained = os.pipe()

    def all(self) -> list[int]:
        """Return all descriptors."""
        return [*self.channel, *self.stdout, *self.stderr, *self.drained]

    def keep_supervisors_ends(self) -> None:
        """Close the child's ends, and make ours not block; a roomier channel lets bursts through."""
        import fcntl

        os.close(self.drained[0])
        for read, write in (self.channel, self.stdout, self.stderr):
            os.close(write)
            os.set_blocking(read, False)
        try:
            fcntl.fcntl(self.channel[0], getattr(fcntl, "F_SETPIPE_SZ", 1031), 1 << 20)
        except OSError:
            return
