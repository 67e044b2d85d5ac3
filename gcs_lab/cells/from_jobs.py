"""Which of the names that a cell needs come from earlier jobs, and do not pass through the notebook."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from gcs_lab.cells.placeholder import awaited_job, is_placeholder, name_there, why_not_ready
from gcs_lab.errors import NotReady

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcs_lab.cells.upstream import Upstream

__all__ = ["UpstreamSource", "is_upstream_source", "taken_from_jobs"]


class UpstreamSource(Protocol):
    """What stands for a job in a notebook: the handle of a cell's job, or a sweep."""

    def upstream(self) -> Upstream:
        """Return what a later job must know of it."""
        ...


def is_upstream_source(value: object) -> TypeGuard[UpstreamSource]:
    """Tell whether `value` stands for a job, without using it (a DataFrame may have a column of any name)."""
    kind = type(value)
    return kind.__module__.partition(".")[0] == "gcs_lab" and callable(getattr(kind, "upstream", None))


def taken_from_jobs(
    values: Mapping[str, Any], left_by: Mapping[str, Upstream], needed: Collection[str]
) -> dict[str, Upstream]:
    """Return the names whose values earlier jobs leave, with the job of each.

    Parameters
    ----------
    values
        What the cell needs and the namespace has: placeholders and sweeps among them are taken.
    left_by
        Names that the tasks of an earlier sweep leave.
    needed
        All names that the cell needs.

    Raises
    ------
    NotReady
        If it needs a value that a job was to compute and did not.
    """
    found = {name: upstream for name, upstream in left_by.items() if name in needed}
    for name, value in values.items():
        if is_placeholder(value):
            found[name] = _of_placeholder(name, value)
        elif is_upstream_source(value):
            found[name] = value.upstream()
    return found


def _of_placeholder(name: str, placeholder: Any) -> Upstream:
    job = awaited_job(placeholder)
    if job is None or job.concluded.is_set():
        raise NotReady(f"the cell needs {name}, and {why_not_ready(placeholder)} Nothing was sent.")
    return replace(job.upstream(), output=name_there(placeholder))
