"""The card of a sweep without a kernel: one line with counts and a coarse strip, as plain text or as HTML."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gcs_lab.models.sweep_model import STATES
from gcs_lab.widgets.card_line import clock_text, closing_facts, line_html, printable, state_look, wall_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.models.sweep_model import SweepModel

__all__ = ["BY_WEIGHT", "SWEEP_TRAITS", "coarse_strip", "sweep_html", "sweep_state", "sweep_text", "whole_state"]

#: The traits of a sweep's model that a card shows, besides its strip.
SWEEP_TRAITS = (
    "name",
    "cluster",
    "system",
    "job_id",
    "submitted",
    "started",
    "finished",
    "ended",
    "message",
    "stale_since",
    "waiting",
    "usage",
    "advice",
    "tasks",
    "counts",
    "tasks_per_cell",
    "wall_left",
    "parameters",
)
#: The states, the one first that a person should see first where there is room for one only.
BY_WEIGHT = (
    "FAILED",
    "RUNNING",
    "SUSPENDED",
    "QUEUED_HELD",
    "REQUEUED_HELD",
    "REQUEUED",
    "QUEUED",
    "UNDETERMINED",
    "DONE",
)
#: Cells of the static strip: they fit a line of a notebook.
_COARSE_CELLS = 60
#: Names of parameters that a card shows.
_MOST_PARAMETERS = 8


def sweep_state(model: SweepModel) -> dict[str, Any]:
    """Return what a card shows of `model`, ready for JSON: :data:`SWEEP_TRAITS` and the state of the whole."""
    state = {name: getattr(model, name) for name in SWEEP_TRAITS}
    state["counts"] = {name: state["counts"][name] for name in BY_WEIGHT if state["counts"].get(name)}
    more = [f"{len(model.parameters) - _MOST_PARAMETERS} more"] if len(model.parameters) > _MOST_PARAMETERS else []
    state["parameters"] = [*model.parameters[:_MOST_PARAMETERS], *more]
    state["state"] = whole_state(state["counts"], ended=model.ended)
    return state


def whole_state(counts: Mapping[str, int], *, ended: bool) -> str:
    """Return the name of the one state that a sweep is in as a whole.

    Parameters
    ----------
    counts
        Number of tasks by name of their state.
    ended
        Whether nothing more will change.

    Returns
    -------
    str
        ``"FAILED"`` or ``"DONE"`` when every task has ended; ``"RUNNING"`` as soon as any has started, unless all
        that is left is suspended or held; else what its tasks wait in.
    """
    there = {name for name in BY_WEIGHT if counts.get(name)}
    left = there - {"FAILED", "DONE"}
    if ended or (there and not left):
        return "FAILED" if "FAILED" in there else "DONE" if there == {"DONE"} else "UNDETERMINED"
    if "RUNNING" in left:
        return "RUNNING"
    held = left & {"QUEUED_HELD", "REQUEUED_HELD"}
    if "SUSPENDED" in left:
        return "SUSPENDED"
    if left and left == held:
        return "QUEUED_HELD" if "QUEUED_HELD" in held else "REQUEUED_HELD"
    if there & {"FAILED", "DONE"} and left - {"UNDETERMINED"}:
        # Some have ended and the others are about to start: the sweep goes on.
        return "RUNNING"
    return next((name for name in ("QUEUED", "REQUEUED") if name in left), "UNDETERMINED")


def coarse_strip(strip: bytes, cells: int = _COARSE_CELLS) -> list[str]:
    """Return names of states, at most `cells` of them: each the weightiest of an equal part of `strip`.

    Parameters
    ----------
    strip
        As ``SweepModel.strip``: one byte a cell, a place in ``STATES``.
    """
    codes = [(name, STATES.index(name)) for name in BY_WEIGHT]
    count = min(cells, len(strip))
    names = []
    for cell in range(count):
        part = strip[cell * len(strip) // count : (cell + 1) * len(strip) // count]
        names.append(next((name for name, code in codes if code in part), "UNDETERMINED"))
    return names


def sweep_text(state: Mapping[str, Any], strip: bytes) -> str:
    """Return the card as one line of text, without control characters.

    Parameters
    ----------
    state
        As :func:`sweep_state` returns it; what is left out is taken as not known.
    strip
        As ``SweepModel.strip``.

    Examples
    --------
    >>> sweep_text({"state": "FAILED", "tasks": 3, "counts": {"FAILED": 1, "DONE": 2}}, bytes([7, 8, 7]))
    '✗ failed · 1 failed, 2 done of 3 · ✓✗✓'
    """
    look = state_look(state.get("state", ""))
    glyphs = "".join(state_look(name).glyph for name in coarse_strip(strip))
    parts = [f"{look.glyph} {look.word}", printable(state.get("name", "")), *_facts(state), glyphs]
    return " · ".join(filter(None, parts))


def sweep_html(state: Mapping[str, Any], strip: bytes) -> str:
    """Return the card as a line of HTML with the strip below it; all texts are escaped.

    Parameters as for :func:`sweep_text`.
    """
    usage = state.get("usage", ()) if state.get("ended") else ()
    line = line_html(state_look(state.get("state", "")), printable(state.get("name", "")), _facts(state), usage)
    return f"{line}{_strip_html(coarse_strip(strip))}"


def _strip_html(names: list[str]) -> str:
    """Return runs of glyphs, white on the colour of their state."""
    runs = []
    for name, cells in groupby(names):
        look = state_look(name)
        style = f"background-color:{look.colour};color:#ffffff;padding:1px 0"
        runs.append(f'<span style="{style}">{escape(look.glyph) * len(list(cells))}</span>')
    if not runs:
        return ""
    return (
        f'<div class="gcs-lab-card-strip" style="font-family:monospace;overflow-wrap:anywhere">{"".join(runs)}</div>'
    )


def _facts(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known besides state and name, most important first."""
    if job_id := printable(state.get("job_id", "")):
        yield f"job {job_id}"
    counts, tasks = state.get("counts", {}), state.get("tasks", 0)
    if said := [f"{counts[name]:,} {state_look(name).word}" for name in BY_WEIGHT if counts.get(name)]:
        yield f"{', '.join(said)} of {tasks:,}"
    elif tasks:
        yield f"{tasks:,} tasks"
    started, finished = state.get("started", 0.0), state.get("finished", 0.0)
    if state.get("ended"):
        if started > 0 and finished >= started:
            yield f"{wall_text(finished - started)} wall"
    else:
        for word in ("started", "submitted"):
            if since := state.get(word, 0.0):
                yield f"{word} {clock_text(since)}"
                break
        if since := state.get("stale_since", 0.0):
            yield f"stale since {clock_text(since)}: the cluster does not answer"
    yield from closing_facts(state)
