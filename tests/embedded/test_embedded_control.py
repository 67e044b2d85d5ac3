from __future__ import annotations

import getpass
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from patience import wait_for

from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction, JobChanges
from gcs_lab.vocabulary import JobState, TaskRange


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def process_state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_held_job_waits_until_it_is_released(lab):
    job = lab.submit("true", submit_as_hold=True)
    assert (lab.letters(job), lab.status(job).state) == ("hqw", JobState.QUEUED_HELD)
    job.release()
    assert lab.ended(job).job_state is JobState.DONE


def test_a_waiting_job_can_be_held_and_then_does_not_start(lab):
    lab.one_slot()
    first, second = lab.submit("sleep", "60"), lab.submit("true")
    second.hold()
    lab.wait_letters(second, "hqw")
    first.terminate()
    lab.ended(first)
    assert lab.letters(second) == "hqw"


def test_terminate_kills_the_whole_tree_daemons_too(lab):
    daemon = "(setsid sh -c 'echo $$ >> pids; exec sleep 300' &) ; (setsid setsid sh -c '(echo $$ >> pids; sleep 300) &') &"
    job = lab.shell(
        f"{daemon} env -i sh -c 'echo $$ >> pids; exec sleep 300' & echo $$ >> pids; trap '' TERM INT HUP; wait"
    )
    wait_for(lambda: lab.read("pids").count("\n") == 4, "the pids of the tree")
    pids = [int(line) for line in lab.read("pids").split()]
    job.terminate()
    info = lab.ended(job)
    assert all(gone(pid) for pid in pids)
    assert (info.exit_status, info.failed, info.deleted_by) == (137, 100, getpass.getuser())
    assert info.annotation == f"deleted by {getpass.getuser()}"


def test_what_a_job_leaves_behind_is_ended_with_it(lab):
    lab.ended(lab.shell("setsid sh -c 'echo $$ > pid; exec sleep 300' & while [ ! -s pid ]; do sleep 0.01; done"))
    assert gone(int(lab.read("pid")))


def test_terminating_a_waiting_job_ends_it_at_once(lab):
    job = lab.submit("true", submit_as_hold=True)
    job.terminate()
    info = lab.ended(job)
    assert (info.job_state, info.exit_status) == (JobState.FAILED, None)
    assert info.annotation == f"deleted by {getpass.getuser()} before it ran"


def test_suspend_stops_the_tree_and_resume_lets_it_go_on(lab):
    job = lab.shell("setsid sh -c 'echo $$ > pid; while :; do sleep 0.01; done' & wait")
    lab.wait_text("pid", "\n")
    pid = int(lab.read("pid"))
    job.suspend()
    assert (lab.letters(job), lab.status(job).state) == ("s", JobState.SUSPENDED)
    # D: it waits in vfork(2) for a child that was stopped before its exec.
    wait_for(lambda: process_state(pid) in "TD", "the stop of the tree")
    job.resume()
    assert lab.letters(job) == "r"
    wait_for(lambda: process_state(pid) in "SR", "the tree's going on")


def test_a_suspended_job_can_be_terminated(lab):
    job = lab.submit("sleep", "60")
    lab.wait_letters(job, "r")
    job.suspend()
    job.terminate()
    assert lab.ended(job).exit_status == 137


@pytest.mark.parametrize("action", [JobAction.RELEASE, JobAction.SUSPEND, JobAction.RESUME])
def test_what_a_waiting_job_does_not_allow_is_an_invalid_state(lab, action):
    lab.one_slot()
    lab.submit("sleep", "60")
    job = lab.submit("true")
    failures = lab.jobs.control(action, [job.id])
    assert isinstance(failures[job.id], InvalidState)
    assert "its state is qw" in str(failures[job.id])


def test_only_what_waits_and_is_not_held_can_be_held(lab):
    held, running, error = lab.submit("true", submit_as_hold=True), lab.submit("sleep", "60"), lab.shell("exit 100")
    lab.wait_letters(running, "r")
    lab.wait_letters(error, "Eqw")
    failures = lab.jobs.control(JobAction.HOLD, [held.id, running.id, error.id])
    assert {job_id: type(failure) for job_id, failure in failures.items()} == dict.fromkeys(
        (held.id, running.id, error.id), InvalidState
    )
    assert [lab.letters(job) for job in (held, running, error)] == ["hqw", "r", "Eqw"]


def test_one_request_acts_on_many_jobs_and_tells_what_failed_for_each(lab):
    held = [lab.submit("true", submit_as_hold=True) for _ in range(3)]
    done = lab.submit("true")
    lab.ended(done)
    failures = lab.jobs.control(JobAction.TERMINATE, [*(job.id for job in held), done.id, "999", "abc"])
    assert {job_id: type(error) for job_id, error in failures.items()} == {
        done.id: InvalidState,
        "999": InvalidArgument,
        "abc": InvalidArgument,
    }
    assert all(lab.letters(job) == "z" for job in held)


