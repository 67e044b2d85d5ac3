"""What a statement knows of the system that it is checked on, and what it does there."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import mailbox
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from patience import PATIENCE_SECONDS, wait_for

from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument, UnsupportedAttribute, UnsupportedOperation
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import Job, Jobs
    from gcs_lab.vocabulary import JobInfo, JobStatus

__all__ = ["Run", "Site"]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """A job that a statement submitted, and the folder that it works in."""

    site: Site
    job: Job
    folder: Path

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def state(self) -> JobState:
        return self.status().state

    def status(self) -> JobStatus:
        """Return the state as the system tells it now."""
        return self.site.status(self.id)

    def read(self, name: str = "out") -> str:
        """Return what is in a file of the folder; nothing if it is not there."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def reached(self, *states: JobState) -> JobStatus:
        """Wait for one of `states` and return it; fail when the job ends otherwise."""
        return self.site.reached(self.id, *states)

    def in_error(self, *, kept: bool | None = None) -> JobStatus:
        """Wait until the job is in error: FAILED with a reason, and still in the queue if it is `kept` there.

        None: as the site keeps jobs that are submitted plainly.
        """
        kept = self.site.keeps_in_error if kept is None else kept
        status = self.reached(JobState.FAILED)
        assert status.annotation, status
        assert status.sub_state.startswith("E") is kept, status
        assert status.final is not kept
        info = self.job.info()
        assert info.job_state is JobState.FAILED
        assert info.annotation
        return status

    def ended(self, expected: JobState | None = None) -> JobInfo:
        """Wait for the end and return all that is known of the job."""
        state = self.job.wait_terminated(PATIENCE_SECONDS)
        info = self.job.info()
        if expected is not None:
            assert state is expected, (state, info.annotation, self.read(), self.read("err"))
            assert info.job_state is expected, info
        return info

    def done(self) -> str:
        """Wait for a good end and return what the job printed."""
        self.ended(JobState.DONE)
        return self.read()

    def shown(self, name: str = "out") -> str:
        """Return a file of the folder once it is there (a network file system may show it late)."""
        return wait_for(lambda: self.read(name), f"{name} of job {self.id}")

    def wait_text(self, text: str, name: str = "out") -> None:
        """Wait until the job has written `text`."""
        wait_for(lambda: text in self.read(name), f"{text!r} in {name} of job {self.id} ({self.status()})")


