"""Real jobs of cells for the tests of REST: sent as a notebook's kernel sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patience import wait_for

from gcs_lab import connect
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.cells.submission import submit_cell
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.sweep_submission import add_points, submit_sweep

if TYPE_CHECKING:
    from live_server import LiveServer

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.sweep import Sweep


def request_of(source: str, namespace: dict[str, Any] | None, parts: dict[str, Any], **options: Any) -> CellRequest:
    return CellRequest(
        source="\n" + source,
        filename="<cell>",
        display_name="Cell In[3]",
        display_source=f"%%gcs submit\n{source}",
        namespace=namespace or {},
        options=CellOptions(**options),
        execution_count=3,
        **parts,
    )


def send_cell(
    source: str, *, cluster: str = "embedded", notebook: str = "", cell: str = "c1", **options: Any
) -> CellJob:
    plan = plan_cell(request_of(source, None, {"notebook": notebook, "cell": cell}, **options))
    return submit_cell(plan, connect(cluster), Journal())


def send_sweep(source: str, *over: str, cluster: str = "embedded", **options: Any) -> Sweep:
    asked = CellOptions(over=list(over), **options)
    points = asked_points(asked, {})
    assert points is not None
    plan = plan_cell(request_of(source, None, {"parameters": points.names}, over=list(over), **options))
    add_points(plan, points)
    return submit_sweep(plan, connect(cluster), Journal())


def form(**values: Any) -> dict[str, Any]:
    """An IJobForm; what is not given is empty."""
    names = ("name", "queue", "project", "parallel_environment", "slots", "after", "over", "max_parallel")
    empty = dict.fromkeys((*names, "priority", "more"), "")
    return {"verb": "submit", "requests": {}, **empty, **values}


def ended(server: LiveServer, job_id: str, cluster: str = "embedded", **query: Any) -> dict[str, Any]:
    """Return the facts of a job when it has ended."""
    path = f"clusters/{cluster}/jobs/{job_id}"
    facts: dict[str, Any] = {}

    def over() -> bool:
        facts.update(server.get(path, **query))
        return facts["state"] in ("DONE", "FAILED")

    wait_for(over, f"the end of job {job_id}")
    return facts
