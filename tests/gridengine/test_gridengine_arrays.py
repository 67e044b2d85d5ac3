"""Array jobs: their tasks' states, control and ends, first from recordings and models, then on a real cell."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab.backends.gridengine import accounting_file
from gcs_lab.backends.gridengine.accounting_file import AccountingFile
from gcs_lab.backends.gridengine.array_jobs import put_rows
from gcs_lab.backends.gridengine.deletions import Deletion, Deletions
from gcs_lab.backends.gridengine.drmaa_helper import Waker
from gcs_lab.backends.gridengine.job_details_xml import parse_details, parse_task_ranges
from gcs_lab.backends.gridengine.job_infos import infos_of_rows
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs
from gcs_lab.backends.gridengine.sge_cell import SgeCell
from gcs_lab.backends.gridengine.state_codes import StateCodes
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.backends.gridengine.task_ranges import merge_indices, parse_ranges, range_words
from gcs_lab.errors import DeniedByDrms, InvalidArgument, InvalidState, PartlySubmitted
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import Capability, JobState, JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.backends.gridengine.jobs_backend import GridEngineJobs
    from gcs_lab.backends.gridengine.task_ends import TaskEnds

INDICES = st.sets(st.integers(1, 300))


def test_ranges_of_qstat_are_read() -> None:
    assert parse_ranges("4-9:1,13,15-21:2") == [range(4, 10), range(13, 14), range(15, 22, 2)]
    assert parse_ranges("undefined") == []


@given(INDICES)
def test_merged_indices_are_the_same_indices(indices: set[int]) -> None:
    merged = merge_indices(sorted(indices))
    assert sorted(index for some in merged for index in some) == sorted(indices)
    again = [parse_ranges(word.partition(".")[2])[0] for word in range_words("5", merged)]
    assert [list(some) for some in again] == [list(some) for some in merged]


def test_a_hundred_thousand_tasks_are_one_word() -> None:
    assert range_words("5", merge_indices(range(1, 100_001))) == ["5.1-100000:1"]
    assert range_words("5", merge_indices(range(1, 100_001, 2))) == ["5.1-99999:2"]
    assert range_words("5", merge_indices([7])) == ["5.7"]
    assert range_words("5", merge_indices([1, 2, 3, 10, 12, 14, 20])) == ["5.1-3:1", "5.10-14:2", "5.20"]


@given(
    st.integers(1, 5),
    st.integers(0, 60),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(1, 80), st.integers(0, 40), st.integers(1, 6), st.sampled_from("qrhd"))),
)
def test_states_put_by_ranges_are_those_put_one_by_one(
    begin: int, size: int, step: int, put: list[tuple[int, int, int, str]]
) -> None:
    tasks = TaskRange(begin, begin + size, step)
    codes, model = StateCodes(tasks), dict.fromkeys(tasks.indices, "")
    for first, length, by, letters in put:
        indices = range(first, first + length, by)
        codes.put(indices, codes.code(JobState.RUNNING, letters))
        model |= {index: letters for index in indices if index in model}
    assert {index: (codes.state_of(index) or (None, ""))[1] for index in tasks.indices} == model
    assert list(codes.unknown_indices()) == [index for index, letters in model.items() if not letters]
    assert codes.unknown == sum(not letters for letters in model.values())
    assert codes.state_of(begin + size + step) is None


def test_more_kinds_of_ends_than_there_are_codes_keep_their_state() -> None:
    codes = StateCodes(TaskRange(1, 400))
    for index in range(1, 401):
        codes.put_one(index, codes.code(JobState.FAILED, f"failed 0, exit status {index}"))
    status = codes.finished({})
    assert status.counts() == {JobState.FAILED: 400}
    assert status.at(3) == (JobState.FAILED, "failed 0, exit status 3")
    assert status.at(399) == (JobState.FAILED, "")


def array_of(folder: Path) -> tuple[str, TaskRange]:
    ((job_id, tasks),) = parse_task_ranges((folder / "qstat-j-array.xml").read_bytes()).items()
    return job_id, tasks


def test_rows_of_both_versions_are_states_of_tasks(recorded: Path) -> None:
    job_id, tasks = array_of(recorded)
    assert tasks.indices == range(1, 20, 2)
    rows = [row for row in parse_jobs((recorded / "qstat.xml").read_bytes()) if row.job_id == job_id]
    codes = StateCodes(tasks)
    put_rows(codes, rows)
    assert codes.unknown == 0
    assert codes.state_of(1) == (JobState.RUNNING, "r")
    assert codes.state_of(19) == (JobState.QUEUED, "qw")
    assert codes.state_of(2) is None


def test_a_single_job_has_no_tasks_in_both_versions(sge: Path, ocs: Path) -> None:
    assert parse_task_ranges((sge / "qstat-j-224.xml").read_bytes()) == {}
    assert parse_task_ranges((ocs / "qstat-j-14.xml").read_bytes()) == {}


def test_details_of_tasks_are_kept_apart_in_both_versions(recorded: Path) -> None:
    job_id, tasks = array_of(recorded)
    details = parse_details((recorded / "qstat-j-array.xml").read_bytes())[job_id]
    assert details.task_range == tasks
    assert 1 in details.tasks
    assert details.tasks[1].start_time is not None
    assert set(details.tasks) <= set(tasks.indices)


def test_monitoring_shows_running_tasks_one_by_one_and_waiting_ones_together(recorded: Path) -> None:
    job_id, _ = array_of(recorded)
    submitted = datetime(2026, 11, 21, tzinfo=UTC)
    infos = infos_of_rows(parse_jobs((recorded / "qstat.xml").read_bytes()), {job_id: submitted})
    mine = {info.job_id: info for info in infos if info.job_id.partition(".")[0] == job_id}
    assert mine[f"{job_id}.1"].job_state is JobState.RUNNING
    assert mine[f"{job_id}.1"].dispatch_time is not None
    assert mine[f"{job_id}.1"].submission_time == submitted
    assert mine[job_id].job_state is JobState.QUEUED
    assert mine[job_id].submission_time is not None
    assert [info.job_id for info in infos] == sorted(
        (info.job_id for info in infos), key=lambda some: int(some.partition(".")[0])
    )


def record(job: int, task: int, failed: int = 0, exit_status: int = 0) -> str:
    return (
        f"all.q:node1:g:ann:fit:{job}:sge:0:1795217350:1795217351:1795217354:{failed}:{exit_status}:3"
        + ":0" * 17 + f":NONE:d:NONE:1:{task}:1.0:0:0:NONE:0:NONE:0:0:0\n"
    )  # fmt: skip


def ends_of(ends: TaskEnds) -> dict[int, tuple[int, int]]:
    return {index: ends.unpacked(end) for index, end in ends.packed()}


def test_ends_of_tasks_are_read_forwards_and_backwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting_file, "_CHUNK", 1000)
    path = tmp_path / "accounting"
    path.write_text("".join(record(7, n, exit_status=n % 5) + record(8, n) for n in range(1, 101)))
    file = AccountingFile(tmp_path)
    assert len(file.tasks("7", lambda _: False, recent=True)) == 0
    assert len(file.tasks("7", lambda ends: len(ends) >= 10)) < 100
    with path.open("a") as growing:
        growing.write(record(7, 3, failed=100, exit_status=137))
    ends = file.tasks("7", lambda _: False)
    assert ends_of(ends) == {n: (0, n % 5) for n in range(1, 101)} | {3: (100, 137)}
    found = file.find(["7.3", "7.4", "8.100", "7.101", "7", "9"])
    assert {job_id: r.exit_status for job_id, r in found.items()} == {"7.3": 137, "7.4": 4, "8.100": 0}
    assert {r.id for r in file.task_records("8")} == {f"8.{n}" for n in range(1, 101)}
    many = file.find([f"7.{n}" for n in range(1, 101)])
    assert {r.task: r.exit_status for r in many.values()} == {n: n % 5 for n in range(1, 101)} | {3: 137}


def test_what_a_single_process_of_a_parallel_job_did_is_not_the_jobs_end(tmp_path: Path) -> None:
    whole = record(7, 0, exit_status=3).replace(":NONE:1:0:", ":mpi:4:0:")
    part = record(7, 0).replace(":NONE:1:0:", ":mpi:4:0:").replace(":NONE:0:0:0\n", ":1.node2:0:0:0\n")
    (tmp_path / "accounting").write_text(whole + part)
    assert AccountingFile(tmp_path).find(["7"])["7"].exit_status == 3


def test_ends_of_tasks_in_ocs_form(tmp_path: Path) -> None:
    lines = [
        f'{{"job_number":7,"task_number":{n},"start_time":1795217351000000,"end_time":1795217354000000,'
        f'"owner":"ann","job_name":"a\\"failed\\":9","failed":0,"exit_status":{n},"usage":{{}}}}\n'
        for n in (1, 2)
    ]
    (tmp_path / "accounting.jsonl").write_text("".join(lines))
    file = AccountingFile(tmp_path)
    assert ends_of(file.tasks("7", lambda _: False)) == {1: (0, 1), 2: (0, 2)}
    assert file.find(["7.2"])["7.2"].exit_status == 2


def cell_in(folder: Path) -> SgeCell:
    return SgeCell(root=folder, name="default", binaries=folder, arch="lx-amd64")


def test_what_qdel_says_tells_what_was_deleted_before_it_ran(tmp_path: Path) -> None:
    deletions = Deletions(cell_in(tmp_path))
    deletions.note(
        "ann has deleted job 5\nann has registered the job-array task 5.2 for deletion\n"
        "ann has deleted job-array tasks 2-6:2,9 of job 6\nann has deleted job-array task 6.11\n"
        'denied: job "8" does not exist\nann has registered the job 9 for deletion\n'
    )
    assert deletions.of("5", 7) == Deletion("ann", at_once=True)
    assert deletions.of("5", 2) == Deletion("ann", at_once=False)
    assert [n for n in range(1, 12) if deletions.of("6", n)] == [2, 4, 6, 9, 11]
    assert deletions.of("8") is None
    assert deletions.of("9") == Deletion("ann", at_once=False)


def test_the_masters_messages_tell_what_others_deleted(tmp_path: Path) -> None:
    common, spool = tmp_path / "default" / "common", tmp_path / "spool"
    common.mkdir(parents=True)
    spool.mkdir()
    (common / "bootstrap").write_text(f"admin_user sge\nqmaster_spool_dir {spool}\n")
    deletions = Deletions(cell_in(tmp_path))
    deletions.read_messages()
    messages = spool / "messages"
    line = "11/21/2026 05:57:53|worker|head|I|bob@head has deleted job {}\n"
    messages.write_text("x" * 100 + "\n" + line.format(5))
    deletions.read_messages()
    assert deletions.of("5") == Deletion("bob@head", at_once=True)
    with messages.open("a") as growing:
        growing.write(line.format(6) + "11/21/2026 05:57:53|worker|head|I|eve has deleted jo")
    deletions.read_messages()
    assert deletions.of("6") == Deletion("bob@head", at_once=True)
    with messages.open("a") as growing:
        growing.write("b-array tasks 2-4:1 of job 7\n")
    deletions.read_messages()
    assert deletions.of("7", 3) == Deletion("eve", at_once=True)
    messages.write_text(line.format(8))
    deletions.read_messages()
    assert deletions.of("8") is not None


def test_a_submission_that_takes_long_is_woken_by_another_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    wrappers = SimpleNamespace(drmaa_job_ps=lambda job_id, *_: asked.append(job_id))
    monkeypatch.setitem(sys.modules, "drmaa", SimpleNamespace(wrappers=wrappers))
    waker = Waker()
    waker.start()
    waker.begin()
    wait_for(lambda: asked, "the other request")
    waker.end("17")
    waker.begin()
    wait_for(lambda: asked[-1] == b"17", "a request for the job that was submitted last")
    waker.end("")
    waker.stop()


# On a real cell


@pytest.fixture(scope="module", params=["drmaa", "qsub"])
def jobs(request: pytest.FixtureRequest, demo_cell: DemoState) -> Iterator[GridEngineJobs]:
    system = GridEngineSystem("demo", demo_cell.cell(), request.param)
    yield system.jobs
    system.close()


def template(*words: str, **attributes: Any) -> JobTemplate:
    quiet = {"output_path": "/dev/null", "error_path": "/dev/null"}
    return JobTemplate(remote_command=words[0], args=list(words[1:]), **{**quiet, **attributes})


def ended(jobs: GridEngineJobs, *ids: str) -> None:
    wait_for(lambda: all(status.terminated for status in jobs.array_status(ids).values()), "the tasks' end")


@pytest.mark.gridengine
def test_an_array_runs_at_most_so_many_tasks_at_once_and_each_has_its_own_end(
    jobs: GridEngineJobs, tmp_path: Path
) -> None:
    array_id = jobs.submit_array(
        template("sh", "-c", "sleep 0.3; test $SGE_TASK_ID != 5", output_path=str(tmp_path / "o.$TASK_ID")),
        TaskRange(1, 9, 2),
        2,
    )
    seen = []

    def terminated() -> bool:
        status = jobs.array_status([array_id])[array_id]
        seen.append(status.counts()[JobState.RUNNING])
        return status.terminated

    wait_for(terminated, "the tasks' end")
    assert 1 <= max(seen) <= 2
    status = jobs.array_status([array_id])[array_id]
    assert status.indices(JobState.FAILED) == [5]
    assert status.indices(JobState.DONE) == [1, 3, 7, 9]
    assert status.at(5) == (JobState.FAILED, "failed 0, exit status 1")
    assert status.annotations == {5: "exit status 1"}
    answers = jobs.status([array_id, f"{array_id}.1", f"{array_id}.5", f"{array_id}.2"])
    assert {job_id: (s.state, s.annotation) for job_id, s in answers.items()} == {
        array_id: (JobState.FAILED, "1 of 5 tasks failed"),
        f"{array_id}.1": (JobState.DONE, None),
        f"{array_id}.5": (JobState.FAILED, "exit status 1"),
        f"{array_id}.2": (JobState.FAILED, f"job {array_id} has no task 2"),
    }
    infos = jobs.info([array_id, f"{array_id}.5"])
    task, whole = infos[f"{array_id}.5"], infos[array_id]
    assert (task.job_id, task.exit_status, task.job_state) == (f"{array_id}.5", 1, JobState.FAILED)
    assert (whole.job_id, whole.job_state, whole.exit_status, whole.slots) == (array_id, JobState.FAILED, None, 1)
    assert whole.finish_time is not None
    assert task.finish_time is not None
    assert whole.finish_time >= task.finish_time
    assert whole.cpu_time is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"o.{n}" for n in (1, 3, 5, 7, 9)]


@pytest.mark.gridengine
def test_tasks_and_whole_arrays_are_held_released_suspended_resumed_and_ended(jobs: GridEngineJobs) -> None:
    array_id = jobs.submit_array(template("sleep", "100", submit_as_hold=True), TaskRange(1, 2000))
    single = jobs.submit(template("sleep", "100", submit_as_hold=True))

    def task(*indices: int) -> list[str]:
        return [f"{array_id}.{index}" for index in indices]

    failures = jobs.control(JobAction.RELEASE, [*task(1, 2, 3, 5000), single])
    assert {job_id: type(error) for job_id, error in failures.items()} == {task(5000)[0]: InvalidArgument}
    wait_for(
        lambda: {s.state for s in jobs.status([*task(1, 2, 3), single]).values()} == {JobState.RUNNING}, "the start"
    )
    assert jobs.array_status([array_id])[array_id].counts() == {JobState.RUNNING: 3, JobState.QUEUED_HELD: 1997}
    assert jobs.status([array_id])[array_id].state is JobState.RUNNING
    assert jobs.info(task(2))[task(2)[0]].allocated_machines[0].machine_name == "localhost"
    assert {type(e) for e in jobs.control(JobAction.HOLD, task(1, 7)).values()} == {InvalidState}
    assert jobs.control(JobAction.SUSPEND, [array_id]) == {}
    states = jobs.status([*task(1, 2, 3), array_id, single])
    assert [s.state for s in states.values()] == [JobState.SUSPENDED] * 4 + [JobState.RUNNING]
    assert isinstance(jobs.control(JobAction.SUSPEND, [array_id])[array_id], InvalidState)
    assert jobs.control(JobAction.RESUME, task(1, 3)) == {}
    assert [s.state.name for s in jobs.status(task(1, 2, 3)).values()] == ["RUNNING", "SUSPENDED", "RUNNING"]
    assert set(jobs.control(JobAction.RESUME, task(1, 2))) == set(task(1))
    assert jobs.control(JobAction.TERMINATE, task(3, *range(1000, 2001))) == {}
    wait_for(lambda: jobs.status(task(3))[task(3)[0]].state is JobState.FAILED, "the end of task 3")
    assert (jobs.status(task(3))[task(3)[0]].annotation or "").startswith("deleted by ")
    status = jobs.array_status([array_id])[array_id]
    assert status.counts() == {JobState.RUNNING: 2, JobState.QUEUED_HELD: 996, JobState.FAILED: 1002}
    assert status.annotations.keys() == set(status.indices(JobState.FAILED))
    assert jobs.status(task(1500))[task(1500)[0]].annotation == f"deleted by {getpass.getuser()} before it ran"
    assert jobs.info(task(1500))[task(1500)[0]].deleted_by == getpass.getuser()
    assert jobs.control(JobAction.TERMINATE, [array_id, single]) == {}
    ended(jobs, array_id)
    assert jobs.array_status([array_id])[array_id].counts() == {JobState.FAILED: 2000}
    answers = jobs.control(JobAction.TERMINATE, [array_id, *task(4, 3000)])
    assert [type(answers[some]) for some in (array_id, *task(4, 3000))] == [InvalidState] * 2 + [InvalidState]


@pytest.mark.gridengine
def test_a_job_that_waits_for_another_cannot_be_released(jobs: GridEngineJobs) -> None:
    first = jobs.submit(template("sleep", "100", submit_as_hold=True))
    waiting = jobs.submit(template("true", native_specification=f"-hold_jid {first}"))
    both = jobs.submit_array(
        template("true", native_specification=f"-hold_jid {first}", submit_as_hold=True), TaskRange(1, 4)
    )
    later = jobs.submit(template("true", native_specification="-a 203001010000"))
    try:
        assert jobs.status([waiting])[waiting].sub_state == "hqw"
        failures = jobs.control(JobAction.RELEASE, [waiting, f"{both}.1", f"{both}.2", later])
        assert {job_id: type(error) for job_id, error in failures.items()} == {
            waiting: InvalidState,
            later: InvalidState,
        }
        assert "waits for other jobs" in str(failures[waiting])
        # 8.1.9 shows a job that waits for its start time as queued.
        assert "is QUEUED (qw)" in str(failures[later])
        assert isinstance(jobs.control(JobAction.RELEASE, [f"{both}.1"])[f"{both}.1"], InvalidState)
        assert jobs.control(JobAction.RELEASE, [both]) == {}
        assert isinstance(jobs.control(JobAction.RELEASE, [both])[both], InvalidState)
    finally:
        jobs.control(JobAction.TERMINATE, [first, waiting, both, later])


@pytest.mark.gridengine
def test_tasks_in_error_say_why_and_tasks_that_ask_for_it_are_queued_again(
    jobs: GridEngineJobs, tmp_path: Path
) -> None:
    wrong = jobs.submit_array(template("sh", "-c", "test $SGE_TASK_ID = 1 || exit 100"), TaskRange(1, 3))
    again = jobs.submit_array(
        template("sh", "-c", f"test -e {tmp_path}/$SGE_TASK_ID && exit 4; touch {tmp_path}/$SGE_TASK_ID; exit 99"),
        TaskRange(1, 2),
    )
    seen: set[str] = set()

    def over() -> bool:
        answers = jobs.array_status([wrong, again])
        seen.update(letters for _, letters in answers[again].palette)
        return answers[again].terminated and answers[wrong].counts()[JobState.FAILED] == 2

    wait_for(over, "the ends")
    assert {jobs.info([f"{again}.{n}"])[f"{again}.{n}"].exit_status for n in (1, 2)} == {4}
    assert jobs.array_status([again])[again].indices(JobState.FAILED) == [1, 2]
    assert any("R" in letters for letters in seen)
    status = jobs.array_status([wrong])[wrong]
    assert status.indices(JobState.FAILED) == [2, 3]
    if jobs.submitter.transport == "drmaa":  # the jobs of libdrmaa end instead of staying in error
        assert status.at(3) == (JobState.FAILED, "failed 30, exit status 100")
        assert status.terminated
        assert "rescheduling on application error" in (jobs.info([f"{wrong}.2"])[f"{wrong}.2"].annotation or "")
        return
    assert status.at(3) == (JobState.FAILED, "Eqw")
    assert not status.terminated
    assert "exit_status of job start = 100" in status.annotations[3]
    assert "qmod -cj" in (jobs.status([f"{wrong}.2"])[f"{wrong}.2"].annotation or "")
    assert jobs.status([wrong])[wrong].sub_state == "Eqw"
    assert jobs.info([f"{wrong}.2"])[f"{wrong}.2"].annotation == "exit_status of job start = 100"
    assert jobs.control(JobAction.TERMINATE, [f"{wrong}.{n}" for n in (2, 3)]) == {}
    assert jobs.array_status([wrong])[wrong].terminated
    assert jobs.status([f"{wrong}.2"])[f"{wrong}.2"].annotation == f"deleted by {getpass.getuser()}"


@pytest.mark.gridengine
def test_another_program_finds_out_what_an_array_was(jobs: GridEngineJobs, demo_cell: DemoState) -> None:
    over = jobs.submit_array(template("true"), TaskRange(2, 8, 3))
    waits = jobs.submit_array(template("sleep", "100", submit_as_hold=True), TaskRange(1, 50, 7), token="ab" * 16)
    ended(jobs, over)
    assert jobs.control(JobAction.TERMINATE, [f"{waits}.8"]) == {}
    other = GridEngineSystem("demo", demo_cell.cell(), "qsub")
    try:
        answers = other.jobs.array_status([over, waits, "9999999"])
        assert answers.keys() == {over, waits}
        assert answers[over].tasks == TaskRange(2, 8, 3)
        assert answers[over].counts() == {JobState.DONE: 3}
        assert answers[waits].tasks.indices == range(1, 51, 7)
        assert answers[waits].at(15) == (JobState.QUEUED_HELD, "hqw")
        assert answers[waits].at(8) == (JobState.FAILED, "deleted")  # the master's messages tell
        assert other.jobs.find_submissions(["ab" * 16, "cd" * 16]) == {"ab" * 16: waits}
        infos = {info.job_id: info for info in other.jobs.all_jobs()}
        assert infos[waits].job_state is JobState.QUEUED_HELD
        assert infos[waits].job_owner == getpass.getuser()
        assert waits in other.jobs.job_ids()
    finally:
        other.jobs.control(JobAction.TERMINATE, [waits])
        other.close()


@pytest.mark.gridengine
def test_more_tasks_than_the_cell_allows_are_refused(jobs: GridEngineJobs) -> None:
    before = jobs.job_ids()
    with pytest.raises(DeniedByDrms, match="more than 1000000 tasks"):
        jobs.submit_array(template("true", submit_as_hold=True), TaskRange(1, 1_000_001))
    assert set(jobs.job_ids()) <= set(before)


@pytest.mark.gridengine
def test_many_jobs_are_submitted_in_order_until_one_is_refused(jobs: GridEngineJobs) -> None:
    held = template("sleep", "100", submit_as_hold=True, job_name="in-order")
    odd = template("sleep", "100", submit_as_hold=True, native_specification="-ac 'note=two words'")
    tokens = [f"{n:032x}" for n in range(12)]
    before = set(jobs.job_ids())
    ids = jobs.submit_many([held] * 5 + [odd] + [held] * 6, tokens)
    assert ids == sorted(ids, key=int)
    assert jobs.find_submissions(tokens) == dict(zip(tokens, ids, strict=True))
    with pytest.raises(PartlySubmitted) as caught:
        jobs.submit_many([held, held, template("true", native_specification="-q nosuch"), held])
    assert len(caught.value.job_ids) == 2
    assert isinstance(caught.value.reason, InvalidArgument)
    assert set(jobs.job_ids()) - before == {*ids, *caught.value.job_ids}
    with pytest.raises(InvalidArgument):
        jobs.submit_many([template("true", native_specification="-q nosuch"), held])
    assert jobs.control(JobAction.TERMINATE, [*ids, *caught.value.job_ids]) == {}


@pytest.mark.gridengine
def test_a_helper_killed_amid_many_submissions_loses_and_doubles_none(demo_cell: DemoState) -> None:
    system = GridEngineSystem("demo", demo_cell.cell(), "drmaa")
    transport = system.jobs.submitter.drmaa
    assert transport is not None
    jobs = system.jobs
    first = jobs.submit(template("sleep", "100", submit_as_hold=True))
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.15):
            if transport.helper_pid is not None:
                os.kill(transport.helper_pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    tokens = [f"{n:032x}" for n in range(1000, 1150)]
    try:
        ids = jobs.submit_many([template("sleep", "100", submit_as_hold=True)] * 150, tokens)
    finally:
        stop.set()
        killer.join()
    try:
        assert len(set(ids)) == 150
        assert jobs.find_submissions(tokens) == dict(zip(tokens, ids, strict=True))
        assert set(jobs.job_ids()) >= {first, *ids}
    finally:
        assert jobs.control(JobAction.TERMINATE, [first, *ids]) == {}
        system.close()


@pytest.mark.gridengine
def test_optional_abilities_are_told(jobs: GridEngineJobs) -> None:
    assert jobs.supports(Capability.BULK_JOBS_MAXPARALLEL)
    assert jobs.supports(Capability.CALLBACK)  # by comparing states
    assert jobs.supports(Capability.ADVANCE_RESERVATION) is (jobs.reservations is not None)
    assert jobs.events(None) is None
