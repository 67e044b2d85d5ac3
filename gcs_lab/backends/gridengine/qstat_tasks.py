"""Read ``qstat -u '*' -ext -pri -r -xml`` into the table of tasks (8.1.9 and 9.x alike; qstat.xsd).

Which flags: measured on 8.1.9 with 500 simulated hosts, 8,000 tasks running and 1,400 rows of what waits, plain qstat
takes 0.26 s; ``-r`` (requests, parallel environments) adds 0.05 s, ``-ext`` (project, department, usage) 0.12 s and
``-pri`` (``qsub -p``) 0.05 s. ``-urg`` would add 0.25 s for nothing that is shown. ``-f`` takes 2.5 s (it looks for
each job in each queue instance), where ``qhost -q`` tells the same of the queue instances in 0.03 s. JSON of 9.2 is
not used: ``-ext`` leaves the times out there, and ``-r`` prints what is no JSON (seen with 9.2.0prealpha).
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.status_columns import (
    ROW,
    ArrowReader,
    ColumnMap,
    PlainReader,
    Refused,
    Repeated,
    Rows,
)
from gcs_lab.backends.gridengine.status_values import NOT_AS_GIVEN, as_given, mapped, numbers, times, words
from gcs_lab.backends.gridengine.task_ranges import parse_ranges
from gcs_lab.status.keys import task_keys
from gcs_lab.status.tables import empty_table, schema

if TYPE_CHECKING:
    import pyarrow as pa

    from gcs_lab.backends.gridengine.status_columns import Reader
    from gcs_lab.backends.gridengine.status_files import XmlFile

__all__ = ["COLUMNS", "QSTAT", "read_tasks", "tasks_with"]

#: The command that is read here.
QSTAT = ("qstat", "-u", "*", "-ext", "-pri", "-r", "-xml")

_NAMES = (
    "JB_job_number",
    "JAT_prio",
    "JB_priority",
    "JB_name",
    "full_job_name",
    "JB_owner",
    "JB_project",
    "JB_department",
    "state",
    "JAT_start_time",
    "JB_submission_time",
    "JAT_submission_time",  # so 9.x calls it
    "cpu_usage",
    "mem_usage",
    "io_usage",
    "queue_name",
    "slots",
    "tasks",
    "requested_pe",
    "granted_pe",
)
_FIELDS = (
    *((name, name) for name in _NAMES),
    ("requested_pe_name", "requested_pe/@name"),
    ("granted_pe_name", "granted_pe/@name"),
)
#: Where the rows stand: what has a queue, and what waits or is in error state.
_LISTS = {"running": "/job_info/queue_info", "pending": "/job_info/job_info"}
#: What is read of the document.
COLUMNS = ColumnMap(
    tuple(Rows(name, path, "job_list", _FIELDS) for name, path in _LISTS.items()),
    tuple(
        Repeated(f"{name} requests", path, "job_list", "hard_request", (("name", "@name"), ("value", "")))
        for name, path in _LISTS.items()
    ),
)
#: qstat tells of memory in GB seconds, and of what was read and written in GB (qstat(1)).
_GB = float(1 << 30)


def read_tasks(document: XmlFile) -> pa.Table:
    """Return the tasks (``TASK_COLUMNS``) in such a document. What runs has no submission time there.

    Raises
    ------
    Internal
        If the document is not well-formed.
    """
    try:
        return tasks_with(ArrowReader(COLUMNS), document)
    except Refused:
        with closing(document.cleaned()) as clean:
            try:
                return tasks_with(ArrowReader(COLUMNS), clean)
            except Refused:
                return tasks_with(PlainReader(COLUMNS), clean)


def tasks_with(reader: Reader, document: XmlFile) -> pa.Table:
    """Return the tasks in a document that `reader` reads.

    Raises
    ------
    Refused, Internal
        As the reader.
    """
    import pyarrow as pa

    parts: dict[str, list[pa.RecordBatch]] = {name: [] for name in _LISTS}
    requests: dict[str, list[pa.RecordBatch]] = {f"{name} requests": [] for name in _LISTS}
    for name, batch in reader.batches(document):
        if name in parts:
            # Text becomes numbers batch by batch: that is what keeps the memory near that of the result.
            parts[name].append(_normalised(batch, name))
        else:
            requests[name].append(_assignments(batch))
    tables = []
    for name in _LISTS:
        batches = parts.pop(name)
        if batches:
            table = pa.Table.from_batches(batches)
            asked = _requests(requests.pop(f"{name} requests"), table.num_rows)
            tables.append(table.append_column("requests", asked))
        del batches
    return _keyed(tables) if tables else empty_table("tasks")


def _normalised(batch: pa.RecordBatch, part: str) -> pa.RecordBatch:
    """Return the rows as ``TASK_COLUMNS``, with ``together``, without ``key`` and ``requests``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def text(name: str) -> pa.Array:
        return batch.column(name)

    letters = words(text("state"))
    tasks, one, together, number = _tasks(text("tasks"), letters, waiting=part == "pending")
    places = text("queue_name").dictionary_encode()
    made = {
        "job_id": _copied(text("JB_job_number")),
        "tasks": _copied(tasks),
        "task": one,
        "task_count": number,
        "name": _copied(_names(pc.coalesce(text("full_job_name"), text("JB_name")))),
        "owner": words(text("JB_owner")),
        "project": words(text("JB_project")),
        "department": words(text("JB_department")),
        "letters": letters,
        "state": mapped(letters, lambda some: job_state(some).name),
        "priority": numbers(text("JAT_prio"), pa.float64()),
        "posix_priority": numbers(text("JB_priority"), pa.int32()),
        "slots": numbers(text("slots"), pa.int32()),
        "queue": mapped(places, lambda place: place.partition("@")[0] or None),
        "host": mapped(places, lambda place: place.partition("@")[2] or None),
        "submission_time": times(pc.coalesce(text("JB_submission_time"), text("JAT_submission_time"))),
        "start_time": times(text("JAT_start_time")),
        "cpu": numbers(text("cpu_usage"), pa.float64()),
        "memory": numbers(text("mem_usage"), pa.float64(), _GB),
        "io": numbers(text("io_usage"), pa.float64(), _GB),
        "parallel_environment": pc.coalesce(
            pc.binary_join_element_wise(text("granted_pe_name"), text("granted_pe"), " "),
            pc.binary_join_element_wise(text("requested_pe_name"), text("requested_pe"), " "),
        ),
        "together": together,
    }
    return pa.RecordBatch.from_arrays(list(made.values()), names=list(made))


