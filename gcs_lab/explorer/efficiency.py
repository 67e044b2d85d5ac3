"""The tab of efficiency: what was asked for, and what of it was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.explorer.drawing import (
    NO_NAME,
    OTHERS,
    PALETTE,
    PLAIN_COLOUR,
    REST_COLOUR,
    Content,
    Drawn,
    Fact,
    axis,
    colours,
    escaped,
    layout_of,
    term_of,
)
from gcs_lab.explorer.lasso import GIB, LASSO_COLUMNS, scatter_axes
from gcs_lab.explorer.state import GROUPINGS

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["content"]

HOUR = 3600.0
#: Points that are drawn of the jobs.
MOST_POINTS = 4_000
_MOST_NAMES = 8
_MOST_BARS = 15
_CLASSES = (60, 50)


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    import polars as pl

    by = shown.state.by
    columns = {
        *LASSO_COLUMNS,
        by,
        "slot_seconds",
        "cpu",
        "cpu_efficiency",
        "wallclock",
        "asked_time",
        "job_id",
        "task",
    }
    records = shown.records(columns).filter(pl.col("pe_task").is_null())
    row = records.select(**_sums(), jobs=pl.len()).collect().row(0, named=True)
    if not row["jobs"]:
        return Content(empty=shown.nothing())
    shown.check()
    figures = [_scatter(records, by, row["known"], row["jobs"])]
    shown.check()
    figures.append(_memory_by_group(records, by))
    shown.check()
    figures += [_cpu_shares(records), _time_shares(records)]
    return Content(_facts(row), figures)


def _sums() -> dict[str, pl.Expr]:
    """Return the sums of the tab; memory is GiB hours while the job ran."""
    import polars as pl

    known = pl.col("asked_memory").is_not_null() & pl.col("max_vmem").is_not_null()
    hours = pl.col("wallclock") / HOUR
    return {
        "asked": (pl.col("asked_memory") / GIB * hours).filter(known).sum(),
        "used": (pl.min_horizontal("max_vmem", "asked_memory") / GIB * hours).filter(known).sum(),
        "known": known.sum(),
        "cpu": pl.col("cpu").sum(),
        "slots": pl.col("slot_seconds").sum(),
        "time_used": pl.col("wallclock").filter(pl.col("asked_time").is_not_null()).sum(),
        "time_asked": pl.col("asked_time").filter(pl.col("wallclock").is_not_null()).sum(),
    }


def _facts(row: dict[str, Any]) -> list[Fact]:
    cpu = row["cpu"] / row["slots"] if row["slots"] else 0.0
    facts = [
        Fact("CPU per slot time", f"{cpu:.0%}", "CPU time, of the time for which slots were kept.", cpu < 0.5),  # noqa: PLR2004
        Fact(
            "Slot hours without work",
            f"{max(row['slots'] - row['cpu'], 0) / HOUR:,.0f}",
            "Slot hours that were kept from others, less the CPU hours that were used.",
        ),
    ]
    if row["asked"]:
        used = row["used"] / row["asked"]
        facts += [
            Fact(
                "Memory used",
                f"{used:.0%}",
                "The largest memory of each job, of what it asked for, weighted by what it asked for "
                "and by its time.",
                used < 0.3,  # noqa: PLR2004
            ),
            Fact(
                "Memory not used",
                f"{row['asked'] - row['used']:,.0f} GiB h",
                "What was asked for and never touched, over the time that the jobs ran.",
            ),
        ]
    if row["time_asked"]:
        facts.append(
            Fact(
                "Run time used",
                f"{row['time_used'] / row['time_asked']:.0%}",
                "Time that jobs ran, of the time that they had asked for (h_rt).",
            )
        )
    return facts


def _scatter(records: pl.LazyFrame, by: str, known: int, jobs: int) -> Drawn:
    import polars as pl

    asked, share = scatter_axes()
    every = max(1, -(-known // MOST_POINTS))
    points = records.select(
        asked.alias("x"),
        share.alias("y"),
        pl.col(by).cast(pl.String).alias("who"),
        "job_id",
        "task",
        "cpu_efficiency",
    ).filter((pl.col("x") > 0) & (pl.col("y") > 0))
    sample = points.gather_every(every).collect()
    largest = sample["who"].value_counts(sort=False).sort(["count", "who"], descending=[True, False])
    names = largest["who"].head(_MOST_NAMES).to_list()
    colour = colours([NO_NAME if name is None else name for name in names])
    traces: list[dict[str, Any]] = [_density(points)] if len(sample) and known > MOST_POINTS else []
    shown_names = [(NO_NAME if name is None else name, pl.col("who").eq_missing(pl.lit(name))) for name in names]
    if len(largest) > _MOST_NAMES:
        rest = ~pl.col("who").is_in([name for name in names if name is not None]) & pl.col("who").is_not_null()
        shown_names.insert(0, (OTHERS, rest))
    traces += [_points_of(name, sample.filter(who), colour.get(name, REST_COLOUR)) for name, who in shown_names]
    label = GROUPINGS[by].lower()
    which = (
        f"{len(sample):,} of {known:,} jobs are drawn as points (one of {every}), the shade below "
        "counts all of them. "
        if every > 1
        else ""
    )
    left_out = (
        f"{jobs - known:,} jobs are left out: they asked for no memory, or none was measured. "
        if jobs > known
        else ""
    )
    return Drawn(
        "efficiency_scatter",
        "Memory: asked for, and used",
        f"Each point is a job: to the right the memory that it asked for, upwards the part that it used; what is low "
        f"wastes memory, what is far to the right wastes much. {which}{left_out}Draw around points to "
        "see all jobs there "
        f"in the table. Coloured by {label}.",
        {
            "data": traces,
            "layout": layout_of(
                axis("asked for by the whole job, GiB", "log"),
                axis("used, of what was asked for", "log", tickformat=".1~%"),
                showlegend=True,
                dragmode="lasso",
                shapes=[
                    {
                        "type": "line",
                        "x0": 0,
                        "x1": 1,
                        "xref": "paper",
                        "y0": 1,
                        "y1": 1,
                        "line": {"dash": "dot", "width": 1},
                    }
                ],
            ),
        },
        {NO_NAME if name is None else name: term_of(by, name) for name in names},
        lasso=True,
        wide=True,
    )


def _points_of(name: str, part: pl.DataFrame, colour: str) -> dict[str, Any]:
    """Return the points of one name, each with the id of its job."""
    ids = [
        f"{job}.{task}" if task is not None else str(job)
        for job, task in zip(part["job_id"], part["task"], strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": part["x"].to_numpy().astype(np.float32).astype(np.float64),
        "y": part["y"].to_numpy().round(5),
        "text": ids,
        "marker": {"size": 5, "opacity": 0.65, "color": colour},
        "hovertemplate": f"job %{{text}} of {escaped(name)}<br>asked for %{{x:.3~g}} GiB, used "
        "%{y:.1~%}<extra></extra>",
    }


def _density(points: pl.LazyFrame) -> dict[str, Any]:
    """Return how many of all jobs are where, as a shade below the points."""
    import polars as pl

    wide, high = _CLASSES
    # From 1 MiB to 16 TiB, and from a ten thousandth to ten times what was asked for.
    column = ((pl.col("x").log10() + 3) / 7 * wide).floor().clip(0, wide - 1).cast(pl.Int32)
    row = ((pl.col("y").log10() + 4) / 5 * high).floor().clip(0, high - 1).cast(pl.Int32)
    found = points.group_by(column.alias("column"), row.alias("row")).len().collect()
    counts = np.full((high, wide), np.nan)
    counts[found["row"].to_numpy(), found["column"].to_numpy()] = np.log10(found["len"].to_numpy() + 1)
    # Only where there is something, so that the axes show that.
    columns, rows = (np.flatnonzero(~np.isnan(counts).all(axis=side)) for side in (0, 1))
    x, y = slice(columns[0], columns[-1] + 1), slice(rows[0], rows[-1] + 1)
    return {
        "type": "heatmap",
        "name": "all jobs",
        "x": 10 ** (np.arange(x.start, x.stop + 1) / wide * 7 - 3),
        "y": 10 ** (np.arange(y.start, y.stop + 1) / high * 5 - 4),
        "z": counts[y, x].round(2),
        "showscale": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "colorscale": [[0, "rgba(128,128,128,0.05)"], [1, "rgba(128,128,128,0.6)"]],
    }


def _memory_by_group(records: pl.LazyFrame, by: str) -> Drawn:
    import polars as pl

    few = (
        records.group_by(by)
        .agg(**{name: one for name, one in _sums().items() if name in {"asked", "used"}})
        .collect()
    )
    few = (
        few.with_columns(pl.col(by).cast(pl.String), left=pl.col("asked") - pl.col("used"))
        .filter(pl.col("asked") > 0)
        .sort(["left", by], descending=[True, False])
    )
    top = few.head(_MOST_BARS)
    names = [NO_NAME if name is None else name for name in top[by]]
    shares = [f"{used / asked:.0%} used" for used, asked in zip(top["used"], top["asked"], strict=True)]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "y": names,
            "x": top[column].to_numpy().round(2),
            "marker": {"color": colour},
            "text": shares,
            "textposition": "none",
            "hovertemplate": "%{y}: %{x:,.3~g} GiB h " + label + ", %{text}<extra></extra>",
        }
        for column, label, colour in (("used", "used", PALETTE[2]), ("left", "asked for, not used", PALETTE[5]))
    ]
    label = GROUPINGS[by].lower()
    return Drawn(
        "efficiency_memory",
        f"Memory kept and not used, by {label}",
        f"The {len(names)} that kept most memory from others without using it, of {len(few):,}: what was asked for, "
        "over the time that the jobs ran.",
        {
            "data": bars,
            "layout": layout_of(
                axis("GiB hours", rangemode="tozero"),
                axis(kind="category", autorange="reversed"),
                barmode="stack",
                showlegend=True,
            ),
        },
        {name: term_of(by, told) for name, told in zip(names, top[by], strict=True)},
        wide=True,
    )


def _shares_figure(
    records: pl.LazyFrame, share: pl.Expr, weight: pl.Expr
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return classes of a twentieth, up to 1.25, and the sum of weights in each."""
    import polars as pl

    place = (share * 20).floor().clip(0, 24).cast(pl.Int16)
    found = (
        records.select(place.alias("place"), weight.alias("weight"))
        .drop_nulls()
        .group_by("place")
        .agg(pl.col("weight").sum())
        .collect()
    )
    sums = np.zeros(25)
    sums[found["place"].to_numpy()] = found["weight"].to_numpy()
    return np.arange(25) / 20, sums


