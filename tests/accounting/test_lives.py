"""Lives of jobs: one row from pending to ended, whatever is told twice, late, or not yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from in_memory_backend import task_row

from gcs_lab.accounting.lives import COLUMNS, GRACE, Lives, lives
from gcs_lab.accounting.tables import record_schema
from gcs_lab.status.tables import schema

#: Moments in seconds since the epoch.
T0 = 1_795_000_000


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(T0 + seconds, UTC)


def record(job_id: str, start: float | None, end: float, *, submitted: float = 0.0, **others: Any) -> dict[str, Any]:
    row = {"job_id": job_id, "owner": "ann", "name": f"job{job_id}", "failed": 0, "exit_status": 0, "slots": 1}
    times = {"submission_time": moment(submitted), "start_time": moment(start), "end_time": moment(end)}
    return row | times | {"wallclock": 0.0 if start is None else end - start, "cpu": 1.0} | others


def records(*rows: dict[str, Any]) -> pl.LazyFrame:
    wanted = record_schema()
    return pl.DataFrame(list(rows), schema=wanted).lazy()


def tasks(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema("tasks"))


def live(
    job_id: str, letters: str, *, submitted: float | None = 0.0, start: float | None = None, **others: Any
) -> Any:
    return task_row(job_id, letters=letters, submission_time=moment(submitted), start_time=moment(start), **others)


def of(frame: pl.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return frame.select(
        pl.col(names).cast(pl.String) if "state" in names and len(names) == 1 else pl.col(names)
    ).rows()


def test_pending_running_and_ended_stand_in_one_table_with_the_documented_columns() -> None:
    found = lives(
        records(record("1", 5, 65), record("2", 5, 15, exit_status=3)),
        tasks(live("3", "r", start=50), live("4", "qw", submitted=90), live("5", "hqw", submitted=95)),
        now=T0 + 100.0,
    )
    assert found.columns == list(COLUMNS)
    assert of(found, "job_id", "state", "outcome", "wait", "wallclock", "attempts") == [
        ("1", "ended", "done", 5.0, 60.0, 1),
        ("2", "ended", "failed", 5.0, 10.0, 1),
        ("3", "running", None, 50.0, 50.0, 1),
        ("4", "pending", None, 10.0, None, 0),
        ("5", "held", None, 5.0, None, 0),
    ]


def test_without_a_live_table_there_is_what_was_recorded() -> None:
    assert of(lives(records(record("1", 5, 65))), "job_id", "state") == [("1", "ended")]


def test_nothing_at_all_is_an_empty_table() -> None:
    found = lives(records(), tasks())
    assert (len(found), found.columns) == (0, list(COLUMNS))


def test_several_attempts_are_one_row_with_the_time_that_was_lost() -> None:
    found = lives(records(record("1", 30, 50), record("1", 5, 15, failed=25, exit_status=99)))
    assert of(found, "attempts", "wallclock", "repeated", "wait", "outcome") == [(2, 20.0, 10.0, 5.0, "done")]
    assert found["start_time"].to_list() == [moment(30)]


def test_a_task_that_runs_again_is_one_row_that_counts_its_earlier_attempt() -> None:
    found = lives(
        records(record("1", 5, 15, task=3, failed=25)),
        tasks(live("1", "r", start=20, task=3, tasks="3"), live("1", "qw", tasks="4-9:1", task_count=6)),
        now=T0 + 30.0,
    )
    assert of(found, "task", "tasks", "state", "attempts", "repeated", "wait") == [
        (3, None, "running", 2, 10.0, 5.0),
        (None, "4-9:1", "pending", 0, 0.0, 30.0),
    ]


def test_a_running_job_whose_submission_is_not_told_gets_it_from_its_earlier_record() -> None:
    found = lives(
        records(record("1", 5, 15, failed=25)), tasks(live("1", "r", submitted=None, start=20)), now=T0 + 30
    )
    assert of(found, "submission_time", "attempts") == [(moment(0), 2)]


def test_a_job_that_ended_after_the_look_is_told_once_as_ended() -> None:
    running, waiting = live("1", "r", start=10), live("2", "qw")
    found = lives(records(record("1", 10, 40), record("2", 31, 32)), tasks(running, waiting))
    assert of(found, "job_id", "state") == [("1", "ended"), ("2", "ended")]


def test_a_record_of_the_same_run_beats_the_live_row_whatever_the_clocks_say() -> None:
    found = lives(records(record("1", 10, 40)), tasks(live("1", "r", start=10.6)))
    assert of(found, "state", "attempts") == [("ended", 1)]


def test_a_job_in_error_that_could_not_start_goes_on_waiting() -> None:
    failed = record("1", None, 20, failed=26, exit_status=1)
    found = lives(records(failed), tasks(live("1", "Eqw")), now=T0 + 30.0)
    assert of(found, "state", "outcome", "attempts") == [("error", None, 0)]


def test_a_job_number_that_was_used_before_is_another_job() -> None:
    old = record("1", -900, -800, submitted=-1000)
    found = lives(records(old), tasks(live("1", "r", start=5)))
    assert of(found, "state", "attempts") == [("ended", 1), ("running", 1)]


def test_the_time_of_submission_is_set_anew_when_a_job_goes_back_into_the_queue() -> None:
    """As 8.1.9 writes it; and a run that qmod -rj took away has no time at all."""
    taken_away = record("1", None, 0, failed=25) | {"submission_time": None, "end_time": None, "wallclock": 0.0}
    first, last = record("1", 5, 15, failed=25, exit_status=99), record("1", 32, 40, submitted=31)
    found = lives(records(first, taken_away, last))
    assert of(found, "attempts", "submission_time", "wait", "repeated", "outcome") == [
        (3, moment(0), 5.0, 10.0, "done")
    ]
    requeued = live("1", "r", submitted=15, start=50)
    found = lives(records(first), tasks(requeued), now=T0 + 60.0)
    assert of(found, "submission_time", "state", "attempts", "wait") == [(moment(0), "running", 2, 5.0)]


def test_the_last_run_of_a_job_that_was_run_again_is_not_doubled_by_a_row_that_is_a_moment_old() -> None:
    first, last = record("1", 5, 15, failed=25, exit_status=99), record("1", 32, 40, submitted=15)
    found = lives(records(first, last), tasks(live("1", "r", submitted=15, start=32)))
    assert of(found, "state", "attempts") == [("ended", 2)]


def test_a_live_row_that_shows_the_run_that_was_recorded_meanwhile_counts_it_once() -> None:
    found = lives(records(record("1", 10, 40, failed=25)), tasks(live("1", "r", start=10)))
    assert of(found, "state", "attempts", "repeated") == [("running", 1, 0.0)]


def test_processes_of_a_parallel_job_add_their_cpu_time_to_it() -> None:
    found = lives(records(record("1", 5, 65, slots=4), record("1", 5, 65, pe_task="1.node2", cpu=7.0)))
    assert of(found, "job_id", "cpu") == [("1", 8.0)]


class Clock:
    def __init__(self) -> None:
        self.now = T0 + 100.0

    def __call__(self) -> float:
        return self.now


def test_a_job_between_queue_and_record_is_neither_lost_nor_doubled() -> None:
    clock = Clock()
    follower = Lives(clock)
    ran = live("1", "r", start=50)
    assert of(follower.look(records(), tasks(ran), clock.now), "state") == [("running",)]
    clock.now += 10
    gone = follower.look(records(), tasks(), clock.now)
    assert of(gone, "job_id", "state", "outcome", "wallclock") == [("1", "ended", "awaiting accounting", 60.0)]
    clock.now += GRACE + 1
    assert of(follower.look(records(), tasks(), clock.now), "outcome", "wallclock") == [("no record", 60.0)]
    told = follower.look(records(record("1", 50, 108)), tasks(), clock.now)
    assert of(told, "job_id", "outcome", "wallclock") == [("1", "done", 58.0)]
    # Looked at without its record once more (another period was asked for): it is not awaited again.
    assert len(follower.look(records(), tasks(), clock.now)) == 0


def test_a_choice_narrows_live_rows_and_those_that_are_awaited() -> None:
    clock = Clock()
    follower = Lives(clock)
    rows = [live("1", "r", start=50), live("2", "r", start=50, owner="bob", requests="h_rt=600")]
    by_bob, asked = pl.col("owner") == "bob", pl.col("category").str.contains("h_rt")
    for test in (by_bob, asked, pl.col("exit_status").is_null() & by_bob):
        assert of(follower.look(records(), tasks(*rows), clock.now, chosen=test), "job_id") == [("2",)]
    found = follower.look(records(), tasks(), clock.now + 1, chosen=by_bob)
    assert of(found, "job_id", "outcome") == [("2", "awaiting accounting")]


def test_what_has_a_record_outside_of_the_period_is_not_awaited() -> None:
    clock = Clock()
    follower = Lives(clock)
    follower.look(records(), tasks(live("1", "r", start=50)), clock.now)
    assert len(follower.look(records(), tasks(), clock.now, everything=records(record("1", 50, 99)))) == 0


def test_the_record_of_an_earlier_attempt_is_no_record_of_the_one_that_was_seen() -> None:
    clock = Clock()
    follower = Lives(clock)
    earlier = record("1", 10, 20, failed=25)
    follower.look(records(earlier), tasks(live("1", "r", start=50)), clock.now)
    found = follower.look(records(earlier), tasks(), clock.now + 5)
    assert set(found["outcome"].cast(pl.String)) == {"failed", "awaiting accounting"}


@pytest.mark.parametrize("lag", [0.0, 2.0, 30.0])
def test_a_record_that_ends_the_job_is_its_record_however_long_it_was_listed_after_that(lag: float) -> None:
    # Grid Engine writes whole seconds, and an `exit 0` begins and ends within one: it was seen running after its end.
    clock = Clock()
    follower = Lives(clock)
    first, last = record("1", 90, 91, submitted=80, failed=25), record("1", 95, 95, submitted=92)
    clock.now = T0 + 95.0 + lag
    follower.look(records(first), tasks(live("1", "r", submitted=92, start=95)), clock.now)
    found = follower.look(records(first, last), tasks(), clock.now + 1)
    assert of(found, "outcome", "attempts") == [("done", 2)]


def test_tasks_that_ran_between_two_looks_are_awaited_one_by_one() -> None:
    clock = Clock()
    follower = Lives(clock)
    follower.look(records(), tasks(live("1", "qw", tasks="1-6:1", task_count=6)), clock.now)
    later = tasks(live("1", "r", start=101, task=3, tasks="3"), live("1", "qw", tasks="4-6:1", task_count=3))
    found = follower.look(records(record("1", 100, 101, task=1)), later, clock.now + 2)
    assert sorted(of(found.with_columns(pl.col("task").fill_null(0)), "task", "state", "outcome"), key=str) == [
        (0, "pending", None),
        (1, "ended", "done"),
        (2, "ended", "awaiting accounting"),
        (3, "running", None),
    ]


def test_an_array_that_is_gone_as_a_whole_stays_one_row() -> None:
    clock = Clock()
    follower = Lives(clock)
    follower.look(records(), tasks(live("1", "qw", tasks="1-50000:1", task_count=50_000)), clock.now)
    found = follower.look(records(), tasks(), clock.now + 2)
    assert of(found, "tasks", "task_count", "outcome") == [("1-50000:1", 50_000, "awaiting accounting")]


def test_tasks_of_an_array_that_went_as_a_whole_are_awaited_until_each_has_its_record() -> None:
    clock = Clock()
    follower = Lives(clock)
    follower.look(records(), tasks(live("1", "qw", tasks="1-3:1", task_count=3)), clock.now)
    ended = [record("1", 101, 102 + task, task=task) for task in (1, 2, 3)]
    for known, awaited in ((1, [2]), (2, [1]), (3, [])):
        found = follower.look(records(*ended[:known]), tasks(), clock.now + 10 * known)
        waiting = found.filter(pl.col("outcome") == "awaiting accounting")
        assert (len(found) - len(waiting), waiting["task_count"].to_list()) == (known, awaited)


def test_what_comes_back_is_missed_no_longer() -> None:
    clock = Clock()
    follower = Lives(clock)
    for rows, states in ((["r"], ["running"]), ([], ["ended"]), (["r"], ["running"])):
        found = follower.look(records(), tasks(*(live("1", letters, start=50) for letters in rows)), clock.now)
        assert [state for (state,) in of(found, "state")] == states
