from __future__ import annotations

import os
import resource
import shutil
import signal
import threading
import time

import pytest
from embedded_lab import processes_with
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.client import Client
from gcs_lab.backends.embedded.submission import submit_request
from gcs_lab.errors import OutOfResource
from gcs_lab.vocabulary import JobState, JobTemplate


def test_a_scheduler_killed_at_any_moment_loses_nothing_and_runs_nothing_twice(lab):
    jobs = [lab.shell(f"echo {i} >> runs; sleep 0.02") for i in range(40)]
    for _ in range(5):
        lab.kill_scheduler()
        jobs += [lab.shell(f"echo {i} >> runs") for i in range(len(jobs), len(jobs) + 4)]
    assert all(lab.ended(job).job_state is JobState.DONE for job in jobs)
    assert sorted(map(int, lab.read("runs").split())) == list(range(60))
    lines = [line for line in lab.places.accounting.read_text().splitlines() if not line.startswith("#")]
    assert sorted(int(line.split(":")[5]) for line in lines) == sorted(int(job.id) for job in jobs)


def test_jobs_that_run_go_on_without_a_scheduler_and_are_found_again(lab):
    running = lab.shell("echo up >> log; while [ ! -e go ]; do sleep 0.01; done; exit 5")
    ending = lab.shell("echo up2 >> log; while [ ! -e go2 ]; do sleep 0.01; done; exit 6")
    waiting = lab.submit("true", submit_as_hold=True)
    lab.wait_text("log", "up2")
    lab.wait_text("log", "up\n")
    shepherd = lab.shepherd_pid(running)
    lab.kill_scheduler()
    (lab.work / "go2").touch()
    record = lab.places.run_folder(int(ending.id), 0, 1) / "ended"
    wait_for(record.exists, "the record of the end, written with no scheduler alive")
    assert lab.letters(running) == "r"
    assert lab.shepherd_pid(running) == shepherd
    assert lab.letters(waiting) == "hqw"
    assert lab.ended(ending).exit_status == 6
    (lab.work / "go").touch()
    assert lab.ended(running).exit_status == 5


def test_an_adopted_job_is_still_controlled(lab):
    job = lab.submit("sleep", "300")
    lab.wait_letters(job, "r")
    lab.shepherd_pid(job)
    lab.kill_scheduler()
    job.suspend()
    assert lab.letters(job) == "s"
    lab.kill_scheduler()
    assert lab.letters(job) == "s"
    job.terminate()
    assert lab.ended(job).exit_status == 137


def test_h_rt_holds_while_no_scheduler_is_alive(lab):
    job = lab.submit("sleep", "300", resource_requests={"h_rt": "1"})
    lab.shepherd_pid(job)
    lab.kill_scheduler()
    wait_for((lab.places.run_folder(int(job.id), 0, 1) / "ended").exists, "the end of the job")
    assert lab.ended(job).failed == 37


def test_a_dispatch_that_was_recorded_and_not_done_is_done_once(lab):
    """A scheduler that dies between commit and fork leaves exactly this behind."""
    job = lab.shell("echo ran >> runs", submit_as_hold=True)
    lab.kill_scheduler()
    import sqlite3

    with sqlite3.connect(lab.places.database) as database:
        slots = f'[["all.q", "{os.uname().nodename}", 1]]'
        row = "(job_id, task_id, phase, held, suspended, requeued, run, slots, dispatched, outcome)"
        values = "(?, 0, 'dispatching', 0, 0, 0, 1, ?, 1, '{}')"
        database.execute(f"INSERT INTO tasks {row} VALUES {values}", (int(job.id), slots))
    database.close()
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("runs") == "ran\n"


def test_when_the_shepherd_is_killed_the_whole_job_is_killed_and_has_failed(lab):
    job = lab.shell("setsid sh -c 'echo $$ >> pids; exec sleep 300' & echo $$ >> pids; wait")
    wait_for(lambda: lab.read("pids").count("\n") == 2, "the pids")
    os.kill(lab.shepherd_pid(job), signal.SIGKILL)
    info = lab.ended(job)
    assert (info.job_state, info.exit_status, info.failed) == (JobState.FAILED, 137, 19)
    assert info.annotation == "failed: its shepherd died, and the job was killed"
    wait_for(lambda: not processes_with(f"{lab.work}"), "the end of what the job started")


def test_when_shepherd_and_scheduler_are_killed_the_next_scheduler_tells(lab):
    job = lab.shell("setsid sh -c 'echo $$ >> pids; exec sleep 300' & echo $$ >> pids; wait")
    wait_for(lambda: lab.read("pids").count("\n") == 2, "the pids")
    shepherd = lab.shepherd_pid(job)
    lab.kill_scheduler()
    os.kill(shepherd, signal.SIGKILL)
    assert lab.ended(job).failed == 19


