"""The table of all tasks on the client's side: what changed is asked for, what did not is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.keys import task_keys
from gcs_lab.status.tables import empty_table, schema

if TYPE_CHECKING:
    import pyarrow as pa

    from gcs_lab.backends.embedded.client import Client

__all__ = ["TaskTable"]

#: Columns that come as they are.
_PLAIN = ("tasks", "task", "task_count", "name", "owner", "letters", "state", "slots", "queue", "host")
_MORE = ("parallel_environment", "requests")
_MICROSECONDS = 1_000_000


class TaskTable:
    """Rows of ``TASK_COLUMNS``; one thread at a time may look.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._epoch: str | None = None
        self._number: int | None = None
        self._sampled = 0
        self._usage: dict[int, tuple[float, float]] = {}
        self._table: pa.Table | None = None

    def look(self) -> pa.Table:
        """Return the table as it is now: the same object if nothing changed.

        Raises
        ------
        GcsError
            If the scheduler does not answer.
        """
        table = self._table
        pieces: list[pa.Table] = []
        changed: list[int] = []
        epoch, number, after, more = self._epoch, self._number, None, True
        while more:
            told = self._client.ask("task_rows", epoch=epoch, number=number, after=after)
            if told.get("first"):
                # All are listed: for the first time, or because what is known here is of no use any more.
                table, pieces, changed = None, [], []
            if told.get("changed"):
                # What was listed before is of no use for these.
                gone = set(told["changed"])
                pieces = [_without(piece, gone) for piece in pieces]
                changed += told["changed"]
            if told["rows"]["job_id"]:
                pieces.append(_rows(told["rows"]))
            epoch, number, after, more = told["epoch"], told["number"], told.get("after"), told["more"]
        if table is None or changed:
            table = _joined(table, pieces, set(changed))
        if epoch != self._epoch:
            self._usage, self._sampled = {}, 0
        table = self._with_usage(table)
        self._epoch, self._number, self._table = epoch, number, table
        return table

    def _with_usage(self, table: pa.Table) -> pa.Table:
        """Return the table with what its running tasks use, as they were measured last."""
        import pyarrow as pa
        import pyarrow.compute as pc

        told = self._client.ask("usage", number=self._sampled)
        self._sampled = told["number"]
        for job_id, task, cpu, memory in told["samples"]:
            self._usage[(job_id << 32) | task] = (cpu, memory)
        if not told["samples"] and table is self._table:
            return table
        places = pc.indices_nonzero(pc.is_valid(table["start_time"]))
        running = dict(zip(table["key"].take(places).to_pylist(), places.to_pylist(), strict=True))
        self._usage = {key: used for key, used in self._usage.items() if key in running}
        if not running:
            return table
        for column, name in enumerate(("cpu", "memory")):
            values: list[float | None] = [None] * table.num_rows
            for key, used in self._usage.items():
                values[running[key]] = used[column]
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(place), pa.array(values, pa.float64()))
        return table


def _rows(told: dict[str, list[Any]]) -> pa.Table:
    """Return rows as they are sent as rows of the table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = schema("tasks")
    count = len(told["job_id"])
    job_ids = pa.array(map(str, told["job_id"]), pa.string(), size=count)
    task, tasks = pa.array(told["task"], pa.int32()), pa.array(told["tasks"], pa.string())
    nothing = pa.nulls(count)
    columns: dict[str, Any] = {
        "key": task_keys(job_ids, task, pc.and_(pc.is_valid(tasks), pc.is_null(task))),
        "job_id": job_ids,
        # As the scheduler orders jobs, and as users say it: the same thing here.
        "priority": pa.array(told["priority"], pa.float64()),
        "posix_priority": told["priority"],
        "submission_time": _times(told["submitted"]),
        "start_time": _times(told["started"]),
        **{name: told[name] for name in (*_PLAIN, *_MORE)},
    }
    arrays = [
        pa.array(columns[name], wanted.field(name).type) if name in columns else nothing.cast(wanted.field(name).type)
        for name in wanted.names
    ]
    return pa.Table.from_arrays(arrays, schema=wanted)


def _times(seconds: list[float | None]) -> list[int | None]:
    return [None if moment is None else round(moment * _MICROSECONDS) for moment in seconds]


def _without(table: pa.Table, job_ids: set[int]) -> pa.Table:
    """Return the table without the rows of some jobs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = pc.is_in(table["job_id"], pa.array(map(str, job_ids), pa.string(), size=len(job_ids)))
    return table.filter(pc.invert(gone))


def _joined(table: pa.Table | None, pieces: list[pa.Table], changed: set[int]) -> pa.Table:
    """Return the rows of jobs that did not change with the new ones, in the order of submission."""
    import pyarrow as pa

    kept = [] if table is None else [_without(table, changed)]
    if not kept and not pieces:
        return empty_table("tasks")
    return pa.concat_tables([*kept, *pieces]).unify_dictionaries().combine_chunks().sort_by("key")
