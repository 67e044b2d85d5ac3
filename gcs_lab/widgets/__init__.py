"""What a person sees in a notebook: widgets; floor 7."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gcs_lab.widgets.card_html import card_html, card_state, card_text
from gcs_lab.widgets.sweep_html import sweep_html, sweep_state, sweep_text

if TYPE_CHECKING:
    from gcs_lab.widgets.grid import Grid
    from gcs_lab.widgets.job_card import CardActions, JobCard
    from gcs_lab.widgets.sweep_card import SweepActions, SweepCard, TaskRow

__all__ = [
    "CardActions",
    "Grid",
    "JobCard",
    "SweepActions",
    "SweepCard",
    "TaskRow",
    "card_html",
    "card_state",
    "card_text",
    "sweep_html",
    "sweep_state",
    "sweep_text",
]

#: Where the live cards are: the widget libraries take a good part of a second to import; the static lines need none.
_LAZY = {
    "CardActions": "job_card",
    "Grid": "grid",
    "JobCard": "job_card",
    "SweepActions": "sweep_card",
    "SweepCard": "sweep_card",
    "TaskRow": "sweep_card",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"gcs_lab.widgets.{_LAZY[name]}"), name)
