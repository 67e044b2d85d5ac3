"""The scene of lesson 4: a cluster on a Monday morning, full of the jobs of a class that was made up.

The jobs are real, but all that they do is sleep. They stay as they are until the scene is ended, so that what a
learner reads off a table is still so when it is checked; ``gcs-lab demo populate`` has a class that comes and goes.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidState, UnsupportedOperation
from gcs_lab.jobs import JobAction
from gcs_lab.lessons.evidence import jobs_named
from gcs_lab.vocabulary import JobTemplate
from gcs_lab.workload.ledger import ACCOUNT, Ledger
from gcs_lab.workload.own_cluster import own_cluster
from gcs_lab.workload.people import people_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cluster import Cluster
    from gcs_lab.workload.people import Person

__all__ = ["QUEUE", "begin", "end", "person_of", "stands"]

#: The queue that is filled; the class asks for more time than the other one, ``short.q``, gives.
QUEUE = "all.q"
_HOURS = 4
_PEOPLE = 8
#: More than any host has.
_TOO_MUCH_MEMORY = "8T"
#: So long a system may take until jobs run, or are gone.
_SECONDS = 30.0


@dataclass(frozen=True)
class _Room:
    """The slots of :data:`QUEUE`: in all, and of its largest host."""

    slots: int
    of_host: int


def begin(cluster: Cluster) -> str:
    """Fill a cluster of the user's own; return in words what was sent. What an earlier call left is ended first.

    Half of the slots go to one of the people, a quarter to the array of another one, who has far more tasks that
    wait, and the rest to three more. Behind them wait jobs that need a whole host, and one that is held, one behind
    another job, one for tomorrow and one that asks for what no host has.

    Parameters
    ----------
    cluster
        The embedded cluster, or a private Grid Engine.

    Raises
    ------
    UnsupportedOperation
        If the cluster is somebody else's, or has no ``all.q``.
    GcsError
        If it does not answer, or refuses a job.
    OSError
        If it cannot be written down what was sent.
    """
    own_cluster(cluster.name)
    room = _room(cluster)
    end(cluster)
    # Who does what is drawn anew each time. Not for secrets.
    people = people_of(_PEOPLE, random.randrange(1 << 30))  # noqa: S311
    ledger = _ledger(cluster)
    running = _running_jobs(people, room)
    handles = cluster.jobs.submit_many(running)
    ledger.add((job.id, template.job_name or "") for job, template in zip(handles, running, strict=True))
    array = _job(people[1], 0)
    tasks = 3 * room.slots
    array_id = cluster.jobs.submit_array(array, 1, tasks, max_parallel=max(1, room.slots // 4)).id
    ledger.add([(array_id, array.job_name or "")])
    waiting = _waiting_jobs(people, room, behind=handles[0].id)
    behind = cluster.jobs.submit_many(waiting)
    ledger.add((job.id, template.job_name or "") for job, template in zip(behind, waiting, strict=True))
    sent = [*running, array, *waiting]
    names = {person_of(template.job_name or "") for template in sent}
    full = _until(lambda: _is_full(cluster))
    state = f"all {room.slots} slots of {QUEUE} are in use" if full else f"{QUEUE} is not full yet"
    return f"{len(sent)} jobs of {len(names)} people were sent to {cluster.system}, one an array of {tasks}; {state}"


def end(cluster: Cluster, *own: str) -> str:
    """Delete what :func:`begin` sent, and the learner's own jobs that have not ended; return in words what was done.

    Parameters
    ----------
    cluster
        As in :func:`begin`.
    own
        Names of jobs that this notebook submitted.

    Raises
    ------
    GcsError
        If the cluster does not answer, or does not delete a job.
    """
    unfinished = [job for name in own for job in jobs_named(name) if not (job.done or job.failed)]
    mine = [job.job_id for job in unfinished if job.cluster == cluster.name]
    # What has ended meanwhile is no problem, nor is what goes with the job that it waits for.
    problems = cluster.jobs.control(JobAction.TERMINATE, mine) if mine else {}
    problems = {job_id: error for job_id, error in problems.items() if not isinstance(error, InvalidState)}
    ledger = _ledger(cluster)
    gone = {*mine, *ledger.sent()}
    number, more = ledger.delete(cluster)
    for error in [*problems.values(), *more.values()]:
        raise error
    # A job that runs is deleted in a moment.
    _until(lambda: not gone & {info.job_id.partition(".")[0] for info in cluster.jobs.find()})
    parts = [f"{number} jobs of the class"] if number else []
    parts += [f"{len(mine)} of yours"] if mine else []
    return f"{' and '.join(parts)} were deleted" if parts else "no job of this lesson is left"


def stands(cluster: Cluster) -> bool:
    """Tell whether all that :func:`begin` sent is still there. Raises GcsError if the cluster does not answer."""
    ledger = _ledger(cluster)
    sent = ledger.sent()
    return bool(sent) and ledger.left(cluster).keys() == sent.keys()


def person_of(job_name: str) -> str:
    """Return whose job it is: what stands before the first ``_`` of its name; the whole name if there is none."""
    return job_name.partition("_")[0]


def _ledger(cluster: Cluster) -> Ledger:
    return Ledger(f"{cluster.name}-lesson")


def _room(cluster: Cluster) -> _Room:
    rows = cluster.status.snapshot().queue_instances.select(["queue", "slots_total"]).to_pylist()
    slots = [row["slots_total"] or 0 for row in rows if row["queue"] == QUEUE]
    if max(slots, default=0) < 2:  # noqa: PLR2004  (of which one is a parallel job's)
        queues = ", ".join(dict.fromkeys(row["queue"] for row in rows)) or "none"
        raise UnsupportedOperation(
            f"this lesson fills the queue {QUEUE} of a cluster, which has two slots on a host at least; "
            f"{cluster.system} has the queues {queues}. `%gcs connect embedded` takes a cluster that has it."
        )
    return _Room(sum(slots), max(slots))


def _job(person: Person, stem: int, **more: Any) -> JobTemplate:
    values: dict[str, Any] = {
        "remote_command": "/bin/sleep",
        "args": [str(_HOURS * 3600)],
        "job_name": f"{person.name}_{person.stems[stem % len(person.stems)]}",
        "accounting_id": f"{ACCOUNT}{person.name}",
        "resource_requests": {"h_rt": f"{_HOURS}:00:00"},
        "output_path": "/dev/null",
        "join_files": True,
    }
    return JobTemplate(**(values | more))


def _parallel(person: Person, slots: int) -> JobTemplate:
    return _job(person, 1, parallel_environment="smp", min_slots=slots, max_slots=slots)


def _running_jobs(people: tuple[Person, ...], room: _Room) -> list[JobTemplate]:
    """Return what fills three quarters of the room: parallel jobs of one of the people, single ones of three more."""
    wide = max(2, room.of_host // 2)
    jobs = [_parallel(people[0], wide) for _ in range(max(1, room.slots // 2 // wide))]
    left = room.slots - len(jobs) * wide - max(1, room.slots // 4)
    return jobs + [_job(people[2 + number % 3], 0) for number in range(left)]


def _waiting_jobs(people: tuple[Person, ...], room: _Room, behind: str) -> list[JobTemplate]:
    night = (datetime.now().astimezone() + timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)
    too_much = {"h_rt": f"{_HOURS}:00:00", "mem_total": _TOO_MUCH_MEMORY}
    return [
        _parallel(people[5], room.of_host),
        _parallel(people[5], room.of_host),
        _job(people[0], 0, hold_jid=[behind]),
        _job(people[6], 0, submit_as_hold=True),
        _job(people[6], 1, start_time=night),
        _job(people[7], 0, resource_requests=too_much),
    ]


def _is_full(cluster: Cluster) -> bool:
    rows = cluster.status.snapshot().queues.select(["queue", "slots_available"]).to_pylist()
    return not sum(row["slots_available"] or 0 for row in rows if row["queue"] == QUEUE)


def _until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds, for as long as a system may take; return whether it came to that."""
    until = time.monotonic() + _SECONDS
    while not (it_does := holds()) and time.monotonic() < until:
        time.sleep(0.5)
    return it_does