def test_exit_99_runs_the_job_again_and_tells_it_so(lab):
    job = lab.shell('echo "run $RESTARTED"; [ $RESTARTED = 1 ] || exit 99', output_path="o")
    info = lab.ended(job)
    assert info.job_state is JobState.DONE
    assert lab.read("o") == "run 0\nrun 1\n"


def test_a_requeued_job_shows_rq_while_it_waits_and_rr_while_it_runs(lab):
    lab.one_slot()
    job = lab.shell("[ $RESTARTED = 1 ] && exec sleep 60; touch up; while [ ! -e go ]; do sleep 0.01; done; exit 99")
    wait_for((lab.work / "up").exists, "the first run")
    blocker = lab.submit("sleep", "60", priority=10)
    (lab.work / "go").touch()
    lab.wait_letters(job, "Rq")
    assert lab.status(job).state is JobState.REQUEUED
    job.hold()
    assert (lab.letters(job), lab.status(job).state) == ("hRwq", JobState.REQUEUED_HELD)
    job.release()
    blocker.terminate()
    lab.wait_letters(job, "Rr")


def test_exit_100_is_an_error_state_that_can_be_cleared(lab):
    job = lab.shell("[ -e mended ] || exit 100", output_path="o")
    lab.wait_letters(job, "Eqw")
    status = lab.status(job)
    assert (status.state, status.annotation) == (JobState.FAILED, "error: the job ended with exit status 100")
    assert job.info().failed == 30
    (lab.work / "mended").touch()
    assert lab.act(JobAction.CLEAR_ERROR, job.id) == {}
    assert lab.ended(job).job_state is JobState.DONE
    assert isinstance(lab.act(JobAction.CLEAR_ERROR, job.id)[job.id], InvalidState)


@pytest.mark.parametrize(
    ("attributes", "failed", "reason"),
    [
        ({"working_directory": "/nowhere/at/all"}, 28, "cannot change into working directory '/nowhere/at/all'"),
        ({"input_path": "missing"}, 26, "cannot open input file"),
        ({"output_path": "/proc/nothing"}, 26, "cannot open output file '/proc/nothing'"),
        ({"error_path": "missing/folder/e"}, 26, "cannot open error file"),
        ({"remote_command": "no-such-command"}, 27, "'no-such-command' is not found, or not executable"),
        ({"remote_command": "/no/such/command"}, 27, "command '/no/such/command' is not there"),
        ({"remote_command": "./data"}, 27, "command './data' is not executable"),
        ({"remote_command": "./script"}, 27, "must name its interpreter"),
    ],
)
def test_what_the_owner_must_mend_puts_a_job_into_error_state_with_the_reason(lab, attributes, failed, reason):
    (lab.work / "data").touch()
    (lab.work / "script").write_text("echo no shebang")
    (lab.work / "script").chmod(0o755)
    attributes = dict(attributes)
    job = lab.submit(attributes.pop("remote_command", "true"), **attributes)
    lab.wait_letters(job, "Eqw")
    info = job.info()
    assert info.failed == failed
    assert reason in info.annotation
    job.terminate()
    assert lab.ended(job).job_state is JobState.FAILED


def test_a_shepherd_told_to_end_ends_the_job_and_says_so(lab):
    job = lab.submit("sleep", "60")
    os.kill(lab.shepherd_pid(job), signal.SIGTERM)
    assert lab.ended(job).annotation == "killed: its shepherd was told to end (SIGTERM)"


def test_why_a_job_cannot_be_held_is_said_by_what_holds_it_already(lab):
    first = lab.shell("true", submit_as_hold=True)
    follows = lab.shell("true", hold_jid=[first.id])
    later = lab.shell("true", start_time=datetime.now().astimezone() + timedelta(hours=1))
    like = lab.array("true", TaskRange(1, 3), submit_as_hold=True)
    tasks = lab.array("true", TaskRange(1, 3), hold_jid_ad=[like])
    both = lab.shell("true", hold_jid=[first.id], submit_as_hold=True)
    told = lab.act(JobAction.HOLD, first.id, follows.id, later.id, both.id, tasks, f"{tasks}.2")
    assert all(isinstance(error, InvalidState) for error in told.values())
    assert "it is held already (state hqw)" in str(told[first.id])
    assert f"it waits for job {first.id}." in str(told[follows.id])
    assert f"it is held already (state hqw), and it waits for job {first.id}." in str(told[both.id])
    assert "it waits for its start time" in str(told[later.id])
    assert f"it waits for the same task of job {like}." in str(told[tasks])
    assert f"it waits for task 2 of job {like}." in str(told[f"{tasks}.2"])
    assert "submit_as_hold" in str(told[follows.id])


ONCE = "echo $RESTARTED >> runs; [ $RESTARTED = 1 ] || exec sleep 60"


def test_a_requeue_is_not_forgotten_when_the_scheduler_dies(lab):
    job = lab.shell(ONCE, rerunnable=True)
    wait_for(lambda: lab.read("runs"), "the first run")
    # Its shepherd cannot be told now, and hears of it later.
    os.kill(lab.shepherd_pid(job), signal.SIGSTOP)
    job.requeue()
    assert lab.letters(job) == "Rr"
    lab.kill_scheduler()
    assert lab.letters(job) == "Rr"
    os.kill(lab.shepherd_pid(job), signal.SIGCONT)
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("runs").split() == ["0", "1"]


