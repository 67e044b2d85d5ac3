"""Bring people to a cluster of the user's own: live, at once, or in its past; and take all of that away again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.cluster import connect
from gcs_lab.errors import GcsError, InvalidArgument, UnsupportedOperation
from gcs_lab.workload.crowd import Crowd
from gcs_lab.workload.ledger import Ledger
from gcs_lab.workload.model import Model
from gcs_lab.workload.own_cluster import own_cluster, records_file
from gcs_lab.workload.player import Player, Tally
from gcs_lab.workload.stage import stages_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cluster import Cluster
    from gcs_lab.workload.stage import Stage

__all__ = ["Wishes", "clear", "instant_year", "once", "play", "what_is_left"]

_STUDENTS = 20
#: On simulated hosts there is a person for so many slots, and so many at the most.
_SLOTS_EACH, _MOST_PEOPLE = 4, 3000
#: The part of the slots that would be in use on average, day and night. Live there is to be a queue on an ordinary
#: day (the mean is that of a few great sweeps, which are not there every day); over a year it would never be short.
_LIVE_LOAD, _PAST_LOAD = 1.2, 0.5
#: So many tasks wait at the most: by slots, and at least and at most.
_WAITING_BY_SLOT, _LEAST_WAITING, _MOST_WAITING = 8, 100, 20_000


@dataclass(frozen=True)
class Wishes:
    """What was asked for; None: what suits the cluster.

    ``cluster`` is its name, ``students`` how many people use its real hosts (or, where it has none, its simulated
    ones), ``speed`` by how much their time is faster, ``most_waiting`` how many tasks wait at the most.
    """

    cluster: str | None = None
    students: int | None = None
    seed: int = 1
    speed: float = 32.0
    most_waiting: int | None = None

    def __post_init__(self) -> None:
        if self.most_waiting is not None and self.most_waiting < 1:
            raise InvalidArgument(f"--most-waiting {self.most_waiting}: expected at least 1.")
        if not 0 < self.speed <= 10_000:  # noqa: PLR2004
            raise InvalidArgument(f"--speed {self.speed:g}: expected a number above 0, at most 10,000.")

    def reach(self) -> tuple[Cluster, Ledger]:
        """Connect to the cluster. Raises GcsError if it is somebody else's, or cannot be reached."""
        name = own_cluster(self.cluster)
        return connect(name), Ledger(name)

    def casts(self, cluster: Cluster, load: float) -> list[tuple[Stage, Model]]:
        """Return the stages of a cluster, each with people who use such a part of it. Raises GcsError."""
        stages = stages_of(cluster)
        if not stages:
            raise UnsupportedOperation(f"{cluster.name} has no queue that could run a job.")
        casts = []
        for number, stage in enumerate(stages):
            usual = min(_MOST_PEOPLE, max(_STUDENTS, stage.slots // _SLOTS_EACH)) if stage.simulated else _STUDENTS
            people = self.students if self.students is not None and number == 0 else usual
            casts.append((stage, Model(people, self.seed, slots=stage.slots, largest=stage.slots_of_host, load=load)))
        return casts

    def waiting(self, stages: list[Stage]) -> int:
        """Return how many tasks may wait at the most."""
        if self.most_waiting is not None:
            return self.most_waiting
        slots = sum(stage.slots for stage in stages)
        return min(_MOST_WAITING, max(_LEAST_WAITING, _WAITING_BY_SLOT * slots))


def what_is_simulated(casts: list[tuple[Stage, Model]]) -> str:
    """Say in a few sentences what is real and what is not."""
    said = []
    for stage, model in casts:
        hosts = f"{len(stage.hosts)} host{'s' if len(stage.hosts) > 1 else ''} with {stage.slots:,} slots"
        if stage.simulated:
            said.append(f"{len(model.people):,} people on {hosts} that are simulated: jobs execute nothing there.")
        else:
            said.append(
                f"{len(model.people):,} people on {hosts}. Jobs really run, and sleep; of memory they take little."
            )
    return (
        " ".join(said)
        + " The people are invented: names in the names of jobs and in accounts, and one real user, you."
    )


def play(
    wishes: Wishes,
    seconds: float,
    *,
    said: Callable[[str], object],
    told: Callable[[Tally], object],
    stopped: Callable[[], bool],
) -> str:
    """Play for so many seconds, or until `stopped`; return what was done and what is left.

    Parameters
    ----------
    wishes
        Where, and who.
    seconds
        How long, in real time.
    said
        Called once with what is real and what is not.
    told
        Called twice a second with how it stands.
    stopped
        Asked twice a second.

    Raises
    ------
    InvalidState
        If the cluster is being populated by another process.
    GcsError
        If it cannot be reached.
    """
    cluster, ledger = wishes.reach()
    with ledger.playing():
        casts = wishes.casts(cluster, _LIVE_LOAD)
        said(f"{cluster.name}: {what_is_simulated(casts)}")
        player = Player(cluster, ledger, casts, wishes.speed, wishes.waiting([stage for stage, _ in casts]))
        tally = player.play(seconds, told, stopped)
        return f"{tally.in_words()}\n{_left(cluster, ledger)}"


def once(wishes: Wishes, seconds: float) -> str:
    """Submit an instant crowd whose jobs run for up to so many seconds; return what was sent. Raises GcsError."""
    cluster, ledger = wishes.reach()
    casts = wishes.casts(cluster, _LIVE_LOAD)
    most = wishes.waiting([stage for stage, _ in casts])
    lines = [f"{cluster.name}: {what_is_simulated(casts)}"]
    for stage, model in casts:
        tally = Crowd(cluster, ledger, stage, model, seconds, most).come()
        refused = f"; {tally.refused} refused: {tally.last_refusal}" if tally.refused else ""
        where = "simulated hosts" if stage.simulated else "real slots"
        lines.append(f"sent to {where}: {tally.jobs:,} jobs with {tally.tasks:,} tasks{refused}")
    lines.append(
        f"they run for up to {seconds / 60:g} minutes; `gcs-lab demo populate {cluster.name} --clear` deletes them"
    )
    return "\n".join(lines)


def instant_year(wishes: Wishes, days: int) -> str:
    """Write a past of so many days; return what was written. Raises GcsError."""
    from gcs_lab.workload.history import write_history

    cluster, _ = wishes.reach()
    stage, model = wishes.casts(cluster, _PAST_LOAD)[0]
    written = write_history(records_file(cluster.name), cluster.accounting, stage, model, days=days)
    return (
        f"{written.records:,} records of {len(model.people):,} invented people in {days} days are in {written.file}, "
        f"beside the cluster's own, which are as they were. `cluster.accounting` and `gcs-lab accounting` on "
        f"{cluster.name} know them now; `gcs-lab demo populate {cluster.name} --clear` takes them away."
    )


def what_is_left(wishes: Wishes) -> str:
    """Return in words what of all that was sent is still on the cluster. Raises GcsError."""
    cluster, ledger = wishes.reach()
    return _left(cluster, ledger)


def clear(wishes: Wishes, *, past: bool) -> str:
    """Delete the jobs that were sent, and nothing else; with `past` take away the invented records, too.

    Raises
    ------
    GcsError
        If the cluster does not answer, or a job could not be deleted.
    """
    cluster, ledger = wishes.reach()
    deleted, problems = ledger.delete(cluster)
    if problems:
        job_id, error = next(iter(problems.items()))
        raise GcsError(f"{len(problems)} of {deleted} jobs could not be deleted; of job {job_id} it says: {error}")
    said = f"{deleted:,} invented jobs were deleted on {cluster.name}"
    if past:
        from gcs_lab.workload.history import remove_history

        files = remove_history(records_file(cluster.name), cluster.accounting)
        said += "; its invented past is gone" if files else "; it had no invented past"
    return said


def _left(cluster: Cluster, ledger: Ledger) -> str:
    left = ledger.left(cluster)
    if not left:
        return f"nothing of it is left on {cluster.name}"
    return (
        f"left on {cluster.name}: {len(left):,} jobs and arrays. They end by themselves, but for those that are held "
        f"or ask for what there is not; `gcs-lab demo populate {cluster.name} --clear` deletes them"
    )
