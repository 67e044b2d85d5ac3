"""Jobs that are alike: families, found by the pattern of their names, their command, and the shape of their requests.

In a name, what counts up or changes from job to job becomes ``#``: numbers, dates, times, hashes. ``fit_007`` and
``fit_123`` are of the family ``fit_#``; ``run-2026-03-14`` is ``run-#``. The shape of a category is what was asked
for without the values: ``-l h_rt=#,h_vmem=# -pe smp``, so that a family stays one when a request is changed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gcs_lab.accounting.advice_template import Wanted, read_template
from gcs_lab.accounting.derived import derived, has_failed, memory_request, time_request
from gcs_lab.accounting.text_choice import pattern_expression
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from gcs_lab.vocabulary import JobTemplate

__all__ = ["Family", "command_pattern", "families", "members", "name_pattern", "shape"]

_HEX = r"(?:[0-9a-fA-F]{6,}[0-9][a-fA-F]*|[a-fA-F]*[0-9][0-9a-fA-F]{6,})"
#: In this order; the first finds hashes and UUIDs (a word of hexadecimal digits only, at least one of them 0 to 9).
_NAME_RULES = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "#"),
    (rf"(^|[^0-9A-Za-z])(?:{_HEX})([^0-9A-Za-z]|$)", "${1}#${2}"),
    (r"[0-9]{4}-?[0-9][0-9]-?[0-9][0-9](?:[T_-]?[0-9][0-9]:?[0-9][0-9](?::?[0-9][0-9])?)?", "#"),
    (r"[0-9]+", "#"),
    (r"#(?:[._:+-]*#)+", "#"),
)
#: Options of qsub that differ from job to job of one family, with their value.
_CHANGING = r"(^|\s)-(?:N|t|tc|l|o|e|wd|hold_jid|hold_jid_ad|p|a|q|pe|M|v)\s+\S+"
_SHAPE_RULES = (
    (r"(^|\s)-[uUP] \S+", ""),
    (r"=[^,\s]+", "=#"),
    (r"(-pe \S+) [\d,-]+", "${1}"),
    (r"^\s+", ""),
)
_JOB_ID = re.compile(r"(\d+)(?:\.(\d+))?")
_WILD = re.compile(r"[*?\[]")


class Family(NamedTuple):
    """The records that are meant, and in words which."""

    records: pl.LazyFrame
    said: str


def _ruled(text: pl.Expr, rules: tuple[tuple[str, str], ...]) -> pl.Expr:
    for pattern, replacement in rules:
        text = text.str.replace_all(pattern, replacement)
    return text


def name_pattern(name: pl.Expr) -> pl.Expr:
    """Return names with ``#`` for what changes from job to job; idempotent."""
    return _ruled(name, _NAME_RULES)


def command_pattern(command: pl.Expr) -> pl.Expr:
    """Return command lines of qsub without the options that change from job to job, and with ``#`` as in names."""
    return _ruled(command.str.replace_all(_CHANGING, ""), _NAME_RULES)


def shape(category: pl.Expr) -> pl.Expr:
    """Return the shape of categories: what was asked for without the values, and without owner and project."""
    return _ruled(category.fill_null(""), _SHAPE_RULES)


def families(records: pl.LazyFrame, *, by_owner: bool = True) -> pl.DataFrame:
    """Return the families of jobs, the one that kept most slot hours first.

    Parameters
    ----------
    records
        Records with at least the columns of RECORD_COLUMNS.
    by_owner
        Whether jobs of two people are two families.

    Returns
    -------
    polars.DataFrame
        ``family`` (the names' pattern), ``owner`` (with `by_owner`), ``command`` (null where the records have none),
        ``shape`` (of the requests), ``records``, ``jobs`` (different ids), ``failed`` (records of failures),
        ``slot_hours``, ``cpu_efficiency``, ``time_used`` and ``memory_used`` (used by asked: run time by h_rt, peak
        of virtual memory by h_vmem times slots, the latter weighted by run time; of records that asked and were
        measured; null: none), ``last_end``.
    """
    import polars as pl

    who = ["owner"] if by_owner else []
    kept = derived()["slot_seconds"].fill_null(0)
    peak, ran = pl.col("max_vmem").cast(pl.Float64), pl.col("wallclock")
    measured = peak.is_not_null() & pl.col("slots").is_not_null()
    # Processes of parallel jobs may have records of their own: only what these used counts.
    main = pl.col("pe_task").is_null()
    # First what is the same to the letter: few rows are left, of which the patterns are made.
    parts = (
        records.group_by(*who, "name", "command", "category")
        .agg(
            records=main.sum().cast(pl.UInt32),
            jobs=pl.col("job_id").n_unique(),
            failed=(main & has_failed()).sum(),
            kept=kept.sum(),
            cpu=pl.col("cpu").filter((kept > 0) | ~main).sum(),
            ran=ran.filter(main).sum(),
            peak_seconds=(peak * ran).sum(),
            measured_seconds=(pl.col("slots").cast(pl.Float64) * ran).filter(main & measured).sum(),
            last_end=pl.col("end_time").max(),
        )
        .with_columns(
            family=name_pattern(pl.col("name")),
            pattern=command_pattern(pl.col("command")),
            shape=shape(pl.col("category")),
            time=_finite(time_request("h_rt")),
            memory=_finite(memory_request("h_vmem")),
        )
    )
    summed = parts.group_by("family", *who, pl.col("pattern").alias("command"), "shape").agg(
        pl.col("records").sum(),
        pl.col("jobs").sum(),
        pl.col("failed").sum(),
        slot_hours=pl.col("kept").sum() / 3600,
        cpu_efficiency=_ratio(pl.col("cpu").sum(), pl.col("kept").sum()),
        time_used=_ratio(
            pl.col("ran").filter(pl.col("time").is_not_null()).sum(), (pl.col("time") * pl.col("records")).sum()
        ),
        memory_used=_ratio(
            pl.col("peak_seconds").filter(pl.col("memory").is_not_null()).sum(),
            (pl.col("memory") * pl.col("measured_seconds")).sum(),
        ),
        last_end=pl.col("last_end").max(),
    )
    summed = summed.filter(pl.col("records") > 0)
    return summed.sort("slot_hours", "family", *who, "shape", descending=[True, *[False] * (2 + len(who))]).collect()


