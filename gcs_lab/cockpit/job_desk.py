"""The drawer of a cockpit: the facts of the one job that is open, kept up to date, and its logs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.open_job import OpenJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.action_desk import ActionDesk
    from gcs_lab.cockpit.stage import Stage

__all__ = ["JobDesk"]

#: Seconds that lie between two questions to the system about the open job (``qstat -j``, and why it waits).
_ASK_SECONDS = 10.0


class JobDesk:
    """What is told of one open job; one thread at a time calls it.

    Parameters
    ----------
    cluster
        Where it is.
    stage
        What is shown.
    actions
        Who may do what.
    send
        Sends a message.
    """

    def __init__(
        self, cluster: Cluster, stage: Stage, actions: ActionDesk, send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._cluster, self._stage, self._actions, self._send = cluster, stage, actions, send
        self._job: OpenJob | None = None
        self._id = 0
        self._told = ""
        self._asked_at = 0.0
        self._mark: object = None

    def open(self, message: Mapping[str, Any]) -> None:
        """Answer with all that is told of a job, and keep it up to date from now on."""
        wanted = (message["job_id"], message["task"])
        if self._job is None or (self._job.job_id, self._job.task) != wanted:
            self._job = OpenJob(self._cluster, *wanted)
        self._id, self._told = message["id"], ""
        self._tell()

    def close(self) -> None:
        """Tell nothing more of it."""
        self._job = None

    def refresh(self) -> None:
        """Tell what became of the open job: at once if its rows differ, else when it is time to ask again."""
        if self._job is None:
            return
        picture = self._stage.picture
        mark = None if picture is None else (picture.is_past, self._job.rows_mark(picture.snapshot))
        if mark != self._mark or (time.monotonic() - self._asked_at >= _ASK_SECONDS):
            self._tell()

    def log(self, message: Mapping[str, Any]) -> None:
        """Answer with what a job printed since the last answer."""
        job = self._job
        if job is None or (job.job_id, job.task) != (message["job_id"], message["task"]):
            job = OpenJob(self._cluster, message["job_id"], message["task"])
        answer = job.log(message["stream"], message["offset"])
        parts = {name: message[name] for name in ("id", "job_id", "task", "stream")}
        self._send({"kind": "log", **parts, **answer})

    def _tell(self) -> None:
        job, picture = self._job, self._stage.picture
        if job is None:
            return
        snapshot = None if picture is None else picture.snapshot
        is_past = picture is not None and picture.is_past
        self._asked_at = time.monotonic()
        self._mark = None if snapshot is None else (is_past, job.rows_mark(snapshot))
        told = job.message(snapshot, is_past=is_past)
        told["actions"] = told["actions"] if told["owner"] == self._actions.user or self._actions.operator else []
        text = json.dumps(told, allow_nan=False)
        if text != self._told:
            self._told = text
            self._send(told | {"id": self._id})
