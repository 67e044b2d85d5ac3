"""What is told of ends, and how often."""

from __future__ import annotations

import time

from gcs_lab.cells.journal import JournalEntry
from gcs_lab.panel.ended_jobs import EndedJobs


def entry(*, finished: float, submitted: float = 10.0) -> JournalEntry:
    return JournalEntry(
        folder="/nowhere/7", cluster="embedded", job_id="7", name="fit", state="FAILED", message="exit status 1",
        submitted=submitted, finished=finished,
    )  # fmt: skip


def told(ended: EndedJobs, noted: JournalEntry | None = None, *, live: bool = False) -> list[str]:
    rows = {"7": {"job_id": "7", "ended": None}} if live else {}
    ended.renew({} if noted is None else {"7": noted}, rows, lambda _: 1)
    return list(ended.take_news())


def test_an_end_is_told_once_whatever_each_clock_says_of_it():
    ended = EndedJobs(str)
    told(ended)
    now = time.time() + 1
    assert told(ended, entry(finished=now)) == ["7"]
    assert told(ended, entry(finished=now + 3)) == []
    assert told(ended, entry(finished=now + 60)) == []
    # The row says the latest that is known.
    assert ended.recent["7"]["ended"] == round(now + 60, 3)


def test_a_job_that_ran_again_ends_again():
    ended = EndedJobs(str)
    told(ended)
    now = time.time() + 1
    assert told(ended, entry(finished=now)) == ["7"]
    assert told(ended, live=True) == []
    assert told(ended, entry(finished=now + 0.5)) == ["7"]


def test_a_number_that_was_given_out_anew_is_another_job():
    ended = EndedJobs(str)
    told(ended)
    now = time.time() + 1
    assert told(ended, entry(finished=now)) == ["7"]
    assert told(ended, entry(finished=now + 0.5, submitted=20.0)) == ["7"]
