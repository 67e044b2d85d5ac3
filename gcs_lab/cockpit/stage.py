"""What one cockpit shows: the strip, the views, the map; now or at a moment that was recorded."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_infos import action_infos
from gcs_lab.cockpit.charts import CHARTS
from gcs_lab.cockpit.cluster_map import ClusterMap
from gcs_lab.cockpit.filter_words import words_of_all
from gcs_lab.cockpit.messages import PROTOCOL, VIEWS, grid_of
from gcs_lab.cockpit.overview import counts_of, matching_counts
from gcs_lab.cockpit.picture import Picture, current_user, whole_filter
from gcs_lab.cockpit.shown_view import ShownView
from gcs_lab.errors import FilterError, GcsError, InvalidState
from gcs_lab.models.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cluster import Cluster
    from gcs_lab.status import Changes, Health, Snapshot, Update
    from gcs_lab.status.recorder import Recorder

__all__ = ["Stage"]

#: Recorded moments that a browser is told of.
_MOST_TIMES = 500
#: Grids of one view that are kept up to date: a notebook may show one output more than once.
_MOST_GRIDS = 4
#: Seconds after which it is looked whether there are other names to complete.
_WORDS_SECONDS = 120.0
#: Seconds after which the strip is told again, though nothing differs but the clock.
BEAT_SECONDS = 30.0
#: What of an overview differs each time; of `replay` the moment that is shown counts.
_CLOCK = {"sequence", "time", "now", "interval", "replay"}
_MATCHING_NOTHING = {"jobs": 0, "running": 0, "waiting": 0}


class Stage:
    """What is shown. One thread at a time calls it; others may read :attr:`picture` and :attr:`is_past`.

    Parameters
    ----------
    cluster
        What is shown.
    send
        Sends a message.
    mine, filter
        What is shown at first. Raises FilterError if it cannot be read.
    """

    def __init__(
        self,
        cluster: Cluster,
        send: Callable[[dict[str, Any]], None],
        *,
        mine: bool = False,
        filter: str = "",  # noqa: A002
    ) -> None:
        self._cluster, self._send, self._user = cluster, send, current_user()
        self._latest: Snapshot | None = cluster.status.poller.latest()
        self._health: Health = cluster.status.poller.health
        #: What is shown; None: nothing is known yet.
        self.picture: Picture | None = None
        self._text, self._mine = filter, mine
        self._filter = whole_filter(filter, self._user if mine else None)
        self._error: dict[str, Any] | None = None
        self._past: Snapshot | None = None
        #: By name and grid; the one that asked last stands last.
        self._views: dict[tuple[str, int], ShownView] = {}
        self._map: ClusterMap | None = None
        self._times: list[float] | None = None
        self._strip: dict[str, Any] | None = None
        self._strip_at = 0.0
        #: Whether this user may act on others' jobs, as far as it is known.
        self.operator = False
        self._words: list[dict[str, Any]] | None = None
        self._words_at = 0.0
        self._counted: tuple[Snapshot | None, dict[str, Any]] | None = None
        self._draw()

    @property
    def is_past(self) -> bool:
        """Whether a recorded moment is shown."""
        return self._past is not None

    def live_picture(self) -> Picture | None:
        """Return what is so now, whether or not it is shown and seen; None: nothing is known. From any thread."""
        picture, latest = self.picture, self._cluster.status.poller.latest()
        if latest is None or (picture is not None and picture.snapshot is latest):
            return picture
        return Picture(latest, self._filter)

    def close(self) -> None:
        """Forget what is shown."""
        self._views.clear()
        self._map = None

    # -- what is told ------------------------------------------------------------------------------------------------

    def welcome(self) -> None:
        """Send the first message (``IWelcome``)."""
        self._words, self._words_at = words_of_all(self._latest), time.monotonic()
        message = {
            "kind": "welcome",
            "protocol": PROTOCOL,
            "cluster": self._cluster.name,
            "system": self._cluster.system,
            "user": self._user,
            "operator": self.operator,
            "columns": {view: columns_of(view) for view in VIEWS},
            "words": self._words,
            "actions": action_infos(operator=self.operator),
            "charts": [{"name": name, "label": label} for name, label in CHARTS.items()],
        }
        self._send(message)

    def become_operator(self) -> None:
        """Tell that this user turned out to be an operator."""
        self.operator = True
        self._send({"kind": "renewed", "operator": True, "actions": action_infos(operator=True)})

    def _renew_words(self, *, at_once: bool) -> None:
        """Tell if there are other names to be completed: new owners, projects, queues."""
        if self._words is not None and (at_once or time.monotonic() - self._words_at >= _WORDS_SECONDS):
            self._words_at = time.monotonic()
            words = words_of_all(self._latest)
            if words != self._words:
                self._words = words
                self._send({"kind": "renewed", "words": words})

    def forget(self) -> None:
        """Take it that the browser knows nothing: it is new, or was loaded again."""
        self._views.clear()
        self._map = None
        self._times = None
        self._strip = None

    def show_all(self) -> None:
        """Send the strip, and what is open."""
        self._send_strip(self._overview())
        self._push()

    def update(self, news: Update) -> None:
        """Take what the poller tells, and send what it changes; nothing of a table where a past moment is shown."""
        self._health = news.health
        changes = news.changes
        is_first = self._latest is None and news.snapshot is not None
        if news.snapshot is not None:
            self._latest = news.snapshot
        if not self.is_past and (changes is None or changes or self._is_behind()):
            self._draw(changes)
        self._renew_words(at_once=is_first)
        self._send_news()
        self._push()

    def _send_news(self) -> None:
        """Send the strip if more than the clock differs from what was told, else once in a while."""
        times = self._times
        overview = self._overview()
        if _is_same(overview, self._strip) and time.monotonic() - self._strip_at < BEAT_SECONDS:
            # Moments that can be replayed are told with the next one.
            self._times = times
            return
        self._send_strip(overview)

    def _send_strip(self, overview: dict[str, Any]) -> None:
        self._strip, self._strip_at = overview, time.monotonic()
        self._send(overview)

    def _is_behind(self) -> bool:
        return self._latest is not None and (self.picture is None or self.picture.snapshot is not self._latest)

    def _draw(self, changes: Changes | None = None) -> None:
        """Make the picture of what is to be shown, and give it to the open views.

        `changes` are those since what was shown before; None: all may differ.
        """
        snapshot = self._past or self._latest
        if snapshot is None:
            self.picture = None
            return
        self.picture = Picture(snapshot, self._filter, is_past=self.is_past)
        for view in self._views.values():
            view.show(self.picture, changes)

    def _push(self) -> None:
        for view in self._views.values():
            if (rows := view.push()) is not None:
                self._send(rows | {"filter_error": self._error})
        self._push_map()

    def _push_map(self) -> None:
        if self._map is not None and self.picture is not None:
            message = self._map.message(self.picture.snapshot, self.picture.mask("hosts"))
            if message is not None:
                self._send(message)

    def _overview(self) -> dict[str, Any]:
        picture, health = self.picture, self._health
        snapshot = None if picture is None else picture.snapshot
        if self._counted is None or self._counted[0] is not snapshot:
            self._counted = (snapshot, counts_of(snapshot))
        matching = _MATCHING_NOTHING
        if picture is not None:
            matching = matching_counts(picture.snapshot.jobs, picture.jobs_mask)
        return {
            "kind": "overview",
            "sequence": 0 if snapshot is None else snapshot.sequence,
            "time": 0.0 if snapshot is None else round(snapshot.time, 3),
            "now": round(time.time(), 3),
            "stale_since": round(health.stale_since, 3),
            "error": health.error or health.note,
            "interval": health.interval,
            **self._counted[1],
            "matching": matching,
            "filter": self._text,
            "mine": self._mine,
            "replay": self._replay(),
        }

    def _replay(self) -> dict[str, Any]:
        told: dict[str, Any] = {"at": None if self._past is None else round(self._past.time, 3), "kept": ""}
        recorder = self._recorder()
        times: list[float] = []
        if recorder is not None:
            try:
                # Whole seconds, and not less: at or before one that was rounded down is another moment.
                times, told["kept"] = [float(ceil(at)) for at in _thinned(recorder.times())], recorder.kept()
            except GcsError as reason:
                told["kept"] = f"nothing can be read of what was recorded: {reason}"
        if times != self._times:
            self._times = told["times"] = times
        return told

    def _recorder(self) -> Recorder | None:
        recorder: Recorder | None = getattr(self._cluster.status.poller, "recorder", None)
        return recorder

    # -- what is asked for -------------------------------------------------------------------------------------------

    def view(self, request: Mapping[str, Any]) -> None:
        """Answer with a window of a table, and keep it up to date from now on."""
        name = request["view"]
        asking = (name, grid_of(request))
        shown = self._views.pop(asking, None)
        if shown is None:
            others = [one for one in self._views if one[0] == name]
            for one in others[: max(len(others) + 1 - _MOST_GRIDS, 0)]:
                del self._views[one]
            shown = ShownView(name)
            if self.picture is not None:
                shown.show(self.picture, None)
        self._views[asking] = shown
        self._send(shown.request(request) | {"filter_error": self._error})

    def unview(self, name: str, grid: int | None) -> None:
        """Keep a table up to date no more, for one grid or (None) for all of them."""
        for one in [one for one in self._views if one[0] == name and grid in {None, one[1]}]:
            del self._views[one]

    def filter(self, text: str, *, mine: bool) -> None:
        """Narrow everything. What cannot be read is told with the rows, which stay those of the last good filter."""
        self._text, self._mine = text, mine
        try:
            self._filter = whole_filter(text, self._user if mine else None)
            self._error = None
        except FilterError as reason:
            self._error = reason.told()
        self._draw()
        self._send_strip(self._overview())
        for view in self._views.values():
            if (rows := view.push()) is not None or (rows := view.again()) is not None:
                self._send(rows | {"filter_error": self._error})
        self._push_map()

    def replay(self, at: float | None) -> None:
        """Show the recorded moment at or before `at` (seconds since the epoch); None: now.

        Raises
        ------
        InvalidState
            If nothing was recorded of it.
        """
        past = None
        if at is not None:
            recorder = self._recorder()
            past = None if recorder is None else recorder.at(at)
            if past is None:
                raise InvalidState("nothing was recorded of that moment, or it is not kept any more.")
        self._past = past
        self._draw()
        self.show_all()

    def map(self, *, is_open: bool) -> None:
        """Send the map, and keep it up to date; or no more."""
        self._map = ClusterMap() if is_open else None
        self._push_map()

    def copy(self, message: Mapping[str, Any]) -> None:
        """Answer with rows of a table as text."""
        picture = self.picture
        if picture is None:
            raise InvalidState("the cluster has not answered yet, so there is nothing to copy.")
        from gcs_lab.cockpit.copied_rows import copied_rows

        text, rows = copied_rows(picture, message, self._cluster.system)
        self._send({"kind": "copied", "id": message["id"], "text": text, "rows": rows})


def _is_same(overview: Mapping[str, Any], told: Mapping[str, Any] | None) -> bool:
    """Tell whether two overviews differ in no more than when they were made."""
    if told is None:
        return False
    at = (overview["replay"]["at"], told["replay"]["at"])
    return at[0] == at[1] and all(overview[name] == told[name] for name in overview.keys() - _CLOCK)


def _thinned(times: list[float]) -> list[float]:
    """Return at most as many of `times` as are told, the first and the last among them."""
    if len(times) <= _MOST_TIMES:
        return times
    step = (len(times) - 1) / (_MOST_TIMES - 1)
    return [times[round(place * step)] for place in range(_MOST_TIMES)]
