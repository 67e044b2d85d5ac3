"""What a command is told when an array job, or very many of its tasks, are controlled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from gcs_lab.backends.gridengine import control
from gcs_lab.backends.gridengine.commands import Answer
from gcs_lab.backends.gridengine.control import Orders
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.sge_cell import SgeCell
from gcs_lab.backends.gridengine.state_codes import StateCodes
from gcs_lab.backends.gridengine.task_ranges import parse_ranges
from gcs_lab.errors import CommandFailed
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import JobState, JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from gcs_lab.cluster import Cluster

QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}


def orders_for(action: JobAction, states: dict[str, str]) -> list[str]:
    """Return the words of the commands for `action` on the whole of array 5, whose `states` are by ranges."""
    codes = StateCodes(TaskRange(1, 300))
    for tasks, letters in states.items():
        for some in parse_ranges(tasks):
            codes.put(some, codes.code(job_state(letters), letters))
    orders = Orders(action)
    orders.add_array("5", codes)
    return [word for word, _ in orders.words] + [f"qrls {word}" for word in orders.spared]


def test_a_whole_array_is_one_word_where_that_means_the_same() -> None:
    scattered = ",".join(str(index) for index in range(1, 300) if index % 7 in {1, 2, 4})
    rest = ",".join(str(index) for index in range(1, 301) if index % 7 not in {1, 2, 4})
    assert orders_for(JobAction.RELEASE, {scattered: "hqw", rest: "r"}) == ["5"]
    assert orders_for(JobAction.RESUME, {scattered: "s", rest: "qw"}) == ["5"]
    assert orders_for(JobAction.SUSPEND, {scattered: "r", rest: "s"}) == ["5"]
    assert orders_for(JobAction.HOLD, {scattered: "qw", rest: "hqw"}) == ["5"]
    assert orders_for(JobAction.TERMINATE, {scattered: "qw", rest: "r"}) == ["5"]


def test_tasks_that_would_suffer_are_left_out_or_let_go_again() -> None:
    scattered = ",".join(str(index) for index in range(10, 300) if index % 7 in {1, 2, 4})
    assert orders_for(JobAction.SUSPEND, {"1-8": "r", "9-300": "S"}) == ["5.1-8:1"]
    assert orders_for(JobAction.HOLD, {"1-8": "r", "9-300": "qw"}) == ["5.9-300:1"]
    assert orders_for(JobAction.HOLD, {"1-4": "r", "5-6": "hr", "7": "Eqw", "8-300": "hqw", scattered: "qw"}) == [
        "5", "qrls 5.1-4:1", "qrls 5.7",
    ]  # fmt: skip


def test_tasks_that_a_dead_cell_did_not_hear_of_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = StateCodes(TaskRange(1, 1000))
    codes.put(range(1, 1001), codes.code(JobState.QUEUED, "qw"))
    orders = Orders(JobAction.HOLD)
    orders.add_tasks("5", [index for index in range(1, 1001) if index % 7 in {1, 2, 4}], codes)
    words = len(orders.words)
    asked = []

    def answer(_: SgeCell, argv: list[str]) -> Answer:
        asked.append(argv)
        if len(asked) > 1:
            raise CommandFailed(argv, None, "no answer")
        return Answer(argv, 0, b"", "")

    monkeypatch.setattr(control, "run_command", answer)
    cell = SgeCell(tmp_path, "default", tmp_path, "lx-amd64", 1, 2)
    orders.run(cell)
    told = {job_id for _, ids in orders.words[100:] for job_id in ids}
    assert words > 100
    assert orders.failures.keys() == told
    with pytest.raises(CommandFailed):
        orders.run(cell)


@pytest.mark.gridengine
def test_holding_a_whole_array_in_pieces_leaves_its_running_tasks_alone(cluster: Cluster) -> None:
    jobs = cluster.jobs.backend
    array_id = jobs.submit_array(
        JobTemplate(remote_command="sleep", args=["100"], submit_as_hold=True, **QUIET), TaskRange(1, 2000)
    )
    pieces = [index for index in range(1, 600) if index % 7 in {1, 2, 4}]
    assert jobs.control(JobAction.RELEASE, [f"{array_id}.{index}" for index in pieces]) == {}

    def counts() -> Counter[JobState]:
        return jobs.array_status([array_id])[array_id].counts()

    wait_for(lambda: counts()[JobState.RUNNING] >= 4, "the start of some")
    assert jobs.control(JobAction.HOLD, [array_id]) == {}
    held = jobs.array_status([array_id])[array_id]
    assert held.counts().keys() == {JobState.RUNNING, JobState.QUEUED_HELD}
    assert {letters for state, letters in held.palette if state is JobState.RUNNING} <= {"r", "t"}
    assert jobs.control(JobAction.RELEASE, [array_id]) == {}
    assert not counts()[JobState.QUEUED_HELD]
    assert jobs.control(JobAction.TERMINATE, [array_id]) == {}
    wait_for(lambda: jobs.array_status([array_id])[array_id].terminated, "the tasks' end")