def _bars_of_shares(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], what: str, unit: str) -> dict[str, Any]:
    return {
        "data": [
            {
                "type": "bar",
                "x": x,
                "y": y.round(2),
                "width": 0.05,
                "offset": 0,
                "marker": {"color": PLAIN_COLOUR, "line": {"width": 0}},
                "hovertemplate": "%{y:,.4~g} " + unit + " at %{x:.0%} and more<extra></extra>",
            }
        ],
        "layout": layout_of(
            axis(what, tickformat=".0%", range=[0, 1.25]),
            axis(unit, rangemode="tozero"),
            bargap=0,
        ),
    }


def _cpu_shares(records: pl.LazyFrame) -> Drawn:
    import polars as pl

    x, y = _shares_figure(records, pl.col("cpu_efficiency"), pl.col("slot_seconds") / HOUR)
    return Drawn(
        "efficiency_cpu",
        "CPU: slot hours by how much they were used",
        "Slot hours of the jobs whose CPU time was that part of their slot time. What is left of 50 "
        "% kept more slots "
        "than it computed with; more than 100% computed on more cores than it had asked for.",
        _bars_of_shares(x, y, "CPU time, of slot time", "slot hours"),
    )


def _time_shares(records: pl.LazyFrame) -> Drawn:
    import polars as pl

    share = pl.col("wallclock") / pl.col("asked_time")
    x, y = _shares_figure(records, share, pl.when(share.is_not_null()).then(1.0))
    return Drawn(
        "efficiency_time",
        "Run time: jobs by how much of it they used",
        "Jobs whose run time was that part of what they had asked for (h_rt, else s_rt). Jobs that "
        "ask for less time are "
        "started earlier where the scheduler fills gaps.",
        _bars_of_shares(x, y, "run time, of what was asked for", "jobs"),
    )
