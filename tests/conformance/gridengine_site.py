"""A private Grid Engine cell as a site: more slots than the demo has, and one narrow queue."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gridengine.demo_lab import home, need_packages
from patience import wait_for

from conformance.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.backends.gridengine.system import GridEngineSystem

__all__ = ["gridengine_site"]

_SLOTS = 24
_CATEGORIES = "quick -v FROM_CATEGORY=yes -l h_rt=3600\nroom -q all.q\n"
_COMPLEX = "licence lic INT <= YES YES 0 0\n"


@contextmanager
def gridengine_site() -> Iterator[Site]:
    """Start a cell in a home of its own and configure it; nothing of it is left behind."""
    from gcs_lab.backends.gridengine import demo
    from gcs_lab.backends.gridengine.system import GridEngineSystem
    from gcs_lab.cluster import Cluster

    need_packages()
    with home() as folder:
        try:
            state = demo.start(slots=_SLOTS)
            cell = state.cell()
            _configure(cell, folder)
            system = GridEngineSystem(state.cluster, cell)
            with Site(
                name="gridengine",
                home=folder,
                cluster=Cluster(system),
                hosts=("localhost",),
                mailbox=state.mailbox,
                lose=lambda job_id: _lose(system, cell, job_id),
                # What libdrmaa submits leaves the queue instead; the same by qsub would become Eqw (seen on 8.1.9).
                keeps_in_error=system.jobs.submitter.transport == "qsub",
            ) as site:
                yield site
        finally:
            os.environ["GCS_LAB_HOME"] = str(folder)
            demo.stop()


def _lose(system: GridEngineSystem, cell: SgeCell, job_id: str) -> None:
    """Have a run given up as lost: 8.1.9 now and then forgets the order while it hears of the job's start."""
    from gcs_lab.backends.gridengine.commands import ask

    def runs_again() -> bool:
        ask(cell, ["qmod", "-rj", job_id])
        for _ in range(20):
            time.sleep(0.1)
            if "R" in system.jobs.status([job_id])[job_id].sub_state:
                return True
        return False

    wait_for(runs_again, f"job {job_id} to be rescheduled")


def _configure(cell: SgeCell, folder: Path) -> None:
    """Add the narrow queue, a consumable and a job category to a demo cell."""
    from gcs_lab.backends.gridengine.commands import ask

    (cell.common / "qtask").write_text(_CATEGORIES)
    complexes = folder / "complexes"
    complexes.write_text(ask(cell, ["qconf", "-sc"]).text + _COMPLEX)
    ask(cell, ["qconf", "-Mc", str(complexes)])
    ask(cell, ["qconf", "-aattr", "exechost", "complex_values", "licence=2", "localhost"])
    queue = folder / "narrow.q"
    values = {"qname": "narrow.q", "slots": "1", "seq_no": "99", "pe_list": "NONE"}
    queue.write_text(
        "".join(
            f"{name} {values.get(name, value)}\n"
            for name, _, value in (line.partition(" ") for line in _joined(ask(cell, ["qconf", "-sq", "all.q"]).text))
        )
    )
    ask(cell, ["qconf", "-Aq", str(queue)])


def _joined(text: str) -> list[str]:
    """Return the lines of a configuration; those that qconf broke with a backslash are whole again."""
    return text.replace("\\\n", " ").splitlines()
