"""The process that forks shepherds: it may die at any moment, and it never outlives the scheduler."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.vocabulary import JobState, TaskRange


def find_spawner(scheduler):
    """Return the spawner's process id; None in the moments in which there is none, or it has no name yet."""
    named = []
    for pid in Path(f"/proc/{scheduler}/task/{scheduler}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/comm").read_text() == "gcs-spawner\n":
                named.append(int(pid))
    assert len(named) <= 1
    return named[0] if named else None


def spawner_of(scheduler):
    wait_for(lambda: find_spawner(scheduler), "the spawner")
    return find_spawner(scheduler)


def test_a_spawner_that_was_killed_is_replaced_and_no_task_is_lost_or_run_twice(lab):
    array = lab.array("echo x >> ran.$SGE_TASK_ID", TaskRange(1, 60))
    scheduler = lab.scheduler_pid()
    killed = set()
    while not lab.tasks(array).terminated:
        spawner = find_spawner(scheduler)
        if spawner is None:
            # Another one is forked when there is something to start, and the last tasks may have been started.
            time.sleep(0.001)
            continue
        killed.add(spawner)
        os.kill(spawner, signal.SIGKILL)
        done = lab.tasks(array).counts()[JobState.DONE]
        wait_for(
            lambda done=done: lab.tasks(array).counts()[JobState.DONE] > done or lab.tasks(array).terminated,
            "another task to end",
        )
    assert lab.tasks(array).counts() == {JobState.DONE: 60}
    assert [lab.read(f"ran.{index}") for index in range(1, 61)] == ["x\n"] * 60
    assert len(killed) > 1
    assert lab.scheduler_pid() == scheduler


def test_a_job_goes_on_without_the_spawner_and_its_end_is_seen(lab):
    job = lab.shell("while [ ! -e go ]; do sleep 0.01; done; exit 3")
    lab.wait_letters(job, "r")
    os.kill(spawner_of(lab.scheduler_pid()), signal.SIGKILL)
    job.suspend()
    job.resume()
    (lab.work / "go").touch()
    assert lab.ended(job).exit_status == 3


def test_a_spawner_that_stands_still_is_replaced(lab, monkeypatch):
    lab.ended(lab.submit("true"))
    spawner = spawner_of(lab.scheduler_pid())
    os.kill(spawner, signal.SIGSTOP)
    # It waits for 10 s, and clients as long as it takes.
    assert lab.ended(lab.submit("true")).job_state is JobState.DONE
    assert not service._exists(spawner)


def test_it_ends_with_the_scheduler_however_that_ends(lab):
    for end in (lab.kill_scheduler, service.stop):
        lab.ended(lab.submit("true"))
        spawner = spawner_of(lab.scheduler_pid())
        end()
        wait_for(lambda spawner=spawner: not service._exists(spawner), "the end of the spawner")


def test_ended_shepherds_do_not_stay_as_zombies(lab):
    lab.wait_array(lab.array("true", TaskRange(1, 20)))
    spawner = spawner_of(lab.scheduler_pid())
    children = Path(f"/proc/{spawner}/task/{spawner}/children")
    wait_for(lambda: children.read_text() == "", "that no shepherd is left")


def test_a_large_order_arrives_whole(lab):
    job = lab.shell("echo ${#BIG}", job_environment={"BIG": "x" * 100_000}, output_path="size")
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("size") == "100000\n"
