"""The period and the filter of what is shown, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.explorer.local_time import clock_text

if TYPE_CHECKING:
    from gcs_lab.explorer.shown import Shown

__all__ = ["period_text"]


def period_text(shown: Shown) -> str:
    """Return what records are meant, for people: how many of how many, from when to when, with which filter."""
    from gcs_lab.explorer.lasso import lasso_words

    matching, period = shown.counts()
    since, until = shown.span
    told = f"{period:,} records ended from {clock_text(since)} to {clock_text(until)}"
    if shown.state.filter.strip():
        told = f"{matching:,} of {told}, those of the filter {shown.state.filter.strip()}"
    if shown.state.lasso is not None:
        told += f"; in the table {lasso_words(shown.state.lasso.x, shown.state.lasso.y)}"
    return told
