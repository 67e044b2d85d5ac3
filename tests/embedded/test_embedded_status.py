"""What the status area is told of the embedded cluster: tables, differences from look to look, details of jobs."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab.backends.embedded import status_questions
from gcs_lab.backends.embedded.cluster_file import parse_layout
from gcs_lab.backends.embedded.control import Control
from gcs_lab.backends.embedded.database import Database
from gcs_lab.backends.embedded.live_runs import LiveRuns
from gcs_lab.backends.embedded.row_log import RowLog
from gcs_lab.backends.embedded.scheduler import Scheduler
from gcs_lab.backends.embedded.status_questions import StatusQuestions
from gcs_lab.backends.embedded.submission import submit_request
from gcs_lab.backends.embedded.submissions import Submissions
from gcs_lab.backends.embedded.task_table import TaskTable
from gcs_lab.jobs import JobAction
from gcs_lab.status import StatusBackend
from gcs_lab.status.tables import schema
from gcs_lab.vocabulary import JobTemplate, TaskRange

LAYOUT = parse_layout(
    '[[hosts]]\nname="node"\n[[queues]]\nname="all.q"\nslots=3\n'
    '[[parallel_environments]]\nname="smp"\nslots=9\nallocation_rule="$pe_slots"\n'
)


class InProcess:
    """A scheduler without a process, that starts nothing; it answers as a client would hear it."""

    def __init__(self, folder):
        places = SimpleNamespace(run_folder=lambda *key: folder / ".".join(map(str, key)))
        self.scheduler = Scheduler(Database(folder / "jobs.sqlite"), LAYOUT, LiveRuns(places, LAYOUT, None))
        self.questions = StatusQuestions(self.scheduler)
        self.asked = []

    def ask(self, do, **given):
        self.asked.append(do)
        return self.questions.answers[do](given)

    def submit(self, tasks=None, **attributes):
        template = JobTemplate(remote_command="/bin/true", **attributes)
        wire = submit_request(template).to_wire() | ({"tasks": tasks} if tasks else {})
        with self.scheduler.database.transaction():
            return Submissions(self.scheduler, "me").submit(wire)

    def act(self, action, *ids):
        with self.scheduler.database.transaction():
            Control(self.scheduler, "me", lambda ids: ids).act(action, ids)

    def dispatch(self):
        with self.scheduler.database.transaction():
            self.scheduler.dispatch()
        for task in list(self.scheduler.active.values()):
            self.scheduler.began(task)

    def close(self):
        self.scheduler.database.close()
        os.close(self.scheduler.timers.fileno())
        self.scheduler.watch.runs._poll.close()


@pytest.fixture
def cluster(tmp_path):
    made = InProcess(tmp_path)
    yield made
    made.close()


STEPS = st.one_of(
    st.tuples(st.just("submit"), st.booleans()),
    st.tuples(st.just("array"), st.integers(1, 12)),
    st.tuples(st.sampled_from(["hold", "release", "terminate", "suspend"]), st.integers(1, 9)),
    st.tuples(st.just("task"), st.integers(1, 9)),
    st.tuples(st.sampled_from(["dispatch", "look", "reload"]), st.none()),
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=30), at_once=st.integers(1, 4))
def test_what_is_told_of_changes_comes_to_what_a_first_look_sees(tmp_path_factory, steps, at_once):
    cluster = InProcess(tmp_path_factory.mktemp("scheduler"))
    before, status_questions.JOBS_AT_ONCE = status_questions.JOBS_AT_ONCE, at_once
    try:
        follower = TaskTable(cluster)
        for what, which in steps:
            match what:
                case "submit":
                    cluster.submit(submit_as_hold=which)
                case "array":
                    cluster.submit([1, which, 1])
                case "task":
                    cluster.act("hold", f"{which}.2", f"{which}.3")
                case "dispatch":
                    cluster.dispatch()
                case "reload":
                    # As after a transaction that was rolled back.
                    cluster.scheduler.load()
                case "look":
                    follower.look()
                case action:
                    cluster.act(action, str(which))
        followed, anew = follower.look(), TaskTable(cluster).look()
        without = ["cpu", "memory"]
        assert followed.drop_columns(without).to_pylist() == anew.drop_columns(without).to_pylist()
        assert followed.schema == schema("tasks")
        assert len(set(followed["key"].to_pylist())) == followed.num_rows
        assert sum(followed["task_count"].to_pylist()) == sum(
            getattr(entry, "unended", 1) for entry in cluster.scheduler.jobs.values()
        )
    finally:
        status_questions.JOBS_AT_ONCE = before
        cluster.close()


def test_nothing_is_told_twice(cluster):
    for _ in range(3):
        cluster.submit(submit_as_hold=True)
    table = TaskTable(cluster)
    first = table.look()
    cluster.asked.clear()
    assert table.look() is first
    assert cluster.asked == ["task_rows", "usage"]
    cluster.act("release", "2")
    number = cluster.questions.answers["task_rows"]({"epoch": table._epoch, "number": table._number})
    assert number["changed"] == [2]
    assert number["rows"]["letters"] == ["qw"]


def test_who_missed_too_much_lists_all_jobs_anew(cluster):
    cluster.scheduler.row_log = RowLog(remembered=2)
    table = TaskTable(cluster)
    table.look()
    ids = [cluster.submit(submit_as_hold=True) for _ in range(5)]
    assert table.look()["job_id"].to_pylist() == list(map(str, ids))
    cluster.act("terminate", *map(str, ids[:4]))
    assert table.look()["job_id"].to_pylist() == [str(ids[4])]


def test_tasks_that_wait_together_are_one_row_for_each_state(cluster):
    cluster.submit([1, 100_001, 10])
    cluster.act("hold", "1.21", "1.41", "1.51", "1.61")
    table = TaskTable(cluster).look().to_pydict()
    assert table["tasks"] == ["1-11:10,31,71-100001:10", "21,41-61:10"]
    assert table["task_count"] == [9_997, 4]
    assert table["task"] == [None, None]
    assert table["letters"] == ["qw", "hqw"]
    assert table["key"] == [(1 << 32) + (1 << 31), (1 << 32) + (1 << 31) + 1]
    cluster.dispatch()
    table = TaskTable(cluster).look().to_pydict()
    assert table["tasks"] == ["1", "11", "31", "71-100001:10", "21,41-61:10"]
    assert table["task"] == [1, 11, 31, None, None]
    assert table["state"] == ["RUNNING"] * 3 + ["QUEUED", "QUEUED_HELD"]


def test_rows_say_what_a_job_asks_for(cluster):
    cluster.submit(
        submit_as_hold=True,
        parallel_environment="smp",
        min_slots=2,
        max_slots=4,
        priority=-7,
        resource_requests={"h_rt": "600", "h_vmem": "4G"},
    )
    (row,) = TaskTable(cluster).look().to_pylist()
    assert (row["parallel_environment"], row["slots"]) == ("smp 2-4", 2)
    assert row["requests"] == "h_rt=600,h_vmem=4G"
    assert (row["priority"], row["posix_priority"]) == (-7.0, -7)
    assert row["project"] is row["io"] is row["cpu"] is row["start_time"] is None


# --- a real one ---


def test_a_backend_tells_of_hosts_groups_complexes_and_no_quotas(lab):
    lab.configure(
        '[[hosts]]\nname="a"\n[[hosts]]\nname="b"\n[[queues]]\nname="all.q"\nslots=2\n'
        '[[queues]]\nname="b.q"\nslots=1\nhosts=["b"]\n'
        '[[complexes]]\nname="licence"\nshortcut="lic"\ntype="INT"\nconsumable="YES"\n'
    )
    status = lab.system.status
    assert isinstance(status, StatusBackend)
    assert str(lab.home) in status.identity
    poll = status.poll()
    assert poll.tasks.num_rows == 0
    assert poll.tasks.schema == schema("tasks")
    assert poll.hosts.schema == schema("hosts")
    assert poll.queue_instances.schema == schema("queue_instances")
    assert poll.hosts["slots_total"].to_pylist() == [2, 3]
    assert lab.system.queue_control("disable", ["*@b"]) == {}
    assert lab.system.queue_control("suspend", ["b.q"]) == {}
    after = status.poll()
    assert after.queue_instances["state"].to_pylist() == ["", "d", "ds"]
    assert after.hosts["state"].to_pylist() == ["", "d"]
    assert after.queue_instances["key"] == poll.queue_instances["key"]
    assert status.host_groups().to_pylist() == [{"group": "@allhosts", "host": host} for host in "ab"]
    complexes = {row["name"]: row for row in status.complexes().to_pylist()}
    assert (complexes["licence"]["consumable"], complexes["licence"]["default"]) == ("YES", "0")
    assert complexes["slots"]["requestable"] == "NO"
    assert status.quotas().num_rows == 0
    assert status.is_operator()


def test_what_runs_is_measured(lab):
    job = lab.submit(
        "python3", "-c", "import time; data = bytearray(50_000_000); t = time.monotonic()\n"
        "while time.monotonic() < t + 0.6: pass\ntime.sleep(60)",
    )  # fmt: skip

    def used():
        return lab.system.status.poll().tasks.to_pylist()[0]["cpu"] or 0

    wait_for(lambda: used() > 0.3, "CPU time")
    (row,) = lab.system.status.poll().tasks.to_pylist()
    assert row["memory"] > 0
    (task,) = lab.system.status.job_details([job.id])[job.id].tasks
    assert task.usage["cpu"] > 0.3
    assert task.usage["max_rss"] > 50_000_000
    assert task.usage["wallclock"] > 0.3
    lab.jobs.control(JobAction.TERMINATE, [job.id])
    wait_for(lambda: lab.system.status.poll().tasks.num_rows == 0, "the end")


def test_details_tell_all_that_is_known(lab):
    lab.one_slot()
    first = lab.submit("sleep", "60", job_name="first", output_path="out.$JOB_ID", resource_requests={"h_rt": "600"})
    lab.wait_letters(first, "r")
    second = lab.array(
        "true", TaskRange(1, 9, 2), 3, job_name="second", hold_jid=[first.id], queue_name="all.q", priority=-3,
        job_environment={"SECRET": "hidden"},
    )  # fmt: skip
    told = lab.system.status.job_details([first.id, second, "999", "x"])
    assert set(told) == {first.id, second}
    details = told[first.id]
    assert (details.name, details.owner) == ("first", getpass.getuser())
    assert (details.command, details.arguments) == ("sleep", ("60",))
    assert details.requests == {"h_rt": "600"}
    assert details.submission_time is not None
    (task,) = details.tasks
    assert task.stdout_path == str(lab.work / f"out.{first.id}")
    assert task.stderr_path == str(lab.work / f"first.e{first.id}")
    assert (task.letters, task.queue, task.host) == ("r", "all.q", "node")
    details = told[second]
    assert details.tasks == ()
    assert (details.task_range, details.max_parallel) == ("1-9:2", 3)
    assert (details.queues, details.posix_priority, details.waits_for) == (("all.q",), -3, (first.id,))
    assert details.facts["jid_predecessor_list"] == first.id
    assert "first" in details.messages[0]
    assert "hidden" not in str(details)


def test_the_files_of_a_renamed_job_are_those_that_it_writes(lab):
    job = lab.submit("sleep", "60", job_name="before")
    lab.wait_letters(job, "r")
    job.alter(name="after")

    def details():
        return lab.system.status.job_details([job.id])[job.id]

    assert details().name == "after"
    # Its processes tell, once they are there.
    wait_for(lambda: details().tasks[0].stdout_path == str(lab.work / f"before.o{job.id}"), "the path")


def test_a_look_goes_on_after_the_scheduler_was_killed(lab):
    held = [lab.shell("true", submit_as_hold=True).id for _ in range(3)]
    status = lab.system.status
    assert status.poll().tasks["job_id"].to_pylist() == held
    lab.kill_scheduler()
    assert status.poll().tasks["job_id"].to_pylist() == held
    lab.act(JobAction.TERMINATE, held[0])
    assert status.poll().tasks["job_id"].to_pylist() == held[1:]


def test_the_scheduler_does_not_load_arrow(lab):
    assert isinstance(lab.system.status.poll().tasks, pa.Table)
    pid = lab.system._client.ask("about")["pid"]
    assert "arrow" not in Path(f"/proc/{pid}/maps").read_text()
