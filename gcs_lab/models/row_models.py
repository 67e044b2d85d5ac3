"""Feeds the models of single jobs, queues and hosts from the tables of a snapshot."""

from __future__ import annotations

import math
import threading
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gcs_lab.models.fed_traits import FedTraits
from gcs_lab.models.host_model import HostModel
from gcs_lab.models.job_model import JobModel
from gcs_lab.models.queue_model import QueueModel
from gcs_lab.status.state_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["HostRows", "JobRows", "QueueRows", "RowModels"]

_Model = TypeVar("_Model", bound=FedTraits)


class RowModels(Generic[_Model]):
    """The models that somebody holds of rows of one table, by name; who holds none costs nothing.

    Parameters
    ----------
    cluster, system
        Names, for the models.
    """

    #: The column that has the name.
    column: str

    def __init__(self, cluster: str, system: str) -> None:
        self._cluster, self._system = cluster, system
        self._models: weakref.WeakValueDictionary[str, _Model] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def model(self, name: str, table: pa.Table | None, time: float, stale_since: float) -> _Model:
        """Return the one model of `name`, as the table at hand tells."""
        with self._lock:
            model = self._models.get(name)
            if model is None:
                model = self._models[name] = self._new(name)
                if table is not None:
                    self._take(model, name, table, time)
                model.set_trait("stale_since", stale_since)
            return model

    def update(self, table: pa.Table, time: float) -> None:
        """Bring all models up to date; observers are called in this thread."""
        for name, model in self._held():
            self._take(model, name, table, time)

    def stale(self, since: float) -> None:
        """Tell all models since when the cluster does not answer; 0.0: it does."""
        for _, model in self._held():
            model.set_trait("stale_since", since)

    def _held(self) -> list[tuple[str, _Model]]:
        with self._lock:
            return list(self._models.items())

    def _take(self, model: _Model, name: str, table: pa.Table, time: float) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        place = pc.index(table[self.column], pa.scalar(name, pa.string())).as_py()
        row = None if place < 0 else {key: values[0] for key, values in table.slice(place, 1).to_pydict().items()}
        model.set_together(**self._values(model, row, time))

    def _new(self, name: str) -> _Model:
        raise NotImplementedError

    def _values(self, model: _Model, row: Mapping[str, Any] | None, time: float) -> dict[str, Any]:
        """Return the traits of a row; `row` is None where the table has none."""
        raise NotImplementedError


class JobRows(RowModels[JobModel]):
    """Models of jobs, by id."""

    column = "job_id"

    def _new(self, name: str) -> JobModel:
        return JobModel(job_id=name, cluster=self._cluster, system=self._system)

    def _values(self, model: JobModel, row: Mapping[str, Any] | None, time: float) -> dict[str, Any]:
        if row is None:
            # One that was never seen may be yet to come; one that was seen has left the queue.
            was_there = model.state != "UNDETERMINED" or bool(model.sub_state)
            return {"ended": True, "finished": model.finished or time} if was_there else {}
        return {
            "name": row["name"] or "",
            "owner": row["owner"] or "",
            "project": row["project"] or "",
            "state": row["state"] or "UNDETERMINED",
            "sub_state": row["letters"] or "",
            "queue": row["queue"] or "",
            "host": row["host"] or "",
            "slots": row["slots"] if row["slots"] is not None else 1,
            "priority": _number(row["priority"], 0.0),
            "is_array": bool(row["array"]),
            "tasks": row["tasks"] if row["tasks"] is not None else 1,
            "counts": {kind: row[kind] or 0 for kind in KINDS} if row["array"] else {},
            "submitted": _seconds(row["submission_time"]),
            "started": _seconds(row["start_time"]),
            "cpu": _number(row["cpu"], 0.0),
            "ended": False,
            "finished": 0.0,
        }


class QueueRows(RowModels[QueueModel]):
    """Models of cluster queues, by name."""

    column = "queue"

    def _new(self, name: str) -> QueueModel:
        return QueueModel(name=name, cluster=self._cluster)

    def _values(self, model: QueueModel, row: Mapping[str, Any] | None, time: float) -> dict[str, Any]:  # noqa: ARG002
        return _named_traits(row, ("queue", "load_avg")) | (
            {} if row is None else {"load_avg": _number(row["load_avg"], -1.0)}
        )


class HostRows(RowModels[HostModel]):
    """Models of execution hosts, by name."""

    column = "host"

    def _new(self, name: str) -> HostModel:
        return HostModel(name=name, cluster=self._cluster)

    def _values(self, model: HostModel, row: Mapping[str, Any] | None, time: float) -> dict[str, Any]:  # noqa: ARG002
        values = _named_traits(row, ("host", "load_avg"))
        if row is None:
            return values | {"is_up": False}
        unknown = dict.fromkeys(
            ("cores", "sockets", "threads", "memory_used", "memory_total", "swap_used", "swap_total"), -1
        )
        state = row["state"] or ""
        return (
            unknown | values | {"load_avg": _number(row["load_avg"], -1.0), "is_up": "u" not in state, "state": state}
        )


def _named_traits(row: Mapping[str, Any] | None, but: tuple[str, ...]) -> dict[str, Any]:
    """Return what a row knows, but for some columns, and that the row is there."""
    if row is None:
        return {"exists": False}
    return {"exists": True} | {
        name: value for name, value in row.items() if value is not None and name not in {*but, "key"}
    }


def _number(value: float | None, unknown: float) -> float:
    return unknown if value is None or math.isnan(value) else value


def _seconds(moment: Any) -> float:
    """Return a time as seconds since the epoch; 0.0: not known."""
    return 0.0 if moment is None else float(moment.timestamp())
