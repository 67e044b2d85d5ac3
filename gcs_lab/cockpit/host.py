"""The host of a cockpit: answers what a browser says, and tells it what becomes of the cluster.

The messages are those of docs/cockpit-protocol.md; how they travel is not known here.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_desk import ActionDesk
from gcs_lab.cockpit.charts import Charts
from gcs_lab.cockpit.face_host import FaceHost
from gcs_lab.cockpit.job_desk import JobDesk
from gcs_lab.cockpit.messages import check_message, grid_of
from gcs_lab.cockpit.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cluster import Cluster
    from gcs_lab.status import Update

__all__ = ["CockpitHost"]

#: Seconds between two pushes of what the poller tells: four a second.
PUSH_SECONDS = 0.25

_Message = dict[str, Any]


class CockpitHost(FaceHost):
    """Keeps one cockpit up to date.

    Parameters
    ----------
    cluster
        What is shown. It needs the ``status`` area.
    send
        Called with each message for the browser, from any thread, one at a time.
    mine, filter
        What is shown at first: whether this user's jobs alone, and which.

    Raises
    ------
    FilterError
        If the filter cannot be read.
    UnsupportedOperation
        If the cluster's system does not tell what it does.
    """

    def __init__(
        self,
        cluster: Cluster,
        send: Callable[[_Message], None],
        *,
        mine: bool = False,
        filter: str = "",  # noqa: A002
    ) -> None:
        #: What is shown: views, strip, map, copies. Then one job's facts and logs, actions, and charts.
        super().__init__(send, "cockpit", ("stage", "job", "actions", "charts"))
        self._hello = False
        self._visible = True
        self._anew: set[tuple[str, int]] = set()
        self._news: Update | None = None
        self._news_lock = threading.Lock()
        self._shown_at = 0.0
        self._stage = Stage(cluster, self.send, mine=mine, filter=filter)
        self._actions = ActionDesk(cluster, self._stage, self.send)
        self._job = JobDesk(cluster, self._stage, self._actions, self.send)
        self._charts = Charts(cluster, self._stage, self.send)
        self._following = cluster.status.poller.follow(self._on_update)
        self._following.looked_at = False

    @property
    def stage(self) -> Stage:
        """What is shown now."""
        return self._stage

    def _before_end(self) -> None:
        self._following.close()

    def _after_end(self) -> None:
        self._stage.close()

    # -- what the browser says --------------------------------------------------------------------------------------

    def receive(self, message: object) -> None:
        """Do what a message asks for; one that is none is answered with ``trouble``."""
        if (checked := self._checked(check_message, message)) is None:
            return
        kind = checked["kind"]
        lane, sort = _LANE_OF.get(kind, ("stage", None))
        if checked.get("anew"):
            # A newer request may take this one's place before it is answered.
            self._anew.add((checked["view"], grid_of(checked)))
        key = None if sort is None else (sort, checked.get("view"), grid_of(checked) if kind == "view" else None)
        self._hand_on(checked, lane, key)

    def _on_hello(self, _: Mapping[str, Any]) -> None:
        self._hello = True
        self._following.looked_at = self._visible = True
        self._stage.forget()
        self._charts.forget()
        self._stage.welcome()
        self._stage.show_all()
        if self._actions.known_operator is None:
            self._lanes["actions"].do(self._ask_whether_operator, "operator")

    def _ask_whether_operator(self) -> None:
        if self._actions.operator:
            # In the lane of what is shown: it tells who may do what.
            self._lanes["stage"].do(self._tell_operator)

    def _tell_operator(self) -> None:
        self._stage.become_operator()

    def _on_view(self, message: Mapping[str, Any]) -> None:
        asking = (message["view"], grid_of(message))
        anew = asking in self._anew
        self._anew.discard(asking)
        self._stage.view({**message, "anew": anew})

    def _on_unview(self, message: Mapping[str, Any]) -> None:
        self._stage.unview(message["view"], grid_of(message) if "id" in message else None)

    def _on_filter(self, message: Mapping[str, Any]) -> None:
        self._stage.filter(message["text"], mine=message["mine"])
        self._show_others()

    def _on_replay(self, message: Mapping[str, Any]) -> None:
        self._stage.replay(message["at"])
        self._show_others()

    def _on_map(self, message: Mapping[str, Any]) -> None:
        self._stage.map(is_open=message["open"])

    def _on_copy(self, message: Mapping[str, Any]) -> None:
        self._stage.copy(message)

    def _on_visible(self, message: Mapping[str, Any]) -> None:
        self._visible = message["visible"]
        self._following.looked_at = self._visible
        if self._visible:
            self._take_news()

    def _on_charts(self, message: Mapping[str, Any]) -> None:
        self._charts.open(message["names"])

    def _on_module(self, message: Mapping[str, Any]) -> None:
        self._charts.module(message)

    def _on_details(self, message: Mapping[str, Any]) -> None:
        self._job.open(message)

    def _on_close_details(self, _: Mapping[str, Any]) -> None:
        self._job.close()

    def _on_log(self, message: Mapping[str, Any]) -> None:
        self._job.log(message)

    def _on_plan(self, message: Mapping[str, Any]) -> None:
        # What is meant is what is shown when all that was said before is done.
        picture = self._stage.picture
        self._lanes["actions"].do(lambda: self._answer(message, lambda _: self._actions.plan(message, picture)))

    def _on_act(self, message: Mapping[str, Any]) -> None:
        self._actions.act(message)
        self._lanes["job"].do(self._job.refresh, "refresh")

    # -- what the cluster does ---------------------------------------------------------------------------------------

    def _on_update(self, update: Update) -> None:
        """Take what the poller tells, in its thread."""
        from gcs_lab.status import Update as Told

        with self._news_lock:
            waiting = self._news
            if waiting is not None and (waiting.changes is None or waiting.changes):
                # Two in one step: what the first one said of changes would be missed.
                update = Told(update.snapshot, None, update.health)
            self._news = update
        since = time.monotonic() - self._shown_at
        self._lanes["stage"].do(self._take_news, "news", max(PUSH_SECONDS - since, 0.0))

    def _take_news(self) -> None:
        if not (self._visible and self._hello):
            # What is not seen is not kept up to date; the next look takes the latest.
            return
        with self._news_lock:
            news, self._news = self._news, None
        if news is None:
            return
        self._shown_at = time.monotonic()
        self._stage.update(news)
        # What a job used grows, whether or not its rows differ.
        self._lanes["job"].do(self._job.refresh, "refresh")
        if news.changes is None or news.changes:
            self._lanes["charts"].do(self._charts.refresh, "refresh")

    def _show_others(self) -> None:
        """Bring up to date what other lanes show."""
        self._lanes["charts"].do(self._charts.refresh, "refresh")
        self._lanes["job"].do(self._job.refresh, "refresh")


#: Where a kind of message is answered, and what the latest takes the place of (None: each is answered).
_LANE_OF: dict[str, tuple[str, str | None]] = {
    "filter": ("stage", "filter"),
    "view": ("stage", "view"),
    "charts": ("charts", None),
    "module": ("charts", None),
    "details": ("job", "details"),
    "close_details": ("job", None),
    "log": ("job", None),
    "act": ("actions", None),
}
