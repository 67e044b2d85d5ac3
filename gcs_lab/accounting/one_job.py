"""All that accounting knows of one job: its records, as qacct -j shows them, and why it failed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice
from gcs_lab.accounting.endings import FAILED_CODES, annotation, signal_name
from gcs_lab.accounting.truth import collected, in_order
from gcs_lab.errors import GcsError, InvalidArgument, UnknownName
from gcs_lab.jobs.requests import format_memory, format_time, parse_requests
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pandas as pd
    import polars as pl

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.store import Store

__all__ = ["JobRecord", "JobRecords", "records_of_job"]

#: Rows that are shown of an array job; the rest is in the frame.
_MOST = 20
#: Lines of qacct -j, in its order: its word, and our column.
_LINES = (
    ("qname", "queue"), ("hostname", "host"), ("group", "group"), ("owner", "owner"), ("project", "project"),
    ("department", "department"), ("jobname", "name"), ("jobnumber", "job_id"), ("taskid", "task"),
    ("pe_taskid", "pe_task"), ("account", "account"), ("priority", "nice"),
    ("qsub_time", "submission_time"), ("start_time", "start_time"),
    ("end_time", "end_time"), ("granted_pe", "parallel_environment"),
    ("slots", "slots"), ("failed", "failed"), ("deleted_by", "deleted_by"), ("exit_status", "exit_status"),
    ("wait", "wait"), ("wallclock", "wallclock"), ("ru_utime", "ru_utime"), ("ru_stime", "ru_stime"), ("cpu", "cpu"),
    ("mem", "memory"), ("io", "io"), ("iow", "io_wait"), ("maxvmem", "max_vmem"), ("maxrss", "max_rss"),
    ("arid", "reservation_id"), ("category", "category"), ("command", "command"),
)  # fmt: skip
#: Lines that are left out where there is nothing: qacct does not have them either.
_ONLY_IF_TOLD = {"pe_taskid", "deleted_by", "maxrss", "command", "arid"}


class JobRecord:
    """One record; each column is an attribute: ``record.owner``, ``record.max_vmem``. Missing is None."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"a record has no {name!r}; it has {', '.join(self._values)}.") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __repr__(self) -> str:
        return f"<JobRecord {self.id}: {self.why or 'ended well'}>"

    @property
    def id(self) -> str:
        """Id of the job or task: ``"5"``, ``"5.3"``."""
        task = self._values["task"]
        return f"{self._values['job_id']}.{task}" if task else str(self._values["job_id"])

    @property
    def why(self) -> str | None:
        """What was not normal about its end, in a line; None: nothing."""
        return annotation(_Ended(self._values))

    def lines(self) -> list[tuple[str, str]]:
        """Return what ``qacct -j`` prints of it: its words, and values for people."""
        told = [(word, _shown(column, self._values[column])) for word, column in _LINES]
        return [(word, text or "-") for word, text in told if text or word not in _ONLY_IF_TOLD]


