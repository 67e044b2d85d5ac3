"""What the cell does now, as tables (``qstat -xml``, ``qstat -f -xml``, ``qhost -xml``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.qhost_xml import parse_hosts, read_memory, read_number
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs, parse_queues
from gcs_lab.status.protocol import HOST_COLUMNS, JOB_COLUMNS, QUEUE_COLUMNS, Columns

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["GridEngineStatus"]


def _columns(names: tuple[str, ...], rows: list[tuple[object, ...]]) -> Columns:
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


class GridEngineStatus:
    """The ``status`` area of a cell.

    Parameters
    ----------
    cell
        The cell.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell

    def jobs_table(self) -> Columns:
        """Return the jobs of all users that have not ended; a job's priority is the normalized one (0 to 1)."""
        rows = parse_jobs(ask(self._cell, ["qstat", "-u", "*", "-xml"]).stdout)
        return _columns(
            JOB_COLUMNS,
            [
                (
                    r.job_id,
                    r.tasks,
                    r.name,
                    r.owner,
                    r.letters,
                    r.priority,
                    r.submission_time,
                    r.start_time,
                    r.queue,
                    r.host,
                    r.slots,
                )
                for r in rows
            ],
        )

    def queues_table(self) -> Columns:
        """Return all queue instances; their state is Grid Engine's letters."""
        rows = parse_queues(ask(self._cell, ["qstat", "-f", "-xml"]).stdout)
        return _columns(
            QUEUE_COLUMNS, [(r.queue, r.host, r.slots_used, r.slots_total, r.load_avg, r.state) for r in rows]
        )

    def hosts_table(self) -> Columns:
        """Return all execution hosts; ``state`` is ``"u"`` where the host does not report."""
        hosts = parse_hosts(ask(self._cell, ["qhost", "-xml"]).stdout)
        used: dict[str, int] = {}
        total: dict[str, int] = {}
        for row in parse_queues(ask(self._cell, ["qstat", "-f", "-xml"]).stdout):
            used[row.host] = used.get(row.host, 0) + row.slots_used
            total[row.host] = total.get(row.host, 0) + row.slots_total
        rows: list[tuple[object, ...]] = []
        for name, values in hosts.items():
            cores, load = read_number(values.get("num_proc")), read_number(values.get("load_avg"))
            rows.append(
                (
                    name,
                    values.get("arch_string"),
                    None if cores is None else int(cores),
                    load,
                    read_memory(values.get("mem_total")),
                    read_memory(values.get("mem_used")),
                    used.get(name, 0),
                    total.get(name, 0),
                    "u" if load is None else "",
                )
            )
        return _columns(HOST_COLUMNS, rows)
