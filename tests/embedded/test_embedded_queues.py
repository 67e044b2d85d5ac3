"""Queue states that an operator sets by hand, on a real embedded cluster."""

from __future__ import annotations

import pytest
from patience import wait_for

from gcs_lab import cli
from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.backends.embedded.queue_states import QueueAction, changed, job_letters, why_closed
from gcs_lab.errors import InvalidArgument, InvalidState, UnknownName
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState, JobTemplate

TWO_HOSTS = """
[[hosts]]
name = "node1"
[[hosts]]
name = "node2"
[[queues]]
name = "all.q"
slots = 2
[[queues]]
name = "big.q"
slots = 1
hosts = ["node2"]
[[parallel_environments]]
name = "mpi"
slots = 99
allocation_rule = "$round_robin"
"""
COUNT = "while :; do echo tick >> ticks; sleep 0.01; done"


def states(lab):
    table = lab.system.queue_instances()
    rows = zip(table["queue"], table["host"], table["state"], strict=True)
    return {f"{queue}@{host}": state for queue, host, state in rows}


def do(lab, action, *names):
    failures = lab.system.queue_control(action, names)
    assert failures == {}


def test_a_disabled_queue_starts_nothing_and_lets_run_what_runs(lab):
    lab.one_slot()
    running = lab.submit("sleep", "60")
    lab.wait_letters(running, "r")
    do(lab, "disable", "all.q")
    waiting = lab.submit("true")
    assert lab.letters(running) == "r"
    running.terminate()
    lab.ended(running)
    status = lab.status(waiting)
    assert (status.sub_state, status.annotation) == ("qw", "all.q is disabled")
    do(lab, "enable", "all.q")
    assert lab.ended(waiting).job_state is JobState.DONE


def test_states_are_set_by_queue_instance_or_host_and_survive_the_scheduler(lab):
    lab.configure(TWO_HOSTS)
    do(lab, "disable", "all.q@node1")
    do(lab, "suspend", "*@node2")
    do(lab, "error", "big.q")
    do(lab, "load-alarm", "all.q")
    expected = {"all.q@node1": "ad", "all.q@node2": "as", "big.q@node2": "Es"}
    assert states(lab) == expected
    lab.kill_scheduler()
    assert states(lab) == expected
    do(lab, "end-load-alarm", "*")
    do(lab, "clear", "*")
    do(lab, "enable", "*")
    do(lab, "unsuspend", "*")
    assert set(states(lab).values()) == {""}


def test_a_machine_is_available_while_one_of_its_queues_takes_jobs(lab):
    lab.configure(TWO_HOSTS)

    def available():
        return {machine.name for machine in lab.system.jobs.machines() if machine.available}

    assert available() == {"node1", "node2"}
    do(lab, "disable", "all.q")
    assert available() == {"node2"}
    do(lab, "disable", "big.q")
    assert available() == set()


@pytest.mark.parametrize(
    ("action", "undo", "letters"), [("suspend", "unsuspend", "S"), ("suspend-alarm", "end-suspend-alarm", "T")]
)
def test_jobs_of_a_suspended_queue_stand_still_until_it_goes_on(lab, action, undo, letters):
    lab.one_slot()
    job = lab.shell(COUNT)
    lab.wait_text("ticks", "tick")
    do(lab, action, "all.q")
    status = lab.status(job)
    assert (status.state, status.sub_state) == (JobState.SUSPENDED, letters)
    assert status.annotation.startswith("all.q@node is ")
    stands_still(lab)
    lab.kill_scheduler()
    assert lab.letters(job) == letters
    do(lab, undo, "all.q")
    assert lab.status(job).state is JobState.RUNNING
    size = len(lab.read("ticks"))
    wait_for(lambda: len(lab.read("ticks")) > size, "the job to go on")


def stands_still(lab):
    """Wait until the job has written nothing for many looks."""
    sizes = []

    def same():
        sizes.append(len(lab.read("ticks")))
        return sizes[-40:] == sizes[-1:] * 40

    wait_for(same, "the job to stand still")


def test_a_job_that_its_user_suspended_too_stays_so_when_its_queue_goes_on(lab):
    lab.one_slot()
    job = lab.shell(COUNT)
    lab.wait_text("ticks", "tick")
    job.suspend()
    assert lab.letters(job) == "s"
    do(lab, "suspend", "all.q")
    assert lab.letters(job) == "Ss"
    do(lab, "suspend-alarm", "all.q")
    assert lab.letters(job) == "STs"
    do(lab, "end-suspend-alarm", "all.q")
    do(lab, "unsuspend", "all.q")
    assert lab.letters(job) == "s"
    job.resume()
    assert lab.letters(job) == "r"


def test_the_user_can_suspend_and_resume_a_job_whose_queue_is_suspended_but_not_let_it_run(lab):
    lab.one_slot()
    job = lab.shell(COUNT)
    lab.wait_text("ticks", "tick")
    do(lab, "suspend", "all.q")
    with pytest.raises(InvalidState, match="its queue is suspended"):
        lab.jobs.job(job.id).resume()
    assert lab.system.jobs.control(JobAction.SUSPEND, [job.id]) == {}
    assert lab.letters(job) == "Ss"
    job.resume()
    assert lab.status(job).sub_state == "S"
    stands_still(lab)


