"""What was drawn around in the scatter of efficiency: its axes, and which points are inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LASSO_COLUMNS", "inside", "lasso_words", "scatter_axes"]

GIB = 2.0**30
#: Columns that the axes of the scatter are made of.
LASSO_COLUMNS = ("asked_memory", "max_vmem", "pe_task")


def scatter_axes() -> tuple[pl.Expr, pl.Expr]:
    """Return the values of the scatter's axes: GiB asked for by the whole job, and the part of it that was used."""
    import polars as pl

    asked = pl.when(pl.col("pe_task").is_null()).then(pl.col("asked_memory"))
    return asked / GIB, pl.col("max_vmem") / asked


def inside(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], corners: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which points are in a polygon; both axes are logarithmic, so its edges are straight on the screen.

    Parameters
    ----------
    x, y
        Values; what is not larger than 0 is on no such axis, and not inside.
    corners
        The polygon's, in the same values.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        px, py = np.log10(np.asarray(x, np.float64)), np.log10(np.asarray(y, np.float64))
        cx, cy = (np.log10(np.asarray(side, np.float64)) for side in corners)
    found = np.zeros(len(px), np.bool_)
    if not (np.isfinite(cx).all() and np.isfinite(cy).all()):
        return found
    near = np.flatnonzero((px >= cx.min()) & (px <= cx.max()) & (py >= cy.min()) & (py <= cy.max()))
    px, py = px[near], py[near]
    odd = np.zeros(len(near), np.bool_)
    for x0, y0, x1, y1 in zip(cx, cy, np.roll(cx, -1), np.roll(cy, -1), strict=True):
        if y0 == y1:
            continue
        # A ray to the right crosses this edge.
        odd ^= ((y0 > py) != (y1 > py)) & (px < x0 + (py - y0) * (x1 - x0) / (y1 - y0))
    found[near] = odd
    return found


def lasso_words(x: tuple[float, ...], y: tuple[float, ...]) -> str:
    """Return what was drawn around, in words."""
    return (
        f"jobs that asked for {format_memory(min(x) * GIB)} to {format_memory(max(x) * GIB)} and used "
        f"{min(y):.1%} to "
        f"{max(y):.1%} of it"
    )
