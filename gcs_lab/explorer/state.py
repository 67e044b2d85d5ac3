"""What an explorer shows: all of it, so that a page that is loaded again and the code of a view are one thing."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.explorer.local_time import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GROUPINGS", "MEASURES", "TABS", "ExplorerState", "Lasso", "Rate", "checked_rates"]

#: Days before the last record that are shown at first.
_DEFAULT_DAYS = 30
#: The tabs: name, label, and what is seen there.
TABS = {
    "usage": ("Usage", "Who used how much, and when."),
    "waits": ("Waiting", "How long jobs waited, at which hours and in which queues."),
    "efficiency": ("Efficiency", "What was asked for, and what of it was used."),
    "failures": ("Failures", "What failed, why, and on which hosts more often than elsewhere."),
    "utilisation": ("Utilisation", "Slots in use over time, against those that there are."),
    "cost": ("Cost", "What it cost by a table of rates."),
    "jobs": (
        "Jobs",
        "The latest jobs on one axis of time: waiting, running, ended; those that are there now with them.",
    ),
}
#: Columns by which can be split.
GROUPINGS = {
    "owner": "Owner",
    "project": "Project",
    "queue": "Queue",
    "department": "Department",
    "group": "Group",
    "host": "Host",
    "parallel_environment": "Parallel environment",
    "account": "Account",
    "name": "Job name",
}
#: What usage is counted in.
MEASURES = {
    "slot_hours": "Slot hours",
    "cpu_hours": "CPU hours",
    "memory": "Memory, GiB hours",
    "jobs": "Jobs",
    "cost": "Cost",
}
_MOST_CORNERS = 2_000
_MOST_RATES = 50
_FEWEST_CORNERS = 3


@dataclass(frozen=True)
class Rate:
    """What an hour costs of the records that `filter` lets through ('': all); of several rates the first counts.

    ``per_gib_hour`` is for the memory as accounted: GiB, integrated over the CPU time.
    """

    filter: str = ""
    per_slot_hour: float = 0.0
    per_gib_hour: float = 0.0


@dataclass(frozen=True)
class Lasso:
    """A polygon in the values of the two axes of the scatter of efficiency."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class ExplorerState:
    """What is shown.

    Attributes
    ----------
    tab
        One of :data:`TABS`.
    since, until
        Records that ended in [since, until), seconds since the epoch; None: from the first, to the last.
    filter
        In the language of filters, over the columns of a record.
    by
        Column by which is split, one of :data:`GROUPINGS`.
    measure
        What usage is counted in, one of :data:`MEASURES`.
    lasso
        What was drawn around in the scatter of efficiency: the table shows the jobs inside.
    rates
        What an hour costs.
    """

    tab: str = "usage"
    since: float | None = None
    until: float | None = None
    filter: str = ""
    by: str = "owner"
    measure: str = "slot_hours"
    lasso: Lasso | None = None
    rates: tuple[Rate, ...] = field(default=(Rate("", 0.02, 0.0),))

    def __post_init__(self) -> None:
        for name, kind, known in (
            (self.tab, "tab", TABS),
            (self.by, "column to split by", GROUPINGS),
            (self.measure, "measure", MEASURES),
        ):
            if name not in known:
                raise UnknownName(kind, name, list(known))
        for what, moment in (("since", self.since), ("until", self.until)):
            if moment is not None and not math.isfinite(moment):
                raise InvalidArgument(f"{what} is {moment!r}; expected seconds since the epoch, or None.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidArgument("the period ends before it begins; expected `since` before `until`.")

    def of_latest(self, last_end: float) -> ExplorerState:
        """Return the same of the last days before `last_end`, the end of the last record: what is shown first."""
        return replace(self, since=float(last_end // DAY * DAY - _DEFAULT_DAYS * DAY))

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> ExplorerState:
        """Return the state that a message has (``IExplorerState``).

        Raises
        ------
        InvalidArgument
            If a part is missing or cannot be; UnknownName: no such tab, column or measure.
        """
        since, until = told.get("since"), told.get("until")
        for what, moment in (("since", since), ("until", until)):
            if moment is not None and not _is_number(moment):
                raise InvalidArgument(f"{what} is {moment!r}; expected seconds since the epoch, or null.")
        texts = {name: told.get(name) for name in ("tab", "filter", "by", "measure")}
        for name, text in texts.items():
            if not isinstance(text, str):
                raise InvalidArgument(f"`{name}` of what is to be shown is {text!r}; expected a text.")
        return cls(
            tab=texts["tab"] or "",
            since=since,
            until=until,
            filter=texts["filter"] or "",
            by=texts["by"] or "",
            measure=texts["measure"] or "",
            lasso=_lasso(told.get("lasso")),
            rates=checked_rates(told.get("rates")),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the state as a message has it (``IExplorerState``)."""
        told = asdict(self)
        told["rates"] = [asdict(rate) for rate in self.rates]
        told["lasso"] = None if self.lasso is None else {"x": list(self.lasso.x), "y": list(self.lasso.y)}
        return told


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _lasso(told: object) -> Lasso | None:
    if told is None:
        return None
    corners = (told.get("x"), told.get("y")) if isinstance(told, dict) else (None, None)
    x, y = ([] if not isinstance(side, list) or not all(map(_is_number, side)) else side for side in corners)
    if len(x) != len(y) or not _FEWEST_CORNERS <= len(x) <= _MOST_CORNERS:
        raise InvalidArgument(
            f"what was drawn around has {len(x)} and {len(y)} values; expected as many of x as of y, "
            f"{_FEWEST_CORNERS} to {_MOST_CORNERS:,}."
        )
    return Lasso(tuple(map(float, x)), tuple(map(float, y)))


def checked_rates(told: Sequence[Mapping[str, Any]] | object) -> tuple[Rate, ...]:
    """Return rates from JSON, or as users write them: ``[{"filter": "queue:gpu.q", "per_slot_hour": 0.5}]``.

    Raises
    ------
    InvalidArgument
        If one is none. Whether its filter can be read is seen when it is used.
    """
    if not isinstance(told, list | tuple) or len(told) > _MOST_RATES:
        raise InvalidArgument(f"the rates are {told!r}; expected a list of at most {_MOST_RATES}.")
    rates = []
    for one in told:
        if isinstance(one, Rate):
            rates.append(one)
            continue
        if not isinstance(one, dict) or not isinstance(one.get("filter", ""), str) or set(one) - _RATE_PARTS:
            raise InvalidArgument(f"{one!r} is no rate; expected filter, per_slot_hour and per_gib_hour.")
        prices = [one.get(name, 0.0) for name in ("per_slot_hour", "per_gib_hour")]
        if not all(_is_number(price) for price in prices):
            raise InvalidArgument(f"{one!r} is no rate; its prices are not numbers.")
        rates.append(Rate(one.get("filter", ""), float(prices[0]), float(prices[1])))
    return tuple(rates)


_RATE_PARTS = {"filter", "per_slot_hour", "per_gib_hour"}
