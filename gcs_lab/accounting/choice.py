"""Which records a question is about: qacct's filters as keywords, and the language of filters beside them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from gcs_lab.accounting.moments import Period, period_of
from gcs_lab.accounting.text_choice import host_is, queue_is, read_numbers, read_texts, text_is
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Choice", "ChoiceWords", "Moment", "Texts"]

#: A text, or several of which one is to fit; ``*``, ``?`` and ``[a-z]`` are wildcards.
Texts: TypeAlias = str | Iterable[str]
Moment: TypeAlias = str | float | date | datetime
_CLOCKS_DIFFER = 86400.0
_TASKS = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", re.ASCII)


class ChoiceWords(TypedDict, total=False):
    """The keywords by which every question of ``accounting`` is narrowed; :class:`Choice` says what they mean."""

    owner: Texts | None
    group: Texts | int | None
    project: Texts | None
    department: Texts | None
    account: Texts | None
    queue: Texts | None
    host: Texts | None
    parallel_environment: Texts | None
    slots: int | str | Iterable[int] | None
    job: int | Texts | Iterable[int] | None
    task: int | str | Iterable[int] | None
    name: Texts | None
    reservation: int | Texts | None
    since: Moment | None
    until: Moment | None
    before: Moment | None
    days: float | None
    by_end: bool
    requests: Mapping[str, str | float | None] | str | None
    where: str
    main_only: bool


@dataclass(frozen=True)
class Choice:
    """Which records are meant; each keyword narrows, and all must fit.

    Attributes
    ----------
    owner, group, project, department, account
        ``qacct -o -g -P -D -A``: one name or several; wildcards are fine. ``"NONE"`` stands for a record without
        one. `group` also takes a number, as ``qacct -g`` does.
    queue
        ``qacct -q``: a cluster queue, or an expression for its instances: ``"all.q@node1*"``, ``"*@node017"``.
    host
        ``qacct -h``: in any case of letters; a name without a dot also fits the host with any domain.
    parallel_environment, slots, reservation
        ``qacct -pe -slots -ar``; `slots` also takes several, or a comparison (``">4"``).
    job, task, name
        ``qacct -j -t``: `job` is a number, ``"4711.3"`` for a task, or a name or pattern of names; `task` an index or
        ``"1-10:2"``; `name` only a name or pattern.
    since, until, days
        ``qacct -b -e -d``, both ends included. Times are pandas', Python's, seconds since the epoch,
        ``"2026-11-01"`` (as `until`: the whole of that day), ``"7d"`` (that long ago) or qacct's
        ``[[CC]YY]MMDDhhmm[.SS]``; without a zone they are local time. As in qacct, `days` counts from `since`, else
        back from `until`, else back from now.
    before
        As `until`, but that moment does not belong to it any more.
    by_end
        ``qacct -E``: the times choose by the end of the job, not by its start. By its start, a job that never
        started counts as one of 1970, as in qacct: `until` lets it through, `since` does not.
    requests
        What it asked for, from its category: ``{"h_vmem": ">4G", "gpu": None}`` or ``"h_vmem>4G,gpu"``; None: asked
        for it at all. (``qacct -l`` is another question: whether the queue would have it today.)
    where
        In the language of filters: ``"slots>4 wallclock>2h name~fit"`` (docs/accounting.md).
    main_only
        ``qacct -m``: without the records of a parallel job's single processes.
    """

    owner: Texts | None = None
    group: Texts | int | None = None
    project: Texts | None = None
    department: Texts | None = None
    account: Texts | None = None
    queue: Texts | None = None
    host: Texts | None = None
    parallel_environment: Texts | None = None
    slots: int | str | Iterable[int] | None = None
    job: int | Texts | Iterable[int] | None = None
    task: int | str | Iterable[int] | None = None
    name: Texts | None = None
    reservation: int | Texts | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: Moment | None = None
    days: float | None = None
    by_end: bool = False
    requests: Mapping[str, str | float | None] | str | None = None
    where: str = ""
    main_only: bool = False
    #: Seconds since the epoch that "ago" counts from.
    now: float = field(default_factory=time.time, compare=False, repr=False)

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Choice:
        """Return the choice that keywords make.

        Raises
        ------
        UnknownName
            If one of them is none; InvalidArgument: a value that says nothing. FilterError: `where` cannot be read.
        """
        known = [one.name for one in fields(cls)]
        for word in words:
            if word not in known:
                raise UnknownName(
                    "keyword", word, [one for one in known if one != "now"], where="accounting", relation="in"
                )
        made = cls(**words)
        made.expression()  # what is wrong is told before anything is read
        return made

    def period(self) -> Period:
        """Return the time that is meant, in seconds since the epoch."""
        return period_of(self.since, self.until, self.before, self.days, self.now)

    def expression(self) -> pl.Expr | None:
        """Return what must be true of a record, over RECORD_COLUMNS; None: all are meant.

        Raises
        ------
        InvalidArgument
            If a value says nothing; FilterError: `where` cannot be read.
        """
        tests = [*self._names(), *self._numbers(), *self._times()]
        if self.requests is not None:
            from gcs_lab.accounting.request_choice import requests_are

            tests += requests_are(self.requests)
        if not isinstance(self.where, str):
            raise InvalidArgument(f'where={self.where!r}: expected a filter as text, such as "slots>4 ok:no".')
        if self.where:
            from gcs_lab.accounting.where_filter import where_is

            tests.append(where_is(self.where, self.now))
        return reduce(and_, tests) if tests else None

    def ended(self) -> tuple[float | None, float | None]:
        """Return between which times, in seconds since the epoch, every record that is meant ended; None: open."""
        period = self.period()
        if period.begin is None:
            # Those without a time are meant, too.
            return None, None
        if self.by_end:
            return period.begin, period.end
        # Nothing ends before it starts, and what started has an end; clocks of two hosts may differ.
        return period.begin - _CLOCKS_DIFFER, None

    def without_time(self) -> Choice:
        """Return the same choice of all times."""
        return replace(self, since=None, until=None, before=None, days=None)

    def lasting(self) -> bool:
        """Tell whether the same words choose the same records a minute from now, appended ones aside."""
        return self.key() == replace(self, now=self.now + 60).key()

    def columns(self) -> set[str]:
        """Return the columns that :meth:`expression` looks at."""
        expression = self.expression()
        return set() if expression is None else set(expression.meta.root_names())

    def key(self) -> str:
        """Return what tells this choice from every other, for those who remember answers; ``""``: all records."""
        expression = self.expression()
        return "" if expression is None else str(expression.meta.serialize(format="json"))

    def _names(self) -> list[pl.Expr]:
        tests = []
        for word in ("owner", "project", "department", "account", "parallel_environment"):
            value = getattr(self, word)
            if value is not None:
                tests.append(text_is(word, read_texts(word, value)))
        if self.group is not None:
            tests.append(text_is("group", _groups(self.group)))
        if self.name is not None:
            tests.append(text_is("name", read_texts("name", self.name)))
        if self.queue is not None:
            tests.append(queue_is(read_texts("queue", self.queue)))
        if self.host is not None:
            tests.append(host_is(read_texts("host", self.host)))
        return tests

    def _numbers(self) -> list[pl.Expr]:
        import polars as pl

        tests = []
        if self.slots is not None:
            tests.append(read_numbers("slots", self.slots))
        if self.job is not None:
            tests.append(_jobs(self.job))
        if self.task is not None:
            tests.append(_tasks(self.task))
        if self.reservation is not None:
            value = str(self.reservation) if isinstance(self.reservation, int) else self.reservation
            tests.append(text_is("reservation_id", read_texts("reservation", value)))
        if self.main_only:
            tests.append(pl.col("pe_task").is_null())
        return tests

    def _times(self) -> list[pl.Expr]:
        import polars as pl

        period = self.period()
        column = pl.col("end_time" if self.by_end else "start_time")
        tests = []
        if period.begin is not None:
            tests.append(column.is_not_null() & (column >= _instant(period.begin)))
        if period.end is not None:
            end = _instant(period.end)
            inside = column <= end if period.closed else column < end
            # qacct compares numbers, and the start of a job that never started is 0.
            tests.append(inside if period.begin is not None else inside | column.is_null())
        return tests


def _instant(seconds: float) -> pl.Expr:
    import polars as pl

    return pl.lit(round(seconds * 1e6)).cast(pl.Datetime("us", "UTC"))


def _groups(value: Texts | int) -> list[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        return read_texts("group", value)
    import grp

    try:
        return [grp.getgrgid(value).gr_name]
    except (KeyError, OverflowError):
        # As qacct: a number that nobody knows is taken as a name.
        return [str(value)]


def _jobs(value: int | Texts | Iterable[int]) -> pl.Expr:
    import polars as pl

    several = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    words = read_texts("job", [str(one) if isinstance(one, int) else one for one in several])
    ids = [word for word in words if word.isascii() and word.isdigit()]
    tasks = [match for word in words if (match := re.fullmatch(r"(\d+)\.(\d+)", word, re.ASCII))]
    names = [word for word in words if word not in ids and not re.fullmatch(r"\d+\.\d+", word, re.ASCII)]
    test = pl.lit(value=False)
    if ids:
        test = test | pl.col("job_id").is_in([str(int(one)) for one in ids])
    for match in tasks:
        test = test | ((pl.col("job_id") == str(int(match[1]))) & (pl.col("task") == int(match[2])))
    if names:
        test = test | text_is("name", names)
    return test


def _tasks(value: int | str | Iterable[int]) -> pl.Expr:
    import polars as pl

    if isinstance(value, int) and not isinstance(value, bool):
        return pl.col("task") == value
    if isinstance(value, str):
        test = pl.lit(value=False)
        for part in value.split(","):
            match = _TASKS.fullmatch(part.strip())
            if match is None or match[3] == "0":
                raise InvalidArgument(
                    f"task={value!r}: {part!r} is no range of tasks. Expected an index, 1-10, or 1-10:2, and commas "
                    "between several, as qacct -t takes them."
                )
            first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
            task = pl.col("task")
            test = test | (task.is_between(first, last) & ((task - first) % step == 0))
        return test
    return read_numbers("task", value)
