"""Array jobs: their tasks, states and control, without an object or a question a task."""

from __future__ import annotations

import getpass

import pytest
from patience import wait_for

from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import Capability, JobState, TaskRange

WAIT_FOR_GO = "while [ ! -e go ]; do sleep 0.01; done"


def test_each_task_runs_once_with_its_index_and_its_own_output_file(lab):
    script = 'echo "$SGE_TASK_ID $SGE_TASK_FIRST $SGE_TASK_LAST $SGE_TASK_STEPSIZE $JOB_ID"'
    array = lab.array(script, TaskRange(2, 9, 3), job_name="squares")
    status = lab.wait_array(array)
    assert status.tasks == TaskRange(2, 9, 3)
    assert status.counts() == {JobState.DONE: 3}
    for index in (2, 5, 8):
        assert lab.read(f"squares.o{array}.{index}") == f"{index} 2 9 3 {array}\n"


def test_each_task_has_an_accounting_record_and_its_own_info(lab):
    array = lab.array("exit $SGE_TASK_ID", TaskRange(1, 3))
    lab.wait_array(array)
    infos = lab.system.jobs.info([f"{array}.{index}" for index in (1, 2, 3, 4)])
    assert {job_id: info.exit_status for job_id, info in infos.items()} == {f"{array}.{i}": i for i in (1, 2, 3)}
    wait_for(lambda: lab.places.accounting.read_text().count("\n") == 4, "the records")
    records = [line.split(":") for line in lab.places.accounting.read_text().splitlines()[1:]]
    assert sorted((fields[5], fields[35], fields[12]) for fields in records) == [
        (array, str(i), str(i)) for i in (1, 2, 3)
    ]


def test_the_info_of_a_whole_array_is_what_its_tasks_come_to(lab):
    array = lab.array("sleep 0.0$SGE_TASK_ID; exit $((SGE_TASK_ID / 3))", TaskRange(1, 3), job_name="sums")
    lab.wait_array(array)
    whole = lab.system.jobs.info([array])[array]
    tasks = list(lab.system.jobs.info([f"{array}.{index}" for index in (1, 2, 3)]).values())
    assert (whole.job_id, whole.job_name, whole.job_state, whole.exit_status) == (array, "sums", JobState.FAILED, 1)
    assert whole.annotation == "1 of 3 tasks failed"
    assert whole.dispatch_time == min(task.dispatch_time for task in tasks)
    assert whole.finish_time == max(task.finish_time for task in tasks)
    assert whole.wallclock_time == pytest.approx(sum(task.wallclock_time for task in tasks))