def _finite(values: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(values.is_finite() & (values > 0)).then(values)


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(whole > 0).then(part / whole)


def members(records: pl.LazyFrame, family: str | int | Mapping[str, Any] | JobTemplate) -> Family:
    """Return the records of a family.

    Parameters
    ----------
    records
        All records.
    family
        A pattern of names (``"fit_*"``); a name, which means the jobs whose names have its pattern (``"fit_007"``,
        ``"fit_#"``); the id of a job or task (``1234``, ``"1234.5"``), which means the owner's jobs of the same
        name pattern, command and shape; a template or mapping, as
        :func:`~gcs_lab.accounting.advice_template.read_template` takes them.

    Raises
    ------
    InvalidArgument
        If it says nothing, or there is no record of that job.
    """
    import polars as pl

    if not isinstance(family, int | str):
        return _like_template(records, read_template(family))
    text = str(family).strip()
    if not text:
        raise InvalidArgument('The name of a family is empty. Expected "fit_*", a job\'s id, or a template.')
    if match := _JOB_ID.fullmatch(text):
        return _like_job(records, match[1], match[2])
    if _WILD.search(text):
        said = f"jobs named {text}"
        return Family(records.filter(pl.col("name").str.contains(pattern_expression(text))), said)
    pattern = _pattern_of(text)
    return Family(_named(records, pattern), f"jobs named {pattern}")


def _pattern_of(name: str) -> str:
    import polars as pl

    return str(pl.select(name_pattern(pl.lit(name))).item())


def _named(records: pl.LazyFrame, pattern: str) -> pl.LazyFrame:
    import polars as pl

    # What stands before the first # is in the name as it is: most names need no regular expression.
    begin = pattern.partition("#")[0]
    return records.filter(pl.col("name").str.starts_with(begin) & (name_pattern(pl.col("name")) == pattern))


def _like_job(records: pl.LazyFrame, job: str, task: str | None) -> Family:
    import polars as pl

    its = pl.col("job_id") == job
    if task is not None:
        its &= pl.col("task") == int(task)
    found = (
        records.filter(its)
        .select(
            "name",
            pl.col("owner").cast(pl.String),
            family=name_pattern(pl.col("name")),
            pattern=command_pattern(pl.col("command")),
            shape=shape(pl.col("category")),
        )
        .head(1)
        .collect()
    )
    if not found.height:
        raise InvalidArgument(
            f"There is no record of {job if task is None else f'{job}.{task}'}: it has not ended, or is older than "
            'the records that are looked at. Expected the id of a job that has ended, or a pattern of names: "fit_*".'
        )
    one = found.row(0, named=True)
    mine = records.filter(pl.col("owner") == one["owner"], shape(pl.col("category")) == one["shape"])
    if one["pattern"] is not None:
        mine = mine.filter(command_pattern(pl.col("command")) == one["pattern"])
    asked = f" that ask for {one['shape']}" if one["shape"] else ""
    return Family(_named(mine, one["family"]), f"jobs of {one['owner']} named {one['family']}{asked}, like {job}")


def _like_template(records: pl.LazyFrame, wanted: Wanted) -> Family:
    import polars as pl

    if wanted.name is None and wanted.command is None:
        raise InvalidArgument(
            f"A template that says {wanted.said or 'nothing'} names no family of jobs. Expected a name or a command."
        )
    if wanted.name is not None:
        records = _named(records, _pattern_of(wanted.name))
    if wanted.command is not None:
        word = re.escape(wanted.command.rpartition("/")[2])
        records = records.filter(pl.col("command").str.contains(rf"(?:^|[\s/]){word}(?:\s|$)"))
    for column, value in (
        *(("owner", wanted.owner), ("project", wanted.project), ("queue", wanted.queue)),
        *(("parallel_environment", wanted.environment), ("slots", wanted.slots)),
    ):
        if value is not None:
            records = records.filter(pl.col(column) == value)
    return Family(records, f"jobs like {wanted.said}")
