"""The cockpit without a kernel: the last figures, jobs, queues and charts as HTML, or as text.

No style sheet and no script, as in all static lines (:mod:`gcs_lab.widgets.card_line`); it reads well on light and
dark ground, and every name is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.status.overview import overview_of
from gcs_lab.widgets.card_line import clock_text, printable, state_look
from gcs_lab.widgets.chart_svg import bars_svg, lines_svg
from gcs_lab.widgets.table_html import table_html

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.status.overview import Overview

__all__ = ["cockpit_html", "cockpit_text"]

MOST_JOBS = 50
_MOST_QUEUES = 30
_MOST_OWNERS = 8
#: Characters of a name: a page with 50 jobs stays below 60 kB whatever they are called.
_MOST_CHARACTERS = 60
#: Column of the history, its label, a colour with 3:1 against white and black, and dashes.
_LINES = (
    ("running", "running", "#388bfd", ""),
    ("pending", "waiting", "#8b949e", "5 3"),
    ("held", "held", "#b07400", "2 2"),
    ("error", "in error", "#d1495b", "7 3"),
)


def cockpit_html(picture: Picture | None, history: pa.Table | None, *, system: str, trouble: str = "") -> str:
    """Return what the cockpit shows as HTML, less than 60 kB.

    Parameters
    ----------
    picture
        What is shown; None: the cluster has not answered yet.
    history
        The recorder's counts; None: there are none.
    system
        What runs the cluster.
    trouble
        What is not as it should be, in a line.
    """
    note = f"<p><strong>{escape(trouble)}</strong></p>" if trouble else ""
    if picture is None:
        return f"<div><p>{escape(system)}: nothing is known of the cluster yet.</p>{note}</div>"
    overview = overview_of(picture.snapshot, system)
    jobs = picture.matching_jobs()
    parts = [
        f"<p><strong>{escape(system)}</strong>, as it was at {clock_text(picture.now)}</p>",
        note,
        f"<p>{'<br>'.join(map(escape, _figures(overview)))}</p>",
        _charts(overview, history),
        table_html(_JOB_HEAD, _job_rows(jobs), _jobs_caption(picture, jobs), _WORDS),
        table_html(
            ("Queue", "Slots used", "of", "Closed", "Not open"),
            _queue_rows(picture.snapshot.queues),
            "Queues",
            _WORDS,
        ),
    ]
    return f"<div>{''.join(parts)}</div>"


def cockpit_text(picture: Picture | None, *, system: str) -> str:
    """Return what the cockpit shows as text, for a terminal."""
    if picture is None:
        return f"{system}: nothing is known of the cluster yet."
    overview = overview_of(picture.snapshot, system)
    jobs = picture.matching_jobs()
    rows = [_JOB_HEAD, *_job_rows(jobs)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join([repr(overview), "", _jobs_caption(picture, jobs), *lines])


def _figures(overview: Overview) -> Iterator[str]:
    closed = f", {overview.slots_closed:,} closed" if overview.slots_closed else ""
    yield (
        f"Slots: {overview.slots_used:,} of {overview.slots_total:,} used, {overview.slots_free:,} free{closed}; "
        f"hosts: {overview.hosts_up:,} up" + (f", {overview.hosts_down:,} down" if overview.hosts_down else "")
    )
    tasks = ", ".join(f"{count:,} {kind}" for kind, count in overview.tasks.items() if count) or "none"
    yield f"Jobs: {overview.jobs:,}; tasks: {tasks}"


def _charts(overview: Overview, history: pa.Table | None) -> str:
    drawn = []
    if history is not None and history.num_rows:
        times = _seconds(history)
        lines = []
        for column, label, colour, dashes in _LINES:
            counts = history[column].fill_null(0).to_pylist()
            if column in {"running", "pending"} or any(counts):
                lines.append((label, counts, colour, dashes))
        drawn.append(("Running and waiting", lines_svg("tasks that run and wait, over time", times, lines)))
    shares = [(one.owner, one.slots, one.waiting) for one in overview.owners[:_MOST_OWNERS]]
    drawn.append(("Slots by owner", bars_svg("slots in use by owner, and tasks that wait", shares)))
    return "".join(
        f'<div style="display:inline-block;vertical-align:top;margin-right:24px"><div>{title}</div>{svg}</div>'
        for title, svg in drawn
        if svg
    )


def _seconds(history: pa.Table) -> list[float]:
    import pyarrow as pa

    times = history["time"]
    if pa.types.is_timestamp(times.type):
        times = times.cast(pa.timestamp("us", tz=times.type.tz)).cast(pa.int64())
        return [one / 1e6 for one in times.to_pylist()]
    return [float(one) for one in times.to_pylist()]


_WORDS = frozenset({"Name", "Owner", "State", "Queue", "Host", "Not open"})
_QUEUE_HEAD = ("Queue", "Slots used", "of", "Closed", "Not open")
_JOB_HEAD = ("Job", "Name", "Owner", "State", "Tasks", "Slots", "Queue", "Host", "Submitted", "Started")


def _jobs_caption(picture: Picture, jobs: pa.Table) -> str:
    shown = min(jobs.num_rows, MOST_JOBS)
    narrowed = f" that fit {picture.filter_text!r}" if picture.filter_text else ""
    first = f"the first {shown:,} of " if shown < jobs.num_rows else ""
    return f"Jobs{narrowed}: {first}{jobs.num_rows:,}"


def _job_rows(jobs: pa.Table) -> list[tuple[str, ...]]:
    """Return the cells of the first jobs: what runs first, then in the order of submission."""
    at_work = np.asarray((jobs["running"].fill_null(0)).to_numpy()) > 0
    order = np.argsort(~at_work, kind="stable")[:MOST_JOBS]
    return [_job_cells(row) for row in jobs.take(order).to_pylist()]


def _job_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    look = state_look(row["state"] or "")
    # The letters of an error state are not those of its DRMAA2 state.
    word = "in error" if "E" in (row["letters"] or "") else look.word
    submitted, started = row["submission_time"], row["start_time"]
    return (
        str(row["job_id"]),
        _short(row["name"]),
        _short(row["owner"]),
        f"{look.glyph} {word} ({row['letters'] or '?'})",
        f"{row['tasks']:,}" if row["array"] else "",
        "" if row["slots"] is None else f"{row['slots']:,}",
        _short(row["queue"]),
        _short(row["host"]),
        clock_text(submitted.timestamp()) if submitted else "",
        clock_text(started.timestamp()) if started else "",
    )


def _queue_rows(queues: pa.Table) -> list[tuple[str, ...]]:
    columns = ["queue", "slots_used", "slots_total", "slots_closed", "states"]
    return [
        (
            _short(row["queue"]),
            f"{row['slots_used'] or 0:,}",
            f"{row['slots_total'] or 0:,}",
            f"{row['slots_closed'] or 0:,}",
            _short(row["states"]),
        )
        for row in queues.select(columns).slice(0, _MOST_QUEUES).to_pylist()
    ]


def _short(text: object) -> str:
    told = "" if text is None else printable(text)
    return told if len(told) <= _MOST_CHARACTERS else f"{told[: _MOST_CHARACTERS - 1]}…"
