"""The tab of waiting: how long jobs waited, at which hours of the week, over time, and by group."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.explorer.drawing import (
    HEAT,
    NO_NAME,
    PALETTE,
    PLAIN_COLOUR,
    Content,
    Drawn,
    Fact,
    axis,
    layout_of,
    term_of,
)
from gcs_lab.explorer.groups import periods
from gcs_lab.explorer.local_time import bucket, hour_of_week, shown_times, step_for
from gcs_lab.explorer.state import GROUPINGS

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["content", "length_text", "log_ticks"]

_QUANTILES = {"half": 0.5, "90%": 0.9, "99%": 0.99}
#: Classes of the distribution: a tenth of a power of ten each, from one second to a hundred days.
_CLASSES_A_DECADE, _DECADES = 10, 7
_MOST_GROUPS = 15
_LONG = 4 * 3600.0
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MARKS = (
    *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200),
    *(days * 86400 for days in (1, 2, 4, 7, 14, 30, 60)),
)
_MOST_MARKS = 10


def length_text(seconds: float) -> str:
    """Return a length of time for people, in one unit: ``"12 min"``."""
    if seconds < 1:
        return "0 s" if seconds <= 0 else f"{seconds:.1f} s"
    for most, unit, width in ((60, "s", 1), (3600, "min", 60), (172800, "h", 3600), (math.inf, "days", 86400)):
        if round(seconds, 1) < most:
            told = seconds / width
            # One digit more, where it says something.
            return f"{told:.1f} {unit}".replace(".0 ", " ") if told < 10 else f"{told:.0f} {unit}"  # noqa: PLR2004
    raise AssertionError  # pragma: no cover  (the last one is endless)


def log_ticks(low: float, high: float, *, plain: bool = False) -> dict[str, Any]:
    """Return marks of an axis of lengths of time.

    Parameters
    ----------
    low, high
        What is to be seen, in seconds.
    plain
        Whether the axis takes seconds; else their logarithms (base 10).
    """
    within = [mark for mark in _MARKS if low / 1.5 <= mark <= high * 1.5]
    marks = within[:: 1 + len(within) // _MOST_MARKS] or [1]
    values = [float(mark) if plain else float(np.log10(mark)) for mark in marks]
    return {"tickvals": values, "ticktext": [length_text(mark) for mark in marks]}


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    import polars as pl

    by = shown.state.by
    records = shown.records({"wait", "submission_time", by, "pe_task"}).filter(
        pl.col("wait").is_not_null() & pl.col("pe_task").is_null()
    )
    counts = _distribution(records)
    jobs = int(counts.sum())
    if not jobs:
        return Content(
            empty=shown.nothing() or "None of these jobs started, so none of them tells how long it waited."
        )
    row = (
        records.select(
            *[pl.col("wait").quantile(share).alias(word) for word, share in _QUANTILES.items()],
            pl.col("wait").mean().alias("mean"),
            (pl.col("wait") > _LONG).sum().alias("long"),
        )
        .collect()
        .row(0, named=True)
    )
    shown.check()
    long = row["long"] / jobs
    facts = [
        Fact("Median wait", length_text(row["half"]), "Half of the jobs waited less than this."),
        Fact("90% waited less than", length_text(row["90%"]), "One job of ten waited longer."),
        Fact("99% waited less than", length_text(row["99%"]), "One job of a hundred waited longer."),
        Fact("Mean wait", length_text(row["mean"]), "The sum of all waiting, by the number of jobs."),
        Fact("Longer than 4 h", f"{long:.1%}", "Share of the jobs that waited longer than four hours.", long > 0.1),  # noqa: PLR2004
    ]
    figures = [_distribution_figure(counts, row), _week(shown, records)]
    shown.check()
    figures.append(_over_time(shown, records))
    shown.check()
    figures.append(_by_group(records, by))
    return Content(facts, figures)


def _distribution(records: pl.LazyFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return how many waited for a length of each class; what is below a second is in the first."""
    import polars as pl

    place = (pl.col("wait").clip(1.0).log10() * _CLASSES_A_DECADE).floor().cast(pl.Int16)
    found = records.group_by(place.clip(0, _CLASSES_A_DECADE * _DECADES - 1).alias("place")).len().collect()
    counts = np.zeros(_CLASSES_A_DECADE * _DECADES, np.int64)
    counts[found["place"].to_numpy()] = found["len"].to_numpy()
    return counts


