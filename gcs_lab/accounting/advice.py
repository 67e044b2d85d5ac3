"""Advice on families of jobs: requested against used, what would have been enough, and what that would have freed."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.advice_measures import Measure, measure_limit, measure_slots, usage
from gcs_lab.accounting.families import members
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time
from gcs_lab.jobs.usage_advice import ONE_SLOT_IS_ENOUGH

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import polars as pl

    from gcs_lab.vocabulary import JobTemplate

__all__ = ["Advice", "advise"]

_HEADS = ("request", "asked", "half needed", "needed", "most needed", "ask for", "would have freed")


@dataclass(frozen=True)
class Advice:
    """What a family of jobs should ask for; shown as a table, with a line to copy.

    ``family`` says which jobs, ``records`` how many started. ``flags`` is the line (``"-l h_vmem=6G,h_rt=2:00:00"``);
    empty: nothing is known. ``measures`` has a :class:`~gcs_lab.accounting.advice_measures.Measure` for each request.
    ``with_fewer_slots`` is the memory and slots to try where most slots were idle; empty: they were not.
    """

    family: str
    records: int
    share: float
    margin: float
    flags: str
    measures: tuple[Measure, ...]
    with_fewer_slots: str = ""

    @property
    def known(self) -> bool:
        """Whether there is anything to advise."""
        return bool(self.flags)

    @property
    def sentences(self) -> list[str]:
        """What is to be said, without a full stop: what is not known, what would fail, and the back-test."""
        said = [sentence for measure in self.measures for sentence in _sentences(measure, self.share)]
        return [*said, f"with fewer slots: {self.with_fewer_slots}"] if self.with_fewer_slots else said

    def frame(self) -> pd.DataFrame:
        """Return the figures, one row a request: memory in bytes for each slot, times in seconds (``Measure``)."""
        import pandas as pd

        columns = ("name", "jobs", "asked", "half", "most", "largest", "enough", "flag", "freed", "part", "killed")
        return pd.DataFrame([{name: getattr(one, name) for name in columns} for one in self.measures])

    def _head(self) -> str:
        return f"Advice on {self.family}: {self.records:,} record{'' if self.records == 1 else 's'}"

    def __repr__(self) -> str:
        rows = [_row(measure) for measure in self.measures if not math.isnan(measure.most)]
        lines = [self._head()]
        if rows:
            heads = _heads(self.share)
            widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
            lines += [
                "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
                for row in [heads, *rows]
            ]
        lines += [f"  {sentence}." for sentence in self.sentences]
        return "\n".join([*lines, f"  {self.flags or 'Nothing can be advised.'}"])

    def _repr_html_(self) -> str:
        rows = [_row(measure) for measure in self.measures if not math.isnan(measure.most)]
        head = "".join(f"<th>{html.escape(text)}</th>" for text in _heads(self.share))
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
        said = "".join(f"<li>{html.escape(sentence)}.</li>" for sentence in self.sentences)
        line = f"<code>{html.escape(self.flags)}</code>" if self.flags else "Nothing can be advised."
        return f"<div><b>{html.escape(self._head())}</b>{table}<ul>{said}</ul><p>{line}</p></div>"


def advise(
    records: pl.LazyFrame,
    family: str | int | Mapping[str, Any] | JobTemplate,
    *,
    share: float = 0.95,
    margin: float = 0.2,
) -> Advice:
    """Return what jobs of a family should ask for.

    Memory is asked for by the slot, and used by the whole job: a job of four slots with ``h_vmem=2G`` has 8 GiB
    (``queue_conf(5)``).

    Parameters
    ----------
    records
        Records with the columns of RECORD_COLUMNS.
    family
        As for :func:`gcs_lab.accounting.families.members`.
    share
        Share of the jobs for which it is to be enough.
    margin
        What is put on top of what they used: 0.2 is 20 %.

    Raises
    ------
    InvalidArgument
        If `share` or `margin` can not be, or `family` says nothing.
    """
    if not 0.5 <= share < 1:  # noqa: PLR2004
        raise InvalidArgument(
            f"share={share}: expected the part of the jobs that it is enough for, from 0.5 to below 1."
        )
    if not 0 <= margin <= 10:  # noqa: PLR2004
        raise InvalidArgument(f"margin={margin}: expected what is put on top, from 0 to 10; 0.2 is 20 %.")
    meant = members(records, family)
    rows = usage(meant.records)
    slots = measure_slots(rows, share, margin)
    limits = (measure_limit(rows, "h_vmem", share, margin), measure_limit(rows, "h_rt", share, margin))
    measures = (*limits, slots) if slots else limits
    fewer = _with_fewer(rows, slots, share, margin) if slots else ""
    return Advice(meant.said, rows.height, share, margin, _flags(rows, measures), measures, fewer)


def _flags(rows: pl.DataFrame, measures: tuple[Measure, ...]) -> str:
    asked = ",".join(f"{one.name}={one.flag}" for one in measures if one.flag and one.name != "slots")
    parts = [f"-l {asked}"] if asked else []
    slots = next((one for one in measures if one.name == "slots"), None)
    environment = _environment(rows)
    if parts and slots is not None and environment:
        parts.append(f"-pe {environment} {slots.asked:.0f}")
    return " ".join(parts)


def _environment(rows: pl.DataFrame) -> str:
    environments = rows["environment"].drop_nulls().mode()
    return str(min(environments)) if len(environments) else ""


def _with_fewer(rows: pl.DataFrame, slots: Measure, share: float, margin: float) -> str:
    """Return the flags for jobs with as many slots as were busy; memory is by the slot, so that of each is more."""
    import polars as pl

    if slots.enough is None or slots.enough == slots.asked:
        return ""
    fewer = pl.when(pl.col("slots") == slots.asked).then(slots.enough).otherwise("slots")
    memory = measure_limit(rows.with_columns(slots=fewer), "h_vmem", share, margin)
    parts = [f"-l h_vmem={memory.flag}"] if memory.flag else []
    environment = _environment(rows)
    if slots.enough > 1 and environment:
        parts.append(f"-pe {environment} {slots.enough:.0f}")
    return " ".join(parts)


def _heads(share: float) -> tuple[str, ...]:
    return tuple(f"{100 * share:g} % needed" if head == "needed" else head for head in _HEADS)


def _amount(name: str, value: float | None) -> str:
    if value is None:
        return "nothing"
    if name == "slots":
        return f"{value:.3g}"
    if math.isinf(value):
        return "more than its limit"
    return format_time(value) if name == "h_rt" else f"{format_memory(value)} a slot"


def _row(measure: Measure) -> tuple[str, ...]:
    name = measure.name
    return (
        "slots (CPU)" if name == "slots" else name,
        _amount(name, measure.asked),
        *(_amount(name, value) for value in (measure.half, measure.most, measure.largest)),
        measure.flag,
        _freed(measure),
    )


def _freed(measure: Measure) -> str:
    if math.isnan(measure.part) or measure.enough is None:
        return "-"
    if measure.part <= 0:
        return "nothing" if measure.part == 0 else "nothing: it is more"
    size = measure.freed / 3600
    unit = "slot h"
    if measure.name == "h_vmem":
        size, unit = size / (1 << 30), "GiB h"
    promised = " of promised time" if measure.name == "h_rt" else ""
    amount = f"{size:,.0f}" if size >= 10 else f"{size:.2g}"  # noqa: PLR2004
    return f"{amount} {unit}{promised} ({100 * measure.part:.0f} %)"


def _sentences(measure: Measure, share: float) -> list[str]:
    name = measure.name
    if measure.why:
        return [f"{name}: {measure.why}"]
    if name == "slots":
        if measure.enough == measure.asked:
            return []
        some = f"{_amount(name, measure.half)} of {_amount(name, measure.asked)} slots were busy on average"
        more = f"; {ONE_SLOT_IS_ENOUGH}" if measure.enough == 1 else ""
        return [f"slots: {some}; a job whose work comes in bursts is slower with fewer{more}"]
    said = f"{name}={measure.flag} is less than {measure.failing:,} of {measure.jobs:,} jobs needed"
    if not measure.failing:
        said = f"{name}={measure.flag} would have been enough for all {measure.jobs:,} jobs"
    if measure.killed:
        said += f"; the limits that they had ended {measure.killed:,}"
    sentences = [said]
    if measure.held_out is not None:
        test = measure.held_out
        sentences.append(
            f"{name}, found from the earlier jobs alone, would have ended {100 * test.failing:.1f} % of "
            f"{test.jobs:,} later ones ({100 * (1 - share):.3g} % or less is wanted; the limits that they had ended "
            f"{100 * test.failed:.1f} %)"
        )
    return sentences
