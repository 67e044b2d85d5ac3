"""Why rows of the panel wait or are in error: asked seldom, all at once, and only while somebody looks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gcs_lab.models.waiting_watch import waiting_watch
from gcs_lab.vocabulary.pending_reason import ReasonKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import PendingReason

__all__ = ["MOST_REASONS", "Reasons"]

#: Rows whose reasons are asked for: those that somebody sees without scrolling.
MOST_REASONS = 20


class _Waiting:
    """One row that waits (:class:`~gcs_lab.models.waiting_watch.Waiting`)."""

    def __init__(self, reasons: Reasons, key: str, job_id: str) -> None:
        self.cluster = reasons.cluster
        self.concluded = threading.Event()
        self.key, self.id = key, job_id
        self._reasons = reasons
        self.text = ""
        self.is_held: bool | None = None

    def waits(self) -> bool:
        return not self.concluded.is_set()

    def tell(self, reasons: list[PendingReason]) -> None:
        text = reasons[0].text if reasons else ""
        is_held = any(reason.kind is ReasonKind.HOLD for reason in reasons)
        if (text, is_held) != (self.text, self.is_held) and not self.concluded.is_set():
            self.text, self.is_held = text, is_held
            self._reasons.changed()


class Reasons:
    """The first reason of each of a few rows.

    Parameters
    ----------
    cluster
        Where they wait.
    changed
        Called, in any thread, when a reason is another one.
    """

    def __init__(self, cluster: Cluster, changed: Callable[[], None]) -> None:
        self.cluster, self.changed = cluster, changed
        self._waiting: dict[str, _Waiting] = {}

    def of(self, key: str) -> str:
        """Return the reason of a row; empty if it is not known, or the row does not wait."""
        waiting = self._waiting.get(key)
        return "" if waiting is None else waiting.text

    def is_held(self, key: str) -> bool | None:
        """Tell whether somebody holds a row, beside what else it waits for; None if it is not known."""
        waiting = self._waiting.get(key)
        return None if waiting is None else waiting.is_held

    def keep(self, rows: Iterable[tuple[str, str]]) -> None:
        """Ask for these rows (key, and id of the job in the queue) from now on, and for no others.

        The first answer comes after two seconds: most have started by then.
        """
        wanted = dict(rows)
        for key, waiting in list(self._waiting.items()):
            if wanted.get(key) != waiting.id:
                waiting.concluded.set()
                del self._waiting[key]
        for key, job_id in wanted.items():
            if key not in self._waiting:
                waiting = self._waiting[key] = _Waiting(self, key, job_id)
                waiting_watch().watch_reasons(waiting, waiting.tell)
