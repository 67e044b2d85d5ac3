"""The shepherd: one small process a job, forked for the scheduler, that starts it, watches it and records its end.

It needs nobody: if the scheduler is dead, limits still hold and the record of the end is still written. It obeys
two things only: what its run folder says is wanted (it looks when it gets SIGUSR1), and SIGTERM, at which it ends
the job. Being a "child subreaper" it becomes the parent of whatever the job leaves behind, so that no process of
the job escapes it, however daemonised, and the CPU time of all of them is counted.

Files are copied before and after the job by a child of their own. What that takes counts neither for the job's
limits nor for its usage; suspending and ending work on it as on the job.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any, NoReturn

from gcs_lab.backends.embedded.endings import RUN_AGAIN
from gcs_lab.backends.embedded.job_process import UNSTARTED, become_job, become_stager
from gcs_lab.backends.embedded.log_line import log_line
from gcs_lab.backends.embedded.process_tree import MARK, ProcessIdentity, descendants, measure, signal_all
from gcs_lab.backends.embedded.shepherd_usage import UsageMeter
from gcs_lab.backends.embedded.spool import RunFolder, ShepherdRecord
from gcs_lab.backends.embedded.staging import remove_partial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.backends.embedded.mail import StartMail
    from gcs_lab.backends.embedded.run_order import RunOrder
    from gcs_lab.backends.embedded.staging import Copy

__all__ = ["SIGNALS", "Shepherd"]

#: Signals that a shepherd waits for; they are blocked before it is forked, so that none comes too early.
SIGNALS = frozenset({signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

FIRST_SAMPLE_SECONDS = 0.02
SAMPLE_SECONDS = 0.5
#: After so long, processes that the kernel cannot kill (waiting for a dead disk) are left behind.
KILL_SECONDS = 10.0


class Shepherd:
    """Watches one run of a job, as the only thing its process does.

    Parameters
    ----------
    order
        What to run.
    mail
        To be told when the job has started.
    """

    def __init__(self, order: RunOrder, mail: StartMail | None = None) -> None:
        self.order = order
        self.folder = RunFolder(order.folder)
        self.meter = UsageMeter()
        self.killed: dict[str, Any] | None = None
        self.suspended = False
        #: The child that is watched now, and how it ended: the job, or one that copies files for it.
        self._child = 0
        self._child_status: int | None = None
        self._pipe = -1
        self._told = b""
        self._mail = mail
        self._limits: Mapping[str, float] = {}
        self._soft_limits_told: set[str] = set()
        self._status: int | None = None
        self._wall = 0.0
        self._usage = self.meter.totals()
        self._stage_out_fault: str | None = None
        self._begin()

    def _begin(self) -> None:
        """Begin a part of the run: time, samples and usage count from now."""
        self.meter = UsageMeter()
        self.suspended = False
        self.began = time.time()
        self.began_boot = _boottime()
        self._child_status = None
        self._told = b""
        self._sample_pause = FIRST_SAMPLE_SECONDS
        self._next_sample = self.began_boot + self._sample_pause

    def run(self) -> None:
        """Claim the run, start the job, watch it, record its end."""
        scratch = f"{self.order.scratch_prefix}{secrets.token_hex(8)}"
        if not self.folder.claim(ShepherdRecord(ProcessIdentity.of(os.getpid()), scratch)):
            # The mail's sender sees that this process ends without a word.
            return
        fault: list[Any] | None = None
        try:
            os.mkdir(scratch, 0o700)  # noqa: PTH102
        except OSError as error:
            fault = [26, f"cannot make the temporary folder {scratch!r}: {error.strerror}"]
        if fault is None:
            fault = self._run_parts(scratch)
        shutil.rmtree(scratch, ignore_errors=True)
        self._record(fault)

    def _run_parts(self, scratch: str) -> list[Any] | None:
        """Copy what the job needs, run it, copy what it made; return why it could not be started, if so."""
        fault = None
        if self.order.stage_in and self.folder.wanted() != "removed":
            fault = self._stage_in()
        if fault is not None or self.killed is not None:
            return fault
        if self.folder.wanted() == "removed":
            self.killed = {"by": "removed"}
            return None
        self._begin()
        self._limits = self.order.limits
        fault = self._run_job(scratch)
        self._wall = _boottime() - self.began_boot
        self._usage = self.meter.totals()
        self._limits = {}
        if fault is None and self.order.stage_out and not self._runs_again():
            self._stage_out()
        return fault

    def _runs_again(self) -> bool:
        """Tell whether the job asked to run again: it has not ended then."""
        asked = self._status is not None and os.waitstatus_to_exitcode(self._status) == RUN_AGAIN
        return asked and self.folder.wanted() != "removed"

    def _run_job(self, scratch: str) -> list[Any] | None:
        environment = {**self.order.environment, "TMPDIR": scratch, "TMP": scratch, MARK: self.order.mark}
        self._fork(lambda shepherd, faults: become_job(self.order, environment, shepherd, faults))
        self._obey()
        self._watch()
        self._status = self._child_status
        fault = self._read_fault()
        if self._mail is not None and fault is None:
            self._mail.started()
            self._mail = None
        return fault

    def _stage_in(self) -> list[Any] | None:
        self._begin()
        self._fork_stager(self.order.stage_in, go_on=False)
        self._obey()
        self._watch()
        fault = self._read_fault()
        if fault is None and self._child_status != 0 and (self.killed is None or self.killed["by"] != "removed"):
            fault = [26, f"copying files was ended by {_signal_name(self._child_status)}"]
        if self._child_status != 0:
            remove_partial(self.order.stage_in)
        return fault

    def _stage_out(self) -> None:
        """Copy what the job made. One that was deleted is not deleted again; another word of it ends the copying."""
        began, killed = self.began, self.killed
        self._begin()
        self._fork_stager(self.order.stage_out, go_on=True)
        if self.folder.wanted() != "removed":
            self._obey()
        self._watch()
        if (fault := self._read_fault()) is not None:
            self._stage_out_fault = fault[1]
        elif self._child_status != 0:
            self._stage_out_fault = f"copying files was ended by {_signal_name(self._child_status)}"
        if self._child_status != 0:
            remove_partial(self.order.stage_out)
        self.began, self.killed = began, killed

    def _fork_stager(self, copies: tuple[Copy, ...], *, go_on: bool) -> None:
        self._fork(lambda shepherd, faults: become_stager(self.order, copies, shepherd, faults, go_on=go_on))

    def _fork(self, become: Callable[[int, int], NoReturn]) -> None:
        """Fork a child; it gets this process's id, and a pipe into which it tells what went wrong."""
        self._pipe, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        shepherd = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            become(shepherd, writing)
        self.meter.forked()
        os.close(writing)

    def _watch(self) -> None:
        """Return when the child has ended, and all that it started."""
        while True:
            self._reap()
            if self._child_status is not None:
                break
            self._wait()
        self._kill_rest()

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
        limits = self._limits
        if "h_rt" in limits and self.killed is None:
            found.append(self.began_boot + limits["h_rt"])
        if "s_rt" in limits and "s_rt" not in self._soft_limits_told:
            found.append(self.began_boot + limits["s_rt"])
        return found

    def _check_limits(self) -> None:
        now = _boottime()
        ran = now - self.began_boot
        limits = self._limits
        if ran >= limits.get("s_rt", ran + 1):
            self._warn("s_rt", signal.SIGUSR1)
        if ran >= limits.get("h_rt", ran + 1):
            self._kill(by="h_rt", used=ran)
        if now >= self._next_sample:
            self._sample(now)

    def _warn(self, limit: str, number: signal.Signals) -> None:
        """Tell the job once that it is over a soft limit."""
        if limit not in self._soft_limits_told:
            self._soft_limits_told.add(limit)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child, number)

    def _sample(self, now: float) -> None:
        self._sample_pause = min(2 * self._sample_pause, SAMPLE_SECONDS)
        self._next_sample = now + self._sample_pause
        pids = descendants(os.getpid())
        usage = measure(pids)
        self.meter.sample(usage, now)
        if self.suspended:
            # What was forked between the list and the signal is caught here.
            signal_all(pids, signal.SIGSTOP)
        limits, slots = self._limits, self.order.slots
        cpu = self.meter.cpu + usage.cpu
        if usage.vmem > limits.get("s_vmem", usage.vmem) * slots:
            self._warn("s_vmem", signal.SIGXCPU)
        if cpu > limits.get("s_cpu", cpu):
            self._warn("s_cpu", signal.SIGXCPU)
        if usage.vmem > limits.get("h_vmem", usage.vmem) * slots:
            self._kill(by="h_vmem", used=usage.vmem)
        if cpu > limits.get("h_cpu", cpu):
            self._kill(by="h_cpu", used=cpu)
        if self._mail is not None and self._status is None and self._limits is self.order.limits:
            self._look_whether_started()

    def _look_whether_started(self) -> None:
        """Have the mail sent as soon as the job's program runs: then nobody can write into the pipe any more."""
        with contextlib.suppress(BlockingIOError):
            self._told = os.read(self._pipe, 65536)
            if not self._told and self._mail is not None:
                self._mail.started()
                self._mail = None

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
            if pid == self._child:
                self._child_status = status

    def _kill_rest(self) -> None:
        """End what the job left behind: its slots are given to others now."""
        deadline = _boottime() + KILL_SECONDS
        # That this process has no children is the kernel's word that nothing is left: orphans come to it.
        while self._reap() and _boottime() < deadline:
            signal_all(descendants(os.getpid()), signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.02)

    def _read_fault(self) -> list[Any] | None:
        """Return what the child that has ended said of why it could not do its work; None if it did it."""
        with contextlib.suppress(BlockingIOError):
            self._told = self._told or os.read(self._pipe, 65536)
        os.close(self._pipe)
        if self._child_status is None or os.waitstatus_to_exitcode(self._child_status) != UNSTARTED or not self._told:
            return None
        failed, reason = json.loads(self._told)
        return [failed, reason]

    def _record(self, fault: list[Any] | None) -> None:
        ending = {
            "status": self._status,
            "fault": fault,
            "stage_out": self._stage_out_fault,
            "killed": self.killed,
            "began": self.began,
            "finished": time.time(),
            "wall": self._wall,
            "usage": self._usage,
        }
        while True:
            try:
                self.folder.write_ending(ending)
            except FileNotFoundError:
                # The run folder was removed: nobody is left to be told.
                return
            except OSError as error:
                # A full disk: the end of a job must not be lost, so wait for room.
                log_line(f"cannot record the end of {self.order.folder}: {error}; trying on")
                time.sleep(1.0)
            else:
                return


def _signal_name(status: int | None) -> str:
    code = 0 if status is None else os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _boottime() -> float:
    """Return seconds since boot: no clock step moves it, and it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
