"""The ``status`` area: what users get from one answer of a system."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from in_memory_backend import InMemoryStatus, InMemorySystem, task_row

from gcs_lab.cluster import Cluster
from gcs_lab.errors import CommandFailed, Internal, InvalidArgument, InvalidState, UnknownName
from gcs_lab.status import JobDetails, TaskDetails
from gcs_lab.vocabulary import PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "h"))
    cluster = Cluster(InMemorySystem("memory"))
    _system(cluster).tasks = [
        task_row("1", "ann", "r", host="node1", slots=4, cpu=7.5, start_time=1_700_000_000_000_000),
        task_row("2", "bob", "qw", submission_time=1_700_000_000_000_000, slots=2),
        task_row("3", "bea", "Eqw", posix_priority=-5),
        task_row("7", "bob", "r", tasks="1", task=1, queue="all.q", host="node1", cpu=1.0, array=True),
        task_row("7", "bob", "r", tasks="2", task=2, queue="short.q", host="node2", cpu=2.0),
        task_row("7", "bob", "qw", tasks="3-10:1", task_count=8),
        task_row("9", "ann", "hqw", tasks="1-100:1", task_count=100),
    ]
    for row in _system(cluster).tasks:
        row.pop("array", None)
    _system(cluster).queue_instances = [
        {"queue": "short.q", "host": "node2", "slots_used": 1, "slots_total": 4, "load_avg": 1.0, "state": "d"},
        {"queue": "all.q", "host": "node1", "slots_used": 5, "slots_total": 8, "load_avg": 2.0, "state": ""},
        {"queue": "all.q", "host": "node2", "slots_used": 0, "slots_total": 8, "load_avg": None, "state": "au"},
    ]
    _system(cluster).hosts = [{"host": "node1", "state": ""}, {"host": "node2", "state": "u"}]
    yield cluster
    cluster.close()


def _system(cluster: Cluster) -> InMemoryStatus:
    status = cluster._backend.status
    assert isinstance(status, InMemoryStatus)
    return status


def _ids(frame: pd.DataFrame) -> list[str]:
    return frame["job_id"].tolist()


def test_a_job_is_a_row_and_an_array_job_counts_its_tasks(cluster: Cluster) -> None:
    jobs = cluster.status.jobs().set_index("job_id")
    assert jobs.index.tolist() == ["1", "2", "3", "7", "9"]
    array = jobs.loc["7"]
    assert (array["array"], array["tasks"], array["running"], array["pending"], array["slots"]) == (True, 10, 2, 8, 2)
    assert (array["state"], array["letters"], array["cpu"]) == ("RUNNING", "r", 3.0)
    assert pd.isna(array["queue"]), "its tasks are in several queues"
    assert jobs.loc["9", "array"]
    assert not jobs.loc["1", "array"]
    assert (jobs.loc["2", "slots"], jobs.loc["3", "error"], jobs.loc["9", "held"]) == (2, 1, 100)


def test_columns_have_the_types_that_pandas_users_expect(cluster: Cluster) -> None:
    jobs = cluster.status.jobs()
    assert str(jobs["slots"].dtype) == str(jobs["posix_priority"].dtype) == "Int64"
    assert str(jobs["job_id"].dtype) == "string"
    assert isinstance(jobs["owner"].dtype, pd.CategoricalDtype)
    assert str(jobs["start_time"].dtype) == "datetime64[us, UTC]"
    assert jobs["cpu"].dtype == np.float64
    assert jobs.loc[0, "start_time"] == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
    assert jobs["posix_priority"].isna().sum() == 4
    assert "key" not in jobs


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"owner": "ann"}, ["1", "9"]),
        ({"owner": ["ann", "bea"]}, ["1", "3", "9"]),
        ({"owner": "b*"}, ["2", "3", "7"]),
        ({"owner": "nobody"}, []),
        ({"state": "r"}, ["1", "7"]),
        ({"state": "running"}, ["1", "7"]),
        ({"state": ["hqw", "Eqw"]}, ["3", "9"]),
        ({"state": "QUEUED_HELD"}, ["9"]),
        ({"queue": "short.q"}, ["7"]),
        ({"queue": ["all.q", "short.q"]}, ["1", "7"]),
        ({"queue": "*.q", "owner": "ann"}, ["1"]),
        ({"where": "slots>3 owner:ann"}, ["1"]),
        ({"where": "-owner:bob", "state": "pending"}, ["3", "9"]),
    ],
)
def test_owner_state_queue_and_a_filter_choose_jobs(cluster: Cluster, asked: dict[str, Any], ids: list[str]) -> None:
    assert _ids(cluster.status.jobs(**asked)) == ids


def test_tasks_are_as_the_system_lists_them(cluster: Cluster) -> None:
    assert _ids(cluster.status.tasks()) == ["1", "2", "3", "7", "7", "7", "9"]
    assert cluster.status.tasks(owner="bob", state="r")["tasks"].tolist() == ["1", "2"]
    assert cluster.status.tasks(queue="short.q")["task"].tolist() == [2]
    assert cluster.status.tasks(where="host:node1 cpu>2")["job_id"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"state": "runing"}, "running"),
        ({"state": "r or q"}, r"state='r or q': expected letters"),
        ({"queue": "al.q"}, r"no queue is called 'al\.q'.*Did you mean all\.q"),
        ({"where": "ownr:ann"}, "owner"),
        ({"owner": [3]}, r"owner=\[3\]: expected a name"),
        ({"owner": 3}, r"owner=3: expected a name"),
        ({"owner": ""}, "expected a name"),
    ],
)
def test_a_word_that_says_nothing_is_refused_with_what_was_meant(
    cluster: Cluster, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        cluster.status.jobs(**asked)


def test_queues_are_summed_and_closed_slots_counted(cluster: Cluster) -> None:
    queues = cluster.status.queues().set_index("queue")
    assert queues.index.tolist() == ["all.q", "short.q"]
    all_q, short_q = queues.loc["all.q"], queues.loc["short.q"]
    assert (all_q["instances"], all_q["slots_used"], all_q["slots_total"]) == (2, 5, 16)
    assert (all_q["slots_available"], all_q["slots_closed"], all_q["states"]) == (3, 8, "1 au")
    assert all_q["load_avg"] == 2.0, "of the instances whose load is known"
    assert (short_q["slots_available"], short_q["slots_closed"], short_q["states"]) == (0, 4, "1 d")
    assert len(cluster.status.queue_instances()) == 3
    assert cluster.status.queue_instances("queue:all.q -state:u")["host"].tolist() == ["node1"]
    assert cluster.status.hosts()["host"].tolist() == ["node1", "node2"]


def test_the_overview_says_it_in_a_few_lines(cluster: Cluster) -> None:
    overview = cluster.status.overview()
    assert (overview.slots_used, overview.slots_free, overview.slots_closed, overview.slots_total) == (6, 3, 11, 20)
    assert (overview.hosts_up, overview.hosts_down, overview.jobs) == (1, 1, 5)
    assert overview.tasks == {"running": 3, "suspended": 0, "pending": 9, "held": 100, "error": 1}
    assert [(one.owner, one.slots, one.running, one.waiting) for one in overview.owners] == [
        ("ann", 4, 1, 100),
        ("bob", 2, 2, 9),
        ("bea", 0, 0, 1),
    ]
    assert "6 of 20 used, 3 free, 11 closed" in repr(overview)
    assert "5 with 113 tasks" in repr(overview)
    assert "<td" in overview._repr_html_()


def test_an_empty_cluster_has_empty_tables_of_the_same_types(cluster: Cluster) -> None:
    full = cluster.status.jobs().dtypes.astype(str).to_dict()
    system = _system(cluster)
    system.tasks, system.queue_instances, system.hosts = [], [], []
    jobs = cluster.status.jobs(state="r", queue="*")
    assert len(jobs) == 0
    assert jobs.dtypes.astype(str).to_dict() == full
    assert cluster.status.overview().slots_total == len(cluster.status.queues()) == 0


def test_rows_in_several_chunks_are_one_table(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    import pyarrow as pa

    whole = _system(cluster).poll()
    parts = [whole.tasks.slice(start, 2) for start in range(0, 7, 2)]
    names = [part.schema.names.index("owner") for part in parts]
    apart = [
        part.set_column(
            at,
            part.schema.field(at),
            pa.chunked_array([part["owner"].combine_chunks().dictionary_decode().dictionary_encode()]),
        )
        for part, at in zip(parts, names, strict=True)
    ]
    chunked = dataclasses.replace(whole, tasks=pa.concat_tables(apart))
    expected = cluster.status.jobs()
    monkeypatch.setattr(_system(cluster), "poll", lambda: chunked)
    pd.testing.assert_frame_equal(cluster.status.jobs(), expected, check_categorical=False)


def test_why_and_details_know_jobs_by_id_and_by_handle(cluster: Cluster) -> None:
    jobs = cluster._backend.jobs
    job = cluster.jobs.run("/bin/true")
    reason = PendingReason(ReasonKind.HOLD, "held by its user")
    jobs.reasons[job.id] = [reason]
    assert cluster.status.why(job) == cluster.status.why(job.id) == [reason]
    with pytest.raises(UnknownName, match="no job that has not ended is called '77'"):
        cluster.status.why("77")
    task = TaskDetails(3, "r", "all.q", "node1", usage={"cpu": 2.0, "max_vmem": 3 << 20})
    told = JobDetails(
        "7", "fit", "bob", {"job_number": "7", "owner": "bob <b>"}, requests={"h_rt": "60"}, tasks=(task,)
    )
    _system(cluster).details = {"7": told}
    assert cluster.status.details("7.3") is told
    assert "task 3:" in repr(told)
    assert "all.q@node1 cpu 2.0 s, max_vmem 3.0 MiB" in repr(told)
    assert "h_rt=60" in repr(told)
    assert "bob &lt;b&gt;" in told._repr_html_()
    with pytest.raises(UnknownName, match="'8'"):
        cluster.status.details(8)
    with pytest.raises(InvalidArgument, match="no job"):
        cluster.status.details(None)


def test_quotas_groups_and_complexes_are_frames(cluster: Cluster) -> None:
    _system(cluster).quota_rows = [{"quota": "perhost", "rule": "1", "resource": "slots", "used": 2.0, "limit": 4.0}]
    assert cluster.status.quota()["limit"].tolist() == [4.0]
    assert cluster.status.host_groups()["host"].tolist() == ["node1"]
    assert cluster.status.complexes()["name"].tolist() == ["h_rt"]


def test_each_call_asks_anew_unless_it_is_given_an_answer_and_starts_no_thread(cluster: Cluster) -> None:
    threads = threading.active_count()
    snapshot = cluster.status.snapshot()
    asked = _system(cluster).polls
    assert cluster.status is cluster.status
    _system(cluster).tasks.clear()
    assert len(cluster.status.jobs(snapshot=snapshot)) == 5
    assert _system(cluster).polls == asked
    assert len(cluster.status.jobs()) == 0
    assert _system(cluster).polls == asked + 1
    assert threading.active_count() == threads


def test_a_system_that_fails_or_answers_rubbish_is_a_plain_error(cluster: Cluster) -> None:
    _system(cluster).fault = CommandFailed(["qstat"], 1, "no answer")
    with pytest.raises(CommandFailed, match="no answer"):
        cluster.status.jobs()
    _system(cluster).fault = KeyError("job_list")
    with pytest.raises(Internal, match=r"could not be understood \(KeyError: 'job_list'\)"):
        cluster.status.jobs()
    assert cluster.status.poller.health.error
    _system(cluster).fault = None
    assert len(cluster.status.jobs()) == 5
    assert not cluster.status.poller.health.error


def test_a_closed_cluster_says_so(cluster: Cluster) -> None:
    status = cluster.status
    cluster.close()
    with pytest.raises(InvalidState, match=r"gcs_lab\.connect\(\)"):
        status.jobs()
