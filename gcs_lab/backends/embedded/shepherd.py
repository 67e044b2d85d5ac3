"""The shepherd: one small process a job, forked from the scheduler, that starts it, watches it and records its end.

It needs nobody: if the scheduler is dead, limits still hold and the record of the end is still written. It obeys
two things only: what its run folder says is wanted (it looks when it gets SIGUSR1), and SIGTERM, at which it ends
the job. Being a "child subreaper" it becomes the parent of whatever the job leaves behind, so that no process of
the job escapes it, however daemonised, and the CPU time of all of them is counted.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import shutil
import signal
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from gcs_lab.backends.embedded.job_process import UNSTARTED, become_job, signals_to_reset
from gcs_lab.backends.embedded.linux_calls import adopt_orphans, name_process
from gcs_lab.backends.embedded.process_tree import MARK, ProcessIdentity, descendants, measure, signal_all
from gcs_lab.backends.embedded.shepherd_usage import UsageMeter
from gcs_lab.backends.embedded.spool import RunFolder, ShepherdRecord

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.run_order import RunOrder

__all__ = ["SIGNALS", "fork_shepherd"]

#: Signals that a shepherd waits for; they are blocked before it is forked, so that none comes too early.
SIGNALS = frozenset({signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

FIRST_SAMPLE_SECONDS = 0.02
SAMPLE_SECONDS = 0.5
#: After so long, processes that the kernel cannot kill (waiting for a dead disk) are left behind.
KILL_SECONDS = 10.0


def fork_shepherd(order: RunOrder) -> int:
    """Fork a shepherd for `order` and return its process id.

    Raises
    ------
    OSError
        If the machine has no room for another process.
    """
    signals_to_reset()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _live_as_shepherd(order)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _live_as_shepherd(order: RunOrder) -> NoReturn:
    status = 1
    try:
        gc.disable()
        # The scheduler's lock, database and connections must not live on in here.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        signal.set_wakeup_fd(-1)
        os.setsid()
        adopt_orphans()
        name_process("gcs-shepherd")
        Shepherd(order).run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Shepherd:
    """Watches one run of a job, as the only thing its process does.

    Parameters
    ----------
    order
        What to run.
    """

    def __init__(self, order: RunOrder) -> None:
        self.order = order
        self.folder = RunFolder(order.folder)
        self.meter = UsageMeter()
        self.job = 0
        self.status: int | None = None
        self.killed: dict[str, Any] | None = None
        self.suspended = False
        self.began = time.time()
        self.began_boot = _boottime()
        self._soft_limit_told = False
        self._next_sample = 0.0
        self._sample_pause = FIRST_SAMPLE_SECONDS

    def run(self) -> None:
        """Claim the run, start the job, watch it, record its end."""
        scratch = f"{self.order.scratch_prefix}{secrets.token_hex(8)}"
        if not self.folder.claim(ShepherdRecord(ProcessIdentity.of(os.getpid()), scratch)):
            return
        fault: list[Any] | None = None
        try:
            os.mkdir(scratch, 0o700)  # noqa: PTH102
        except OSError as error:
            fault = [26, f"cannot make the temporary folder {scratch!r}: {error.strerror}"]
        if fault is None and self.folder.wanted() != "removed":
            fault = self._run_job(scratch)
        elif fault is None:
            self.killed = {"by": "removed"}
        wall = _boottime() - self.began_boot
        shutil.rmtree(scratch, ignore_errors=True)
        self._record(wall, fault)

    def _run_job(self, scratch: str) -> list[Any] | None:
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        environment = {**self.order.environment, "TMPDIR": scratch, "TMP": scratch, MARK: self.order.mark}
        self._next_sample = self.began_boot + self._sample_pause
        shepherd = os.getpid()
        self.job = os.fork()
        if self.job == 0:
            become_job(self.order, environment, shepherd, writing)
        self.meter.forked()
        os.close(writing)
        self._obey()
        while True:
            self._reap()
            if self.status is not None:
                break
            self._wait()
        self._kill_rest()
        return _read_fault(reading, self.status)

    def _wait(self) -> None:
        """Wait for something to happen, or for the next thing to look after."""
        pause = max(0.0, min(self._deadlines()) - _boottime())
        found = signal.sigtimedwait(SIGNALS, pause)
        number = None if found is None else found.si_signo
        if number == signal.SIGUSR1:
            self._obey()
        elif number is not None and number != signal.SIGCHLD:
            self._kill(by="signal", used=signal.Signals(number).name)
        self._check_limits()

    def _deadlines(self) -> list[float]:
        found = [self._next_sample]
        limits = self.order.limits
        if "h_rt" in limits and self.killed is None:
            found.append(self.began_boot + limits["h_rt"])
        if "s_rt" in limits and not self._soft_limit_told:
            found.append(self.began_boot + limits["s_rt"])
        return found

    def _check_limits(self) -> None:
        now = _boottime()
        ran = now - self.began_boot
        limits = self.order.limits
        if ran >= limits.get("s_rt", ran + 1) and not self._soft_limit_told:
            self._soft_limit_told = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.job, signal.SIGUSR1)
        if ran >= limits.get("h_rt", ran + 1):
            self._kill(by="h_rt", used=ran)
        if now >= self._next_sample:
            self._sample(now)

    def _sample(self, now: float) -> None:
        self._sample_pause = min(2 * self._sample_pause, SAMPLE_SECONDS)
        self._next_sample = now + self._sample_pause
        pids = descendants(os.getpid())
        usage = measure(pids)
        self.meter.sample(usage, now)
        if self.suspended:
            # What was forked between the list and the signal is caught here.
            signal_all(pids, signal.SIGSTOP)
        limits = self.order.limits
        if usage.vmem > limits.get("h_vmem", usage.vmem) * self.order.slots:
            self._kill(by="h_vmem", used=usage.vmem)
        if self.meter.cpu + usage.cpu > limits.get("h_cpu", self.meter.cpu + usage.cpu):
            self._kill(by="h_cpu", used=self.meter.cpu + usage.cpu)

    def _obey(self) -> None:
        """Bring the job into the state that the run folder says is wanted."""
        wanted = self.folder.wanted()
        if wanted == "removed":
            self._kill(by="removed")
        elif wanted == "suspended" and not self.suspended:
            self.suspended = True
            signal_all(descendants(os.getpid()), signal.SIGSTOP)
        elif wanted == "running" and self.suspended:
            self.suspended = False
            signal_all(descendants(os.getpid()), signal.SIGCONT)

    def _kill(self, by: str, used: float | str | None = None) -> None:
        if self.killed is None:
            self.killed = {"by": by, "used": used}
        signal_all(descendants(os.getpid()), signal.SIGKILL)

    def _reap(self) -> bool:
        """Take in all that has ended; return whether there are children left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.meter.ended(usage)
            if pid == self.job:
                self.status = status

    def _kill_rest(self) -> None:
        """End what the job left behind: its slots are given to others now."""
        deadline = _boottime() + KILL_SECONDS
        # That this process has no children is the kernel's word that nothing is left: orphans come to it.
        while self._reap() and _boottime() < deadline:
            signal_all(descendants(os.getpid()), signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.02)

    def _record(self, wall: float, fault: list[Any] | None) -> None:
        ending = {
            "status": self.status,
            "fault": fault,
            "killed": self.killed,
            "began": self.began,
            "finished": time.time(),
            "wall": wall,
            "usage": self.meter.totals(),
        }
        while True:
            try:
                self.folder.write_ending(ending)
            except FileNotFoundError:
                # The run folder was removed: nobody is left to be told.
                return
            except OSError as error:
                # A full disk: the end of a job must not be lost, so wait for room.
                print(f"cannot record the end of {self.order.folder}: {error}; trying on", flush=True)  # noqa: T201
                time.sleep(1.0)
            else:
                return


def _read_fault(reading: int, status: int | None) -> list[Any] | None:
    if status is None or os.waitstatus_to_exitcode(status) != UNSTARTED:
        return None
    with contextlib.suppress(BlockingIOError):
        if told := os.read(reading, 65536):
            failed, reason = json.loads(told)
            return [failed, reason]
    return None


def _boottime() -> float:
    """Return seconds since boot: no clock step moves it, and it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
