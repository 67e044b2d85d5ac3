"""The face of a whole cluster, fed by a stand-in for the poller; test_cluster_model_live.py has a real one."""

from __future__ import annotations

import gc
import threading
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from status.made_jobs import NOW, tasks_table
from traitlets import link

from gcs_lab.errors import Timeout
from gcs_lab.models import ClusterModel, JobModel
from gcs_lab.status.difference import changes_between
from gcs_lab.status.job_rows import jobs_of
from gcs_lab.status.keys import named_keys
from gcs_lab.status.queue_rows import queues_of
from gcs_lab.status.snapshot import Changes, Health, Snapshot, Update
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Callable


class _Poller:
    """Tells its listeners what a test gives it, in a thread of its own."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Update], None]] = []
        self.snapshot: Snapshot | None = None

    def follow(self, listener: Callable[[Update], None]) -> Any:
        self.listeners.append(listener)
        return SimpleNamespace(close=lambda: self.listeners.remove(listener), looked_at=True)

    def tell(self, snapshot: Snapshot | None, health: Health | None = None) -> None:
        changes = Changes() if snapshot is None or snapshot is self.snapshot else None
        if changes is None and self.snapshot is not None and snapshot is not None:
            changes = changes_between(self.snapshot, snapshot)
        self.snapshot = snapshot or self.snapshot
        update = Update(self.snapshot, changes, health or Health())
        thread = threading.Thread(
            target=lambda: [listener(update) for listener in list(self.listeners)], name="poller"
        )
        thread.start()
        thread.join()


def _table(name: str, rows: list[dict[str, Any]], *names: str) -> pa.Table:
    wanted = schema(name)
    keys = named_keys(*(pa.array([row[column] for row in rows]) for column in names))
    return pa.Table.from_pylist(
        [{**row, "key": key.as_py()} for row, key in zip(rows, keys, strict=True)], schema=wanted
    )


INSTANCES = [
    {
        "queue": "all.q",
        "host": "n1",
        "slots_used": 3,
        "slots_reserved": 0,
        "slots_total": 4,
        "load_avg": 1.5,
        "state": "",
    },
    {
        "queue": "all.q",
        "host": "n2",
        "slots_used": 0,
        "slots_reserved": 0,
        "slots_total": 4,
        "load_avg": None,
        "state": "au",
    },
]
HOSTS = [
    {
        "host": "n1",
        "cores": 8,
        "load_avg": 1.5,
        "memory_total": 2**33,
        "slots_used": 3,
        "slots_total": 4,
        "state": "",
    },
    {"host": "n2", "slots_used": 0, "slots_total": 4, "state": "u"},
]
JOBS: list[dict[str, Any]] = [
    {"job_id": "1", "name": "fit", "owner": "alice", "letters": "r", "slots": 2, "queue": "all.q", "host": "n1",
     "submission_time": NOW - 60, "start_time": NOW - 30, "cpu": 20.0, "priority": 0.5},
    {"job_id": "2", "owner": "bob", "letters": "r", "task": 1, "queue": "all.q", "host": "n1"},
    {"job_id": "2", "owner": "bob", "letters": "qw", "tasks": "2-5:1", "task_count": 4},
    {"job_id": "3", "owner": "bob", "letters": "Eqw"},
]  # fmt: skip


def _snapshot(
    sequence: int, jobs: list[dict[str, Any]] = JOBS, instances: list[dict[str, Any]] = INSTANCES
) -> Snapshot:
    tasks = tasks_table(jobs)
    queue_instances = _table("queue_instances", instances, "queue", "host")
    return Snapshot("demo", sequence, NOW + sequence, 0.1, tasks, jobs_of(tasks), queue_instances,
                    queues_of(queue_instances), _table("hosts", HOSTS, "host"))  # fmt: skip


def _cluster(poller: Any) -> Any:
    return SimpleNamespace(name="demo", system="Grid Engine 8.1.9", status=SimpleNamespace(poller=poller))


def test_the_traits_say_what_the_cluster_does() -> None:
    poller = _Poller()
    with ClusterModel(_cluster(poller)) as model:
        assert (model.cluster, model.time, model.sequence) == ("demo", 0.0, 0)
        poller.tell(_snapshot(1), Health(interval=2.0, polls=3, commands=9, note="nothing is recorded"))
        assert (model.time, model.sequence, model.interval, model.polls, model.commands) == (NOW + 1, 1, 2.0, 3, 9)
        assert (model.slots_used, model.slots_free, model.slots_closed, model.slots_total) == (3, 1, 4, 8)
        assert (model.hosts_up, model.hosts_down, model.job_count) == (1, 1, 3)
        assert model.tasks_by_state == {"RUNNING": 2, "QUEUED": 4, "ERROR": 1}
        assert model.owners == [
            {"owner": "alice", "slots": 2, "running": 1, "waiting": 0},
            {"owner": "bob", "slots": 1, "running": 1, "waiting": 5},
        ]
        assert model.jobs.window(0, 9, ["job_id"]).rows == [["1"], ["2"], ["3"]]
        assert model.hosts.window(0, 9, ["host", "slots"]).rows == [["n1", [3, 4]], ["n2", [0, 4]]]
        assert (model.queues.total, model.queue_instances.total) == (1, 2)
    assert poller.listeners == []
    poller.tell(_snapshot(2))
    assert model.sequence == 1
    model.close()


def test_whoever_waits_is_told_why_there_is_nothing() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    poller.tell(None, Health(error="qmaster does not answer."))
    with pytest.raises(Timeout, match=r"demo did not tell its status in 0 s\. qmaster does not answer\."):
        model.wait(0)
    poller.tell(_snapshot(1))
    assert model.wait(0).sequence == 1
    model.close()


def test_observers_see_all_of_one_snapshot_in_the_pollers_thread() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    seen: list[Any] = []
    model.observe(lambda change: seen.append((model.sequence, model.time - NOW, threading.current_thread().name)))
    events: list[Any] = []
    model.jobs.on_change(lambda event: events.append((event.kind, [row["job_id"] for row in event.rows()])))
    for sequence in (1, 2):
        poller.tell(_snapshot(sequence))
    assert {(1, 1.0, "poller"), (2, 2.0, "poller")} == set(seen)
    assert events == []
    poller.tell(_snapshot(3, [{**JOBS[0], "letters": "s"}, *JOBS[3:], {"job_id": "4", "letters": "qw"}]))
    assert events == [("added", ["4"]), ("changed", ["1"]), ("removed", ["2"])]
    model.close()


def test_a_job_is_followed_until_it_has_left_the_queue() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    job, unknown = model.job("1"), model.job("99")
    assert isinstance(job, JobModel)
    assert model.job("1") is job
    poller.tell(_snapshot(1))
    assert (job.name, job.owner, job.state, job.sub_state, job.queue, job.host, job.slots) == (
        "fit", "alice", "RUNNING", "r", "all.q", "n1", 2)  # fmt: skip
    assert (job.submitted, job.started, job.cpu, job.priority, job.tasks, job.counts) == (
        NOW - 60, NOW - 30, 20.0, 0.5, 1, {})  # fmt: skip
    array = model.job("2")
    assert (array.is_array, array.tasks) == (True, 5)
    assert array.counts == {"running": 1, "suspended": 0, "pending": 4, "held": 0, "error": 0}
    poller.tell(_snapshot(2, JOBS[1:]))
    assert (job.ended, job.finished, job.state) == (True, NOW + 2, "RUNNING")
    poller.tell(_snapshot(3))
    assert (job.ended, job.finished) == (False, 0.0)
    assert (unknown.state, unknown.ended) == ("UNDETERMINED", False)
    model.close()


def test_queues_and_hosts_are_followed() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    poller.tell(_snapshot(1))
    queue, host, down, unknown = model.queue("all.q"), model.host("n1"), model.host("n2"), model.queue("no.q")
    assert (queue.exists, queue.slots_used, queue.slots_total, queue.slots_closed, queue.states) == (
        True,
        3,
        8,
        4,
        "1 au",
    )
    assert (queue.load_avg, queue.instances, unknown.exists) == (1.5, 2, False)
    assert (host.is_up, host.cores, host.memory_total, host.memory_used, host.load_avg) == (True, 8, 2**33, -1, 1.5)
    assert (down.is_up, down.exists, down.state, down.load_avg) == (False, True, "u", -1.0)
    used: list[int] = []
    queue.observe(lambda change: used.append(change.new), "slots_used")
    poller.tell(_snapshot(2, instances=[{**INSTANCES[0], "slots_used": 4}, INSTANCES[1]]))
    poller.tell(_snapshot(3, instances=[{**INSTANCES[0], "queue": "new.q"}]))
    assert used == [4]
    assert not queue.exists
    model.close()


def test_a_cluster_that_does_not_answer_is_said_everywhere() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    poller.tell(_snapshot(1))
    job, version = model.job("1"), model.jobs.version
    poller.tell(None, Health(stale_since=NOW, error="qmaster does not answer"))
    assert (model.stale_since, model.error, job.stale_since) == (NOW, "qmaster does not answer", NOW)
    assert model.host("n1").stale_since == NOW
    assert (model.jobs.version, model.slots_used) == (version, 3)
    poller.tell(_snapshot(2))
    assert (model.stale_since, model.error, job.stale_since) == (0.0, "", 0.0)
    model.close()


def test_traits_link_to_anything_that_has_traits() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    card = JobModel()
    linked = link((model, "slots_used"), (card, "slots"))
    poller.tell(_snapshot(1))
    assert card.slots == 3
    linked.unlink()
    model.close()


def test_models_that_nobody_holds_are_let_go() -> None:
    poller = _Poller()
    model = ClusterModel(_cluster(poller))
    poller.tell(_snapshot(1))
    job = weakref.ref(model.job("1"))
    gc.collect()
    assert job() is None
    poller.tell(_snapshot(2))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert poller.listeners == []
