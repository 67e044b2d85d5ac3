"""A connected cell: its areas, its name and version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_backend import GridEngineAccounting
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.jobs_backend import GridEngineJobs
from gcs_lab.backends.gridengine.status_backend import GridEngineStatus
from gcs_lab.errors import DrmCommunication

if TYPE_CHECKING:
    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.status.protocol import StatusBackend

__all__ = ["GridEngineSystem", "product_name"]

_PRODUCTS = {"SGE": "Grid Engine", "OCS": "Open Cluster Scheduler", "GCS": "Gridware Cluster Scheduler"}


def product_name(help_text: str) -> str:
    """Return product and version from the first line of ``qstat -help`` (``"SGE 8.1.9"``)."""
    first = (help_text.strip().splitlines() or [""])[0].strip()
    match = re.match(r"([A-Z]+)\s+(\S+)", first)
    return f"{_PRODUCTS.get(match[1], match[1])} {match[2]}" if match else "Grid Engine"


class GridEngineSystem:
    """One cell, connected.

    Parameters
    ----------
    cluster
        Stable name: ``"gridengine"``, ``"demo"`` …
    cell
        The cell.
    transport
        As in :class:`~gcs_lab.backends.gridengine.jobs_backend.GridEngineJobs`.

    Raises
    ------
    DrmCommunication
        If its qmaster does not answer.
    """

    status: StatusBackend | None
    accounting: AccountingBackend | None

    def __init__(self, cluster: str, cell: SgeCell, transport: str | None = None) -> None:
        if not cell.answers(5.0):
            raise DrmCommunication(
                f"the Grid Engine cell {cell.name!r} in {cell.root} does not answer at "
                f"{cell.qmaster_host()}:{cell.port()}. "
                "If it is your demo cell, `gcs-lab demo start` starts it again with its jobs; else ask who runs it."
            )
        # -help exits with 0 on some versions and 1 on others; the line is the same.
        product = product_name(run_command(cell, ["qstat", "-help"]).said)
        self.cluster = cluster
        self.cell = cell
        self.system = product if cluster == "gridengine" else f"{product} ({cluster})"
        self.jobs = GridEngineJobs(cell, self.system, transport)
        self.status = GridEngineStatus(cell)
        self.accounting = GridEngineAccounting(cell)
        self.jobs.start()

    def close(self) -> None:
        """Release the helper; jobs go on."""
        self.jobs.close()
