"""E-mails about jobs on a real Grid Engine: at the start, at the end, and only those that were asked for."""

from __future__ import annotations

import contextlib
import mailbox
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.vocabulary import Capability, JobState

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import Job

pytestmark = pytest.mark.gridengine


def run(cluster: Cluster, *words: str, **attributes: Any) -> Job:
    return cluster.jobs.run(*words, output_path="/dev/null", error_path="/dev/null", **attributes)


def mails(demo_cell: DemoState, job_id: str, number: int) -> list[Any]:
    """Return the e-mails about a job when there are `number` of them."""

    def found() -> list[Any]:
        with contextlib.closing(mailbox.mbox(demo_cell.mailbox)) as box:
            # The last one may be half written yet.
            return [mail for mail in box if mail["Date"] and f"Job {job_id} " in str(mail["Subject"])]

    wait_for(lambda: len(found()) >= number, f"{number} mails about job {job_id}")
    return found()


def test_mail_is_sent_at_start_and_end_to_everyone_named(cluster: Cluster, demo_cell: DemoState) -> None:
    job = run(
        cluster,
        "true",
        job_name="mailed",
        email=["a@example.org", "b@example.org"],
        email_on_started=True,
        email_on_terminated=True,
    )
    assert job.wait_terminated(30) is JobState.DONE
    assert cluster.jobs.supports(Capability.JT_EMAIL)
    found = mails(demo_cell, job.id, 4)
    assert sorted((mail["Subject"], mail["To"]) for mail in found) == [
        (f"Job {job.id} (mailed) {what}", who)
        for what in ("Complete", "Started")
        for who in ("a@example.org", "b@example.org")
    ]
    assert all("Queue" in mail.get_payload() and mail["Date"] for mail in found)


def test_mail_is_sent_only_on_what_was_asked_for(cluster: Cluster, demo_cell: DemoState) -> None:
    silent = run(cluster, "true", email=["a@example.org"], email_on_started=False, email_on_terminated=False)
    job = run(cluster, "true", email=["a@example.org"], email_on_terminated=True)
    for each in (silent, job):
        assert each.wait_terminated(30) is JobState.DONE
    assert [mail["Subject"] for mail in mails(demo_cell, job.id, 1)] == [f"Job {job.id} (true) Complete"]
    assert mails(demo_cell, silent.id, 0) == []


def test_a_deleted_job_is_told_of_too(cluster: Cluster, demo_cell: DemoState) -> None:
    job = run(cluster, "sleep", "100", email=["a@example.org"], email_on_terminated=True)
    job.wait_started(30)
    job.terminate()
    assert job.id in mails(demo_cell, job.id, 1)[0]["Subject"]
