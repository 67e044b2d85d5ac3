"""Taking a snapshot: one poll of a system, put into the form that everything above relies on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError, Internal
from gcs_lab.status.job_rows import jobs_of
from gcs_lab.status.queue_rows import queues_of
from gcs_lab.status.snapshot import Snapshot
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    import pyarrow as pa

    from gcs_lab.status.protocol import StatusBackend

__all__ = ["POLLED", "snapshot_of", "take_snapshot", "whole_table"]

#: The tables that a system tells; the others are made of them.
POLLED = ("tasks", "queue_instances", "hosts")


def take_snapshot(backend: StatusBackend, cluster: str, sequence: int = 0) -> Snapshot:
    """Ask `backend` once, and return what it said.

    Raises
    ------
    GcsError
        If it does not answer, or nothing sensible: whatever the backend raised besides is Internal.
    """
    import pyarrow.compute  # noqa: F401  # else the first answer takes longer than the cluster, and so does the pause

    began, clock = time.time(), time.monotonic()
    try:
        poll = backend.poll()
        tables = {name: whole_table(getattr(poll, name), name) for name in POLLED}
    except GcsError:
        raise
    except Exception as error:
        raise Internal(
            f"the cluster's answer could not be understood ({type(error).__name__}: {error}). It is asked again; if "
            "this stays, its version may be one that this gcs_lab does not know."
        ) from error
    return snapshot_of(
        tables,
        cluster=cluster,
        sequence=sequence,
        time=began,
        seconds=time.monotonic() - clock,
        commands=tuple(poll.commands),
    )


def snapshot_of(
    tables: dict[str, pa.Table],
    *,
    cluster: str,
    sequence: int,
    time: float,
    seconds: float,
    commands: tuple[str, ...] = (),
) -> Snapshot:
    """Return the snapshot of the tables in :data:`POLLED`, with those that are made of them."""
    return Snapshot(
        cluster=cluster,
        sequence=sequence,
        time=time,
        seconds=seconds,
        tasks=tables["tasks"],
        jobs=jobs_of(tables["tasks"]),
        queue_instances=tables["queue_instances"],
        queues=queues_of(tables["queue_instances"]),
        hosts=tables["hosts"],
        commands=commands,
    )


def whole_table(table: pa.Table, name: str) -> pa.Table:
    """Return `table` with one chunk a column, so that a row has one place; its columns are those of table `name`.

    Raises
    ------
    Internal
        If columns or types are others.
    """
    if not table.schema.equals(schema(name)):
        wrong = [field.name for field in schema(name) if field not in table.schema] or table.schema.names
        raise Internal(f"the backend's table {name!r} has wrong columns or types: {', '.join(wrong)}.")
    if all(column.num_chunks == 1 for column in table.columns):
        return table
    return table.unify_dictionaries().combine_chunks() if table.num_rows else _one_empty_chunk(name)


def _one_empty_chunk(name: str) -> pa.Table:
    import pyarrow as pa

    wanted = schema(name)
    return pa.table([pa.array([], field.type) for field in wanted], schema=wanted)