@dataclass(kw_only=True)
class Site:
    """A system to check, with the names of what is there.

    ``queue`` has slots enough for all statements of a file at once; ``narrow_queue`` has one slot, and takes no job
    that does not name it as long as there is room elsewhere. ``parallel_environments`` are named by allocation rule
    (``"2"``: two slots on each host). The job category ``category`` sets the variable ``FROM_CATEGORY`` to ``yes``
    and asks for ``h_rt=3600``; ``category_of_reservations`` names ``queue``. ``consumable`` is a complex of which each
    host has 2. ``mailbox`` is the file (mbox) that the system's mails end in. ``lose`` makes the system lose the run of a job, as if its host had failed. ``keeps_in_error`` tells
    that a job that could not be started, or ended with 100, stays in the queue (``Eqw``) until somebody clears or
    deletes it; else it has failed for good.
    """

    name: str
    home: Path
    cluster: Cluster
    hosts: tuple[str, ...]
    queue: str = "all.q"
    narrow_queue: str = "narrow.q"
    parallel_environments: dict[str, str] = field(
        default_factory=lambda: {"$pe_slots": "smp", "$round_robin": "make", "$fill_up": "mpi", "2": "two"}
    )
    category: str = "quick"
    category_of_reservations: str = "room"
    consumable: str = "licence"
    mailbox: Path
    lose: Callable[[str], None]
    keeps_in_error: bool
    work: Path = field(init=False)
    #: Held while a statement needs the narrow queue to itself.
    _narrow: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _in_home: Path | None = None
    #: Jobs that the statement in this thread submitted.
    _mine: threading.local = field(default_factory=threading.local, repr=False)

    def __post_init__(self) -> None:
        self.work = self.home / "work"
        self.work.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.environ["GCS_LAB_HOME"] = str(self.home)
        try:
            self.close()
        finally:
            self.cluster.close()

    @property
    def jobs(self) -> Jobs:
        return self.cluster.jobs

    @property
    def user(self) -> str:
        return getpass.getuser()

    def close(self) -> None:
        """End all jobs and wait until they are gone."""
        backend = self.jobs.backend
        try:
            with contextlib.suppress(UnsupportedOperation):
                for reservation in self.jobs.reservations.list():
                    with contextlib.suppress(GcsError):
                        reservation.terminate()
            backend.control(JobAction.TERMINATE, backend.job_ids())
            wait_for(lambda: not backend.job_ids(), f"end of all jobs on {self.name}")
        finally:
            if self._in_home is not None:
                shutil.rmtree(self._in_home)

    # folders and names

    def folder(self) -> Path:
        """Return a new folder."""
        path = self.work / f"{next(_numbers)}"
        path.mkdir()
        return path

    def folder_in_home(self) -> Path:
        """Return a new folder in the user's home; it is removed when the site is closed."""
        if self._in_home is None:
            self._in_home = Path(tempfile.mkdtemp(prefix=".gcs-lab-conformance-", dir=Path.home()))
        path = self._in_home / f"{next(_numbers)}"
        path.mkdir()
        return path

    def name_of_a_job(self) -> str:
        """Return a name that no other job has."""
        return f"n{next(_numbers)}_{os.getpid()}"

    # submission

    def template(self, command: str, *args: str, folder: Path | None = None, **attributes: Any) -> JobTemplate:
        """Return a template that works in `folder` (a new one), and writes its output to ``out`` and ``err`` there."""
        folder = folder or self.folder()
        defaults = {
            "working_directory": str(folder),
            "output_path": str(folder / "out"),
            "error_path": str(folder / "err"),
        }
        return JobTemplate(remote_command=command, args=list(args), **(defaults | attributes))

    def run(self, command: str, *args: str, **attributes: Any) -> Run:
        folder = attributes.pop("folder", None) or self.folder()
        run = Run(self, self.jobs.submit(self.template(command, *args, folder=folder, **attributes)), folder)
        self._mine.runs = [*getattr(self._mine, "runs", []), run]
        return run

    def shell(self, script: str, **attributes: Any) -> Run:
        return self.run("/bin/sh", "-c", script, **attributes)

    def held(self, script: str = "true", **attributes: Any) -> Run:
        return self.shell(script, submit_as_hold=True, **attributes)

    def running(self, script: str = "exec sleep 600", **attributes: Any) -> Run:
        run = self.shell(script, **attributes)
        run.reached(JobState.RUNNING)
        return run

    def check(self, statement: Callable[[], Any]) -> Any:
        """Return what a statement returns; if it fails, the jobs that it left must not fail others too."""
        self._mine.runs = []
        try:
            return statement()
        except BaseException:
            self.end(*self._mine.runs)
            raise

    @contextlib.contextmanager
    def narrow(self) -> Iterator[Run]:
        """Keep the narrow queue full; yield the job that fills it (terminate it to let others start)."""
        with self._narrow:
            blocker = self.running(queue_name=self.narrow_queue)
            try:
                yield blocker
            finally:
                self.end(blocker)

    @contextlib.contextmanager
    def narrow_free(self) -> Iterator[None]:
        """Keep the narrow queue for the caller, and empty at first."""
        with self._narrow:
            yield

    def end(self, *runs: Run | Job) -> None:
        """Terminate what has not ended yet."""
        self.jobs.control(JobAction.TERMINATE, [run.id for run in runs])

    # states

    def status(self, job_id: str) -> JobStatus:
        return self.jobs.backend.status([job_id])[job_id]

    def reached(self, job_id: str, *states: JobState) -> JobStatus:
        """Wait until the job is in one of `states`; fail when it ends in another."""

        def look() -> JobStatus | None:
            status = self.status(job_id)
            if status.state in states:
                return status
            assert not status.final, f"job {job_id} was to become {states}, and is {status}"
            return None

        # The board coalesces the questions of many waiters; a statement wants the truth of this moment.
        found = wait_for(look, f"job {job_id} in {[state.name for state in states]}", pause=self.pace)
        assert found is not None
        return found

    @property
    def pace(self) -> float:
        """Seconds between two looks: a command of Grid Engine costs more than a message to the scheduler here."""
        return max(0.02, self.jobs.backend.poll_floor / 5)

    def ids_with_name(self, name: str) -> list[str]:
        """Return the ids of present jobs that are called `name`."""
        return [info.job_id for info in self.jobs.backend.all_jobs() if info.job_name == name]

    def never_starts(self, **attributes: Any) -> None:
        """Make sure that a job with `attributes` is refused, or waits although a later one without them runs."""
        name = self.name_of_a_job()
        try:
            run = self.shell("true", job_name=name, **attributes)
        except (InvalidArgument, UnsupportedAttribute, DeniedByDrms):
            assert self.ids_with_name(name) == []
            return
        self.shell("true").done()
        assert run.state is JobState.QUEUED, run.status()
        self.end(run)

    def mails_to(self, address: str) -> list[str]:
        """Return the subjects of the mails to `address`, in order."""
        if not self.mailbox.exists():
            return []
        with contextlib.closing(mailbox.mbox(self.mailbox, create=False)) as box:
            return [str(mail["Subject"]) for mail in box if address in str(mail["To"])]

    def all_ended(self, runs: Iterable[Run]) -> None:
        for run in runs:
            run.ended()