def _copied(column: pa.Array) -> pa.Array:
    """Return a copy: a column that stays would keep holes in the parser's heap, five times as large as itself."""
    import pyarrow as pa

    return pa.concat_arrays([column, column.slice(0, 0)])


def _names(column: pa.Array) -> pa.Array:
    """Return text as it was given: see :func:`~gcs_lab.backends.gridengine.status_values.as_given`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(column, NOT_AS_GIVEN)).as_py():
        return pa.array([None if text is None else as_given(text) for text in column.to_pylist()], pa.string())
    return column


def _tasks(
    column: pa.Array, letters: pa.DictionaryArray, *, waiting: bool
) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """Return the tasks as printed, the one task of each row, whether it stands for tasks that wait, and how many.

    What waits is one row for all tasks, even for the last one; what is in error state has a row of its own.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column):
        none = pa.nulls(len(column), pa.int32())
        return column, none, pa.repeat(pa.scalar(False), len(column)), none.fill_null(1)
    decimal = single = pc.fill_null(pc.ascii_is_decimal(column), False)
    if waiting:
        single = pc.and_(single, pc.fill_null(pc.match_substring(letters.cast(pa.string()), "E"), False))
    one = numbers(pc.if_else(single, column, None), pa.int32())
    together = pc.and_(pc.is_valid(column), pc.is_null(one))
    coded = pc.if_else(decimal, None, column).dictionary_encode()
    counts = pa.array([sum(map(len, parse_ranges(some))) or 1 for some in coded.dictionary.to_pylist()], pa.int32())
    return column, one, together, counts.take(coded.indices).fill_null(1)


def _assignments(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return requests as ``name=value``, each kept once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    value = pc.fill_null(batch.column("value"), "")
    both = pc.binary_join_element_wise(pc.fill_null(batch.column("name"), ""), value, "=")
    return pa.RecordBatch.from_arrays([batch.column(ROW), both.dictionary_encode()], names=[ROW, "request"])


def _requests(batches: list[pa.RecordBatch], number: int) -> pa.Array:
    """Return the requests of `number` rows as ``-l`` takes them; null: none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not batches:
        return pa.nulls(number, pa.string())
    table = pa.Table.from_batches(batches)
    counts = np.bincount(np.asarray(table.column(ROW)), minlength=number)
    offsets = pa.array(np.r_[0, np.cumsum(counts)], pa.int32(), mask=np.r_[counts == 0, False])
    asked = table.column("request").cast(pa.string()).combine_chunks()
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, asked), ",")
    return _names(joined)


def _keyed(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of `tables`, which it empties, with keys; a row without a job is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables(tables)
    tables.clear()
    if table.column("job_id").null_count:
        table = table.filter(pc.is_valid(table.column("job_id")))
    keys = task_keys(table.column("job_id"), table.column("task"), table.column("together"))
    columns = {"key": keys} | {name: table.column(name) for name in table.column_names}
    del table
    wanted = schema("tasks")
    # One after the other, so that only one of them is there twice.
    return pa.table(
        [_in_one_piece(columns.pop(name)).cast(kind) for name, kind in zip(wanted.names, wanted.types, strict=True)],
        schema=wanted,
    )


def _in_one_piece(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column
    return column.unify_dictionaries().combine_chunks()
