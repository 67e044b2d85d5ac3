"""The accounting area: the same jobs leave the same records, by name and unit, on each system."""

from __future__ import annotations

import grp
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from conformance.statements import clause, together
from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS
from gcs_lab.errors import UnknownName
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    import pandas as pd

    from conformance.site import Site

RECORD = clause("sge_accounting(5)")
#: Grid Engine tells whole seconds.
ROUNDING = timedelta(seconds=2)


def recorded(site: Site, count: int = 1, **choice: Any) -> pd.DataFrame:
    """Return the records of a choice as soon as there are `count`: they are written after the job has gone."""
    accounting = site.cluster.accounting
    wait_for(lambda: len(accounting.frame(**choice)) >= count, f"{count} records of {choice}")
    return accounting.frame(**choice)


@together
@RECORD
def test_a_record_says_what_was_asked_for_and_what_was_used(site: Site) -> None:
    burn = "import time; e = time.process_time() + 0.5\nwhile time.process_time() < e: pass\ntime.sleep(1)"
    before, name = datetime.now(UTC), site.name_of_a_job()
    run = site.shell(
        f'python3 -c "{burn}"',
        job_name=name,
        min_slots=2,
        parallel_environment="smp",
        accounting_id="grant7",
        resource_requests={"h_rt": "600"},
    )
    info = run.ended(JobState.DONE)
    found = recorded(site, job=run.id)
    assert list(found.columns) == [column.name for column in (*RECORD_COLUMNS, *DERIVED_COLUMNS)]
    [row] = found.to_dict("records")
    assert (row["job_id"], row["name"], row["owner"], row["account"]) == (run.id, name, site.user, "grant7")
    assert row["group"] == grp.getgrgid(os.getgid()).gr_name
    assert (row["slots"], row["parallel_environment"], row["requests"]) == (2, "smp", "h_rt=600")
    assert (row["failed"], row["exit_status"]) == (0, 0)
    assert (row["queue"], row["host"] in site.hosts) == (info.queue_name, True)
    assert found[["task", "pe_task", "project", "reservation_id"]].isna().all(axis=None)
    assert before - ROUNDING <= row["submission_time"] <= row["start_time"] <= row["end_time"]
    assert 1.0 <= row["wallclock"] <= 60
    assert 0.4 <= row["cpu"] <= row["wallclock"] + 1
    assert row["slot_seconds"] == 2 * row["wallclock"]
    assert row["wait"] == (row["start_time"] - row["submission_time"]).total_seconds()
    # Both are told in bytes; a job that python runs in has some megabytes.
    assert 1 << 20 < max(row["max_vmem"] or 0, row["max_rss"] or 0) < 1 << 36


@together
@RECORD
def test_a_failed_job_is_recorded_with_its_exit_status_and_in_words(site: Site) -> None:
    run = site.shell("exit 3")
    run.ended(JobState.FAILED)
    found = recorded(site, job=run.id)
    assert found[["failed", "exit_status"]].to_numpy().tolist() == [[0, 3]]
    assert "3" in repr(site.cluster.accounting.job(run.id))


@together
@RECORD
def test_a_signal_is_an_exit_status_above_128(site: Site) -> None:
    run = site.shell("kill -9 $$")
    run.ended(JobState.FAILED)
    assert recorded(site, job=run.id)["exit_status"].to_list() == [137]


@together
@RECORD
def test_each_task_of_an_array_has_a_record(site: Site) -> None:
    template = site.template("/bin/sleep", "0", output_path="/dev/null", error_path="/dev/null")
    array = site.jobs.submit_array(template, 2, 6, 2)
    found = recorded(site, 3, job=array.id)
    assert sorted(found["task"]) == [2, 4, 6]
    assert len(recorded(site, job=f"{array.id}.4")) == 1
    assert len(site.cluster.accounting.frame(job=array.id, task="2-4")) == 2


@together
@RECORD
def test_a_job_that_was_run_again_has_a_record_a_run_and_one_life(site: Site) -> None:
    run = site.shell("test -e again && exit 0; touch again; exit 99", rerunnable=True)
    run.done()
    found = recorded(site, 2, job=run.id)
    assert found["exit_status"].to_list() == [99, 0]
    assert found["submission_time"].is_monotonic_increasing  # Grid Engine sets it anew when it goes back
    life = site.cluster.accounting.timeline(job=run.id)
    assert life[["state", "outcome", "attempts"]].astype(str).to_numpy().tolist() == [["ended", "done", "2"]]


@together
@RECORD
def test_a_life_is_one_row_from_pending_to_its_end(site: Site) -> None:
    accounting = site.cluster.accounting

    def life(job_id: str) -> dict[str, Any]:
        [row] = accounting.timeline(job=job_id).to_dict("records")
        return row

    run = site.held("sleep 1")
    assert life(run.id)["state"] == "held"
    run.job.release()
    run.reached(JobState.RUNNING, JobState.DONE)
    assert life(run.id)["state"] in {"running", "ended"}
    run.done()
    # It has left the queue; its record is there, or awaited.
    assert life(run.id)["state"] == "ended"
    done = wait_for(lambda: row if (row := life(run.id))["outcome"] == "done" else None, f"the record of {run.id}")
    assert (done["attempts"], done["owner"]) == (1, site.user)
    assert done["wallclock"] >= 1.0


@together
@RECORD
def test_what_never_was_is_an_unknown_name(site: Site) -> None:
    with pytest.raises(UnknownName, match="999999"):
        site.cluster.accounting.job(999_999)


@RECORD
def test_summary_and_capacity_are_of_the_whole_cluster(site: Site) -> None:
    site.shell("true").done()
    recorded(site)
    accounting = site.cluster.accounting
    by_owner, frame = accounting.summary(by="owner"), accounting.frame()
    assert by_owner["owner"].to_list() == [site.user]
    assert by_owner["records"].to_list() == [len(frame)]
    assert by_owner["slot_seconds"].sum() == pytest.approx(frame["slot_seconds"].sum())
    instances = site.cluster.status.queue_instances()
    assert accounting.backend.capacity() == instances["slots_total"].sum()
    assert site.cluster.supports("accounting")
    assert accounting.rejects().empty
