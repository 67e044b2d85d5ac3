"""A real embedded cluster and what tests do with it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.places import Places
from gcs_lab.backends.embedded.system import EmbeddedSystem
from gcs_lab.jobs import Job, JobAction, Jobs
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from gcs_lab.errors import GcsError
    from gcs_lab.vocabulary import ArrayStatus, JobInfo, JobStatus, TaskRange


def processes_with(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if text.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return [pid for pid in found if pid != os.getpid()]


class Lab:
    """One embedded cluster and what tests do with it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.work = home / "work"
        self.work.mkdir()
        self._system: EmbeddedSystem | None = None

    @property
    def places(self) -> Places:
        return Places.of_user()

    @property
    def system(self) -> EmbeddedSystem:
        if self._system is None:
            self._system = EmbeddedSystem.connect()
        return self._system

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.system.jobs)

    def configure(self, text: str) -> None:
        self.places.configuration.write_text(text)

    def one_slot(self) -> None:
        self.configure('[[hosts]]\nname="node"\n[[queues]]\nname="all.q"\nslots=1\n')

    def submit(self, command: str, *args: str, **attributes: object) -> Job:
        attributes.setdefault("working_directory", str(self.work))
        return self.jobs.run(command, *args, **attributes)

    def shell(self, script: str, **attributes: object) -> Job:
        return self.submit("/bin/sh", "-c", script, **attributes)

    def template(self, script: str, **attributes: object) -> JobTemplate:
        attributes.setdefault("working_directory", str(self.work))
        return JobTemplate(remote_command="/bin/sh", args=["-c", script], **attributes)

    def array(self, script: str, tasks: TaskRange, max_parallel: int | None = None, **attributes: object) -> str:
        return self.system.jobs.submit_array(self.template(script, **attributes), tasks, max_parallel)

    def tasks(self, array_id: str) -> ArrayStatus:
        return self.system.jobs.array_status([array_id])[array_id]

    def wait_array(self, array_id: str) -> ArrayStatus:
        wait_for(lambda: self.tasks(array_id).terminated, f"end of array {array_id}")
        return self.tasks(array_id)

    def state(self, job_id: str) -> JobStatus:
        return self.system.jobs.status([job_id])[job_id]

    def act(self, action: JobAction, *job_ids: str) -> dict[str, GcsError]:
        return self.system.jobs.control(action, job_ids)

    def status(self, job: Job) -> JobStatus:
        # Not through the area's board, for which an error state is the end.
        return self.system.jobs.status([job.id])[job.id]

    def letters(self, job: Job) -> str:
        return self.status(job).sub_state

    def wait_letters(self, job: Job, letters: str) -> None:
        wait_for(lambda: self.letters(job) == letters, f"state {letters} of {job}")

    def ended(self, job: Job) -> JobInfo:
        wait_for(lambda: self.letters(job) == "z", f"end of {job}")
        return job.info()

    def read(self, name: str) -> str:
        path = self.work / name
        return path.read_text() if path.exists() else ""

    def wait_text(self, name: str, text: str) -> None:
        wait_for(lambda: text in self.read(name), f"{text!r} in {name}")

    def scheduler_pid(self) -> int:
        pid = service.status().pid
        assert pid is not None
        return pid

    def kill_scheduler(self) -> None:
        pid = self.scheduler_pid()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not service._exists(pid), "death of the scheduler")

    def shepherd_pid(self, job: Job) -> int:
        wait_for(lambda: list(self.places.spool.glob(f"{job.id}.*/shepherd")), "record of the shepherd")
        (record,) = self.places.spool.glob(f"{job.id}.*/shepherd")
        return int(json.loads(record.read_text())["pid"])

    def close(self) -> None:
        jobs = self.jobs
        try:
            jobs.control(JobAction.TERMINATE, [job.id for job in jobs.list()])
            wait_for(lambda: not jobs.list(), "end of all jobs")
        finally:
            self.system.close()
            service.stop()
