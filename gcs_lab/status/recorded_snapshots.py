"""Recorded snapshots as files: some whole, the others as what differs from one of those.

============================= ========================================================================================
``base-TIME.arrow``           all tables of that moment; it is there as long as a moment refers to it
``at-TIME.arrow``             a moment, whole (of a small cluster)
``at-TIME-BASETIME.arrow``    a moment: hosts and queue instances whole, of the tasks what differs from that base
============================= ========================================================================================

Times are milliseconds since the epoch. Figures that change all the time (CPU seconds, priority …) count as no
difference: of a task that runs unchanged since the base they are those of the base, with 7 digits.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.status.difference import table_changes
from gcs_lab.status.kept_moments import SNAPSHOTS, thinned
from gcs_lab.status.snapshot_file import facts_of, read_tables, write_tables
from gcs_lab.status.tables import FIGURES, schema
from gcs_lab.status.taking import POLLED, snapshot_of, whole_table

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import Snapshot

__all__ = ["Moment", "RecordedSnapshots"]

_NAME = re.compile(r"(?P<kind>at|base)-(?P<time>\d+)(?:-(?P<base>\d+))?\.arrow")
#: Tasks up to which every moment is kept whole: it costs less than to look for what differs.
_SMALL = 500
#: Part of a base's tasks that may differ before there is a new base; seconds after which there is one in any case.
_MOST_DIFFERENT = 0.2
_BASE_SECONDS = 7200.0
#: Seconds after which a file that was not finished is one of a process that was killed while it wrote.
_ABANDONED = 600.0


@dataclass(frozen=True)
class Moment:
    """A recorded moment: its file, its time and its base's (milliseconds; 0: none), its size in bytes."""

    path: Path
    time: int
    base: int
    size: int


class RecordedSnapshots:
    """The files in one folder. One process writes, any may read.

    Parameters
    ----------
    folder
        Where they are.
    limit
        Bytes that all of them may have.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.torn = 0
        self._base: tuple[int, pa.Table] | None = None

    def moments(self) -> list[Moment]:
        """Return the recorded moments, the oldest first."""
        return self._listed()[0]

    def add(self, snapshot: Snapshot) -> None:
        """Record a snapshot, and forget what is too old or too much.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        time = int(snapshot.time * 1000)
        tables = {name: snapshot.table(name) for name in POLLED}
        if snapshot.tasks.num_rows <= _SMALL:
            write_tables(self.folder / f"at-{time}.arrow", facts_of(snapshot), _slim(tables), compress=True)
        else:
            self._add_difference(time, facts_of(snapshot), tables)
        self._forget(time)

    def read(self, moment: Moment) -> Snapshot | None:
        """Return the snapshot of a recorded moment; None if the file is torn or has gone."""
        try:
            about, tables = read_tables(moment.path)
            if moment.base:
                _, base = read_tables(self.folder / f"base-{moment.base}.arrow")
                changed, gone = _whole(tables)["tasks"], tables["gone"]["key"].to_numpy()
                kept = _without(_whole(base)["tasks"], gone, changed["key"].to_numpy())
                tables["tasks"] = _joined(kept, changed)
            whole = {name: whole_table(table, name) for name, table in _whole(tables).items() if name in POLLED}
            return snapshot_of(whole, **{**about, "commands": tuple(about["commands"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            self.torn += 1
            return None

    def _add_difference(self, time: int, about: dict[str, object], tables: dict[str, pa.Table]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        tasks = tables["tasks"]
        if self._base is not None:
            base_time, base = self._base
            changes = table_changes(base, tasks)
            different = len(changes.added) + len(changes.changed) + len(changes.removed)
            old = not 0 <= time - base_time <= _BASE_SECONDS * 1000
            if old or different > _MOST_DIFFERENT * base.num_rows or not self._base_path(base_time).exists():
                self._base = None
        if self._base is None:
            write_tables(self._base_path(time), about, _slim({"tasks": tasks}), compress=True)
            self._base = (time, tasks)
            changes = table_changes(tasks, tasks)
        keys = pa.array([*changes.added.tolist(), *changes.changed.tolist()], pa.uint64())
        rows = tasks.filter(pc.is_in(tasks["key"], keys))
        gone = pa.table({"key": pa.array(changes.removed, pa.uint64())})
        path = self.folder / f"at-{time}-{self._base[0]}.arrow"
        write_tables(path, about, {**_slim({**tables, "tasks": rows}), "gone": gone}, compress=True)

    def _base_path(self, time: int) -> Path:
        return self.folder / f"base-{time}.arrow"

    def _listed(self) -> tuple[list[Moment], dict[int, Moment]]:
        moments, bases = [], {}
        with contextlib.suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is None:
                    continue
                with contextlib.suppress(FileNotFoundError):
                    one = Moment(path, int(match["time"]), int(match["base"] or 0), path.stat().st_size)
                    if match["kind"] == "base":
                        bases[one.time] = one
                    else:
                        moments.append(one)
        return sorted(moments, key=lambda one: one.time), bases

    def _forget(self, now: int) -> None:
        moments, bases = self._listed()
        too_many = {round(time * 1000) for time in thinned((m.time / 1000 for m in moments), now / 1000, SNAPSHOTS)}
        kept = [moment for moment in moments if moment.time not in too_many or moment.time == now]
        current = self._base[0] if self._base else 0

        def size() -> int:
            used = {moment.base for moment in kept} | {current}
            return sum(m.size for m in kept) + sum(base.size for time, base in bases.items() if time in used)

        while len(kept) > 1 and size() > self.limit:
            del kept[0]
        used = {moment.base for moment in kept} | {current}
        staying = {moment.path for moment in kept} | {base.path for time, base in bases.items() if time in used}
        for one in [*moments, *bases.values()]:
            if one.path not in staying:
                with contextlib.suppress(FileNotFoundError):
                    one.path.unlink()
        for path in self.folder.glob("*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < now / 1000 - _ABANDONED:
                    path.unlink()


def _slim(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the tables with figures of 7 digits, and without ids that the keys tell."""
    import numpy as np
    import pyarrow as pa

    slim = {}
    for name, table in tables.items():
        for column in FIGURES.intersection(table.column_names):
            if table[column].type == pa.float64():
                place = table.column_names.index(column)
                table = table.set_column(place, column, table[column].cast(pa.float32(), safe=False))  # noqa: PLW2901
        if name == "tasks" and not (table["key"].to_numpy() >> np.uint64(63)).any():
            table = table.drop_columns(["job_id"])  # noqa: PLW2901
        slim[name] = table
    return slim


def _whole(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Undo :func:`_slim`."""
    import numpy as np
    import pyarrow as pa

    whole = dict(tables)
    for name in set(POLLED) & set(tables):
        table, wanted = tables[name], schema(name)
        columns = {column: table[column] for column in table.column_names}
        if name == "tasks" and "job_id" not in columns:
            columns["job_id"] = pa.array(table["key"].to_numpy() >> np.uint64(32)).cast(pa.string())
        arrays = {field.name: columns[field.name].cast(field.type) for field in wanted}
        whole[name] = pa.table(arrays, schema=wanted)
    return whole


def _without(tasks: pa.Table, *keys: NDArray[np.uint64]) -> pa.Table:
    import numpy as np

    return tasks.filter(~np.isin(tasks["key"].to_numpy(), np.concatenate(keys)))


def _joined(first: pa.Table, second: pa.Table) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([first, second]).unify_dictionaries().combine_chunks()
