"""The rows of the table: every attribute and operation that there is, taken from the code's own words."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.vocabulary import Capability, Event, JobState, JobTemplate, ReservationTemplate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["all_subjects", "stated_subjects"]

#: Public names that only hand over, or check before others do, what others are the statements of.
_PLAIN = {"backend", "board", "system", "cluster", "tasks", "id", "job_id", "task_index"}
_PLAIN |= {"name", "contact", "closed", "submitting"}
#: The standard knows how a session is closed, and nothing of an area.
_PLAIN |= {"Jobs.close"}
#: How old an answer about waiting is; tests/jobs says it.
_PLAIN |= {"Jobs.reasons_age"}


def all_subjects() -> list[str]:
    """Return the rows, in the order in which they are printed."""
    from gcs_lab.jobs import Job, Jobs
    from gcs_lab.jobs.job_array import JobArray
    from gcs_lab.jobs.job_session import JobSession
    from gcs_lab.jobs.reservation_session import ReservationSession
    from gcs_lab.jobs.reservations import Reservation, Reservations

    rows = [f"JobTemplate.{f.name}" for f in fields(JobTemplate)]
    rows += [f"ReservationTemplate.{f.name}" for f in fields(ReservationTemplate)]
    rows += [f"Capability.{capability.name}" for capability in Capability]
    rows += [f"JobState.{state.name}" for state in JobState]
    rows += [f"Event.{event.name}" for event in Event]
    for cls in (Jobs, Job, JobArray, Reservations, Reservation, JobSession, ReservationSession):
        rows += [f"{cls.__name__}.{operation}" for operation in _operations(cls)]
    return rows


def _operations(cls: type) -> list[str]:
    """Return the public methods and properties of a class, in the order in which they are written."""
    members = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    kinds = (property, classmethod)
    return [
        name
        for name, value in members.items()
        if not name.startswith("_")
        and not name.startswith("check_")
        and not {name, f"{cls.__name__}.{name}"} & _PLAIN
        and (inspect.isfunction(value) or isinstance(value, kinds))
    ]


def stated_subjects() -> set[str]:
    """Return the rows that some statement of the suite speaks of, whether or not it was chosen for this run."""
    import conformance

    found: set[str] = set()
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("test_"):
            names = vars(importlib.import_module(f"{conformance.__name__}.{module.name}"))
            for value in names.values():
                marks = getattr(value, "pytestmark", None)
                if inspect.isfunction(value) and marks is not None:
                    found.update(row for mark in _with_those_of_parameters(marks) for row in mark.args)
    return found


def _with_those_of_parameters(marks: Iterable[Any]) -> Iterator[Any]:
    """Yield the marks that name subjects; a parameter may bear one of its own."""
    for mark in marks:
        if mark.name == "subject":
            yield mark
        elif mark.name == "parametrize":
            for parameter in mark.args[1]:
                yield from (own for own in getattr(parameter, "marks", ()) if own.name == "subject")
