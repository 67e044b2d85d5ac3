"""``%gcs why``: why jobs have not started, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.magics.named_jobs import named_jobs, weightiest
from gcs_lab.vocabulary import ReasonKind

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from gcs_lab.cluster import Cluster
    from gcs_lab.magics.arguments import FlagParser
    from gcs_lab.magics.named_jobs import NamedJob
    from gcs_lab.magics.session import Session
    from gcs_lab.vocabulary import PendingReason

__all__ = ["grouped_reasons", "why_command", "why_flags"]

#: Of so many jobs the scheduler is asked at once: the answer on each is some kB.
_MOST_ASKED = 200
#: Seconds from which on the age of an answer is told.
_NEWS_SECONDS = 1.5
#: So many jobs of a group are named.
_MOST_NAMED = 8


def why_flags(parser: FlagParser) -> None:
    """Add the flags of ``%gcs why``."""
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB", help="id, name or variable (default: all of yours that wait)"
    )


def why_command(session: Session, namespace: Mapping[str, Any], flags: argparse.Namespace) -> str:
    """Return what ``%gcs why`` prints. Raises GcsError if there is no such job or a cluster does not answer."""
    if not flags.jobs:
        return "\n".join(_all_that_wait(session.cluster()[0]))
    by_cluster: dict[str, list[NamedJob]] = {}
    lines: list[str] = []
    for job in named_jobs(session, flags.jobs, namespace):
        if job.entry.finished and job.task is None:
            # Its log told so; the scheduler's word may come later.
            lines.append(f"{job} does not wait: it has ended ({job.entry.state})")
        else:
            by_cluster.setdefault(job.entry.cluster, []).append(job)
    for name, jobs in by_cluster.items():
        cluster, _ = session.cluster(name)
        reasons = cluster.jobs.pending_reasons([job_id for job in jobs for job_id in job.ids])
        for job in jobs:
            lines += _of_one(job, [reasons[job_id] for job_id in job.ids if job_id in reasons], cluster)
        lines += _age(cluster, reasons)
    return "\n".join(lines)


def _age(cluster: Cluster, reasons: Mapping[str, Sequence[PendingReason]]) -> list[str]:
    """Return the line that tells how old an answer is, where somebody may have mended meanwhile what it says."""
    seconds = cluster.jobs.reasons_age([job_id for job_id, found in reasons.items() if found])
    if seconds < _NEWS_SECONDS:
        return []
    return [f"(up to {seconds:.0f} s old: a job is asked about once in ten seconds at most)"]


def _of_one(job: NamedJob, reasons: Sequence[Sequence[PendingReason]], cluster: Cluster) -> Iterator[str]:
    texts = dict.fromkeys(reason.text for some in reasons for reason in some)
    if texts:
        yield f"{job} waits:"
        yield from (f"  - {text}" for text in texts)
    elif not reasons:
        yield f"{job}: {cluster.system} knows no such job any more"
    else:
        status = cluster.jobs.board.status(job.ids)
        state = weightiest([status[job_id] for job_id in job.ids]).state
        yield f"{job} does not wait: it is {state.name.lower().replace('_', ' ')}"


def _all_that_wait(cluster: Cluster) -> Iterator[str]:
    every = [job.id for job in cluster.jobs.list()]
    ids = every[:_MOST_ASKED]
    if len(every) > len(ids):
        yield f"the {len(ids)} oldest of your {len(every):,} jobs were looked at:"
    reasons = {job_id: found for job_id, found in cluster.jobs.pending_reasons(ids).items() if found}
    if not reasons:
        yield f"none of your jobs waits on {cluster.system}"
        return
    told_age = _age(cluster, reasons)
    names = {info.job_id.partition(".")[0]: info.job_name or "" for info in cluster.jobs.backend.all_jobs()}
    for texts, jobs in grouped_reasons(reasons).items():
        named = ", ".join(f"{job} ({names[job]})" if names.get(job) else job for job in jobs[:_MOST_NAMED])
        more = f" and {len(jobs) - _MOST_NAMED} more" if len(jobs) > _MOST_NAMED else ""
        word, verb = ("job", "waits") if len(jobs) == 1 else (f"{len(jobs)} jobs,", "wait")
        yield f"{word} {named}{more} {verb}{':' if len(jobs) == 1 else ' for the same reason:'}"
        yield from (f"  - {text}" for text in texts)
    yield from told_age


def grouped_reasons(reasons: Mapping[str, Sequence[PendingReason]]) -> dict[tuple[str, ...], list[str]]:
    """Return the ids of the jobs by the sentences on why they wait; of many alike, their positions are left out."""
    first: dict[tuple[str, ...], list[str]] = {}
    for job_id, found in reasons.items():
        texts = tuple(reason.text for reason in found if reason.kind is not ReasonKind.POSITION)
        first.setdefault(texts or tuple(reason.text for reason in found), []).append(job_id)
    # One by itself keeps its position.
    return {
        tuple(reason.text for reason in reasons[jobs[0]]) if len(jobs) == 1 else texts: jobs
        for texts, jobs in first.items()
    }
