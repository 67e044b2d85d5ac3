"""One client's connection on the scheduler's side: lines in, lines out, never blocking."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.wire import LONGEST_LINE, encode, peer_uid

if TYPE_CHECKING:
    import socket

__all__ = ["Connection", "is_owner"]

_log = logging.getLogger(__name__)


def is_owner(uid: int) -> bool:
    """Tell whether a peer with this user id may ask: only the scheduler's own user may."""
    return uid == os.geteuid()


class Connection:
    """A client.

    Parameters
    ----------
    accepted
        Its socket, which becomes non-blocking.
    """

    def __init__(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self.socket = accepted
        self.closed = False
        self.unsent = bytearray()
        self._received = bytearray()

    @classmethod
    def of_owner(cls, accepted: socket.socket) -> Connection | None:
        """Return the connection, or close it and return None if the peer is another user."""
        uid = peer_uid(accepted)
        if is_owner(uid):
            return cls(accepted)
        _log.warning("a connection of uid %d was refused", uid)
        accepted.close()
        return None

    def receive(self) -> list[bytes]:
        """Return the lines that have come; sets ``closed`` at the end."""
        try:
            data = self.socket.recv(1 << 18)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return []
        self._received += data
        if b"\n" not in data:
            self.closed = len(self._received) > LONGEST_LINE
            return []
        *lines, rest = bytes(self._received).split(b"\n")
        self._received = bytearray(rest)
        return lines

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, as far as the socket takes it now; the rest stays in ``unsent``."""
        self.unsent += encode(message)
        self.flush()

    def flush(self) -> None:
        """Send what is unsent, as far as the socket takes it now."""
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.closed = True