def test_a_suspended_job_can_be_ended(lab):
    lab.one_slot()
    job = lab.submit("sleep", "60")
    lab.wait_letters(job, "r")
    do(lab, "suspend", "all.q")
    job.terminate()
    info = lab.ended(job)
    assert (info.job_state, info.deleted_by is not None) == (JobState.FAILED, True)


def test_a_parallel_job_is_suspended_with_any_of_its_queues(lab):
    lab.configure(TWO_HOSTS)
    job = lab.submit("sleep", "60", parallel_environment="mpi", min_slots=2, queue_name="all.q")
    lab.wait_letters(job, "r")
    do(lab, "suspend", "all.q@node2")
    assert lab.letters(job) == "S"
    do(lab, "suspend", "all.q@node1")
    do(lab, "unsuspend", "all.q@node2")
    assert lab.letters(job) == "S"
    do(lab, "unsuspend", "all.q@node1")
    assert lab.letters(job) == "r"


def test_tasks_of_an_array_are_suspended_with_their_queues(lab):
    lab.configure(TWO_HOSTS)
    template = JobTemplate(remote_command="sleep", args=["60"], queue_name="all.q", working_directory=str(lab.work))
    array = lab.jobs.submit_array(template, 1, 3)
    wait_for(lambda: array.counts()[JobState.RUNNING] == 3, "three tasks that run")
    do(lab, "suspend", "all.q@node1")

    def letters():
        status = lab.system.jobs.array_status([array.id])[array.id]
        return [status.at(index)[1] for index in (1, 2, 3)]

    assert letters() == ["S", "S", "r"]
    do(lab, "unsuspend", "all.q")
    assert letters() == ["r", "r", "r"]


def test_jobs_go_where_a_queue_is_open(lab):
    lab.configure(TWO_HOSTS)
    do(lab, "disable", "all.q@node1")
    do(lab, "error", "big.q")
    info = lab.ended(lab.submit("true"))
    assert (info.queue_name, info.allocated_machines[0].machine_name) == ("all.q", "node2")


def test_suspending_a_queue_is_told_as_an_event(lab):
    lab.one_slot()
    job = lab.submit("sleep", "60")
    lab.wait_letters(job, "r")
    cursor = lab.system.jobs.events(None).cursor
    do(lab, "suspend", "all.q")
    do(lab, "unsuspend", "all.q")
    told = [(event.job_id, event.job_state) for event in lab.system.jobs.events(cursor).events]
    assert told == [(job.id, JobState.SUSPENDED), (job.id, JobState.RUNNING)]


def test_names_that_mean_no_queue_are_refused_one_by_one(lab):
    lab.configure(TWO_HOSTS)
    names = ["al.q", "all.q@nowhere", "big.q@node1", "all.q@", "@node1", "all.q@node2"]
    failures = lab.system.queue_control("disable", names)
    assert {name: type(error) for name, error in failures.items()} == {
        "al.q": UnknownName,
        "all.q@nowhere": UnknownName,
        "big.q@node1": InvalidArgument,
        "all.q@": InvalidArgument,
        "@node1": InvalidArgument,
    }
    assert states(lab) == {"all.q@node1": "", "all.q@node2": "d", "big.q@node2": ""}
    with pytest.raises(InvalidArgument, match="expected disable, enable"):
        lab.system.queue_control("paint", ["all.q"])


def test_the_command_line_shows_and_changes_queues(lab, capsys):
    lab.configure(TWO_HOSTS)
    assert cli.main(["embedded", "disable", "all.q@node1", "big.q"]) == 0
    assert cli.main(["embedded", "suspend", "big.q"]) == 0
    capsys.readouterr()
    assert cli.main(["embedded", "queues"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["queue", "used/total", "state"]
    assert [line.split() for line in lines[1:]] == [
        ["all.q@node1", "0/2", "d"],
        ["all.q@node2", "0/2"],
        ["big.q@node2", "0/1", "ds"],
    ]
    assert cli.main(["embedded", "enable", "*"]) == 0
    assert cli.main(["embedded", "unsuspend", "*"]) == 0
    assert set(states(lab).values()) == {""}
    capsys.readouterr()
    assert cli.main(["embedded", "disable", "nope.q", "all.q@node2"]) == 1
    assert "no queue is called 'nope.q'" in capsys.readouterr().err
    assert states(lab)["all.q@node2"] == "d"


def test_letters_stand_in_the_order_of_grid_engine():
    letters = ""
    for action in (QueueAction.SUSPEND, QueueAction.DISABLE, QueueAction.ERROR, QueueAction.SUSPEND_ALARM):
        letters = changed(letters, action)
    assert letters == "AdEs"
    assert changed(changed(letters, QueueAction.ENABLE), QueueAction.ENABLE) == "AEs"
    assert [job_letters(each) for each in (["d", ""], ["s", "d"], ["", "A"], ["As"])] == ["", "S", "T", "ST"]


def test_the_reason_names_queues_or_instances():
    one, two, big = Instance("all.q", "n1"), Instance("all.q", "n2"), Instance("big.q", "n2")
    assert why_closed([one, two], {one: "d"}) is None
    assert why_closed([], {one: "d"}) is None
    assert why_closed([one, two, big], {one: "d", two: "d", big: "ds"}) == (
        "all.q is disabled; big.q is disabled and suspended"
    )
    assert why_closed([one, two], {one: "d", two: "E"}) == "all.q@n1 is disabled; all.q@n2 is in error state"
