"""The card of a job without a kernel: one line of plain text, or of HTML.

Both are made of the same state that the live card shows (:func:`card_state`), so that a saved or exported notebook
says what the card said last. The HTML has no style sheet and no script: JupyterLab's sanitizer takes those out of
notebooks that are not trusted, and the line must read well there too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gcs_lab.jobs.requests import format_memory, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.models import JobModel

__all__ = ["STATE_TRAITS", "StateLook", "card_html", "card_state", "card_text", "state_look"]

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
    "stale_since",
    "ended",
)

_PILL = (
    "display:inline-block;padding:1px 8px;border-radius:9px;font-weight:600;white-space:nowrap;color:#ffffff;"
    "background-color:{colour}"
)


@dataclass(frozen=True)
class StateLook:
    """How a state is drawn: never by colour alone.

    ``colour`` is a background for white text with a contrast of more than 4.5:1, whatever the page's theme is;
    ``icon`` the path of an SVG drawing of 16 by 16.
    """

    word: str
    glyph: str
    colour: str
    icon: str


@cache
def _looks() -> dict[str, StateLook]:
    text = files("gcs_lab.widgets").joinpath("job_states.json").read_text(encoding="utf-8")
    return {name: StateLook(**look) for name, look in json.loads(text).items()}


def state_look(state: str) -> StateLook:
    """Return how the DRMAA2 state of that name is drawn; a name that is not known is drawn as undetermined.

    Source: ``job_states.json``, which the front end is built from too.
    """
    looks = _looks()
    return looks.get(state, looks["UNDETERMINED"])


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
    parts = [f"{look.glyph} {look.word}", _printable(state.get("name", "")), *_facts(state)]
    return " · ".join(filter(None, parts))


def card_html(state: Mapping[str, Any]) -> str:
    """Return the card as one line of HTML; all text of the job is escaped. Parameters as for :func:`card_text`."""
    look = state_look(state.get("state", ""))
    pill = f'<span style="{_PILL.format(colour=look.colour)}">{look.glyph} {escape(look.word)}</span>'
    name = _printable(state.get("name", ""))
    parts = [f"<strong>{escape(name)}</strong>"] if name else []
    parts += [escape(fact) for fact in _facts(state)]
    return f'<div class="gcs-lab-card-line" style="overflow-wrap:anywhere">{pill} {" · ".join(parts)}</div>'


def _facts(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known besides state and name, most important first."""
    if job_id := _printable(state.get("job_id", "")):
        yield f"job {job_id}"
    if place := "@".join(filter(None, (_printable(state.get(part, "")) for part in ("queue", "host")))):
        yield place
    yield from _outcome(state) if state.get("ended") or _terminal(state) else _present(state)
    if message := _printable(state.get("message", "")):
        yield message


def _terminal(state: Mapping[str, Any]) -> bool:
    return state.get("state") in {"DONE", "FAILED"}


def _outcome(state: Mapping[str, Any]) -> Iterator[str]:
    started, finished = state.get("started", 0.0), state.get("finished", 0.0)
    if started > 0 and finished >= started:
        yield f"{_wall(finished - started)} wall"
    if peak := state.get("max_rss", 0):
        yield f"peak {format_memory(peak)}"
    if (status := state.get("exit_status", -1)) >= 0:
        yield f"exit {status}"


def _present(state: Mapping[str, Any]) -> Iterator[str]:
    for word in ("started", "submitted"):
        if since := state.get(word, 0.0):
            yield f"{word} {_clock(since)}"
            break
    if (progress := state.get("progress", -1.0)) >= 0:
        yield f"{progress:.0%}"
    if text := _printable(state.get("progress_text", "")):
        yield text
    if since := state.get("stale_since", 0.0):
        yield f"stale since {_clock(since)}: the cluster does not answer"


def _wall(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 59.95 else format_time(seconds)  # noqa: PLR2004


def _clock(time: float) -> str:
    return f"{datetime.fromtimestamp(time).astimezone():%Y-%m-%d %H:%M:%S}"


def _printable(text: str) -> str:
    # A job's name or message may come from anyone's script: no escape sequences into a terminal, no second line.
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
