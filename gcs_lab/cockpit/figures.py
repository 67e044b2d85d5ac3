"""Charts of what was recorded of a cluster, as plotly figures.

For users, too::

    from gcs_lab.cockpit.figures import running_figure

    running_figure(cluster.status.history())

They are plain figures (no ``FigureWidget``, which sends 5 MB of its own): colours that are told apart without red and
green, at most 600 points a line.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["owners_figure", "running_figure", "sent_figure", "waiting_figure"]

_MOST_POINTS = 600
#: Of a figure with a line for each owner.
_MOST_STACKED_POINTS = 300
#: Owners that are drawn by name; the others are drawn together.
_MOST_NAMES = 8
REST = "others"
#: Okabe and Ito's palette for all kinds of sight, its yellow made darker for a white page; the last is for the rest.
_PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a200", "#7d5fb2")
_REST_COLOUR = "#999999"
#: Column of the history, its label, and the state whose colour it has.
_LINES = (
    ("running", "running", "RUNNING", "solid"),
    ("pending", "waiting", "QUEUED", "dash"),
    ("held", "held", "QUEUED_HELD", "dot"),
    ("suspended", "suspended", "SUSPENDED", "dashdot"),
    ("error", "in error", "FAILED", "longdash"),
)
#: Upper ends of the classes of waiting time, in seconds, and their labels.
_CLASSES = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400)
_CLASS_LABELS = ("< 1 min", "1-5 min", "5-15 min", "15-60 min", "1-4 h", "4-12 h", "12-24 h", "1-3 days", "> 3 days")


@cache
def _colours() -> dict[str, dict[str, Any]]:
    looks: dict[str, dict[str, Any]] = json.loads(
        files("gcs_lab.widgets").joinpath("job_states.json").read_text(encoding="utf-8")
    )
    return looks


def running_figure(history: pa.Table | pd.DataFrame, until: float | None = None) -> go.Figure:
    """Return tasks that run, wait, are held, suspended and in error, over time.

    Parameters
    ----------
    history
        ``cluster.status.history()``, or the table of the recorder.
    until
        Seconds since the epoch to which the last moment is drawn on; None: it ends the lines.
    """
    import plotly.graph_objects as go

    seconds = _seconds(_values(history, "time"))
    chosen = _drawn(seconds, _MOST_POINTS, until)
    times = _milliseconds(_on_until(seconds[chosen], until))
    figure = go.Figure(layout=_layout("tasks"))
    for column, label, state, dash in _LINES:
        counts = _counts(history, column)[chosen]
        if column in {"running", "pending"} or counts.any():
            look = _colours()[state]
            figure.add_scatter(
                x=times,
                y=_small(counts),
                name=label,
                mode="lines",
                line={"color": look["on_light"], "dash": dash, "width": 2, "shape": "hv"},
                meta={"on_dark": look["on_dark"]},
                hovertemplate="%{y:,} " + label + "<extra></extra>",
            )
    figure.update_xaxes(type="date")
    return figure


def owners_figure(owners: pa.Table | pd.DataFrame, until: float | None = None) -> go.Figure:
    """Return the slots in use over time, by owner: the eight that had most, and the rest together.

    Parameters
    ----------
    owners
        Rows of time, owner and slots, as ``recorder.owners()`` has them.
    until
        As for :func:`running_figure`.
    """
    import plotly.graph_objects as go

    moments, at = np.unique(_seconds(_values(owners, "time")), return_inverse=True)
    chosen = _drawn(moments, _MOST_STACKED_POINTS, until)
    names, who = np.unique(np.asarray(_values(owners, "owner"), str), return_inverse=True)
    by_owner = np.zeros((len(names), len(moments)), np.int32)
    np.add.at(by_owner, (who, at), _counts(owners, "slots"))
    order = np.argsort(-by_owner.sum(axis=1), kind="stable")
    figure = go.Figure(layout=_layout("slots in use"))
    times = _milliseconds(_on_until(moments[chosen], until))
    lines = [(str(names[i]), by_owner[i], _PALETTE[rank]) for rank, i in enumerate(order[:_MOST_NAMES])]
    if len(rest := order[_MOST_NAMES:]):
        lines.append((REST, by_owner[rest].sum(axis=0).astype(np.int32), _REST_COLOUR))
    for name, slots, colour in lines:
        figure.add_scatter(
            x=times,
            y=_small(slots[chosen]),
            name=name,
            mode="lines",
            stackgroup="slots",
            line={"width": 0.5, "color": colour, "shape": "hv"},
            hovertemplate="%{y:,} " + _escaped(name) + "<extra></extra>",
        )
    figure.update_xaxes(type="date")
    return figure


def waiting_figure(tasks: pa.Table | pd.DataFrame, now: float, by: str = "owner") -> go.Figure:
    """Return for how long what waits has waited so far, by owner (or another column of names), as bars.

    Parameters
    ----------
    tasks
        Those that wait: rows with submission_time, task_count and `by`. What has no submission time is left out.
    now
        Seconds since the epoch.
    by
        Name of the column.
    """
    import plotly.graph_objects as go

    since = _seconds(_values(tasks, "submission_time"))
    known = ~np.isnan(since)
    classes = np.searchsorted(_CLASSES, now - since[known], side="right")
    names, who = np.unique(np.asarray(_values(tasks, by), str)[known], return_inverse=True)
    counts = np.zeros((len(names), len(_CLASS_LABELS)), np.int32)
    np.add.at(counts, (who, classes), _counts(tasks, "task_count")[known])
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    figure = go.Figure(layout=_layout("tasks") | {"barmode": "stack", "hovermode": "closest"})
    bars = [(str(names[i]), counts[i], _PALETTE[rank]) for rank, i in enumerate(order[:_MOST_NAMES])]
    if len(rest := order[_MOST_NAMES:]):
        bars.append((REST, counts[rest].sum(axis=0).astype(np.int32), _REST_COLOUR))
    for name, heights, colour in bars:
        figure.add_bar(
            x=list(_CLASS_LABELS),
            y=heights,
            name=name,
            marker={"color": colour},
            hovertemplate="%{y:,} " + _escaped(name) + ", %{x}<extra></extra>",
        )
    figure.update_xaxes(type="category", title="waited so far")
    return figure


def sent_figure(figure: go.Figure) -> dict[str, Any]:
    """Return data and layout of a figure for a message: arrays in base64, no template (it alone has 7 kB)."""
    figure.layout.template = None
    told: dict[str, Any] = json.loads(figure.to_json(validate=False))
    told["layout"].pop("template", None)
    return {"data": told["data"], "layout": told["layout"]}


def _layout(title: str) -> dict[str, Any]:
    return {
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.12},
        "showlegend": True,
        "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
        # Zoom and hidden traces stay when the figure is drawn anew.
        "uirevision": "kept",
    }


def _thinned(number: int, most: int = _MOST_POINTS) -> NDArray[np.int64]:
    """Return the places of at most so many points as are drawn, the last always among them."""
    if number <= most:
        return np.arange(number)
    return np.linspace(0, number - 1, most).round().astype(np.int64)


def _drawn(seconds: NDArray[np.float64], most: int, until: float | None) -> NDArray[np.int64]:
    """Return the places of the points that are drawn: the last one twice where :func:`_on_until` draws it on."""
    chosen = _thinned(len(seconds), most)
    return np.append(chosen, chosen[-1:]) if len(chosen) and until is not None and until > seconds[-1] else chosen


def _on_until(seconds: NDArray[np.float64], until: float | None) -> NDArray[np.float64]:
    """Return times with `until` as that of the last point, if it is later: a step holds until the next one."""
    if len(seconds) and until is not None and until > seconds[-1]:
        seconds[-1] = until
    return seconds


def _small(counts: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
    """Return counts in half the bytes, where they are small enough."""
    return counts.astype(np.int16) if counts.max(initial=0) <= np.iinfo(np.int16).max else counts


def _values(table: pa.Table | pd.DataFrame, column: str) -> NDArray[Any]:
    """Return a column of an Arrow table or of a DataFrame."""
    values = table[column]
    if hasattr(values, "combine_chunks"):
        return np.asarray(values.to_pandas())
    return np.asarray(values)


def _counts(table: pa.Table | pd.DataFrame, column: str) -> NDArray[np.int32]:
    counts: NDArray[np.int32] = np.nan_to_num(np.asarray(_values(table, column), np.float64)).astype(np.int32)
    return counts


def _seconds(times: NDArray[Any]) -> NDArray[np.float64]:
    """Return times as seconds since the epoch, whichever way they came; NaN: not known."""
    if times.dtype == object:
        told = [np.nan if one is None or one != one else one.timestamp() for one in times]  # noqa: PLR0124  (NaT)
        return np.array(told, np.float64)
    if np.issubdtype(times.dtype, np.datetime64):
        seconds = times.astype("datetime64[us]").astype(np.float64) / 1e6
        seconds[np.isnat(times)] = np.nan
        return seconds
    return times.astype(np.float64)


def _milliseconds(times: NDArray[Any]) -> NDArray[np.float64]:
    """Return times as plotly's date axes have them: it shows numbers by the browser's clock."""
    return np.asarray(_seconds(times) * 1000).round()


def _escaped(name: str) -> str:
    """Return a name for a hover text, where plotly takes some HTML and its own marks."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace("%{", "% {")
