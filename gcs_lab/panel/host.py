"""The host of the side panel: tells a page of the user's jobs on one cluster, and acts on them.

The messages are those of docs/panel-protocol.md; how they travel is not known here.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.face_host import FaceHost
from gcs_lab.cockpit.picture import current_user
from gcs_lab.cockpit.task_strip import parse_tasks
from gcs_lab.errors import GcsError
from gcs_lab.panel.actions import control, rerun_failed
from gcs_lab.panel.health_line import health_line
from gcs_lab.panel.job_board import JobBoard
from gcs_lab.panel.messages import check_message
from gcs_lab.panel.notebook_cells import NotebookCells

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cluster import Cluster
    from gcs_lab.status import Health, Snapshot, Update
    from gcs_lab.status.overview import Overview

__all__ = ["PanelHost"]

#: Seconds between two messages of what differs: two a second.
PUSH_SECONDS = 0.5
#: Seconds between two looks at the journal's file and at logs, while the page is seen and while it is not.
LOOK_SECONDS, HIDDEN_LOOK_SECONDS = 0.25, 2.0
#: Looking takes at most this part of the time, on however slow a disk.
_LOOKING_PART = 0.05
#: Of jobs that end within so many seconds of the first one message tells.
GATHER_SECONDS = 0.5
#: Jobs that one message names.
_MOST_ENDED = 5

_Message = dict[str, Any]


def _same(path: str) -> str:
    return path


class PanelHost(FaceHost):
    """Keeps one side panel up to date.

    Parameters
    ----------
    cluster
        Whose jobs are shown. It needs the ``status`` area.
    send
        Called with each message for the page, from any thread, one at a time.
    contents_path
        Makes a path as JupyterLab has it of a notebook's absolute one; ``""`` if JupyterLab cannot open it.

    Raises
    ------
    UnsupportedOperation
        If the cluster's system does not tell what it does.
    """

    def __init__(
        self,
        cluster: Cluster,
        send: Callable[[_Message], None],
        *,
        contents_path: Callable[[str], str] = _same,
    ) -> None:
        #: What is shown; how jobs ended; actions; questions that somebody asked for.
        super().__init__(send, "panel", ("stage", "ends", "actions", "questions"))
        self._cluster, self._user = cluster, current_user()
        self._poller = cluster.status.poller
        self._board = JobBoard(cluster, self._user, self._lanes["ends"], self._draw_soon, contents_path)
        self._cells = NotebookCells(cluster.name, self._board.journal, contents_path)
        self._snapshot: Snapshot | None = None
        self._health: Health = self._poller.health
        self._overview: Overview | None = None
        self._hello = False
        self._visible = True
        self._whole = True
        self._told: _Message = {}
        self._told_jobs: dict[str, Any] = {}
        self._drawn_at = 0.0
        self._looked_at_logs = 0.0
        self._cancelled: set[str] = set()
        self._news: dict[str, Any] = {}
        self._following = self._poller.follow(self._on_update)
        self._following.looked_at = False

    def _before_end(self) -> None:
        self._following.close()

    def _after_end(self) -> None:
        self._board.close()

    # -- what the page says ------------------------------------------------------------------------------------------

    def receive(self, message: object) -> None:
        """Do what a message asks for; one that is none is answered with ``trouble``."""
        if (checked := self._checked(check_message, message)) is not None:
            self._hand_on(checked, *_LANE_OF.get(checked["kind"], ("stage", None)))

    def _on_hello(self, _: Mapping[str, Any]) -> None:
        begins = not self._hello
        self._hello = True
        self._following.looked_at = self._visible = True
        self._whole = True
        self._cells.forget()
        if begins and self._snapshot is None and (latest := self._poller.latest()) is not None:
            self._take(latest)
        self._draw()
        self._look_again(0.0)

    def _on_visible(self, message: Mapping[str, Any]) -> None:
        self._visible = message["visible"]
        self._following.looked_at = self._visible
        if self._hello:
            self._look_again(0.0)
            self._draw()

    def _on_watch(self, message: Mapping[str, Any]) -> None:
        self._cells.watch(message["notebooks"])
        self._tell_cells()

    def _on_refresh(self, _: Mapping[str, Any]) -> None:
        self._poller.fresh()

    def _on_act(self, message: Mapping[str, Any]) -> None:
        text, error = "", ""
        try:
            text = self._do(message["action"], message["job_id"])
        except GcsError as reason:
            error = str(reason)
        self.send({"kind": "acted", "id": message["id"], "text": text, "error": error})
        if not error:
            self._lanes["questions"].do(self._ask_soon, "fresh")

    def _do(self, action: str, job_id: str) -> str:
        board = self._board
        row = board.live.get(job_id) or board.ended.recent.get(job_id)
        if action == "rerun_failed":
            return rerun_failed(self._cluster, board.journal.journal, job_id)
        name = f"job {job_id}" + (f" ({row['name']})" if row and row["name"] else "")
        ids = board.queue_ids(job_id)
        if not ids and job_id in board.live:
            # It was submitted a moment ago, and no look at the cluster has shown it yet.
            ids = [job_id]
        if action != "cancel":
            return control(self._cluster, action, name, ids)
        self._cancelled.add(job_id)
        try:
            return control(self._cluster, action, name, ids)
        except GcsError:
            self._cancelled.discard(job_id)
            raise

    # -- what the cluster does ---------------------------------------------------------------------------------------

    def _on_update(self, update: Update) -> None:
        """Take what the poller tells, in its thread."""
        self._health = update.health
        snapshot = update.snapshot
        if snapshot is not None and snapshot is not self._snapshot:
            # Each one: what left the queue between two of them is to be known.
            self._lanes["stage"].do(lambda: self._take(snapshot))
            if self._snapshot is None:
                # The first picture is waited for.
                self._drawn_at = 0.0
        self._draw_soon()

    def _take(self, snapshot: Snapshot) -> None:
        if snapshot is self._snapshot:
            return
        from gcs_lab.status.overview import overview_of

        self._snapshot = snapshot
        self._overview = overview_of(snapshot, self._cluster.system)
        self._board.take(snapshot)

    def _ask_soon(self) -> None:
        # That the cluster does not answer is shown by those who follow it.
        with contextlib.suppress(GcsError):
            self._poller.fresh()

    def _look_again(self, pause: float) -> None:
        self._lanes["stage"].do(self._look, "look", pause)

    def _look(self) -> None:
        """Look at what kernels and jobs have written, and again in a moment."""
        began = time.monotonic()
        changed = self._look_at_journal()
        if self._visible and began - self._looked_at_logs >= 2 * LOOK_SECONDS * 0.9:
            self._looked_at_logs = began
            changed |= self._board.look_at_logs()
            changed |= self._cells.look()
        if changed:
            self._draw_soon()
        took = time.monotonic() - began
        self._look_again(max(LOOK_SECONDS if self._visible else HIDDEN_LOOK_SECONDS, took / _LOOKING_PART))

    def _look_at_journal(self) -> bool:
        """Take what kernels have written; return whether there was anything."""
        changed, ahead = self._board.look()
        if ahead:
            self._lanes["questions"].do(self._ask_soon, "fresh")
        if changed:
            self._cells.read()
        return changed

    # -- what is told ------------------------------------------------------------------------------------------------

    def _draw_soon(self) -> None:
        pause = self._drawn_at + PUSH_SECONDS - time.monotonic()
        self._lanes["stage"].do(self._draw, "draw", max(pause, 0.0))

    def _draw(self) -> None:
        if not self._hello:
            return
        self._drawn_at = time.monotonic()
        # What was found out of ends is in the journal by now.
        self._look_at_journal()
        self._board.refresh(seen=self._visible)
        self._gather()
        if not self._visible:
            return
        message = self._panel()
        if message is not None:
            self.send(message)
        self._tell_cells()
        if unknown := self._board.unknown_totals():
            self._lanes["questions"].do(lambda: self._ask_totals(unknown), "totals")

    def _panel(self) -> _Message | None:
        """Return the ``IPanel`` of what differs; None if nothing does."""
        board, now = self._board, time.time()
        jobs = {**board.ended.recent, **board.live}
        mine = board.mine
        told = {
            "cluster": self._cluster.name,
            "system": self._cluster.system,
            "user": self._user,
            "stale_since": round(self._health.stale_since, 3),
            "health": health_line(self._overview, self._health, mine["error"]),
            "slots": self._slots(),
            "mine": mine,
            "live": list(board.live),
            "recent": [key for key in board.ended.recent if key not in board.live],
            "more": board.more,
        }
        if self._whole:
            self._told_jobs = {}
        other = {key: row for key, row in jobs.items() if self._told_jobs.get(key) != row}
        if not self._whole and not other and told == self._told:
            return None
        whole, self._whole = self._whole, False
        self._told, self._told_jobs = told, jobs
        moment = 0.0 if self._snapshot is None else round(self._snapshot.time, 3)
        return {"kind": "panel", "whole": whole, "time": moment, "now": round(now, 3), **told, "jobs": other}

    def _slots(self) -> dict[str, int]:
        seen = self._overview
        if seen is None:
            return {"used": 0, "free": 0, "closed": 0, "total": 0}
        return {
            "used": seen.slots_used,
            "free": seen.slots_free,
            "closed": seen.slots_closed,
            "total": seen.slots_total,
        }

    def _tell_cells(self) -> None:
        if self._visible:
            for message in self._cells.messages({**self._board.ended.recent, **self._board.live}):
                self.send(message)

    def _gather(self) -> None:
        """Take what ended, to be told together with what ends in a moment."""
        news = self._board.ended.take_news()
        for key in news.keys() & set(self._cancelled):
            del news[key]
            self._cancelled.discard(key)
        if news:
            self._news |= news
            self._lanes["stage"].do(self._tell_ended, "ended", GATHER_SECONDS)

    def _tell_ended(self) -> None:
        news, self._news = self._news, {}
        # What failed is named first.
        rows = sorted(news.values(), key=lambda row: (row["state"] != "FAILED", -(row["ended"] or 0.0)))
        failed = sum(row["state"] == "FAILED" for row in rows)
        self.send(
            {
                "kind": "ended",
                "jobs": rows[:_MOST_ENDED],
                "more": len(rows[_MOST_ENDED:]),
                "failed": failed,
                "done": len(rows) - failed,
            }
        )

    def _ask_totals(self, job_ids: list[str]) -> None:
        """Ask how many tasks array jobs have, with one question."""
        totals: dict[str, int] = {}
        with contextlib.suppress(GcsError):
            for job_id, details in self._cluster.status.backend.job_details(job_ids).items():
                if details.task_range:
                    totals[job_id] = sum(map(len, parse_tasks(details.task_range)))
        self._lanes["stage"].do(lambda: self._board.take_totals(job_ids, totals))


#: Where a kind of message is answered, and what the latest takes the place of (None: each is answered).
_LANE_OF: dict[str, tuple[str, str | None]] = {
    "act": ("actions", None),
    "refresh": ("questions", "fresh"),
    "watch": ("stage", "watch"),
}