def test_no_more_tasks_than_allowed_run_at_once(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=8\n')
    assert lab.system.jobs.supports(Capability.BULK_JOBS_MAXPARALLEL)
    script = "mkdir on.$SGE_TASK_ID; ls -d on.* | wc -l >> seen; sleep 0.03; rmdir on.$SGE_TASK_ID"
    array = lab.array(script, TaskRange(1, 12), max_parallel=2)
    other = lab.array(WAIT_FOR_GO, TaskRange(1, 5), max_parallel=3)
    wait_for(lambda: lab.tasks(other).counts()[JobState.RUNNING] == 3, "three running tasks")
    assert lab.state(f"{other}.4").annotation == "its array runs at most 3 tasks at once"
    lab.wait_array(array)
    seen = [int(line) for line in lab.read("seen").split()]
    assert len(seen) == 12
    assert max(seen) <= 2


def test_tasks_start_in_the_order_of_their_indices_and_share_the_slots_with_other_jobs(lab):
    lab.one_slot()
    blocker = lab.shell(WAIT_FOR_GO)
    lab.wait_letters(blocker, "r")
    array = lab.array("echo $SGE_TASK_ID >> order", TaskRange(1, 4))
    late = lab.shell("echo late >> order")
    first = lab.shell("echo first >> order", priority=10)
    (lab.work / "go").touch()
    lab.wait_array(array)
    lab.ended(late)
    lab.ended(first)
    assert lab.read("order").split() == ["first", "1", "2", "3", "4", "late"]


def test_tasks_and_whole_arrays_are_held_and_released(lab):
    array = lab.array("true", TaskRange(1, 6), submit_as_hold=True)
    assert lab.tasks(array).palette == ((JobState.QUEUED_HELD, "hqw"),)
    assert lab.act(JobAction.RELEASE, f"{array}.2", f"{array}.5") == {}
    wait_for(lambda: lab.tasks(array).indices(JobState.DONE) == [2, 5], "the end of the released tasks")
    failures = lab.act(JobAction.RELEASE, f"{array}.2", f"{array}.3", f"{array}.7")
    assert {job_id: type(error) for job_id, error in failures.items()} == {
        f"{array}.2": InvalidState,
        f"{array}.7": InvalidArgument,
    }
    lab.kill_scheduler()
    assert set(lab.tasks(array).indices(JobState.QUEUED_HELD)) == {1, 4, 6} - set(
        lab.tasks(array).indices(JobState.DONE, JobState.RUNNING)
    )
    assert lab.act(JobAction.RELEASE, array) == {}
    assert lab.wait_array(array).counts() == {JobState.DONE: 6}
    assert isinstance(lab.act(JobAction.RELEASE, array)[array], InvalidState)


def test_holds_of_waiting_tasks_survive_the_scheduler(lab):
    lab.one_slot()
    blocker = lab.shell(WAIT_FOR_GO)
    array = lab.array("echo $SGE_TASK_ID >> ran", TaskRange(1, 5))
    assert lab.act(JobAction.HOLD, f"{array}.2", f"{array}.4") == {}
    assert isinstance(lab.act(JobAction.HOLD, f"{array}.2")[f"{array}.2"], InvalidState)
    lab.kill_scheduler()
    assert lab.tasks(array).indices(JobState.QUEUED_HELD) == [2, 4]
    (lab.work / "go").touch()
    lab.ended(blocker)
    wait_for(lambda: lab.tasks(array).counts()[JobState.DONE] == 3, "the end of the others")
    assert lab.read("ran").split() == ["1", "3", "5"]
    told = str(lab.act(JobAction.HOLD, array)[array])
    assert told == f"job {array} cannot be held: its tasks that wait are held already (state hqw, z)."


def test_running_tasks_are_suspended_resumed_and_ended_one_by_one_and_together(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=3\n')
    array = lab.array("exec sleep 300", TaskRange(1, 5))
    wait_for(lambda: [lab.state(f"{array}.{i}").sub_state for i in (1, 2, 3)] == ["r"] * 3, "the running tasks")
    assert lab.act(JobAction.SUSPEND, f"{array}.2") == {}
    assert lab.state(f"{array}.2").state is JobState.SUSPENDED
    assert lab.act(JobAction.SUSPEND, array) == {}
    assert lab.tasks(array).counts() == {JobState.SUSPENDED: 3, JobState.QUEUED: 2}
    assert lab.state(array).state is JobState.SUSPENDED
    assert lab.act(JobAction.RESUME, array) == {}
    assert lab.tasks(array).indices(JobState.RUNNING) == [1, 2, 3]
    assert lab.act(JobAction.TERMINATE, f"{array}.1", f"{array}.5") == {}
    wait_for(lambda: lab.tasks(array).indices(JobState.FAILED) == [1, 5], "the end of two tasks")
    lab.act(JobAction.TERMINATE, array)
    assert lab.wait_array(array).counts() == {JobState.FAILED: 5}
    infos = lab.system.jobs.info([f"{array}.{i}" for i in range(1, 6)])
    assert {info.deleted_by for info in infos.values()} == {getpass.getuser()}
    assert {infos[f"{array}.{i}"].exit_status for i in (1, 2, 3)} == {137}
    assert infos[f"{array}.5"].annotation == f"deleted by {getpass.getuser()} before it ran"
    assert isinstance(lab.act(JobAction.TERMINATE, array)[array], InvalidState)


def test_a_big_array_is_held_looked_at_and_deleted_at_once_and_this_survives(lab):
    lab.one_slot()
    array = lab.array("exec sleep 300", TaskRange(1, 100_000))
    wait_for(lambda: lab.tasks(array).counts() == {JobState.RUNNING: 1, JobState.QUEUED: 99_999}, "the first task")
    lab.act(JobAction.HOLD, *(f"{array}.{index}" for index in range(10, 50_010)))
    lab.kill_scheduler()
    assert lab.tasks(array).counts() == {JobState.RUNNING: 1, JobState.QUEUED: 49_999, JobState.QUEUED_HELD: 50_000}
    lab.act(JobAction.TERMINATE, *(f"{array}.{index}" for index in range(90_001, 100_001)))
    lab.kill_scheduler()
    assert lab.tasks(array).counts()[JobState.FAILED] == 10_000
    assert lab.system.jobs.info([f"{array}.95000"])[f"{array}.95000"].deleted_by == getpass.getuser()
    lab.act(JobAction.TERMINATE, array)
    assert lab.wait_array(array).counts() == {JobState.FAILED: 100_000}
    assert lab.system.jobs.job_ids() == []
    lab.kill_scheduler()
    assert lab.tasks(array).counts() == {JobState.FAILED: 100_000}
    note = f"deleted by {getpass.getuser()} before it ran"
    assert lab.state(f"{array}.77").annotation == note
    assert lab.state(f"{array}.95000").annotation == note
    assert lab.system.jobs.info([f"{array}.1"])[f"{array}.1"].exit_status == 137


def test_tasks_in_error_state_are_told_with_their_reason_and_cleared(lab):
    array = lab.array("[ -e mended ] || [ $SGE_TASK_ID != 2 ] || exit 100", TaskRange(1, 3))
    wait_for(lambda: lab.state(array).sub_state == "Eqw", "the error state")
    status = lab.tasks(array)
    assert status.at(2) == (JobState.FAILED, "Eqw")
    assert status.annotations == {2: "error: the job ended with exit status 100"}
    assert not status.terminated
    assert lab.state(array).annotation == "task 2: error: the job ended with exit status 100"
    lab.kill_scheduler()
    assert lab.tasks(array).at(2) == (JobState.FAILED, "Eqw")
    (lab.work / "mended").touch()
    assert lab.act(JobAction.CLEAR_ERROR, array) == {}
    assert lab.wait_array(array).counts() == {JobState.DONE: 3}


def test_a_task_that_asks_to_run_again_does_so_alone(lab):
    array = lab.array(
        "echo $SGE_TASK_ID $RESTARTED >> runs; [ $SGE_TASK_ID$RESTARTED != 20 ] || exit 99", TaskRange(1, 3)
    )
    assert lab.wait_array(array).counts() == {JobState.DONE: 3}
    assert sorted(lab.read("runs").splitlines()) == ["1 0", "2 0", "2 1", "3 0"]


def test_an_array_killed_in_the_middle_goes_on_where_it_was(lab):
    array = lab.array("echo $SGE_TASK_ID >> runs; sleep 0.02", TaskRange(1, 40))
    for _ in range(4):
        lab.kill_scheduler()
        lab.tasks(array)
    assert lab.wait_array(array).counts() == {JobState.DONE: 40}
    assert sorted(map(int, lab.read("runs").split())) == list(range(1, 41))


def test_lists_show_an_array_as_one_job_and_its_running_tasks(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=2\n')
    array = lab.array("exec sleep 300", TaskRange(1, 9, 2), job_name="odd")
    single = lab.shell("true", submit_as_hold=True)
    wait_for(lambda: lab.state(f"{array}.3").sub_state == "r", "the second task")
    assert lab.system.jobs.job_ids() == [array, single.id]
    lab.act(JobAction.HOLD, f"{array}.9")
    infos = {info.job_id: info for info in lab.system.jobs.all_jobs()}
    assert set(infos) == {f"{array}.1", f"{array}.3", array, single.id}
    assert infos[array].job_state is JobState.QUEUED
    table = lab.system.status.poll().tasks.to_pydict()
    rows = list(zip(table["job_id"], table["tasks"], table["letters"], strict=True))
    assert rows == [
        (array, "1", "r"),
        (array, "3", "r"),
        (array, "5-7:2", "qw"),
        (array, "9", "hqw"),
        (single.id, None, "hqw"),
    ]


def test_what_is_no_array_has_no_states_of_tasks(lab):
    single = lab.shell("true", submit_as_hold=True)
    assert lab.system.jobs.array_status([single.id, "99", "x"]) == {}
    assert lab.state(f"{single.id}.1").state is JobState.UNDETERMINED
    assert isinstance(lab.act(JobAction.HOLD, f"{single.id}.1")[f"{single.id}.1"], InvalidArgument)


def test_arrays_are_bounded_by_the_configuration(lab):
    lab.configure('max_array_tasks = 10\n[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=1\n')
    with pytest.raises(InvalidArgument, match="11 tasks; this cluster takes 10"):
        lab.array("true", TaskRange(1, 11))
    with pytest.raises(InvalidArgument, match="max_parallel"):
        lab.array("true", TaskRange(1, 2), max_parallel=0)
    assert lab.system.jobs.job_ids() == []


def test_many_jobs_are_submitted_all_or_none_and_found_by_their_tokens(lab):
    lab.one_slot()
    templates = [lab.template(f"echo {i} >> runs", job_name=f"j{i % 3}") for i in range(30)]
    tokens = [f"{i:032x}" for i in range(30)]
    bad = [*templates[:20], lab.template("true", queue_name="nowhere.q")]
    with pytest.raises(InvalidArgument, match=r"nowhere\.q"):
        lab.system.jobs.submit_many(bad)
    assert lab.system.jobs.job_ids() == []
    ids = lab.system.jobs.submit_many(templates, tokens)
    assert len(set(ids)) == 30
    lab.kill_scheduler()
    assert lab.system.jobs.submit_many(templates, tokens) == ids
    assert lab.system.jobs.find_submissions([*tokens, "f" * 32]) == dict(zip(tokens, ids, strict=True))
    wait_for(lambda: not lab.system.jobs.job_ids(), "the end of all")
    assert sorted(map(int, lab.read("runs").split())) == list(range(30))
    names = [info.job_name for info in lab.system.jobs.info(ids[:4]).values()]
    assert names == ["j0", "j1", "j2", "j0"]
    with pytest.raises(InvalidArgument, match="given twice"):
        lab.system.jobs.submit_many(templates[:2], [tokens[0], tokens[0]])
