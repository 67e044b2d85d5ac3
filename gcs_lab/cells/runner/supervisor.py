"""The supervisor: it reads what the cell's process says, writes the log, and tells how it ended."""

from __future__ import annotations

import json
import os
import signal
import time

from .end_line import append_end
from .event_writer import RETRY_SECONDS, say
from .exit_status import EXIT_OUTPUT_LOST
from .frames import DRAIN, END, EVENT, FrameReader
from .pipes import Pipes
from .signals import ENDING, FORWARDED, only_wake_up
from .stream_merger import StreamMerger
from .usage import Usage, cpu_seconds, max_rss_of_ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .event_writer import EventWriter

__all__ = ["Supervisor"]


_GRACE_SECONDS = 10.0
_SAMPLE_SECONDS = 1.0
_READ_BYTES = 1 << 18
_FEW_BYTES = 1 << 16
_REST_SECONDS = 0.0005
_LAST_WORDS_BYTES = 16 << 20


class Supervisor:
    """Reads what the child says, writes the log, and tells how it ended.

    Parameters
    ----------
    spec
        What ``spec.json`` says.
    log
        The event log.
    folder
        The job folder.
    """

    def __init__(self, spec: dict[str, Any], log: EventWriter, folder: str) -> None:
        import codecs

        self._log, self._folder = log, folder
        self._task: int = spec.get("task") or 0
        self._round: int = spec.get("round") or 1
        self._try = log.tries + 1
        self._began = time.time()
        self._merger = StreamMerger(log)
        self._usage = Usage()
        self._beat_seconds = float(spec.get("heartbeat_seconds") or 5.0)
        self._grace_seconds = float(spec.get("grace_seconds") or _GRACE_SECONDS)
        self._started = time.monotonic()
        self._reader = FrameReader(self._on_text, self._on_frame)
        new_decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: new_decoder("replace") for name in ("channel", "stdout", "stderr")}
        self.pipes = Pipes()
        self._wake = os.pipe()
        self._child = 0
        self._status: int | None = None
        self._drained = False
        self._end: dict[str, Any] = {}
        self._kill_at = float("inf")
        self._beat_at = self._started + self._beat_seconds
        self._sample_at = self._started + min(_SAMPLE_SECONDS, self._beat_seconds)

    def fork(self) -> bool:
        """Make the child; return True in it. Signals wait there until it has put its own handlers in place.

        Raises
        ------
        OSError
            If no process can be made.
        """
        for descriptor in self._wake:
            os.set_blocking(descriptor, False)
        watched = {signal.SIGCHLD, *FORWARDED}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            for number in watched:
                # nohup's wish to live on is kept.
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, only_wake_up)
            signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
            self._child = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            raise
        if not self._child:
            return True
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        self.pipes.keep_supervisors_ends()
        return False

    def supervise(self) -> int:
        """Serve the child until it has ended; return the job's exit status."""
        import select

        poll = select.poll()
        sources = {
            self.pipes.channel[0]: "channel",
            self.pipes.stdout[0]: "stdout",
            self.pipes.stderr[0]: "stderr",
        }
        for descriptor in (*sources, self._wake[0]):
            poll.register(descriptor, select.POLLIN)
        while self._status is None:
            ready = {descriptor for descriptor, _ in poll.poll(self._timeout() * 1000)}
            few = True
            self._drained = False
            # The channel is always read first: what Python printed came before what a subprocess prints.
            for descriptor, name in list(sources.items()):
                data = self._read(descriptor, name) if descriptor in ready else None
                few = few and len(data or b"") < _FEW_BYTES
                if data == b"":
                    poll.unregister(descriptor)
                    del sources[descriptor]
                if self._drained:
                    # What the others hold now may have been written after something that the channel holds now.
                    break
            if self._wake[0] in ready:
                self._take_signals()
            self._do_what_is_due()
            if few and self._status is None:
                # Being woken for every line would cost the cell more than printing it.
                time.sleep(_REST_SECONDS)
        self._hear_last_words(sources)
        return self._finish(self._status)

    def _timeout(self) -> float:
        due = [self._beat_at, self._sample_at, self._kill_at]
        if self._merger.due is not None:
            due.append(self._merger.due)
        if self._log.failure is not None:
            due.append(time.monotonic() + RETRY_SECONDS)
        return max(0.0, min(due) - time.monotonic())

    def _read(self, descriptor: int, name: str) -> bytes | None:
        """Read once; return what came, ``b""`` at the end of the pipe, None if nothing is there."""
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return None
        if name == "channel":
            self._reader.feed(data)
        else:
            self._merger.add(name, self._decoders[name].decode(data))
        return data

    def _on_text(self, stream: str, data: bytes) -> None:
        self._merger.add(stream, self._decoders["channel"].decode(data))

    def _on_frame(self, kind: bytes, content: bytes) -> None:
        if kind == DRAIN:
            for name, pipe in (("stdout", self.pipes.stdout), ("stderr", self.pipes.stderr)):
                # Bounded: a noisy subprocess must not keep the channel waiting.
                for _ in range(16):
                    if not self._read(pipe[0], name):
                        break
            self._drained = True
            self._answer()
        elif kind == EVENT:
            self._merger.flush()
            self._log.write(content)
        elif kind == END:
            self._end = json.loads(content)

    def _answer(self) -> None:
        try:
            os.write(self.pipes.drained[1], b".")
        except BrokenPipeError:
            # The child has ended since.
            return

    def _take_signals(self) -> None:
        try:
            numbers = os.read(self._wake[0], 4096)
        except BlockingIOError:
            return
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap()
            elif self._status is None:
                os.kill(self._child, number)
                if number in ENDING:
                    self._kill_at = min(self._kill_at, time.monotonic() + self._grace_seconds)

    def _reap(self) -> None:
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid:
            self._status = os.waitstatus_to_exitcode(status)

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._merger.due is not None and now >= self._merger.due:
            self._merger.flush()
        if now >= self._sample_at:
            self._sample_at = now + min(_SAMPLE_SECONDS, self._beat_seconds)
            self._log.check()
            used = self._usage.sample(self._child)
            if now >= self._beat_at:
                self._beat_at = now + self._beat_seconds
                self._merger.flush()
                self._log.event("heartbeat", **used)
        self._log.retry()
        if now >= self._kill_at and self._status is None:
            self._kill_at = float("inf")
            os.kill(self._child, signal.SIGKILL)

    def _hear_last_words(self, sources: Mapping[int, str]) -> None:
        """Read what is still in the pipes; processes that the cell left behind are not waited for."""
        for descriptor, name in sources.items():
            heard = 0
            while heard < _LAST_WORDS_BYTES:
                data = self._read(descriptor, name)
                if not data:
                    break
                heard += len(data)
        for name in ("channel", "stdout", "stderr"):
            rest = self._decoders[name].decode(b"", final=True)
            self._merger.add("stdout" if name == "channel" else name, rest)
        self._merger.flush()

    def _finish(self, code: int) -> int:
        self._usage.note(max_rss_of_ended(), 0)
        self._usage.note(int(self._end.get("max_rss", 0)), int(self._end.get("max_vmem", 0)))
        name = signal.Signals(-code).name if code < 0 and -code in list(signal.Signals) else None
        status = 128 - code if code < 0 else code
        reason = "killed" if code < 0 else str(self._end.get("reason") or "exit")
        self._log.check()
        if self._log.failure is not None:
            self._log.retry(now=True)
        self.tell_end(status, name, reason, str(self._end.get("error") or ""))
        if self._log.failure is not None:
            say(f"the job ended with status {status}, and its outputs could not be written: {self._log.failure}.")
            return status or EXIT_OUTPUT_LOST
        return status

    def tell_end(self, status: int, signal_name: str | None, reason: str, error: str) -> None:
        """Write the log's last event and, for a task of a sweep, its line in the sweep's folder."""
        end: dict[str, Any] = {
            "exit_status": status,
            "signal": signal_name,
            "wall": round(time.monotonic() - self._started, 3),
            "cpu": round(max(self._usage.cpu, cpu_seconds()), 3),
            "max_rss": self._usage.max_rss,
            "max_vmem": self._usage.max_vmem,
            "reason": reason,
        }
        self._log.event("finished", **end)
        if self._task:
            # Outputs and log are there: who reads the line finds all that it speaks of.
            first = {"task": self._task, "round": self._round, "try": self._try}
            last = {"host": os.uname().nodename, "started": round(self._began, 3), "error": error}
            kept = {name: self._end.get(name) for name in ("results", "types")}
            append_end(self._folder, {**first, **end, **last, **kept})
