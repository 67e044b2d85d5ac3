"""Tells those who show a job why it waits: asked apart from the states, which must not wait for the answer."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gcs_lab.errors import GcsError
from gcs_lab.models.errands import ERRANDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import PendingReason

__all__ = ["Waiting", "WaitingWatch", "waiting_watch"]

_log = logging.getLogger(__name__)

#: Seconds that a job has waited before anybody asks why; most have started by then.
FIRST_SECONDS = 2.0
#: Seconds between two questions, by the seconds that the job has waited so far.
_PACES = ((300.0, 10.0), (3600.0, 30.0), (float("inf"), 120.0))
#: Jobs whose turn comes so soon are asked for together.
_TOGETHER_SECONDS = 1.5
#: So many reasons are shown.
_MOST_SHOWN = 5


class Waiting(Protocol):
    """What may wait: a cell's job, or a sweep."""

    #: Where it runs.
    cluster: Cluster
    #: Set when it has ended.
    concluded: threading.Event

    @property
    def id(self) -> str:
        """The scheduler's id."""
        ...

    def waits(self) -> bool:
        """Tell whether it has not started."""
        ...


@dataclass(eq=False)
class _Watched:
    job: Waiting
    tell: Callable[[list[PendingReason]], None]
    #: Who is told; nobody twice.
    listener: object
    since: float = field(default_factory=time.monotonic)
    due: float = 0.0


class WaitingWatch:
    """Asks why jobs wait: first after 2 s, then each 10 s, after minutes more seldom; all of a cluster together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: list[_Watched] = []
        self._is_on_its_way = False

    def watch(self, job: Waiting, tell: Callable[[list[str]], None]) -> None:
        """Call `tell` with the reasons why `job` waits, as often as they are asked for, until it starts or ends.

        It is called in a thread of the watch's own, with a sentence for each reason, the weightiest first.
        """
        self._watch(job, lambda reasons: tell([reason.text for reason in reasons]), tell)

    def watch_reasons(self, job: Waiting, tell: Callable[[list[PendingReason]], None]) -> None:
        """Call `tell` as :meth:`watch` does, with the reasons themselves."""
        self._watch(job, tell, tell)

    def _watch(self, job: Waiting, tell: Callable[[list[PendingReason]], None], listener: object) -> None:
        with self._lock:
            if any(each.job is job and each.listener == listener for each in self._watched):
                return
            watched = _Watched(job, tell, listener)
            watched.due = watched.since + FIRST_SECONDS
            self._watched.append(watched)
            start, self._is_on_its_way = not self._is_on_its_way, True
        # Those that have waited for long are asked for seldom: a new one does not wait for their turn.
        ERRANDS.after(FIRST_SECONDS, self._round if start else self._ask_due)

    def _round(self) -> float | None:
        """Ask for the jobs whose turn it is; return the seconds until the next ones' turn."""
        self._ask_due()
        now = time.monotonic()
        with self._lock:
            if not self._watched:
                self._is_on_its_way = False
                return None
            return max(0.05, min(each.due for each in self._watched) - now)

    def _ask_due(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._watched = [each for each in self._watched if not each.job.concluded.is_set() and each.job.waits()]
            due = [each for each in self._watched if each.due <= now + _TOGETHER_SECONDS]
            if not any(each.due <= now for each in due):
                due = []
        by_cluster: dict[int, list[_Watched]] = {}
        for each in due:
            by_cluster.setdefault(id(each.job.cluster), []).append(each)
        for some in by_cluster.values():
            self._ask(some)
        now = time.monotonic()
        for each in due:
            waited = now - each.since
            each.due = now + next(pace for below, pace in _PACES if waited < below)

    def _ask(self, some: list[_Watched]) -> None:
        try:
            answer = some[0].job.cluster.jobs.pending_reasons({each.job.id for each in some})
        except GcsError as error:
            # That the cluster does not answer is shown by those who ask for states.
            _log.debug("why jobs wait could not be asked: %s", error)
            return
        except Exception:
            # An answer that cannot be read must not be the last question of all.
            _log.exception("asking why jobs wait failed; it is asked again")
            return
        for each in some:
            reasons = answer.get(each.job.id)
            if reasons is not None:
                try:
                    each.tell(list(reasons[:_MOST_SHOWN]))
                except Exception:
                    _log.exception("showing why job %s waits failed", each.job.id)


_watch: WaitingWatch | None = None
_lock = threading.Lock()


def waiting_watch() -> WaitingWatch:
    """Return the one watch of this process."""
    global _watch  # noqa: PLW0603
    with _lock:
        _watch = _watch or WaitingWatch()
        return _watch