def _distribution_figure(counts: np.ndarray[Any, np.dtype[np.int64]], row: dict[str, float]) -> Drawn:
    last = int(np.flatnonzero(counts)[-1]) + 1
    counts = counts[:last]
    begins = np.arange(last) / _CLASSES_A_DECADE
    labels = [
        f"{length_text(10**begin) if place else '0 s'} to {length_text(10 ** (begin + 1 / _CLASSES_A_DECADE))}"
        for place, begin in enumerate(begins)
    ]
    bars = {
        "type": "bar",
        "x": begins,
        "y": counts,
        "width": 1 / _CLASSES_A_DECADE,
        "offset": 0,
        "marker": {"color": PLAIN_COLOUR, "line": {"width": 0}},
        "text": labels,
        "textposition": "none",
        "hovertemplate": "%{y:,} jobs waited %{text}<extra></extra>",
    }
    places = {word: float(np.log10(max(row[word], 1.0))) for word in _QUANTILES}
    shapes = [
        {
            "type": "line",
            "x0": at,
            "x1": at,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"dash": "dash", "width": 1.5},
        }
        for at in places.values()
    ]
    notes = [
        {
            "x": at,
            "y": 1.0 - 0.09 * place,
            "yref": "paper",
            "text": f"{word}: {length_text(row[word])}",
            "showarrow": False,
            # The middle one stands to the left of its line: the next line is often near.
            "xanchor": "right" if word == "90%" and at > 1 else "left",
            "xshift": -3 if word == "90%" and at > 1 else 3,
        }
        for place, (word, at) in enumerate(places.items())
    ]
    highest = max(begins[-1] + 0.1, places["99%"] + 0.6)
    return Drawn(
        "waits_distribution",
        "How long jobs waited",
        "Jobs by the time from submission to start; each bar is 1.26 times as long as the one before, and the first "
        "holds what started at once. The dashed lines are the time that half, 90% and 99% of the jobs did not "
        "wait longer than.",
        {
            "data": [bars],
            "layout": layout_of(
                axis("waited", range=[0, highest], **log_ticks(1, 10**highest)),
                axis("jobs", range=[0, 1.3 * float(counts.max())]),
                bargap=0,
                shapes=shapes,
                annotations=notes,
            ),
        },
    )


def _week(shown: Shown, records: pl.LazyFrame) -> Drawn:
    import polars as pl

    since, until = shown.submission_span(records)
    found = (
        records.group_by(hour_of_week("submission_time", since, until).alias("hour"))
        .agg(half=pl.col("wait").median(), most=pl.col("wait").quantile(0.9), jobs=pl.len())
        .collect()
    )
    half, most = np.full(168, np.nan), np.full(168, np.nan)
    jobs = np.zeros(168, np.int64)
    hours = found["hour"].to_numpy()
    half[hours], most[hours], jobs[hours] = found["half"], found["most"], found["jobs"]
    texts = [
        "no job"
        if not count
        else f"half waited less than {length_text(a)}<br>90% less than {length_text(b)}<br>{count:,} jobs"
        for a, b, count in zip(half.tolist(), most.tolist(), jobs.tolist(), strict=True)
    ]
    levels = np.log10(np.clip(most, 1.0, None)).reshape(7, 24)
    known = most[~np.isnan(most)]
    seen = (float(known.min(initial=1e9)), float(known.max(initial=1.0)))
    heat = {
        "type": "heatmap",
        "x": [f"{hour:02d}" for hour in range(24)],
        "y": list(_DAYS),
        "z": levels.round(3),
        "text": [texts[day * 24 : day * 24 + 24] for day in range(7)],
        "hovertemplate": "%{y} %{x}:00<br>%{text}<extra></extra>",
        "colorscale": HEAT,
        "colorbar": {"title": {"text": "90%"}, **log_ticks(*seen), "thickness": 12},
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
    }
    return Drawn(
        "waits_by_hour_of_week",
        "Waiting by hour of the week",
        "Each field is an hour of the week in which jobs were submitted (the clock of the kernel's machine); its "
        "colour says how long 90% of them did not wait longer than, by the scale beside it.",
        {
            "data": [heat],
            "layout": layout_of(axis("hour of submission", "category"), axis(kind="category", autorange="reversed")),
        },
    )