def test_a_job_that_is_to_be_requeued_can_still_be_terminated(lab):
    job = lab.shell(ONCE, rerunnable=True)
    wait_for(lambda: lab.read("runs"), "the first run")
    os.kill(shepherd := lab.shepherd_pid(job), signal.SIGSTOP)
    job.requeue()
    job.terminate()
    assert lab.letters(job) == "dr"
    with pytest.raises(InvalidState, match="state is dr"):
        job.requeue()
    os.kill(shepherd, signal.SIGCONT)
    assert lab.ended(job).deleted_by == getpass.getuser()
    assert lab.read("runs").split() == ["0"]


def test_a_requeued_run_is_accounted_as_rescheduled(lab):
    job = lab.shell(ONCE, rerunnable=True)
    wait_for(lambda: lab.read("runs"), "the first run")
    job.requeue()
    lab.ended(job)
    records = [line.split(":") for line in lab.places.accounting.read_text().splitlines() if line[0] != "#"]
    assert [record[11] for record in records] == ["25", "0"]


def test_what_is_altered_survives_the_scheduler_and_counts_for_the_start(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="a.q"\nslots=1\n[[queues]]\nname="b.q"\nslots=1\n')
    first = lab.shell(
        "true", submit_as_hold=True, queue_name="a.q", job_name="one", resource_requests={"h_rt": "600"}
    )
    second = lab.shell("true", submit_as_hold=True, queue_name="a.q", job_name="two")
    changes = JobChanges(name="both", priority=9, requests={"h_rt": "60"}, queues=["b.q"])
    assert lab.system.jobs.alter(changes, [first.id, second.id]) == {}
    follows = lab.shell("true", hold_jid=["both"])
    lab.kill_scheduler()
    details = lab.system.status.job_details([first.id, second.id, follows.id])
    for job in (first, second):
        told = details[job.id]
        assert (told.name, told.posix_priority, told.requests) == ("both", 9, {"h_rt": "60"})
        assert told.queues == ("b.q",)
    assert details[follows.id].waits_for == (first.id, second.id)
    first.release()
    assert lab.ended(first).queue_name == "b.q"
    second.alter(queues=[])
    second.release()
    assert lab.ended(second).queue_name == "a.q"
    lab.ended(follows)


def test_a_higher_priority_overtakes_what_waits(lab):
    lab.one_slot()
    blocker = lab.submit("sleep", "60")
    first, second = (lab.shell(f"echo {which} >> order") for which in ("first", "second"))
    second.alter(priority=5)
    blocker.terminate()
    lab.ended(first)
    assert lab.read("order").split() == ["second", "first"]


def test_what_runs_keeps_what_it_was_given(lab):
    lab.configure(
        '[[complexes]]\nname="lic"\nshortcut="lic"\ntype="INT"\nconsumable="YES"\n'
        '[[hosts]]\nname="n"\ncomplex_values={lic=9}\n[[queues]]\nname="all.q"\nslots=2\n'
    )
    job = lab.submit("sleep", "60")
    lab.wait_letters(job, "r")
    with pytest.raises(InvalidState, match="only its name and priority"):
        job.alter(requests={"h_vmem": "1G"})
    array = lab.array("exec sleep 60", TaskRange(1, 3), resource_requests={"lic": "2"})
    wait_for(lambda: lab.tasks(array).counts()[JobState.RUNNING] == 1, "one task")
    for changes in ({"lic": "3"}, {"h_rt": "60"}):
        failures = lab.jobs.alter(JobChanges(requests=changes), [array])
        assert "1 tasks of job" in str(failures[array])
    assert lab.jobs.alter(JobChanges(requests={"h_vmem": "2G"}, name="more"), [array]) == {}
    assert lab.jobs.array(array).info().resource_requests == {"lic": "2", "h_vmem": "2G"}
    lab.act(JobAction.TERMINATE, job.id, array)
    wait_for(lambda: not lab.system.jobs.job_ids(), "the end")
    # What was taken was given back: nine are there for one.
    assert lab.ended(lab.shell("true", resource_requests={"lic": "9"})).job_state is JobState.DONE


def test_an_alteration_that_the_cluster_cannot_take_changes_nothing(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=2\n')
    job = lab.shell("true", submit_as_hold=True, job_name="as_it_was")
    # The backend itself, without the area's own checks.
    for changes in (JobChanges(name="x", queues=["no.q"]), JobChanges(name="x", requests={"no": "1"})):
        assert isinstance(lab.system.jobs.alter(changes, [job.id])[job.id], InvalidArgument)
    with pytest.raises(InvalidArgument, match="no name for a job"):
        lab.system.jobs.alter(JobChanges(name="a/b"), [job.id])
    assert job.info().job_name == "as_it_was"
