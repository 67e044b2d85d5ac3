"""The tab of failures: what failed, why, when, and on which hosts more often than elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcs_lab.accounting.chance import most_expected
from gcs_lab.accounting.derived import has_failed
from gcs_lab.accounting.failures import hosts_against_others, reason
from gcs_lab.explorer.drawing import (
    BAD_COLOUR,
    HATCHED,
    HEAT,
    OTHERS,
    PLAIN_COLOUR,
    REST_COLOUR,
    Content,
    Drawn,
    Fact,
    axis,
    colours,
    layout_of,
    term_of,
)
from gcs_lab.explorer.groups import OverTime, periods, stacked_bars
from gcs_lab.explorer.local_time import bucket, step_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["HostRate", "content", "rates_of_hosts"]

#: What :func:`gcs_lab.accounting.failures.reason` looks at.
_REASON_COLUMNS = ("failed", "exit_status", "category", "slots", "max_vmem", "wallclock", "cpu", "deleted_by")
_MOST_CAUSES, _MOST_HOSTS, _MOST_CELLS = 8, 30, 20
#: Power of ten of the chance below which a host is said to be bad, when all hosts are looked at.
UNLIKELY = -3.0


class HostRate(NamedTuple):
    """What failed on a host; ``expected``, ``chance`` and ``tries`` are those of accounting's ``Chance``."""

    host: str
    jobs: int
    failed: int
    expected: float
    chance: float
    tries: int

    @property
    def rate(self) -> float:
        """Part of its jobs that failed."""
        return self.failed / self.jobs

    @property
    def is_bad(self) -> bool:
        """Whether it fails more often than chance tells."""
        return self.chance < UNLIKELY

    def limit(self, log10: float) -> float:
        """Return the rate that is less likely than 10**`log10`."""
        return most_expected(self.tries, self.expected, log10) / self.tries


def rates_of_hosts(records: pl.LazyFrame) -> list[HostRate]:
    """Return the failures of each host, the least likely first; records without a host are on none."""
    import polars as pl

    by_queue = (
        records.filter(pl.col("host").is_not_null() & pl.col("pe_task").is_null())
        .group_by("host", "queue")
        .agg(records=pl.len().cast(pl.Int64), failed=has_failed().sum().cast(pl.Int64))
        .collect()
        .with_columns(pl.col("host").cast(pl.String))
    )
    against = hosts_against_others(by_queue)
    rates = []
    for host, many, bad in by_queue.group_by("host").agg(pl.col("records", "failed").sum()).sort("host").iter_rows():
        chance = against[host]
        expected = bad / many if chance.others is None else chance.others
        rates.append(HostRate(host, many, bad, expected, chance.log10, chance.tries))
    return sorted(rates, key=lambda one: (one.chance, -one.rate, one.host))


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    import polars as pl

    columns = {*_REASON_COLUMNS, "host", "queue", "end_time", "slot_seconds", "pe_task"}
    records = shown.records(columns).filter(pl.col("pe_task").is_null())
    row = (
        records.select(
            jobs=pl.len(),
            failed=has_failed().sum(),
            lost=pl.col("slot_seconds").filter(has_failed()).sum() / 3600,
            all=pl.col("slot_seconds").sum() / 3600,
        )
        .collect()
        .row(0, named=True)
    )
    if not row["jobs"]:
        return Content(empty=shown.nothing())
    if not row["failed"]:
        return Content([Fact("Failed", "0", "No matching record failed.")], empty="Nothing failed here.")
    shown.check()
    few = records.filter(has_failed()).with_columns(pl.col("category").cast(pl.String)).collect()
    failed, terms = _causes(few.select("host", "end_time", "failed", "exit_status", reason()))
    hosts = rates_of_hosts(records)
    shown.check()
    figures = [_hosts_figure(hosts), _matrix(failed, hosts, terms)]
    shown.check()
    figures.append(_over_time(shown, failed, terms))
    bad = [one for one in hosts if one.is_bad]
    share = row["failed"] / row["jobs"]
    facts = [
        Fact("Failed", f"{row['failed']:,}", "Records with a code of failure, or an exit status other than 0."),
        Fact("Of all", f"{share:.1%}", "Part of the matching records that failed.", share > 0.1),  # noqa: PLR2004
        Fact(
            "Slot hours lost",
            f"{row['lost']:,.0f} ({row['lost'] / row['all']:.1%})" if row["all"] else "0",
            "Slot hours of what failed, and their part of all.",
        ),
        Fact("Most frequent", next(iter(terms)), "The cause of most failures."),
        Fact(
            "Hosts that stand out",
            f"{len(bad)} of {len(hosts)}",
            "Hosts that failed more often than 1 time in 1,000 by chance, if the hosts of a queue were alike.",
            bool(bad),
        ),
    ]
    return Content(facts, figures)