def _over_time(shown: Shown, records: pl.LazyFrame) -> Drawn:
    import polars as pl

    since, until = shown.span
    step = step_for(since, until)
    began, _ = shown.submission_span(records)
    found = (
        records.filter(pl.col("submission_time").dt.epoch("us") >= int(since * 1e6))
        .group_by(bucket("submission_time", step, min(began, since), until).alias("begin"))
        .agg(half=pl.col("wait").median(), most=pl.col("wait").quantile(0.9), mean=pl.col("wait").mean())
        .collect()
        .sort("begin")
    )
    begins = periods(found["begin"].to_numpy(), step)
    places = np.searchsorted(begins, found["begin"].to_numpy())
    lines: list[dict[str, Any]] = []
    for column, label, colour, dash in (
        ("half", "half waited less", PALETTE[0], "solid"),
        ("most", "90% waited less", PALETTE[1], "dash"),
        ("mean", "mean", PALETTE[3], "dot"),
    ):
        values = np.full(len(begins), np.nan)
        values[places] = np.clip(found[column].to_numpy(), 1.0, None)
        lines.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": label,
                "x": shown_times(begins),
                "y": values.round(1),
                "line": {"color": colour, "dash": dash, "width": 2},
                "marker": {"size": 4, "color": colour},
                "text": [length_text(value) if value == value else "" for value in values.tolist()],  # noqa: PLR0124 (NaN)
                "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
            }
        )
    return Drawn(
        "waits_over_time",
        f"Waiting over time, each {step.name}",
        f"Of the jobs that were submitted in each {step.name}: how long half of them, and 90%, did not wait longer "
        "than. Jobs that were submitted before the period are left out. Choose a range of time to see that alone.",
        {
            "data": lines,
            "layout": layout_of(
                axis("submitted", "date"),
                axis("waited", "log", **_ticks_of([line["y"] for line in lines])),
                showlegend=True,
                hovermode="x unified",
            ),
        },
        brush=True,
        wide=True,
    )


def _ticks_of(values: list[np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Return the marks of an axis of seconds that shows these."""
    known = np.concatenate(values)
    known = known[~np.isnan(known)]
    return log_ticks(float(known.min(initial=1e9)), float(known.max(initial=1.0)), plain=True)


def _by_group(records: pl.LazyFrame, by: str) -> Drawn:
    import polars as pl

    shares = {"low": 0.1, "q1": 0.25, "half": 0.5, "q3": 0.75, "high": 0.9}
    found = (
        records.group_by(by)
        .agg(pl.len().alias("jobs"), *[pl.col("wait").quantile(share).alias(name) for name, share in shares.items()])
        .collect()
        .with_columns(pl.col(by).cast(pl.String))
        .sort(["jobs", by], descending=[True, False])
        .head(_MOST_GROUPS)
        .sort("half", by, descending=[True, False])
    )
    names = [NO_NAME if name is None else name for name in found[by]]
    boxes: dict[str, Any] = {
        "type": "box",
        "orientation": "h",
        "y": names,
        **{
            ours: found[name].clip(1.0).to_numpy().round(1)
            for ours, name in (
                ("lowerfence", "low"),
                ("q1", "q1"),
                ("median", "half"),
                ("q3", "q3"),
                ("upperfence", "high"),
            )
        },
        "line": {"color": PLAIN_COLOUR, "width": 1.5},
        "hoverinfo": "x+y",
    }
    label = GROUPINGS[by].lower()
    return Drawn(
        "waits_by_group",
        f"Waiting by {label}",
        f"The {len(names)} of most jobs. The box holds the middle half of the jobs, the line in it is "
        "the median, the "
        "whiskers reach from 10% to 90%.",
        {
            "data": [boxes],
            "layout": layout_of(
                axis("waited", "log", **_ticks_of([boxes["lowerfence"], boxes["upperfence"]])),
                axis(kind="category", autorange="reversed"),
            ),
        },
        {name: term_of(by, told) for name, told in zip(names, found[by], strict=True)},
        wide=True,
    )
