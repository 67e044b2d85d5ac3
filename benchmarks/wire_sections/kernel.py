"""Milliseconds in the kernel: a sort, a filter, a refresh; the peer is pandas with the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wire_sections._views import COUNTS, ROWS, ViewOfJobs, milliseconds

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[str, float, str, str]

SORTS = {
    "name (natural order)": [["name", "ascending"]],
    "owner, then priority": [["owner", "ascending"], ["priority", "descending"]],
    "submission": [["submission_time", "descending"]],
}
FILTERS = ("owner:user007 state:r", "name~fit_12 slots>4", "waiting>2h -owner:user1*", "fit_4999")


def _sorting(view: ViewOfJobs, sort: list[list[str]]) -> float:
    return milliseconds(lambda: view.request(sort), before=lambda: view.request([]))


def _filtering(view: ViewOfJobs, text: str) -> float:
    # Each time as after a new look at the cluster: nothing is sorted yet.
    sort = [["name", "ascending"]]
    return milliseconds(lambda: view.request(sort, text), before=lambda: (view.request(sort, "slots>0"), view.tick()))


def _pandas(frame: pd.DataFrame) -> list[tuple[str, float]]:
    # What a page of 50 rows takes without a model: sort or filter, and the page as JSON.
    def page(shown: pd.DataFrame) -> str:
        return shown.head(ROWS).to_json(orient="records")

    return [
        (
            "pandas: sort by name (plain order), page as JSON",
            milliseconds(lambda: page(frame.sort_values("name")), 3),
        ),
        (
            "pandas: filter by owner and letters, page as JSON",
            milliseconds(lambda: page(frame[(frame["owner"] == "user007") & (frame["letters"] == "r")])),
        ),
        (
            "pandas: filter by a piece of the name, page as JSON",
            milliseconds(lambda: page(frame[frame["name"].str.contains("fit_12") & (frame["slots"] > 4)]), 3),
        ),
    ]


def run() -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    for count in COUNTS:
        view = ViewOfJobs(count)
        goal = "<= 150" if count == COUNTS[0] else ""
        jobs = f"{count:,} jobs"
        rows += [(f"{jobs}: sort by {name}", _sorting(view, sort), "ms", goal) for name, sort in SORTS.items()]
        rows += [(f"{jobs}: filter {text}", _filtering(view, text), "ms", goal) for text in FILTERS]
        view.request([["priority", "descending"]])
        rows.append((f"{jobs}: a refresh, 1,000 changed, sorted by priority", milliseconds(view.tick), "ms", goal))
        view.request([])
        rows += [
            (f"{jobs}: a refresh, 1,000 changed, not sorted", milliseconds(view.tick), "ms", goal),
            (f"{jobs}: scroll by 20 rows", milliseconds(view.scroll), "ms", goal),
        ]
        frame = view.jobs.to_pandas()
        rows += [(f"{jobs}: {what}", taken, "ms", "") for what, taken in _pandas(frame)]
    return rows