def test_a_rerunnable_job_runs_again_when_its_shepherd_was_killed(lab):
    job = lab.shell("echo run $RESTARTED >> runs; [ $RESTARTED = 1 ] || exec sleep 300", rerunnable=True)
    lab.wait_text("runs", "run 0")
    os.kill(lab.shepherd_pid(job), signal.SIGKILL)
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("runs") == "run 0\nrun 1\n"


def test_a_submission_sent_twice_makes_one_job(lab):
    request = submit_request(JobTemplate(remote_command="true", submit_as_hold=True)).to_wire()
    client = Client(service.ensure_running)
    first = client.ask("submit", **request)
    lab.kill_scheduler()
    assert client.ask("submit", **request) == first
    client.close()
    assert len(lab.jobs.list()) == 1


def test_a_control_question_sent_twice_is_done_once(lab):
    job = lab.submit("true", submit_as_hold=True)
    client = Client(service.ensure_running)
    asked = {"action": "terminate", "ids": [job.id, "77"], "token": "t1"}
    first = client.ask("control", **asked)
    assert list(first) == ["77"]
    assert client.ask("control", **asked) == first
    client.close()


def test_many_threads_survive_the_death_of_the_scheduler(lab):
    lab.one_slot()
    made: list[str] = []
    pid = lab.scheduler_pid() if service.status().pid else service.start().pid
    system = lab.system

    def submit() -> None:
        for _ in range(10):
            job = system.jobs.submit(JobTemplate(remote_command="true", submit_as_hold=True))
            made.append(job)

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(made) > 5, "some submissions")
    os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert len(set(made)) == 60
    assert sorted(system.jobs.job_ids(), key=int) == sorted(made, key=int)


def test_a_full_disk_is_an_error_for_the_client_and_the_scheduler_goes_on(lab):
    before = lab.submit("true", submit_as_hold=True)
    pid = lab.scheduler_pid()
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    # Writes beyond this size fail in the scheduler as they do on a full disk.
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    with pytest.raises(OutOfResource, match="nothing was changed"):
        lab.submit("true")
    assert [job.id for job in lab.jobs.list()] == [before.id]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    assert lab.ended(lab.submit("true")).job_state is JobState.DONE
    assert lab.scheduler_pid() == pid


def test_a_job_that_ends_while_the_disk_is_full_is_settled_when_it_is_not(lab):
    job = lab.shell("while [ ! -e go ]; do sleep 0.01; done; exit 4")
    lab.wait_letters(job, "r")
    pid, shepherd = lab.scheduler_pid(), lab.shepherd_pid(job)
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    (lab.work / "go").touch()
    wait_for(lambda: not service._exists(shepherd), "the end of the shepherd")
    assert lab.letters(job) == "r"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    assert lab.ended(job).exit_status == 4


def test_an_end_is_not_lost_when_neither_it_nor_a_line_in_the_log_can_be_written(lab):
    lab.places.log.symlink_to("/dev/full")
    job = lab.shell("while [ ! -e go ]; do sleep 0.01; done; exit 4")
    shepherd = lab.shepherd_pid(job)
    (run,) = lab.places.spool.iterdir()
    (run / "ended").mkdir()
    (lab.work / "go").touch()
    wait_for(lambda: list(run.glob(".ended.*")), "the record that cannot be put into its place")
    time.sleep(0.2)
    assert service._exists(shepherd)
    (run / "ended").rmdir()
    assert lab.ended(job).exit_status == 4


def test_a_job_whose_run_folder_was_removed_is_not_started_a_second_time(lab):
    job = lab.shell("echo ran >> runs; exec sleep 300")
    lab.wait_text("runs", "ran")
    shepherd = lab.shepherd_pid(job)
    lab.kill_scheduler()
    shutil.rmtree(lab.places.run_folder(int(job.id), 0, 1))
    assert lab.ended(job).failed == 19
    assert lab.read("runs") == "ran\n"
    wait_for(lambda: not service._exists(shepherd), "the end of the shepherd")


def test_a_start_for_which_there_is_no_room_is_tried_again(lab):
    lab.ended(lab.submit("true"))
    spool = lab.places.spool
    spool.rmdir()
    spool.touch()
    job = lab.shell("echo ran >> runs")
    wait_for(lambda: lab.status(job).annotation, "the reason why it waits")
    assert lab.letters(job) == "qw"
    assert "it is tried again" in lab.status(job).annotation
    spool.unlink()
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("runs") == "ran\n"