def _causes(failed: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return what failed with the place of its cause (``place``), and the most frequent causes.

    These are in words, each with the term of a filter that shows it; all others have the last place.
    """
    import polars as pl

    counts = failed["reason"].value_counts(sort=False).sort(["count", "reason"], descending=[True, False])
    names = counts["reason"].head(_MOST_CAUSES).to_list()
    pairs = (
        failed.group_by("reason", "failed", "exit_status")
        .len()
        .sort(["len", "failed", "exit_status"], descending=[True, False, False])
        .unique("reason", keep="first", maintain_order=True)
    )
    # The codes that most of a cause have: a limit that killed is not told by codes alone.
    terms = {
        why: f"failed:{code or 0} exit_status:{status or 0}"
        for why, code, status in pairs.select("reason", "failed", "exit_status").iter_rows()
    }
    table = pl.DataFrame(
        {"reason": names, "place": list(range(len(names)))}, schema={"reason": pl.String, "place": pl.Int16}
    )
    placed = failed.join(table, on="reason", how="left").with_columns(pl.col("place").fill_null(len(names)))
    return placed, {name: terms[name] for name in names}


def _names(terms: dict[str, str], failed: pl.DataFrame) -> list[str]:
    rest = failed["place"].max() == len(terms)
    return [*terms, OTHERS] if rest else list(terms)


def _hosts_figure(hosts: Sequence[HostRate]) -> Drawn:
    shown = hosts[:_MOST_HOSTS]
    names = [one.host for one in shown]
    limit = UNLIKELY - float(np.log10(max(len(hosts), 1)))
    limits = [one.limit(limit) for one in shown]
    bars = [
        {
            "type": "bar",
            "name": label,
            "x": [one.host for one in some],
            "y": np.round([one.rate for one in some], 5),
            "text": [
                f"{one.failed:,} of {one.jobs:,} failed; {one.expected * one.jobs:,.0f} expected" for one in some
            ],
            "textposition": "none",
            # Not by colour alone.
            "marker": {"color": colour, "pattern": HATCHED if is_bad else {}},
            "hovertemplate": "%{x}: %{y:.1%}<br>%{text}<extra>" + label + "</extra>",
        }
        for label, colour, is_bad, some in (
            ("more than chance tells", BAD_COLOUR, True, [one for one in shown if one.is_bad]),
            ("as chance has it", PLAIN_COLOUR, False, [one for one in shown if not one.is_bad]),
        )
        if some
    ]
    marks = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label,
            "x": names,
            "y": np.round(values, 5),
            "marker": {"symbol": "line-ew-open", "size": 16, "color": colour, "line": {"width": 2, "color": colour}},
            "hovertemplate": "%{x}: " + label + " %{y:.1%}<extra></extra>",
        }
        for label, values, colour in (
            ("expected", [one.expected for one in shown], REST_COLOUR),
            ("chance reaches", limits, "#e69f00"),
        )
    ]
    return Drawn(
        "failures_by_host",
        "Failures by host",
        f"Part of its jobs that failed, on the {len(shown)} hosts that are least like the others, of {len(hosts)}. "
        "The marks are what the other hosts of its queues would make expect, and what chance reaches once in a "
        "thousand looks at all hosts: a hatched bar is above it, and its host should be looked at.",
        {
            "data": [*bars, *marks],
            "layout": layout_of(
                axis(kind="category", categoryorder="array", categoryarray=names),
                axis("failed", tickformat=".0%", rangemode="tozero"),
                showlegend=True,
            ),
        },
        {one.host: term_of("host", one.host) for one in shown},
        wide=True,
    )


def _matrix(failed: pl.DataFrame, hosts: Sequence[HostRate], terms: dict[str, str]) -> Drawn:
    import polars as pl

    by_host = failed.group_by("host", "place").len().with_columns(pl.col("host").cast(pl.String))
    rows = [one.host for one in hosts if one.failed][:_MOST_CELLS]
    names = _names(terms, failed)
    counts = np.zeros((len(rows), len(names)), np.int64)
    at = {host: place for place, host in enumerate(rows)}
    for host, place, count in by_host.iter_rows():
        if host in at:
            counts[at[host], place] = count
    shown = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    top = max(float(counts.max(initial=1)), 1.0)
    marks = [10**power for power in range(int(np.log10(top)) + 1)]
    heat = {
        "type": "heatmap",
        "x": names,
        "y": rows,
        "z": shown.round(3),
        "text": [[f"{count:,}" for count in row] for row in counts.tolist()],
        "hovertemplate": "%{y}<br>%{x}: %{text}<extra></extra>",
        "colorscale": HEAT,
        "colorbar": {
            "title": {"text": "records"},
            "tickvals": np.log10(marks),
            "ticktext": [f"{mark:,}" for mark in marks],
            "thickness": 12,
        },
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
    }
    return Drawn(
        "failures_matrix",
        "Causes on hosts",
        f"How often each cause was on the {len(rows)} hosts that stand out most; the scale is beside "
        "it, each mark ten "
        "times the one before. A cause that one host has alone is that host's.",
        {
            "data": [heat],
            "layout": layout_of(
                axis(kind="category", tickangle=20),
                axis(kind="category", autorange="reversed", dtick=1),
                height=190 + 18 * len(rows),
            ),
        },
        {**{host: term_of("host", host) for host in rows}, **terms},
        wide=True,
    )


def _over_time(shown: Shown, failed: pl.DataFrame, terms: dict[str, str]) -> Drawn:
    since, until = shown.span
    step = step_for(since, until)
    found = failed.group_by(bucket("end_time", step, since, until).alias("begin"), "place").len().drop_nulls("begin")
    begins = periods(found["begin"].to_numpy(), step)
    names = _names(terms, failed)
    sums = np.zeros((len(names), len(begins)))
    np.add.at(
        sums, (found["place"].to_numpy(), np.searchsorted(begins, found["begin"].to_numpy())), found["len"].to_numpy()
    )
    figure: dict[str, Any] = {
        "data": stacked_bars(OverTime(begins, names, sums), step, "records", colours(names)),
        "layout": layout_of(
            axis(kind="date"), axis("failed records", rangemode="tozero"), barmode="stack", showlegend=True, bargap=0
        ),
    }
    return Drawn(
        "failures_over_time",
        f"Failures by cause, each {step.name}",
        "Records that failed, by when they ended and why. Choose a range of time to see that period "
        "alone; click a cause "
        "to see it alone.",
        figure,
        terms,
        brush=True,
        wide=True,
    )
