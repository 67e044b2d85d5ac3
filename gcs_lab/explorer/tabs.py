"""What each tab shows of a state."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gcs_lab.explorer.drawing import Content
from gcs_lab.explorer.state import GROUPINGS, MEASURES, TABS
from gcs_lab.status.filter_language import FilterError

if TYPE_CHECKING:
    from gcs_lab.explorer.shown import Shown

__all__ = ["TAB_COLUMNS", "content_of", "groupings_told", "measures_told", "tabs_told"]

#: What all tabs look at, but for the column that is split by.
TAB_COLUMNS = frozenset(
    {
        *(
            "end_time",
            "start_time",
            "submission_time",
            "slots",
            "slot_seconds",
            "cpu",
            "cpu_efficiency",
            "memory",
            "wait",
        ),
        *("owner", "host", "queue", "failed", "exit_status", "category", "max_vmem", "wallclock", "deleted_by"),
        *("pe_task", "job_id", "task", "asked_memory", "asked_time"),
    }
)


def content_of(shown: Shown) -> Content:
    """Return what the tab of a state shows.

    Raises
    ------
    SupersededError
        If it is not wanted any more.
    """
    try:
        for place, rate in enumerate(shown.state.rates):
            check_rate(rate.filter, place)
    except FilterError as reason:
        if shown.state.tab == "cost" or shown.state.measure == "cost":
            return Content(empty=str(reason))
    content: Content = import_module(f"gcs_lab.explorer.{shown.state.tab}").content(shown)
    return content


def check_rate(text: str, place: int) -> None:
    """Raise FilterError, with the number of the rate, if its filter cannot be read."""
    from gcs_lab.accounting.where_filter import where_is

    try:
        where_is(text, 0.0)
    except FilterError as reason:
        raise FilterError(f"the filter of rate {place + 1} cannot be read: {reason}", 0, 0) from None


def tabs_told() -> list[dict[str, str]]:
    """Return the tabs as the protocol describes them."""
    return [{"name": name, "label": label, "help": help_} for name, (label, help_) in TABS.items()]


def groupings_told() -> list[dict[str, str]]:
    """Return the columns by which can be split as the protocol describes them."""
    return [{"name": name, "label": label} for name, label in GROUPINGS.items()]


def measures_told() -> list[dict[str, Any]]:
    """Return the measures as the protocol describes them."""
    return [{"name": name, "label": label} for name, label in MEASURES.items()]
