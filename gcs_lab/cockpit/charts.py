"""The charts of a cockpit: which there are, when they are sent, and the program that draws them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.front_end import front_end
from gcs_lab.errors import GcsError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import plotly.graph_objects as go
    import pyarrow as pa

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.stage import Stage
    from gcs_lab.status.recorder import Recorder

__all__ = ["CHARTS", "Charts"]

#: Their names, and what stands above them.
CHARTS = {
    "running": "Running and waiting",
    "owners": "Slots by owner",
    "waiting": "Waited so far",
}
#: Seconds that lie between two messages of one chart: each has 5 to 40 kB, and what it shows grows slowly.
_PACE_SECONDS = 10.0
_TERMS = {
    "running": "state:running",
    "waiting": "state:pending",
    "held": "state:held",
    "suspended": "state:suspended",
    "in error": "state:error",
}


class Charts:
    """The charts that are open in one cockpit; one thread at a time calls it.

    Parameters
    ----------
    cluster
        What they are about.
    stage
        What is shown.
    send
        Sends a message.
    """

    def __init__(self, cluster: Cluster, stage: Stage, send: Callable[[dict[str, Any]], None]) -> None:
        self._cluster, self._stage, self._send = cluster, stage, send
        self._open: tuple[str, ...] = ()
        self._told: dict[str, tuple[float, object, str]] = {}

    def forget(self) -> None:
        """Send what is open with the next look, whatever was sent."""
        self._told = {}

    def open(self, names: Sequence[str]) -> None:
        """Send these charts, and keep them up to date; others no more.

        Raises
        ------
        InvalidArgument
            If there is no such chart.
        """
        if unknown := [name for name in names if name not in CHARTS]:
            raise InvalidArgument(f"no chart is called {unknown[0]!r}; there is {', '.join(CHARTS)}.")
        self._open = tuple(names)
        self._told = {name: told for name, told in self._told.items() if name in names}
        self.refresh()

    def refresh(self) -> None:
        """Send the open charts that differ from what was sent, each at most once in ten seconds.

        A change of the filter, or of the moment that is shown, is sent at once.
        """
        picture = self._stage.picture
        mark = None if picture is None else (picture.filter_text, picture.is_past and picture.now)
        now = time.monotonic()
        for name in self._open:
            at, told_mark, text = self._told.get(name, (0.0, object(), ""))
            if told_mark == mark and now - at < _PACE_SECONDS:
                continue
            figure, terms = self._figure(name)
            message = {"kind": "chart", "name": name, "figure": figure, "terms": terms}
            new = json.dumps(message, allow_nan=False)
            self._told[name] = (now, mark, new)
            if new != text:
                self._send(message)

    def module(self, message: Mapping[str, Any]) -> None:
        """Answer with the program that draws charts. Raises InvalidArgument, Internal."""
        if message["name"] != "chart":
            raise InvalidArgument(f"no module is called {message['name']!r}; there is chart.")
        self._send({"kind": "module", "id": message["id"], "name": "chart", "source": front_end("chart.js")})

    def _figure(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        from gcs_lab.cockpit.figures import REST, owners_figure, running_figure, sent_figure, waiting_figure
        from gcs_lab.status.filter_language import parse_filter
        from gcs_lab.status.tables import JOB_COLUMNS

        picture = self._stage.picture
        # What was recorded last still holds.
        until = None if picture is None or picture.is_past else picture.snapshot.time
        figure: go.Figure
        if name == "running":
            figure = running_figure(self._recorded("history"), until)
            return sent_figure(figure), {trace.name: _TERMS[trace.name] for trace in figure.data}
        if name == "owners":
            figure = owners_figure(self._recorded("owners"), until)
        else:
            tasks = self._empty("tasks") if picture is None else picture.waiting_tasks()
            figure = waiting_figure(tasks, time.time() if picture is None else picture.now)
        nothing = parse_filter("", JOB_COLUMNS)
        owners = [trace.name for trace in figure.data if trace.name != REST]
        return sent_figure(figure), {owner: nothing.narrowed("owner", owner) for owner in owners}

    def _recorded(self, what: str) -> pa.Table:
        recorder: Recorder | None = self._cluster.status.poller.recorder
        if recorder is not None:
            try:
                table: pa.Table = getattr(recorder, what)()
            except GcsError:
                # Nothing can be read of what was recorded: charts without points.
                return self._empty(what)
            return table
        return self._empty(what)

    @staticmethod
    def _empty(what: str) -> pa.Table:
        import pyarrow as pa

        from gcs_lab.status.tables import empty_table

        if what == "tasks":
            return empty_table("tasks")
        names = ("running", "pending", "held", "suspended", "error") if what == "history" else ("owner", "slots")
        types = [pa.string() if name == "owner" else pa.int32() for name in names]
        return pa.schema([("time", pa.float64()), *zip(names, types, strict=True)]).empty_table()