class _Ended:
    """A record as :func:`annotation` wants it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.failed: int = values["failed"] or 0
        self.exit_status: int = values["exit_status"] or 0
        self.slots: int | None = values["slots"]
        self.wallclock: float | None = values["wallclock"]
        self.cpu: float | None = values["cpu"]
        self.max_vmem: int | None = values["max_vmem"]
        self.deleted_by: str | None = values["deleted_by"]
        self._requests: str | None = values["requests"]

    def requests(self) -> dict[str, str]:
        """Return what it asked for; what cannot be read asks for nothing."""
        try:
            return parse_requests(self._requests) if self._requests else {}
        except InvalidArgument:
            return {}


class JobRecords:
    """All records of a job: one a task, one more for each time that it was run again, the earliest end first.

    A sequence of :class:`JobRecord`; in a notebook it is shown as a table.

    Attributes
    ----------
    job_id : str
        Its number.
    """

    def __init__(self, job_id: str, frame: pl.DataFrame, store: Store, task: int | None) -> None:
        self.job_id = job_id
        self._frame, self._store, self._task = frame, store, task
        self._records = [JobRecord(row) for row in frame.iter_rows(named=True)]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[JobRecord]:
        return iter(self._records)

    def __getitem__(self, place: int) -> JobRecord:
        return self._records[place]

    @property
    def frame(self) -> pd.DataFrame:
        """The records as a DataFrame, with all columns."""
        from gcs_lab.accounting.frames import frame_from

        return frame_from(self._frame)

    @property
    def raw(self) -> list[str]:
        """The records as the system wrote them, as far as the files are still there."""
        return self._store.raw(self.job_id, self._task)

    @property
    def tasks(self) -> list[int]:
        """Indices of the tasks of an array job that have a record; empty: it is none."""
        return sorted({record.task for record in self._records if record.task})

    @property
    def why(self) -> str | None:
        """What was not normal, in a line: of several tasks the most frequent cause; None: nothing."""
        causes = [record.why for record in self._records if record.why]
        if not causes:
            return None
        if len(self._records) == 1:
            return causes[0]
        most = max(dict.fromkeys(causes), key=causes.count)
        return f"{len(causes)} of {len(self._records)} records: {most}" + (
            " and others" if len(set(causes)) > 1 else ""
        )

    def __repr__(self) -> str:
        parts = []
        for record in self._records[:_MOST]:
            lines = [f"{word:<13}{text}" for word, text in record.lines()]
            why = [f"{'why':<13}{record.why}"] if record.why else []
            parts.append("\n".join(["=" * 62, *lines, *why]))
        return "\n".join([*parts, *self._rest()])

    def _repr_html_(self) -> str:
        shown = self._records[:_MOST]
        words = list(dict.fromkeys(word for record in shown for word, _ in record.lines()))
        rows = []
        for word in words:
            cells = "".join(f"<td>{escape(dict(record.lines()).get(word, '-'))}</td>" for record in shown)
            rows.append(f"<tr><th scope='row' style='text-align:left'>{escape(word)}</th>{cells}</tr>")
        if self.why:
            cells = "".join(f"<td>{escape(record.why or '-')}</td>" for record in shown)
            rows.append(f"<tr><th scope='row' style='text-align:left'>why</th>{cells}</tr>")
        heads = "".join(f"<th scope='col'>{escape(record.id)}</th>" for record in shown)
        rest = "".join(f"<p>{escape(line)}</p>" for line in self._rest())
        return (
            "<table><caption style='text-align:left;white-space:nowrap'>"
            f"Job {escape(self.job_id)}: records of accounting</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{rest}"
        )

    def _rest(self) -> list[str]:
        more = len(self._records) - _MOST
        return [f"… and {more:,} more records: .frame has all of them."] if more > 0 else []


def _shown(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column in _SHOWN:
        return _SHOWN[column](value)
    return str(value)


def _local(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")


def _failed(code: int) -> str:
    return f"{code} : {FAILED_CODES.get(code, 'for an unknown reason')}" if code else "0"


def _exit_status(status: int) -> str:
    name = signal_name(status)
    return f"{status} ({name})" if name else str(status)


def _duration(seconds: float) -> str:
    # Clocks of two hosts may differ.
    return format_time(seconds) if seconds >= 0 else f"{seconds:.3f} s"


#: How the values of some columns are shown.
_SHOWN: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("submission_time", "start_time", "end_time"), _local),
    **dict.fromkeys(("io", "max_vmem", "max_rss"), format_memory),
    **dict.fromkeys(("wait", "wallclock", "ru_utime", "ru_stime", "cpu", "io_wait"), _duration),
    "failed": _failed,
    "exit_status": _exit_status,
    "memory": lambda value: f"{format_memory(value)} s",
}


def records_of_job(area: Accounting, job: int | str, task: int | None) -> JobRecords:
    """Return the records of a job, or of one of its tasks.

    Raises
    ------
    InvalidArgument
        If it is no id; UnknownName: there is no record of it.
    """
    text = str(job).strip()
    try:
        job_id, index = split_id(text)
    except (GcsError, ValueError):
        job_id, index = text, None
    if (
        isinstance(job, bool)
        or not (job_id.isascii() and job_id.isdigit())
        or (task is not None and index is not None)
    ):
        raise InvalidArgument(
            f"job({job!r}{'' if task is None else f', task={task!r}'}): expected the number of a job (4711) or of a "
            'task ("4711.3"). Jobs by name are found by accounting.frame(name="fit_*").'
        )
    index = task if index is None else index
    choice = Choice.of({"job": job_id, **({} if index is None else {"task": index})})
    frame = collected(in_order(area.store, None, choice))
    if not frame.height:
        called = f"{job_id}.{index}" if index else job_id
        raise UnknownName(
            "job", called, _near(area, job_id, index), where="the records", relation="in", complete=False
        )
    return JobRecords(str(int(job_id)), frame, area.store, index)


def _near(area: Accounting, job_id: str, index: int | None) -> list[str]:
    """Return a few ids that there are: of the job's other tasks, else the last jobs."""
    import polars as pl

    if index is not None:
        tasks = (
            in_order(area.store, ["task"], Choice.of({"job": job_id})).collect()["task"].drop_nulls().unique().sort()
        )
        if len(tasks):
            return [f"{job_id}.{one}" for one in tasks.head(10)]
    last = area.records(["job_id", "end_time"]).filter(pl.col("end_time").is_not_null())
    return collected(last.top_k(5, by="end_time"))["job_id"].unique().to_list()
