"""What a person sees in a notebook: widgets; floor 7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.widgets.card_html import card_html, card_state, card_text

if TYPE_CHECKING:
    from gcs_lab.widgets.job_card import CardActions, JobCard

__all__ = ["CardActions", "JobCard", "card_html", "card_state", "card_text"]


def __getattr__(name: str) -> Any:
    # The widget libraries take a good part of a second to import; the static line needs none of them.
    if name not in {"CardActions", "JobCard"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gcs_lab.widgets import job_card

    return getattr(job_card, name)
