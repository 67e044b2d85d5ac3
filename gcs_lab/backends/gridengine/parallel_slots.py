"""Slots of a job or a reservation: ``-pe NAME MIN-MAX`` (qsub(1), qrsub(1), sge_pe(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcs_lab.backends.gridengine.carried_values import carried_text
from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.qsub_options import Option
from gcs_lab.errors import GcsError, InvalidArgument, UnsupportedAttribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["SlotAttributes", "slots_option"]


class SlotAttributes(Protocol):
    """What the templates of jobs and of reservations say alike."""

    min_slots: int | None
    max_slots: int | None
    parallel_environment: str | None


def slots_option(template: SlotAttributes, category: Iterable[Option], cell: SgeCell | None) -> list[Option]:
    """Return the option for the slots of `template`, or nothing where it asks for one slot only.

    Parameters
    ----------
    template
        What is asked for.
    category
        Options of its job category, which may name the parallel environment.
    cell
        The cell, to list its parallel environments where one is missing.

    Raises
    ------
    InvalidArgument
        If the range is empty.
    UnsupportedAttribute
        If no parallel environment is named. None is guessed: they differ in how slots are spread over machines.
    """
    least, most, environment = template.min_slots, template.max_slots, template.parallel_environment
    if least is None and most is None and environment is None:
        return []
    low = least if least is not None else 1
    high = most if most is not None else low
    if low < 1 or high < low:
        raise InvalidArgument(f"min_slots={low}, max_slots={high}: expected 1 <= min_slots <= max_slots.")
    if environment is None:
        environment = next((option.values[0] for option in category if option.name == "-pe"), None)
    if environment is None:
        if high == 1:
            return []
        raise UnsupportedAttribute(
            f"min_slots={low}, max_slots={high}: Grid Engine gives more than one slot only within a parallel "
            f"environment. Name one (parallel_environment, `-pe NAME SLOTS`). {_environments(cell)}"
        )
    count = f"{low}" if low == high else f"{low}-{high}"
    return [Option("-pe", (carried_text("the parallel environment", environment), count))]


def _environments(cell: SgeCell | None) -> str:
    """Return a sentence that says which there are, or how to find out."""
    try:
        names = [] if cell is None else parse_names(ask(cell, ["qconf", "-spl"]).text)
    except GcsError:
        names = ()
    there = f"There is: {', '.join(names)}; `qconf -sp NAME` says" if names else "`qconf -spl` and `-sp NAME` say"
    return f"{there} what each of them does."
