"""The program that runs a script: started, listened to, and sent the job's signals."""

from __future__ import annotations

import os
import signal
import sys
import time

from .private_file import write_all
from .signals import FORWARDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .text_stream import TextStream

__all__ = ["ScriptProcess", "block_signals", "named"]

_READ_BYTES = 1 << 16
_TAIL_BYTES = 8192
_LAST_WORDS_BYTES = 16 << 20
_SAME_SIGNAL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


def block_signals() -> None:
    """Keep the job's signals waiting, in this thread and those that it starts, until :meth:`ScriptProcess.wait`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *FORWARDED})


def named(text: str, path: str, name: str) -> str:
    """Return `text` with `name` in the place of the script's `path`; Lua shortens a long path from its left."""
    text = text.replace(path, name)
    end = "/".join(path.rsplit("/", 2)[-2:])
    if "..." not in text or end not in text:
        return text
    import re

    return re.sub(rf"\.\.\.[^\s:]*/{re.escape(end)}", lambda _: name, text)


class ScriptProcess:
    """A running program, whose output goes to the cell's streams. Signals are blocked when it is made.

    It stays in the job's process group, so that a scheduler that ends the group ends it too.

    Parameters
    ----------
    program
        Its path.
    arguments
        What it is given, from the name that it is told to have.
    stdin
        Descriptor of its standard input.
    joined
        Whether its stderr goes where its stdout goes (``-j y``).

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, program: str, arguments: Sequence[str], stdin: int, *, joined: bool) -> None:
        import subprocess

        self._stop = os.pipe()
        self._direct: dict[int, float] = {}
        self._process = subprocess.Popen(
            arguments,
            executable=program,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if joined else subprocess.PIPE,
            bufsize=0,
            preexec_fn=_as_a_job_starts,  # noqa: PLW1509  (this process has one thread yet)
        )
        self._pumps: list[_Pump] = []

    def listen(self, name: str, stream: TextStream, copy: int | None, shown: tuple[str, str] | None = None) -> None:
        """Send what it writes to its ``stdout`` or ``stderr`` to `stream` and, as it is, to the descriptor `copy`.

        In `stream` the first text of `shown` is replaced by the second: a path by the name that people know.
        """
        pipe = self._process.stdout if name == "stdout" else self._process.stderr
        if pipe is not None:
            self._pumps.append(_Pump(pipe.fileno(), self._stop[0], stream, copy, shown))
            self._pumps[-1].start()

    def wait(self) -> int:
        """Pass signals on until it has ended; return its exit status, or minus the signal that ended it.

        A signal that the whole process group got (a scheduler's) has reached the program already; one that came to
        the supervisor alone is passed on.
        """
        supervisor = os.getppid()
        while self._process.poll() is None:
            told = signal.sigwaitinfo({signal.SIGCHLD, *FORWARDED})
            number = told.si_signo
            if number == signal.SIGCHLD:
                continue
            if told.si_pid != supervisor:
                self._direct[number] = time.monotonic()
            elif time.monotonic() - self._direct.get(number, float("-inf")) > _SAME_SIGNAL_SECONDS:
                self._process.send_signal(number)
        # What processes that it left behind write later is not waited for.
        os.write(self._stop[1], b".")
        for pump in self._pumps:
            pump.join()
        return int(self._process.returncode)

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines of its stderr (of its stdout, if they were joined)."""
        tail = bytes(self._pumps[-1].tail) if self._pumps else b""
        return [line for line in tail.decode("utf-8", "replace").splitlines() if line.strip()][-count:]


def _as_a_job_starts() -> None:
    """Give the new process the signals of a fresh program, and have it die with the one that listens to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, *FORWARDED})
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        except (ImportError, OSError, AttributeError):
            return


class _Pump:
    """Reads one pipe of the program on a thread of its own."""

    def __init__(
        self, pipe: int, stop: int, stream: TextStream, copy: int | None, shown: tuple[str, str] | None
    ) -> None:
        import codecs
        import threading

        self.tail = bytearray()
        self._pipe, self._stop, self._stream, self._copy = pipe, stop, stream, copy
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.start, self.join = self._thread.start, self._thread.join

    def _run(self) -> None:
        import select

        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        left = _LAST_WORDS_BYTES
        while left > 0:
            ready = {descriptor for descriptor, _ in poll.poll()}
            data = os.read(self._pipe, _READ_BYTES) if self._pipe in ready else b""
            if not data:
                break
            self._take(data)
            left -= len(data) if self._stop in ready else 0
        self._stream.write(self._decoder.decode(b"", final=True))

    def _take(self, data: bytes) -> None:
        self.tail += data
        del self.tail[:-_TAIL_BYTES]
        text = self._decoder.decode(data)
        self._stream.write(named(text, *self._shown) if self._shown else text)
        if self._copy is None:
            return
        try:
            write_all(self._copy, data)
        except OSError as error:
            self._copy = None
            self._stream.write(f"\ngcs: the file of this stream (-o or -e) gets no more of it: {error}\n")
