"""What a tab shows: facts, and figures as plotly's plain data.

Figures are dictionaries of ``data`` and ``layout`` as plotly.js has them: plotly's Python package, whose import takes
half a second and whose checks take longer than the sums, is not needed to show an explorer. Those who want its
figures find them in :func:`gcs_lab.explorer.figures`.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.status.filter_language import parse_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "NO_NAME",
    "OTHERS",
    "Content",
    "Drawn",
    "Fact",
    "Finding",
    "axis",
    "colours",
    "encoded",
    "escaped",
    "layout_of",
    "term_of",
]

#: Okabe and Ito's palette for all kinds of sight, as the cockpit has it, and two more.
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#b8a200",
    "#7d5fb2",
    "#8c6d4f",
    "#4d9a9a",
)
REST_COLOUR, BAD_COLOUR, PLAIN_COLOUR = "#999999", "#d55e00", "#0072b2"
#: Colours of a heat map: the same order in grey, for all kinds of sight, on light and dark ground.
HEAT = "Cividis"
#: Lines over a bar's own colour: told apart without colours.
HATCHED = {"shape": "/", "fillmode": "overlay", "size": 6, "solidity": 0.3}
OTHERS = "others"
#: What stands for a missing name.
NO_NAME = "(none)"


@dataclass(frozen=True)
class Fact:
    """A main figure: ``value`` with its unit, ``help`` says what it is; ``bad``: somebody should look at it."""

    label: str
    value: str
    help: str
    bad: bool = False


@dataclass(frozen=True)
class Drawn:
    """A figure (``IExplorerFigure``): ``terms`` are what a click on a trace's name or a place on an axis adds."""

    name: str
    title: str
    caption: str
    figure: dict[str, Any]
    terms: Mapping[str, str] = field(default_factory=dict)
    brush: bool = False
    lasso: bool = False
    wide: bool = False

    def told(self) -> dict[str, Any]:
        """Return the figure for a message."""
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "figure": encoded(self.figure),
            "terms": dict(self.terms),
            "brush": self.brush,
            "lasso": self.lasso,
            "wide": self.wide,
        }


@dataclass(frozen=True)
class Finding:
    """Something that stands out: in words, the filter that shows it, its weight (0 to 1), and its tab."""

    text: str
    term: str
    weight: float
    tab: str


@dataclass(frozen=True)
class Content:
    """What a tab shows; ``empty`` says why there is nothing to see."""

    facts: Sequence[Fact] = ()
    figures: Sequence[Drawn] = ()
    empty: str = ""


def encoded(value: Any) -> Any:
    """Return plotly's data with arrays of numbers in base64 (its typed arrays), ready for JSON."""
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, dict):
        return {name: encoded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _array(values: np.ndarray[Any, Any]) -> Any:
    if values.dtype.kind in "fiu":
        kind = "f8" if values.dtype.kind == "f" else "i4"
        if kind == "i4" and values.size and np.abs(values).max() >= 2**31:
            kind = "f8"
        raw = np.ascontiguousarray(values, f"<{kind}").tobytes()
        spec = {"dtype": kind, "bdata": base64.b64encode(raw).decode("ascii")}
        return spec if values.ndim == 1 else {**spec, "shape": ", ".join(map(str, values.shape))}
    return encoded(values.tolist())


def escaped(name: str) -> str:
    """Return a name for a text of plotly, which takes some HTML and its own marks."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace("%{", "% {")


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name, in their order; grey for the rest."""
    named = [name for name in names if name != OTHERS]
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(named)} | {OTHERS: REST_COLOUR}


def axis(title: str = "", kind: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis; `kind` is plotly's: linear, log, date, category."""
    told: dict[str, Any] = {"title": {"text": title}, "automargin": True, **more}
    return {**told, "type": kind} if kind else told


def layout_of(x: Mapping[str, Any], y: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a layout with two axes."""
    return {
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "hovermode": "closest",
        "showlegend": False,
        "legend": {"orientation": "h", "y": 1.12},
        "xaxis": dict(x),
        "yaxis": dict(y),
        # Zoom and hidden traces stay when the figure is drawn anew.
        "uirevision": "kept",
        **more,
    }


def term_of(column: str, value: str | None) -> str:
    """Return the term of a filter that a record fulfils whose `column` is `value`; None: whose has none."""
    return f'{column}:""' if value is None else _NOTHING.narrowed(column, value)


_NOTHING = parse_filter(
    "",
    dict.fromkeys(
        (
            "owner",
            "project",
            "queue",
            "department",
            "group",
            "host",
            "parallel_environment",
            "account",
            "name",
            "job_id",
        ),
        "string",
    ),
)
