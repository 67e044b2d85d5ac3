"""A helper process that is spoken to in JSON lines over pipes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

from gcs_lab.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["HelperProcess"]

_END_SECONDS = 2.0


class HelperProcess:
    """One run of a helper, from its start to its end.

    It ends by itself when its standard input does, so it never outlives the one who started it.

    Parameters
    ----------
    argv
        The program and its arguments.
    environment
        All of its environment.

    Raises
    ------
    CommandFailed
        If it cannot be started.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._argv = list(argv)
        self._owner = os.getpid()
        self._buffer = b""
        try:
            self._process = subprocess.Popen(
                self._argv,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(self._argv, None, f"{error}; the job was not submitted") from error
        self._requests, self._answers = (_pipe(p).fileno() for p in (self._process.stdin, self._process.stdout))
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def usable(self) -> bool:
        """Tell whether it lives and is ours: after a fork, the pipes are the parent's to use."""
        return self._owner == os.getpid() and self._process.poll() is None

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Raises CommandFailed if the helper is dead."""
        try:
            left = json.dumps(message).encode() + b"\n"
            while left:
                left = left[os.write(self._requests, left) :]
        except OSError:
            raise self._lost("it died") from None

    def receive(self, timeout: float) -> dict[str, Any]:
        """Return its next message. Raises CommandFailed if it dies or sends none within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(1e3 * left):
                raise self._lost(f"it did not answer within {timeout:g} s")
            data = os.read(self._answers, 1 << 16)
            if not data:
                raise self._lost("it died")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def end(self, *, kill: bool = False) -> None:
        """End it and free what it used. A copy made by a fork only lets go of the pipes."""
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        if self._owner == os.getpid():
            if kill:
                self._process.kill()
            try:
                self._process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _pipe(self._process.stdout).close()

    def _lost(self, how: str) -> CommandFailed:
        return CommandFailed(self._argv, None, f"the helper was lost: {how}. It is started again when needed.")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # pragma: no cover - both are pipes
        raise AssertionError
    return stream
