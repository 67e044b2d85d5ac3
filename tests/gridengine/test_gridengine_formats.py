"""What Grid Engine prints, read from recordings of 8.1.9 and OCS 9.2; no daemon is needed."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.backends.gridengine.catalogue import parse_complexes, parse_names
from gcs_lab.backends.gridengine.control import allowed, parse_complaints, unknown_job
from gcs_lab.backends.gridengine.ended_jobs import flush_seconds
from gcs_lab.backends.gridengine.job_details_xml import parse_details
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.qhost_xml import parse_hosts
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs, parse_queues
from gcs_lab.backends.gridengine.system import product_name
from gcs_lab.errors import DrmCommunication, Internal, InvalidArgument, InvalidState
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from pathlib import Path


def test_qstat_gives_name_state_slots_and_time_of_every_job(recorded: Path) -> None:
    rows = {row.name: row for row in parse_jobs((recorded / "qstat.xml").read_bytes())}
    assert {"run1", "sweep", "par", "nofit", "held"} <= rows.keys()
    assert (rows["run1"].letters, rows["run1"].queue, rows["run1"].slots) == ("r", "all.q", 1)
    assert rows["run1"].start_time is not None
    assert rows["run1"].start_time.date() == datetime(2026, 11, 21, tzinfo=UTC).date()
    assert rows["nofit"].submission_time is not None
    assert rows["nofit"].queue is None
    assert rows["run1"].owner == "alice"


def test_waiting_tasks_of_an_array_are_one_row_with_their_range(recorded: Path) -> None:
    tasks = [row.tasks for row in parse_jobs((recorded / "qstat.xml").read_bytes()) if row.name == "sweep"]
    assert any(text and "-19:2" in text for text in tasks)


def test_qstat_f_gives_the_queue_instances(recorded: Path) -> None:
    (queue,) = parse_queues((recorded / "qstat-f.xml").read_bytes())
    assert queue.queue == "all.q"
    assert (queue.slots_total, queue.state) == (8, "")
    assert queue.load_avg == (5.67676 if recorded.name.startswith("sge") else None)


def test_qhost_gives_cores_and_memory_without_the_global_host(recorded: Path) -> None:
    hosts = parse_hosts((recorded / "qhost.xml").read_bytes())
    ((name, values),) = hosts.items()
    assert name in {"localhost", "vm"}
    assert values["num_proc"] == "2"
    assert values["mem_total"].endswith("G")


def test_details_of_a_job_in_error_say_why(sge: Path) -> None:
    details = parse_details((sge / "qstat-j-228.xml").read_bytes())["228"]
    assert details.error_reason == "can't chdir to /nonexistent: No such file or directory"
    assert details.start_time is None


def test_details_give_requests_and_submission_time_in_both_versions(sge: Path, ocs: Path) -> None:
    assert parse_details((sge / "qstat-j-224.xml").read_bytes())["224"].submission_time is not None
    details = parse_details((ocs / "qstat-j-14.xml").read_bytes())["14"]
    assert details.requests == {"h_rt": "600"}
    assert details.submission_time is not None
    assert details.submission_time.microsecond == 482871
    assert details.machines == {"vm": 1}


def test_details_of_an_unknown_job_are_empty(sge: Path) -> None:
    assert parse_details((sge / "qstat-j-unknown.xml").read_bytes()) == {}


def test_a_document_that_is_cut_is_an_error_and_no_shorter_list(recorded: Path) -> None:
    document = (recorded / "qstat.xml").read_bytes()
    with pytest.raises(Internal, match="not XML"):
        parse_jobs(document[: len(document) // 2])


def test_a_communication_error_in_xml_is_an_error() -> None:
    with pytest.raises(DrmCommunication, match="does not answer: no qmaster"):
        parse_jobs(b"<?xml version='1.0'?><communication_error><text>no qmaster</text></communication_error>")


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_an_error_of_ours(document: bytes) -> None:
    with contextlib.suppress(Internal):
        assert isinstance(parse_jobs(document), list)


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("qw", JobState.QUEUED),
        ("Rq", JobState.REQUEUED),
        ("hqw", JobState.QUEUED_HELD),
        ("hRwq", JobState.REQUEUED_HELD),
        ("r", JobState.RUNNING),
        ("hr", JobState.RUNNING),
        ("t", JobState.RUNNING),
        ("Rr", JobState.RUNNING),
        ("Rt", JobState.RUNNING),
        ("dr", JobState.RUNNING),
        ("dt", JobState.RUNNING),
        ("s", JobState.SUSPENDED),
        ("ts", JobState.SUSPENDED),
        ("S", JobState.SUSPENDED),
        ("tS", JobState.SUSPENDED),
        ("T", JobState.SUSPENDED),
        ("RtT", JobState.SUSPENDED),
        ("ds", JobState.SUSPENDED),
        ("Eqw", JobState.FAILED),
        ("Ehqw", JobState.FAILED),
        ("EhRqw", JobState.FAILED),
        ("z", JobState.UNDETERMINED),
        ("x", JobState.UNDETERMINED),
        ("Rs", JobState.SUSPENDED),
        ("Rts", JobState.SUSPENDED),
        ("RS", JobState.SUSPENDED),
        ("RtS", JobState.SUSPENDED),
        ("RT", JobState.SUSPENDED),
        ("tT", JobState.SUSPENDED),
        ("hs", JobState.SUSPENDED),
        ("P", JobState.SUSPENDED),
        ("hRq", JobState.REQUEUED_HELD),
        ("Ehq", JobState.FAILED),
        ("", JobState.UNDETERMINED),
    ],
)
def test_every_state_of_sge_status_has_its_drmaa2_state(letters: str, state: JobState) -> None:
    assert job_state(letters) is state
    # A job that is being deleted is what it was until it is gone (sge_status(5)).
    assert job_state(f"d{letters}") is state


def test_complexes_are_read_from_both_versions(recorded: Path) -> None:
    complexes = {c.name: c for c in parse_complexes((recorded / "qconf-sc.txt").read_text())}
    assert (complexes["h_rt"].type, complexes["h_vmem"].type) == ("TIME", "MEMORY")
    assert complexes["slots"].consumable
    assert not complexes["h_vmem"].consumable
    assert complexes["mem_free"].shortcut == "mf"


def test_lists_of_names_are_read_from_both_versions(recorded: Path) -> None:
    assert parse_names((recorded / "qconf-sql.txt").read_text()) == ("all.q",)
    assert "make" in parse_names((recorded / "qconf-spl.txt").read_text())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SGE 8.1.9\nusage: qstat [options]", "Grid Engine 8.1.9"),
        ("OCS 9.2.0prealpha\nusage", "Open Cluster Scheduler 9.2.0prealpha"),
        ("", "Grid Engine"),
    ],
)
def test_product_and_version_are_read_from_the_help_text(text: str, name: str) -> None:
    assert product_name(text) == name


def test_complaints_are_told_from_what_went_well() -> None:
    said = (
        'denied: job "184" does not exist\nmodified hold of job 186\nroot has deleted job 187\n'
        'invalid queue or job "99999"\njob 190 is already in deletion\n'
        'nobody - you do not have the necessary privileges to delete the job "191"'
    )
    ids = {"184", "186", "187", "99999", "190", "191"}
    assert set(parse_complaints(said, ids)) == {"184", "99999", "191"}


def test_a_running_job_cannot_be_held_and_a_waiting_one_not_suspended() -> None:
    assert isinstance(allowed(JobAction.HOLD, "1", JobState.RUNNING, "r"), InvalidState)
    assert isinstance(allowed(JobAction.SUSPEND, "1", JobState.QUEUED, "qw"), InvalidState)
    assert isinstance(unknown_job(JobAction.TERMINATE, "1", ended=False), InvalidArgument)
    assert isinstance(unknown_job(JobAction.TERMINATE, "1", ended=True), InvalidState)
    assert allowed(JobAction.TERMINATE, "1", JobState.FAILED, "Eqw") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("reporting_params accounting=true flush_time=00:00:15 accounting_flush_time=00:00:00", 0.0),
        ("reporting_params accounting=true flush_time=00:01:05 joblog=false", 65.0),
        ("nothing", 15.0),
    ],
)
def test_the_flush_interval_is_read_from_the_configuration(text: str, seconds: float) -> None:
    assert flush_seconds(text) == seconds
