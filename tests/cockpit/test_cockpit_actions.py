"""Actions of the cockpit: counted and named before, done with one command, told by job after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cockpit_lab import ME
from in_memory_backend import task_row

from gcs_lab.cockpit import messages
from gcs_lab.errors import DrmCommunication, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from cockpit_lab import Lab, Page


def of(*names: str) -> list[dict[str, Any]]:
    """``"7.1"`` is a task."""
    parts = [name.partition(".") for name in names]
    return [{"job_id": job, "task": int(task) if task else None} for job, _, task in parts]


def plan(page: Page, action: str, targets: Any, **fields: str) -> dict[str, Any]:
    return page.ask("plan", action=action, targets=targets, fields=fields)


def act(page: Page, action: str, targets: Any, **fields: str) -> dict[str, Any]:
    return page.ask("act", "acted", action=action, targets=targets, fields=fields)


@pytest.fixture
def page(lab: Lab) -> Page:
    lab.system.jobs.states = dict.fromkeys("1234567", JobState.RUNNING)
    return lab.page()


def test_a_plan_counts_jobs_and_tasks_and_names_the_owner(page, lab):
    told = plan(page, "cancel", of("1", "4", "7"))
    assert told["question"] == f"Cancel 3 jobs with 11 tasks (2 running) of {ME}?"
    assert (told["jobs"], told["tasks"], told["refused"], told["error"]) == (3, 11, [], "")
    assert plan(page, "cancel", of("1"))["question"] == f"Cancel job 1 of {ME}?"
    assert plan(page, "cancel", of("7.1"))["question"] == f"Cancel task 7.1 of {ME}?"
    assert plan(page, "priority", of("4"), priority="-5")["question"] == f"Change the priority of job 4 of {ME}?"
    assert lab.system.jobs.controlled == []


def test_a_job_that_is_meant_with_its_tasks_is_meant_once(page):
    told = plan(page, "cancel", of("7.1", "7", "7", "7.2"))
    assert (told["jobs"], told["tasks"]) == (1, 9)


def test_what_the_state_does_not_allow_is_refused_with_the_reason(page):
    told = plan(page, "suspend", of("1", "4", "5", "99", "7.3", "7.1", "7.77"))
    assert told["question"] == f"Suspend 2 jobs with 2 tasks of {ME}?"
    assert dict(map(tuple, told["refused"])) == {
        "4": "it does not run",
        "5": "it does not run",
        "99": "it is not in the queue any more",
        "7.3": "it does not run",
        "7.77": "it is not in the queue any more",
    }
    assert dict(map(tuple, plan(page, "release", of("5", "4"))["refused"])) == {"4": "it is not held"}


def test_jobs_of_others_are_refused_but_for_an_operator(page, lab):
    told = plan(page, "cancel", of("2", "1"))
    assert [name for name, _ in told["refused"]] == ["2"]
    assert "bob" in told["refused"][0][1]
    lab.status.operator = True
    other = lab.page()
    other.wait(lambda m: m["kind"] == "renewed" and m.get("operator") is True)
    assert plan(other, "cancel", of("2", "3", "1"))["question"] == f"Cancel 3 jobs of bob, eve, {ME}?"


def test_all_that_the_filter_lets_through_is_what_was_counted(page, lab):
    page.say("filter", text="state:qw,hqw", mine=True)
    told = plan(page, "cancel", "matching")
    assert (told["jobs"], told["tasks"]) == (3, 11)
    # What comes after the question was asked is not meant.
    lab.status.tasks.append(task_row("8", ME, "qw"))
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 8)
    done = act(page, "cancel", "matching")
    assert (done["done"], done["failures"], done["error"]) == (3, [], "")
    assert lab.system.jobs.controlled == [(JobAction.TERMINATE, ["4", "5", "7"])]


def test_too_many_are_refused_before_anything_is_sent(page, monkeypatch):
    monkeypatch.setattr("gcs_lab.cockpit.action_plan.MOST_TARGETS", 3)
    assert messages.MOST_TARGETS == 10_000
    told = plan(page, "cancel", "matching")
    assert told["kind"] == "trouble"
    assert "3 at the most" in told["message"]


def test_nothing_is_done_without_the_plan_of_the_same(page, lab):
    assert "has to be shown first" in act(page, "cancel", of("1"))["message"]
    plan(page, "cancel", of("1"))
    assert "has to be shown first" in act(page, "cancel", of("1", "4"))["message"]
    plan(page, "priority", of("4"), priority="-5")
    assert "has to be shown first" in act(page, "priority", of("4"), priority="-6")["message"]
    plan(page, "cancel", of("1"))
    assert act(page, "cancel", of("1"))["done"] == 1
    assert "has to be shown first" in act(page, "cancel", of("1"))["message"]
    assert lab.system.jobs.controlled == [(JobAction.TERMINATE, ["1"])]


def test_what_fails_is_told_by_job_with_the_systems_words_and_the_rest_is_done(page, lab):
    del lab.system.jobs.states["5"]
    targets = of("1", "5", "7.1")
    plan(page, "cancel", targets)
    asked = lab.status.polls
    done = act(page, "cancel", targets)
    assert done["done"] == 3 - len(done["failures"])
    assert dict(map(tuple, done["failures"]))["5"]
    lab.cluster.status.poller.fresh()
    assert lab.status.polls > asked


def test_a_system_that_cannot_be_reached_is_told_as_error(page, lab, monkeypatch):
    def fail(*_: object) -> None:
        raise DrmCommunication("the qmaster does not answer")

    monkeypatch.setattr(lab.system.jobs, "control", fail)
    plan(page, "cancel", of("1"))
    done = act(page, "cancel", of("1"))
    assert (done["done"], done["error"]) == (0, "the qmaster does not answer")


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ("hold", "HOLD"),
        ("release", "RELEASE"),
        ("suspend", "SUSPEND"),
        ("clear_error", "CLEAR_ERROR"),
        ("requeue", "REQUEUE"),
    ],
)
def test_each_action_is_one_command_of_the_jobs_area(lab, action, word):
    lab.status.operator = True
    lab.status.tasks.append(task_row("8", ME, "s"))
    lab.system.jobs.states = dict.fromkeys("12345678", JobState.RUNNING)
    page = lab.page()
    job = {"hold": "4", "release": "5", "suspend": "1", "clear_error": "6", "requeue": "1"}[action]
    assert plan(page, action, of(job))["jobs"] == 1
    act(page, action, of(job))
    assert lab.system.jobs.controlled[-1] == (JobAction[word], [job])


def test_altering_sets_and_takes_away_and_leaves_the_rest(page, lab):
    lab.cluster.jobs.check_names = lambda *_, **__: None  # type: ignore[method-assign]
    fields = {"name": " fit ", "requests": "h_rt=2:00:00,-h_vmem", "queues": "all.q, short.q"}
    assert plan(page, "alter", of("4"), **fields)["error"] == ""
    assert act(page, "alter", of("4"), **fields)["done"] == 1
    changes, ids = lab.system.jobs.altered[-1]
    assert ids == ["4"]
    assert (changes.name, changes.priority, list(changes.queues)) == ("fit", None, ["all.q", "short.q"])
    assert changes.requests == {"h_rt": "2:00:00", "h_vmem": None}


def test_a_priority_is_set(page, lab):
    plan(page, "priority", of("4"), priority="-100")
    act(page, "priority", of("4"), priority="-100")
    assert lab.system.jobs.altered[-1][0].priority == -100


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("priority", {}, "expected a whole number"),
        ("priority", {"priority": "high"}, "expected a whole number"),
        ("priority", {"priority": "5"}, "only an operator"),
        ("priority", {"priority": "-2000"}, "-1023"),
        ("alter", {}, "nothing is to be changed"),
        ("alter", {"requests": "h_rt"}, ""),
        ("alter", {"requests": "h_rt=1,5G"}, "not a request"),
        ("alter", {"requests": "-h_vmem=4G"}, "taken away"),
        ("cancel", {"priority": "5"}, "no field"),
    ],
)
def test_fields_that_say_nothing_are_told_with_the_plan_and_nothing_is_done(page, lab, action, fields, said):
    told = plan(page, action, of("4"), **fields)
    assert said in told["error"]
    assert bool(told["error"]) == bool(said)
    if said:
        assert act(page, action, of("4"), **fields)["message"] == told["error"]
        assert (lab.system.jobs.controlled, lab.system.jobs.altered) == ([], [])


def test_an_action_that_there_is_not_is_refused(page):
    assert "no action is called 'eat'" in plan(page, "eat", of("1"))["message"]


def test_many_refusals_are_told_shortly(page, lab):
    lab.status.tasks = [task_row(str(n), "bob", "r") for n in range(1, 301)]
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 300)
    told = plan(page, "cancel", "matching")
    assert len(told["refused"]) == 201
    assert told["refused"][-1] == ["…", "and 100 more"]
    assert told["question"] == ""


def test_an_operator_that_the_system_does_not_tell_is_none(lab, monkeypatch):
    def fail() -> bool:
        raise InvalidState("it does not tell")

    monkeypatch.setattr(lab.status, "is_operator", fail)
    page = lab.page()
    assert [name for name, _ in plan(page, "cancel", of("2"))["refused"]] == ["2"]
