"""What ``--explain`` shows of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan

__all__ = ["sweep_rows"]

_LONGEST = 60


def sweep_rows(plan: CellPlan) -> list[tuple[str, ...]]:
    """Return the rows on the points of a plan: how many, the first and the last, and how many run at once."""
    points, options = plan.points, plan.request.options
    if points is None:
        return []
    rows: list[tuple[str, ...]] = [
        ("points", f"{len(points):,} of {', '.join(points.names)}"),
        ("first", _text(points[0])),
    ]
    if len(points) > 1:
        rows.append(("last", _text(points[-1])))
    limit = options.max_parallel
    rows.append(("at once", f"{limit:,} tasks at the most" if limit else "as many tasks as there is room for"))
    rows.append(("variable", f"{options.sweep_name}; {options.sweep_name}.frame is the table of results"))
    return rows


def _text(point: dict[str, object]) -> str:
    return ", ".join(f"{name}={_short(repr(value))}" for name, value in point.items())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
