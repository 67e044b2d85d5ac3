"""The card of a job without a kernel: one line of plain text, or of HTML.

Both are made of the same state that the live card shows (:func:`card_state`), so that a saved or exported notebook
says what the card said last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.jobs.requests import format_memory
from gcs_lab.widgets.card_line import clock_text, closing_facts, line_html, printable, state_look, wall_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.models import JobModel

__all__ = ["STATE_TRAITS", "card_html", "card_state", "card_text"]

#: The traits of a job's model that a card shows.
STATE_TRAITS = (
    "name",
    "cluster",
    "system",
    "job_id",
    "state",
    "sub_state",
    "queue",
    "host",
    "slots",
    "submitted",
    "started",
    "finished",
    "progress",
    "progress_text",
    "rss",
    "max_rss",
    "cpu",
    "exit_status",
    "message",
    "waiting",
    "usage",
    "advice",
    "stale_since",
    "ended",
)


def card_state(model: JobModel) -> dict[str, Any]:
    """Return what a card shows of `model`: the traits of :data:`STATE_TRAITS`, ready for JSON, in their units."""
    return {name: getattr(model, name) for name in STATE_TRAITS}


def card_text(state: Mapping[str, Any]) -> str:
    """Return the card as one line of text, without control characters.

    Parameters
    ----------
    state
        As :func:`card_state` returns it; what is left out is taken as not known.

    Examples
    --------
    >>> card_text({"state": "DONE", "name": "fit", "job_id": "12", "exit_status": 0})
    '✓ done · fit · job 12 · exit 0'
    """
    look = state_look(state.get("state", ""))
    parts = [f"{look.glyph} {look.word}", printable(state.get("name", "")), *_facts(state)]
    return " · ".join(filter(None, parts))


def card_html(state: Mapping[str, Any]) -> str:
    """Return the card as one line of HTML, and at the end of a job lines that say what it asked for and what it used.

    All text of the job is escaped. Parameters as for :func:`card_text`.
    """
    look = state_look(state.get("state", ""))
    usage = state.get("usage", ()) if state.get("ended") else ()
    return line_html(look, printable(state.get("name", "")), _facts(state), usage)


def _facts(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known besides state and name, most important first."""
    if job_id := printable(state.get("job_id", "")):
        yield f"job {job_id}"
    if place := "@".join(filter(None, (printable(state.get(part, "")) for part in ("queue", "host")))):
        yield place
    yield from _outcome(state) if state.get("ended") or _terminal(state) else _present(state)
    yield from closing_facts(state)


def _terminal(state: Mapping[str, Any]) -> bool:
    return state.get("state") in {"DONE", "FAILED"}


def _outcome(state: Mapping[str, Any]) -> Iterator[str]:
    started, finished = state.get("started", 0.0), state.get("finished", 0.0)
    if started > 0 and finished >= started:
        yield f"{wall_text(finished - started)} wall"
    if peak := state.get("max_rss", 0):
        yield f"peak {format_memory(peak)}"
    if (status := state.get("exit_status", -1)) >= 0:
        yield f"exit {status}"


def _present(state: Mapping[str, Any]) -> Iterator[str]:
    for word in ("started", "submitted"):
        if since := state.get(word, 0.0):
            yield f"{word} {clock_text(since)}"
            break
    if (progress := state.get("progress", -1.0)) >= 0:
        yield f"{progress:.0%}"
    if text := printable(state.get("progress_text", "")):
        yield text
    if since := state.get("stale_since", 0.0):
        yield f"stale since {clock_text(since)}: the cluster does not answer"
