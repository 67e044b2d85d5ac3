"""The client's side of the socket: connections kept, and a scheduler that died started again, unnoticed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.wire import LONGEST_LINE, TIMELESS, decode, encode, peer_uid, rebuild_error
from gcs_lab.errors import DrmCommunication, InvalidArgument, InvalidState, UntrustedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Client", "NotRunning", "connect_socket"]

ANSWER_SECONDS = 60.0
RETRY_FOR_SECONDS = 20.0
PAUSE_SECONDS = 0.005
#: Connections of more threads than this at once are closed after use.
KEPT_CONNECTIONS = 8


class NotRunning(DrmCommunication):
    """No scheduler listens at the socket."""


def connect_socket(path: Path) -> socket.socket:
    """Return a connection to the scheduler at `path`.

    Raises
    ------
    NotRunning
        If none listens there.
    UntrustedFile
        If what listens there belongs to another user.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(path))
        if peer_uid(connection) != os.geteuid():
            raise UntrustedFile(f"{path} belongs to a process of uid {peer_uid(connection)}, not to your scheduler.")
    except OSError as error:
        connection.close()
        raise NotRunning(
            f"no scheduler listens at {path} ({error.strerror or error}); gcs-lab embedded start"
        ) from None
    except BaseException:
        connection.close()
        raise
    return connection


class Client:
    """Asks the scheduler; may be used by many threads at once.

    Parameters
    ----------
    ensure
        Returns the socket of a scheduler that runs, starting it if it must.
    retry_for
        Seconds for which a question is asked again of a scheduler that does not answer.
    """

    def __init__(self, ensure: Callable[[], Path], retry_for: float = RETRY_FOR_SECONDS) -> None:
        self._ensure = ensure
        self._retry_for = retry_for
        self._idle: list[_Line] = []
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._ended = False

    def ask(self, do: str, **given: Any) -> Any:
        """Return the answer to a question.

        If the scheduler dies meanwhile it is started again and asked again: whatever is asked must be harmless
        when it is asked twice, which is what tokens are for.

        Raises
        ------
        GcsError
            What the scheduler raised, DrmCommunication if there is no answer, or InvalidArgument if it is too much
            for one question.
        """
        question = encode({"do": do, "with": given})
        if len(question) > LONGEST_LINE:
            raise InvalidArgument(
                f"a question of {len(question)} bytes; the embedded scheduler takes {LONGEST_LINE}. Send less at "
                "once: fewer jobs, or large data in files instead of arguments."
            )
        give_up = time.monotonic() + self._retry_for
        while True:
            try:
                with self._line() as line:
                    message = line.ask(question, timeless=do in TIMELESS)
            except (OSError, EOFError, NotRunning) as error:
                self.close()
                time.sleep(PAUSE_SECONDS)
                if time.monotonic() > give_up:
                    kind = NotRunning if isinstance(error, NotRunning) else DrmCommunication
                    raise kind(
                        f"the embedded scheduler does not answer ({error}). Look at its log with gcs-lab embedded "
                        "status, and stop it with gcs-lab embedded stop: jobs go on, and the next use starts it."
                    ) from None
                continue
            if "error" in message:
                raise rebuild_error(message["error"])
            return message["answer"]

    def end(self) -> None:
        """Ask nothing more: whoever still asks must not start the scheduler again."""
        with self._lock:
            self._ended = True
        self.close()

    def close(self) -> None:
        """Close the connections that nobody uses now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    @contextlib.contextmanager
    def _line(self) -> Iterator[_Line]:
        """Give one connection to one thread; it is kept if all went well."""
        if self._ended:
            raise InvalidState("this connection to the embedded cluster was closed; connect again.")
        line = self._take() or _Line(connect_socket(self._ensure()))
        try:
            yield line
        except BaseException:
            line.close()
            raise
        with self._lock:
            # One that was in use while this ended is nobody's any more.
            keep = not self._ended and len(self._idle) < KEPT_CONNECTIONS
            if keep:
                self._idle.append(line)
        if not keep:
            line.close()

    def _take(self) -> _Line | None:
        with self._lock:
            if self._process != os.getpid():
                # After a fork, the connections are the parent's: two must not talk on one line.
                self._process = os.getpid()
                self._idle = []
            return self._idle.pop() if self._idle else None


class _Line:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")

    def ask(self, question: bytes, *, timeless: bool) -> dict[str, Any]:
        self._socket.sendall(question)
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the scheduler closed the connection")
        return decode(line, timeless=timeless)

    def close(self) -> None:
        self._file.close()
        self._socket.close()
