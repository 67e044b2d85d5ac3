"""A random workload on a scheduler that is killed at random points, compared with what must come of it.

``pytest tests/embedded/test_embedded_model.py --hypothesis-profile thorough`` runs many more workloads.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from embedded_lab import Lab, processes_with
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState, TaskRange

# A workload takes half a second: a quarter of what a profile says, 25 of hypothesis's usual 100.
EXAMPLES = settings.default.max_examples // 4
CONFIGURATION = '[[hosts]]\nname="a"\n[[hosts]]\nname="b"\n[[queues]]\nname="all.q"\nslots=2\n'

#: How a task ends; those after "fails" want a second run.
ENDS = ("works", "fails", "again", "error")
# Every line is one write to a file opened for appending: they stand in the order in which things happened.
SCRIPT = """
me=$JOB_ID.$SGE_TASK_ID
echo "start $me $RESTARTED" >> log
sleep 0.0$((JOB_ID % 4))
case {ends}$RESTARTED in
  fails*) status=3;;
  again0) status=99;;
  error*) if [ -e mended ]; then status=0; else status=100; fi;;
  *) status=0;;
esac
echo "end $me" >> log
exit $status
"""

submissions = st.fixed_dictionaries(
    {
        "do": st.just("submit"),
        "ends": st.sampled_from(ENDS),
        "held": st.sampled_from([False, False, False, True]),
        "tasks": st.sampled_from([None, None, 1, 3, 5]),
        "limit": st.sampled_from([None, 1, 2]),
        "after": st.lists(st.integers(0, 30), max_size=2),
        "task_by_task": st.booleans(),
        "by_name": st.booleans(),
    }
)
actions = st.fixed_dictionaries(
    {
        "do": st.sampled_from(["hold", "release", "terminate", "terminate"]),
        "which": st.integers(0, 30),
        "task": st.sampled_from([None, 1, 2, 3]),
    }
)
kills = st.just({"do": "kill"})
workloads = st.lists(st.one_of(submissions, submissions, actions, kills), min_size=3, max_size=25)


@dataclass
class Submitted:
    """A job as the model knows it."""

    job_id: str
    ends: str
    held: bool
    tasks: TaskRange | None
    limit: int | None
    after: list[Submitted] = field(default_factory=list)
    task_by_task: bool = False
    deleted: set[int] = field(default_factory=set)

    @property
    def indices(self) -> list[int]:
        return [0] if self.tasks is None else list(self.tasks.indices)

    def id_of(self, index: int) -> str:
        return f"{self.job_id}.{index}" if index else self.job_id

    def in_log(self, index: int) -> str:
        return f"{self.job_id}.{index or 'undefined'}"


class Workload:
    """Drives a real scheduler and keeps the model."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.jobs: list[Submitted] = []

    def do(self, step: dict) -> None:
        match step["do"]:
            case "submit":
                self.submit(step)
            case "kill":
                self.kill()
            case _ if self.jobs:
                self.act(step)

    def kill(self) -> None:
        if service.status().pid is not None:
            self.lab.kill_scheduler()

    def submit(self, step: dict) -> None:
        number = len(self.jobs)
        tasks = None if step["tasks"] is None else TaskRange(1, step["tasks"])
        after = [self.jobs[place % number] for place in step["after"]] if number else []
        task_by_task = step["task_by_task"] and tasks is not None and all(job.tasks == tasks for job in after)
        entries = [f"job{self.jobs.index(job)}" if step["by_name"] else job.job_id for job in after] or None
        template = self.lab.template(
            SCRIPT.replace("{ends}", step["ends"]),
            job_name=f"job{number}",
            submit_as_hold=step["held"],
            hold_jid=None if task_by_task else entries,
            hold_jid_ad=entries if task_by_task else None,
            output_path="/dev/null",
            error_path="/dev/null",
        )
        jobs = self.lab.system.jobs
        limit = step["limit"] if tasks else None
        job_id = jobs.submit(template) if tasks is None else jobs.submit_array(template, tasks, limit)
        self.jobs.append(Submitted(job_id, step["ends"], step["held"], tasks, limit, after, task_by_task))

    def act(self, step: dict) -> None:
        job = self.jobs[step["which"] % len(self.jobs)]
        index = step["task"] if job.tasks is not None and step["task"] in job.tasks.indices else None
        wanted = job.indices if index is None else [index]
        job_id = job.job_id if index is None else job.id_of(index)
        action = JobAction(step["do"])
        if action is JobAction.RELEASE:
            for each in wanted:
                self.note(f"released {job.in_log(each)}")
        if self.lab.act(action, job_id):
            return
        if action is JobAction.TERMINATE:
            job.deleted |= set(wanted)
        elif action is JobAction.HOLD and len(wanted) == 1:
            # Of a whole array only those tasks are held that wait.
            self.note(f"held {job.in_log(wanted[0])}")

    def note(self, line: str) -> None:
        with (self.lab.work / "log").open("a") as log:
            log.write(line + "\n")

    def finish(self) -> None:
        """Take all that keeps jobs back away, until none is left."""
        jobs = self.lab.system.jobs
        moving = (JobState.QUEUED, JobState.REQUEUED, JobState.RUNNING)
        ids = [job.id_of(index) for job in self.jobs for index in job.indices]
        # What is kept back must not start meanwhile.
        wait_for(lambda: all(found.state not in moving for found in jobs.status(ids).values()), "rest")
        (self.lab.work / "mended").touch()

        def nothing_left() -> bool:
            left = jobs.job_ids()
            for job in self.jobs:
                if job.job_id in left:
                    for index in job.indices:
                        self.note(f"released {job.in_log(index)}")
            if left:
                self.lab.act(JobAction.RELEASE, *left)
                jobs.control(JobAction.CLEAR_ERROR, left)
            return not left

        wait_for(nothing_left, "the end of all jobs")

    # --- what must be true then ---

    def check(self) -> None:
        log = [line.split() for line in self.lab.read("log").splitlines()]
        runs = Counter(line[1] for line in log if line[0] == "start")
        self.check_runs(runs)
        self.check_accounting(runs)
        for job in self.jobs:
            self.check_order(job, log)
            self.check_limit(job, log)
        known = {job.in_log(index) for job in self.jobs for index in job.indices}
        assert set(runs) <= known

    def check_runs(self, runs: Counter[str]) -> None:
        ids = [job.id_of(index) for job in self.jobs for index in job.indices]
        infos = self.lab.system.jobs.info(ids)
        assert set(infos) == set(ids), "jobs were lost"
        for job in self.jobs:
            for index in job.indices:
                ran, info = runs[job.in_log(index)], infos[job.id_of(index)]
                most = 2 if job.ends in {"again", "error"} else 1
                assert ran <= most, f"{job} ran {ran} times"
                if index in job.deleted:
                    assert info.job_state.terminated
                    continue
                assert ran == most or (job.ends == "error" and ran == 1), f"{job} ran {ran} times"
                assert info.job_state is (JobState.FAILED if job.ends == "fails" else JobState.DONE)
                assert info.exit_status == (3 if job.ends == "fails" else 0)

    def check_accounting(self, runs: Counter[str]) -> None:
        lines = self.lab.places.accounting.read_text().splitlines() if runs else []
        fields = [line.split(":") for line in lines if not line.startswith("#")]
        records = Counter(f"{f[5]}.{f[35] if f[35] != '0' else 'undefined'}" for f in fields)
        undeleted = {job.in_log(i) for job in self.jobs for i in job.indices if i not in job.deleted}
        assert {name: records[name] for name in undeleted} == {name: runs[name] for name in undeleted}

    def check_order(self, job: Submitted, log: list[list[str]]) -> None:
        """No task starts before what it waits for is over, or before its hold was taken off."""
        for index in job.indices:
            starts = [place for place, line in enumerate(log) if line[:2] == ["start", job.in_log(index)]]
            if not starts:
                continue
            held = job.held
            for word, name, *_ in log:
                if name == job.in_log(index):
                    held = {"held": True, "released": False}.get(word, held)
                    assert not (held and word == "start"), f"task {index} of {job} started though it was held"
            for other in job.after:
                for before in [index] if job.task_by_task else other.indices:
                    if before not in other.deleted:
                        ends = [at for at, line in enumerate(log) if line[:2] == ["end", other.in_log(before)]]
                        assert ends[-1] < starts[0], f"{job} started before the end of {other}"

    def check_limit(self, job: Submitted, log: list[list[str]]) -> None:
        if job.limit is None or job.deleted:
            return
        names, running = {job.in_log(index) for index in job.indices}, 0
        for line in log:
            if line[1] in names:
                running += {"start": 1, "end": -1}.get(line[0], 0)
                assert running <= job.limit


@contextlib.contextmanager
def new_lab(patch: pytest.MonkeyPatch):
    home = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    patch.setenv("GCS_LAB_HOME", str(home))
    lab = Lab(home)
    lab.configure(CONFIGURATION)
    try:
        yield lab
    finally:
        lab.close()
        wait_for(lambda: not processes_with(str(home)), "end of all processes")
        shutil.rmtree(home)


@pytest.mark.timeout(3600 if EXAMPLES > 25 else 180)
@given(steps=workloads)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_is_lost_or_done_twice_whenever_the_scheduler_dies(steps):
    with pytest.MonkeyPatch.context() as patch, new_lab(patch) as lab:
        workload = Workload(lab)
        for step in steps:
            workload.do(step)
        workload.kill()
        workload.finish()
        workload.check()
