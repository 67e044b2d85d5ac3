"""The drawer: facts, reasons, timeline, strip, usage, cell and logs of one job."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from cockpit_lab import ME
from hypothesis import given
from hypothesis import strategies as st
from in_memory_backend import task_row
from patience import wait_for

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cockpit.task_strip import parse_tasks, task_strip
from gcs_lab.errors import UnsupportedOperation
from gcs_lab.status import JobDetails, TaskDetails
from gcs_lab.status.tables import schema
from gcs_lab.vocabulary import JobInfo, JobState, PendingReason, ReasonKind

if TYPE_CHECKING:
    from cockpit_lab import Lab, Page

STARTED = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def page(lab: Lab) -> Page:
    lab.system.jobs.states = dict.fromkeys("1234567", JobState.QUEUED)
    return lab.page()


def details(page: Page, job_id: str, task: int | None = None) -> dict[str, Any]:
    return page.ask("details", job_id=job_id, task=task)


def group(told: dict[str, Any], title: str) -> dict[str, str]:
    return next((dict(map(tuple, one["rows"])) for one in told["facts"] if one["title"] == title), {})


def test_facts_are_grouped_for_people_and_all_that_the_system_tells_is_last(page, lab, tmp_path):
    lab.status.details["1"] = JobDetails(
        "1",
        name="fit",
        owner=ME,
        facts={"job_number": "1", "sge_o_shell": "/bin/bash"},
        submission_time=STARTED,
        command="/bin/sh",
        arguments=("run.sh", "3"),
        working_directory="/home/me",
        requests={"h_rt": "1:00:00", "h_vmem": "2G"},
        soft_requests={"arch": "lx-amd64"},
        queues=("all.q",),
        posix_priority=-5,
        waits_for=("11", "12"),
        tasks=(
            TaskDetails(
                None,
                "r",
                "all.q",
                "node1",
                STARTED,
                {"cpu": 90.0, "max_vmem": 3 * 2**30, "wallclock": 100.0},
                str(tmp_path / "o"),
                str(tmp_path / "e"),
            ),
        ),
    )
    told = details(page, "1")
    titles = [one["title"] for one in told["facts"]]
    assert titles[0] == "Identity"
    assert titles[-1] == "As the system tells it"
    assert group(told, "Identity") | {"Name": "fit"} == {"Job": "1", "Name": "fit", "Owner": ME}
    assert group(told, "Requests")["Soft (-soft -l)"] == "arch=lx-amd64"
    assert group(told, "Files")["Command"] == "/bin/sh run.sh 3"
    assert group(told, "Dependencies") == {"Waits for": "11, 12"}
    assert group(told, "As the system tells it") == {"job_number": "1", "sge_o_shell": "/bin/bash"}
    assert told["requests"] == [["h_rt", "1:00:00"], ["h_vmem", "2G"]]
    assert told["usage"] == [
        {"label": "Wall time", "used": 100.0, "asked": 3600.0, "unit": "seconds"},
        {"label": "CPU time", "used": 90.0, "asked": None, "unit": "seconds"},
        # Two slots, each with 2 GiB.
        {"label": "Virtual memory, peak", "used": 3 * 2**30, "asked": 4 * 2**30, "unit": "bytes"},
    ]
    assert [log["stream"] for log in told["logs"]] == ["stdout", "stderr"]
    assert {"time": STARTED.timestamp(), "what": "submitted"} in told["timeline"]
    assert {"time": STARTED.timestamp(), "what": "started"} in told["timeline"]
    assert (told["gone"], told["trouble"], told["array"], told["strip"]) == (False, "", False, [])
    assert told["actions"] == ["cancel", "suspend", "requeue"]
    (tmp_path / "o").write_text("hello\n")
    log = page.ask("log", job_id="1", task=None, stream="stdout", offset=0)
    assert (log["text"], log["whole"]) == ("hello\n", True)


def test_reasons_are_told_of_what_waits(page, lab):
    lab.system.jobs.reasons["4"] = [PendingReason(ReasonKind.SLOTS, "all 8 slots of all.q are in use")]
    told = details(page, "4")
    assert told["reasons"] == ["all 8 slots of all.q are in use"]
    assert told["actions"] == ["cancel", "hold", "priority", "alter"]
    assert details(page, "1")["reasons"] == []


def test_nothing_can_be_done_to_jobs_of_others_but_by_an_operator(page, lab):
    assert details(page, "2")["actions"] == []
    lab.status.operator = True
    assert details(lab.page(), "2")["actions"] == ["cancel", "suspend", "requeue"]


def test_the_strip_of_an_array_has_what_ended_what_runs_and_what_waits(page, lab):
    lab.status.details["7"] = JobDetails("7", task_range="1-12:1", tasks=(TaskDetails(1, "r"),))
    lab.status.tasks = [
        task_row("7", ME, "r", task=3, tasks="3"),
        task_row("7", ME, "Eqw", task=5, tasks="5"),
        task_row("7", ME, "qw", tasks="6-10:1", task_count=5),
    ]
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 1)
    told = details(page, "7")
    assert told["array"] is True
    assert told["strip"] == [
        ["", 2, 1],
        ["RUNNING", 1, 3],
        ["", 1, 4],
        ["FAILED", 1, 5],
        ["QUEUED", 5, 6],
        ["", 2, 11],
    ]
    task = details(page, "7", 8)
    assert (task["task"], task["state"], task["strip"], task["actions"]) == (
        8, "QUEUED", [], ["cancel", "hold", "priority", "alter"],
    )  # fmt: skip
    assert group(task, "Identity")["Task"] == "8"
    assert details(page, "7", 4)["gone"] is True


def test_a_job_that_left_the_queue_is_shown_as_it_was_with_its_end(page, lab):
    lab.status.details["3"] = JobDetails(job_id="3", tasks=(TaskDetails(None, start_time=STARTED),))
    assert details(page, "3")["gone"] is False
    lab.status.tasks = [row for row in lab.status.tasks if row["job_id"] != "3"]
    lab.system.jobs.states["3"] = JobState.DONE
    infos = {
        "3": JobInfo(
            job_id="3",
            job_state=JobState.DONE,
            exit_status=0,
            wallclock_time=75.0,
            finish_time=STARTED + timedelta(seconds=75),
        )
    }
    lab.system.jobs.info = lambda ids: {one: infos[one] for one in ids if one in infos}  # type: ignore[method-assign]
    lab.now()
    gone = page.wait(lambda m: m["kind"] == "details" and m["gone"])
    assert (gone["name"], gone["owner"], gone["state"]) == ("job3", "eve", "DONE")
    assert group(gone, "Its end")["Exit status"] == "0"
    assert group(gone, "Its end")["Wall time"] == "1:15"
    # What it used ends with it, however long it is looked at afterwards.
    assert gone["usage"] == [{"label": "Wall time", "used": 75.0, "asked": None, "unit": "seconds"}]
    assert gone["actions"] == []


def test_details_are_kept_up_to_date_and_only_while_they_are_open(page, lab):
    first = details(page, "4")
    lab.status.tasks[3] = task_row("4", ME, "r", host="node2")
    lab.now()
    second = page.wait(lambda m: m["kind"] == "details" and m["state"] == "RUNNING")
    assert second["id"] == first["id"]
    before = len(page.told("details"))
    page.say("close_details")
    page.ask("log", job_id="4", task=None, stream="stdout", offset=0)
    lab.status.tasks[3] = task_row("4", ME, "qw")
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["tasks"].get("RUNNING") == 4, after=len(page.messages) - 1)
    page.ask("log", job_id="4", task=None, stream="stdout", offset=0)
    assert len(page.told("details")) == before


def test_a_system_without_details_shows_what_the_tables_have(page, lab, monkeypatch):
    def refuse(_: object) -> dict:
        raise UnsupportedOperation("this system has no qstat -j")

    monkeypatch.setattr(lab.status, "job_details", refuse)
    told = details(page, "1")
    assert told["trouble"] == "this system has no qstat -j"
    assert group(told, "Where")["Host"] == "node1"
    assert "not started" in page.ask("log", job_id="1", task=None, stream="stdout", offset=0)["note"]


def test_a_fault_in_an_answer_is_told_as_trouble_and_ends_nothing(page, lab, monkeypatch):
    monkeypatch.setattr(lab.status, "job_details", lambda _: 1 / 0)
    told = details(page, "1")
    assert (told["kind"], "ZeroDivisionError" in told["message"]) == ("trouble", True)
    monkeypatch.undo()
    assert details(page, "1")["kind"] == "details"


def test_the_cell_that_a_job_came_from_is_shown_with_its_log(page, lab):
    with JobFolder.create("fit") as folder:
        folder.write_spec({"source": "model = train(data)\n"})
        folder.events.write_text(
            '{"type": "started", "seq": 0, "t": 1.0}\n'
            '{"type": "stream", "seq": 1, "t": 1.0, "name": "stdout", "text": "epoch 1\\n"}\n'
        )
    entry = JournalEntry(
        folder=str(folder.path),
        cluster=lab.cluster.name,
        job_id="1",
        name="fit",
        notebook="work.ipynb",
        execution_count=3,
    )
    Journal().add(entry)
    told = details(page, "1")
    assert told["cell"] == {
        "notebook": "work.ipynb",
        "execution_count": 3,
        "source": "model = train(data)\n",
        "folder": str(folder.path),
    }
    assert page.ask("log", job_id="1", task=None, stream="stdout", offset=0)["text"] == "epoch 1\n"
    # A folder that others can write to is not believed.
    folder.path.chmod(0o777)
    assert lab.page().ask("details", job_id="1", task=None)["cell"]["source"] == ""


def test_the_answer_to_an_older_question_is_not_sent_when_a_newer_one_came(page, lab, monkeypatch):
    page.say("details", id=1, job_id="1", task=None)
    for number in range(2, 30):
        page.say("details", id=number, job_id=str(number % 7 + 1), task=None)
    page.wait(lambda m: m["kind"] == "details" and m["id"] == 29)
    told = [message["id"] for message in page.told("details")]
    assert told == sorted(told)


def test_what_was_seen_of_a_job_is_in_its_timeline(page, lab):
    lab.status.tasks[3] = task_row("4", ME, "r", host="node2")
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["tasks"].get("RUNNING") == 5)
    wait_for(lambda: lab.cluster.status.poller.recorder.timeline("4"))
    assert details(page, "4")["timeline"]


def rows_of(pieces: list[tuple[str, str]]) -> pa.Table:
    rows = [{"job_id": "1", "tasks": tasks, "letters": "r", "state": state} for tasks, state in pieces]
    return pa.Table.from_pylist(rows, schema=schema("tasks"))


@given(st.lists(st.sampled_from(["", "QUEUED", "RUNNING"]), min_size=1, max_size=200), st.integers(1, 4))
def test_a_strip_tells_the_state_of_every_task(states, step):
    indices = range(5, 5 + step * len(states), step)
    pieces = [(str(index), state) for index, state in zip(indices, states, strict=True) if state]
    strip = task_strip(rows_of(pieces), f"5-{indices[-1]}:{step}")
    told = [state for state, count, _ in strip for _ in range(count)]
    assert told == states
    places = [sum(count for _, count, _ in strip[:at]) for at in range(len(strip))]
    assert [first for _, _, first in strip] == [indices[place] for place in places]
    assert all(one[0] != other[0] for one, other in itertools.pairwise(strip))


def test_a_strip_of_very_many_runs_is_told_coarser_and_counts_all():
    pieces = [(str(index), "RUNNING" if index % 2 else "QUEUED") for index in range(1, 10_001)]
    strip = task_strip(rows_of(pieces), "1-10000:1")
    assert len(strip) <= 2_000
    assert sum(count for _, count, _ in strip) == 10_000


def test_indices_are_read_as_qstat_writes_them():
    assert parse_tasks("5-20:5,31,x,40-39") == [range(5, 21, 5), range(31, 32)]
