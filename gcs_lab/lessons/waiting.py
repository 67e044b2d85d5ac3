"""Checks of lesson 4, waiting: who holds the slots, why a job of one's own does not start, and what mends that.

They ask the live cluster, and read what became of the learner's own jobs.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.cluster import Cluster, connect
from gcs_lab.errors import GcsError
from gcs_lab.lessons.evidence import failure, jobs_named, namespace, newest_job
from gcs_lab.lessons.report import CheckReport, Point
from gcs_lab.lessons.waiting_scene import QUEUE, person_of, stands
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["busiest", "released", "sooner", "typo"]

#: Requests that limit a job; they are no demand on a host.
_LIMITS = ("h_", "s_")
#: So many there are below 200,000.
_PRIMES = 17_984


def busiest(person: object = None, slots: object = None) -> CheckReport:
    """Exercise 1: `person` holds the most slots at the moment, and so many."""
    held = _held_slots()
    most = max(held.values(), default=0)
    right = {name for name, number in held.items() if number == most}
    return CheckReport(
        "Exercise 1: who holds the most slots",
        (
            Point("jobs of the class run", bool(held), "`scene.begin(cluster)` sends them"),
            Point(
                "`person` holds the most slots of all whose jobs run",
                bool(held) and str(person).strip().lower() in right,
                "a name such as ada; a job that waits holds no slots, and one job may hold several",
            ),
            Point(
                "`slots` is how many",
                bool(held) and _same_number(slots, most),
                "the sum over all running jobs of that person",
            ),
        ),
    )


def sooner() -> CheckReport:
    """Exercise 2: ``primes`` was sent again in such a way that it ran beside the class."""
    job = newest_job("primes")
    queue = str(job.began.get("queue") or "") if job is not None else ""
    return CheckReport(
        "Exercise 2: start sooner",
        (
            Point(
                "a job called `primes` has ended well",
                job is not None and job.done,
                failure(job) or "the latest one of that name counts",
            ),
            Point(
                "it found how many primes there are below 200,000, and left them as `primes`",
                job is not None and _same_number(job.values().get("primes"), _PRIMES),
                "copy the cell, and change its first line alone",
            ),
            Point(
                f"it did not need a slot of `{QUEUE}`",
                bool(queue) and queue != QUEUE,
                "`%gcs status` shows where slots are free; what keeps your job away from them?",
            ),
            Point(
                "the jobs of the class are all still there",
                _asked(stands),
                "nobody else's job is to be deleted for yours; `scene.begin(cluster)` sends them anew",
            ),
        ),
    )


def typo(resource: object = None) -> CheckReport:
    """Exercise 3: `resource` is what kept ``table`` waiting, and the job was mended so that it ran."""
    jobs = jobs_named("table")
    asked = {name for job in jobs for name in job.requests if not name.startswith(_LIMITS)}
    ran = any(job.done for job in jobs)
    waiting = [job for job in jobs if not job.done and not job.failed]
    return CheckReport(
        "Exercise 3: waiting for ever",
        (
            Point(
                "`resource` is the resource that no host has so much of",
                bool(asked) and str(resource).strip() in asked,
                "its name stands in `%gcs why table`, before the `=`",
            ),
            Point(
                "a job called `table` has ended well",
                ran,
                "change what it asks for, or cancel it and submit it again; then give it a moment",
            ),
            Point(
                "no job called `table` waits any more",
                bool(jobs) and not waiting,
                f"job {waiting[0].job_id} does" if waiting else "",
            ),
        ),
    )


def released() -> CheckReport:
    """Exercise 4: the hold that kept ``right`` and ``left`` waiting is gone, and both ran."""
    right, left = newest_job("right"), newest_job("left")
    return CheckReport(
        "Exercise 4: release a hold",
        (
            Point(
                "the job with the hold was released",
                right is not None and _was_let_go(right),
                "both say that they are held; `%gcs why` says by what",
            ),
            Point("`right` has ended well", right is not None and right.done, failure(right)),
            Point(
                "`left` has ended well",
                left is not None and left.done,
                failure(left) or "it follows by itself; `%gcs wait left` waits for it",
            ),
        ),
    )


def _cluster() -> Cluster:
    """Return the cluster of the lesson: the notebook's variable of that name, else the one that is taken by itself.

    Raises
    ------
    GcsError
        If there is none that answers.
    """
    named = namespace().get("cluster")
    return named if isinstance(named, Cluster) else connect()


def _asked(question: Callable[[Cluster], bool]) -> bool:
    with contextlib.suppress(GcsError, OSError):
        return question(_cluster())
    return False


def _held_slots() -> Counter[str]:
    """Return the slots that each of the people holds now: those of all their jobs and tasks that run."""
    held: Counter[str] = Counter()
    with contextlib.suppress(GcsError, OSError):
        rows = _cluster().status.snapshot().jobs.select(["name", "slots", "running"]).to_pylist()
        for row in rows:
            if row["running"]:
                held[person_of(row["name"]).lower()] += row["slots"] or 0
    return held


def _was_let_go(job: LessonJob) -> bool:
    """Tell whether a job that was sent on hold has none any more: it started, or waits for slots alone."""
    if job.began or job.done:
        return True
    if job.failed:
        return False

    def is_free(cluster: Cluster) -> bool:
        state = cluster.jobs.board.status([job.job_id], max_age=0)[job.job_id].state
        return state is not JobState.QUEUED_HELD and not state.terminated

    return _asked(is_free)


def _same_number(value: object, right: int) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        return float(value) == right  # type: ignore[arg-type]
    return False
