"""The tab of jobs: the latest on one axis of time, those that wait and run now with those that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gcs_lab.explorer.drawing import HATCHED, Content, Drawn, Fact, axis, escaped, layout_of, term_of
from gcs_lab.explorer.local_time import offset_us, shown_times
from gcs_lab.explorer.waits import length_text

if TYPE_CHECKING:
    from gcs_lab.explorer.shown import Shown

__all__ = ["LIFE_COLUMNS", "content", "latest_lives"]

_MOST_ROWS, _MOST_LIVE = 300, 150
#: Ended records that are looked at for the latest.
_MOST_ENDED = 2_000
#: Rows of which each has its label.
_MOST_LABELS = 60
#: Columns of a record that a life is made of.
LIFE_COLUMNS = (
    *("job_id", "task", "pe_task", "name", "owner", "project", "queue", "host", "slots", "failed", "exit_status"),
    *("submission_time", "start_time", "end_time", "wallclock", "cpu"),
)
#: What is read of a life, with its type.
_READ: dict[str, Any] = {
    **dict.fromkeys(("submission_time", "start_time", "end_time"), pl.Datetime("us", "UTC")),
    **dict.fromkeys(("job_id", "name", "owner", "queue", "host", "state", "outcome", "tasks"), pl.String),
    **dict.fromkeys(("task", "slots"), pl.Int64),
}
#: What a bar says: label, colour, pattern (not by colour alone).
_BARS = {
    "waited": ("#bbbbbb", ""),
    "waits": ("#e69f00", "."),
    "runs": ("#0072b2", ""),
    "ended well": ("#009e73", ""),
    "failed": ("#d55e00", "/"),
    "ended, not accounted yet": ("#7d5fb2", "x"),
}


def latest_lives(shown: Shown) -> pl.DataFrame:
    """Return the latest lives of jobs (:data:`gcs_lab.accounting.lives.COLUMNS`) that match, live ones with them."""
    from gcs_lab.accounting.lives import lives

    records = shown.records(LIFE_COLUMNS)
    ends = records.select("end_time").top_k(_MOST_ENDED, by="end_time").collect()["end_time"]
    oldest = ends.min()
    if shown.read_part < 1:
        # What is stored can be told; what runs is joined when all is read.
        return lives(records.filter(pl.col("end_time") >= oldest)) if oldest is not None else lives(records)
    words: dict[str, Any] = {name: value for name, value in shown.choice().items() if name in {"before", "where"}}
    if len(ends) == _MOST_ENDED:
        words |= {"since": oldest, "by_end": True}
    elif shown.state.since is not None:
        words |= {"since": shown.state.since, "by_end": True}
    found = shown.accounting.timeline(**words)
    few = found.loc[:, list(_READ)].astype(object)
    return pl.DataFrame(
        {name: few[name].where(few[name].notna(), None).tolist() for name in _READ}, schema=dict(_READ), strict=False
    )


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    lives = latest_lives(shown)
    matching, _ = shown.counts()
    if not len(lives):
        return Content(empty=shown.nothing())
    shown.check()
    live = lives.filter(pl.col("state") != "ended")
    ended = lives.filter(pl.col("state") == "ended")
    ended = ended.sort("end_time", descending=True, nulls_last=False)
    live = live.sort(pl.coalesce("start_time", "submission_time"), descending=True)
    rows = pl.concat([live.head(_MOST_LIVE), ended.head(_MOST_ROWS - min(len(live), _MOST_LIVE))])
    rows = rows.sort("submission_time", "job_id", "task", descending=True)
    states = dict(lives["state"].value_counts().iter_rows())
    waiting = sum(states.get(name, 0) for name in ("pending", "held", "error"))
    facts = [
        Fact("Ended", f"{matching:,}", "Matching records of the period: the table below has them."),
        Fact("Running", f"{states.get('running', 0) + states.get('suspended', 0):,}", "Jobs and tasks that run now."),
        Fact("Waiting", f"{waiting:,}", "Rows of what waits now: tasks of an array that wait together are one."),
    ]
    gone = int(lives["outcome"].is_in(["awaiting accounting", "no record"]).sum())
    if gone:
        facts.append(
            Fact("Not accounted yet", f"{gone:,}", "They have left the queue, and no record of them is there.")
        )
    return Content(facts, [_figure(rows, len(lives) > len(rows), shown.now)])


def _label(job: str, task: int | None, tasks: str | None, name: str | None) -> str:
    which = tasks or task
    return f"{job}{'' if which is None else f'.{which}'} {(name or '')[:24]}".strip()


def _figure(rows: pl.DataFrame, more: bool, now: float) -> Drawn:
    labels = [_label(*told) for told in zip(rows["job_id"], rows["task"], rows["tasks"], rows["name"], strict=True)]
    bars: dict[str, list[tuple[str, float, float, str]]] = {name: [] for name in _BARS}
    for label, row in zip(labels, rows.iter_rows(named=True), strict=True):
        submitted, started, ended = (
            None if row[name] is None else row[name].timestamp()
            for name in ("submission_time", "start_time", "end_time")
        )
        until = ended if ended is not None else now
        who = f"{row['owner']}, {row['slots'] or 0} slots" + (f", {row['host']}" if row["host"] else "")
        if submitted is not None:
            waited = (started if started is not None else until) - submitted
            sort = "waits" if row["state"] in {"pending", "held", "error"} else "waited"
            bars[sort].append((label, submitted, max(waited, 0.0), f"{who}<br>{length_text(waited)}"))
        if started is not None:
            sort = {"done": "ended well", "failed": "failed"}.get(row["outcome"], "ended, not accounted yet")
            sort = "runs" if row["state"] != "ended" else sort
            ran = max(until - started, 0.0)
            bars[sort].append((label, started, ran, f"{who}<br>{length_text(ran)}"))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": [one[0] for one in told],
            "base": shown_times(np.array([_local_us(one[1]) for one in told], np.int64)),
            "x": np.array([max(one[2] * 1000.0, 1.0) for one in told]),
            "text": [escaped(one[3]).replace("&lt;br>", "<br>") for one in told],
            "textposition": "none",
            "marker": {
                "color": _BARS[name][0],
                "pattern": HATCHED | {"shape": _BARS[name][1]} if _BARS[name][1] else {},
            },
            "hovertemplate": "%{y}<br>%{text}<extra>%{fullData.name}</extra>",
        }
        for name, told in bars.items()
        if told
    ]
    which = f"The latest {len(rows)} jobs and tasks" if more else "The jobs and tasks"
    return Drawn(
        "jobs_timeline",
        "Jobs over time: waiting, running, ended",
        f"{which}, one row each, the latest submitted on top: grey from submission to start, then the "
        "colour of how it "
        "ended, blue while it runs. Click a row to see that job alone.",
        {
            "data": traces,
            "layout": layout_of(
                axis(kind="date"),
                axis(
                    kind="category",
                    categoryorder="array",
                    categoryarray=labels,
                    autorange="reversed",
                    showticklabels=len(labels) <= _MOST_LABELS,
                ),
                barmode="overlay",
                bargap=0.15,
                showlegend=True,
                height=max(320, min(900, 80 + 12 * len(labels))),
            ),
        },
        {label: term_of("job_id", job) for label, job in zip(labels, rows["job_id"], strict=True)},
        brush=True,
        wide=True,
    )


def _local_us(at: float) -> int:
    return round(at * 1e6) + offset_us(at)
