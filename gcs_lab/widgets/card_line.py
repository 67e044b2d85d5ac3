"""What the static lines of all cards are made of: a state's look, and texts that are safe to show.

The HTML has no style sheet and no script: JupyterLab's sanitizer takes those out of notebooks that are not trusted,
and the line must read well there too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gcs_lab.jobs.requests import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["StateLook", "clock_text", "closing_facts", "line_html", "printable", "state_look", "wall_text"]

_PILL = (
    "display:inline-block;padding:1px 8px;border-radius:9px;font-weight:600;white-space:nowrap;color:#ffffff;"
    "background-color:{colour}"
)


@dataclass(frozen=True)
class StateLook:
    """How a state is drawn: never by colour alone.

    ``colour`` is a background for white text with a contrast of more than 4.5:1, whatever the page's theme is;
    ``icon`` the path of an SVG drawing of 16 by 16. ``on_light`` and ``on_dark`` are colours of small marks on a
    light and a dark page, with more than 3:1 against it and told apart without red or green, and ``level`` is how
    much of its cell such a mark fills, from 0 to 1, and more than 1 beyond its edge.
    """

    word: str
    glyph: str
    colour: str
    icon: str
    on_light: str
    on_dark: str
    level: float


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


def line_html(look: StateLook, name: str, facts: Iterable[str], usage: Iterable[str] = ()) -> str:
    """Return one line of HTML: the state as a pill, the name, the facts; below it, small, what was used.

    All texts are escaped here.
    """
    pill = f'<span style="{_PILL.format(colour=look.colour)}">{look.glyph} {escape(look.word)}</span>'
    parts = [f"<strong>{escape(name)}</strong>"] if name else []
    parts += [escape(fact) for fact in facts]
    below = "".join(f"<div>{escape(printable(sentence))}</div>" for sentence in usage)
    return f'<div class="gcs-lab-card-line" style="overflow-wrap:anywhere">{pill} {" · ".join(parts)}{below}</div>'


def closing_facts(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what ends every line: why it failed or is stuck, why it waits, and which flags would have done."""
    if message := printable(state.get("message", "")):
        yield message
    if state.get("ended"):
        if advice := printable(state.get("advice", "")):
            yield f"next time: {advice}"
    elif waiting := state.get("waiting"):
        more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
        yield f"{printable(waiting[0])}{more}"


def wall_text(seconds: float) -> str:
    """Return a duration as people read it: ``"3.2 s"``, ``"1:02:03"``."""
    return f"{seconds:.1f} s" if seconds < 59.95 else format_time(seconds)  # noqa: PLR2004


def clock_text(time: float) -> str:
    """Return the local date and time of `time` (seconds since the epoch)."""
    return f"{datetime.fromtimestamp(time).astimezone():%Y-%m-%d %H:%M:%S}"


def printable(text: object) -> str:
    """Return `text` on one line and without control characters.

    A job's name or message may come from anyone's script: no escape sequences into a terminal, no second line.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
