"""Send a planned cell once for each of its points: one folder, one array job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.cell_source import read_cell
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.submission import entry_of, write_travelling
from gcs_lab.cells.sweep import Sweep
from gcs_lab.cells.sweep_rounds import add_round, note_submitted
from gcs_lab.errors import CellSourceError
from gcs_lab.vocabulary import TaskRange

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cells.sweep_points import Points
    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["add_points", "submit_sweep", "sweep_template"]

#: A task's log is its folder's largest part if it beats often; nobody looks at it while it runs.
_HEARTBEAT_SECONDS = 600.0


def sweep_template(plan: CellPlan, folder: str, runner: str, output: str) -> JobTemplate:
    """Return the template of the first round.

    What the scheduler's shell says of all tasks goes into one file (`output`): both systems append to it, and it
    stays empty unless a task cannot start. 10,000 tasks so leave one file and not 20,000.
    """
    template = plan.template(runner, folder, output, output)
    template.args = [*(template.args or []), "1"]
    template.error_path = None
    template.join_files = True
    return template


def add_points(plan: CellPlan, points: Points) -> None:
    """Make the plan of a cell that of a sweep, and note which parameters the cell does not use.

    Raises
    ------
    CellSourceError
        If a parameter must also come back.
    """
    clash = sorted(set(points.names) & set(plan.request.options.outputs))
    if clash:
        raise CellSourceError(f"--out {', '.join(clash)}: that is a parameter (--over) already. Nothing was sent.")
    plan.points = points
    if plan.language:
        return
    source = read_cell(plan.request.source, plan.request.filename)
    unused = [name for name in points.names if name not in source.needs]
    if unused and plan.request.options.over and not source.open_ended:
        plan.warnings.append(f"the cell does not use {', '.join(unused)}, which --over gives it")


def submit_sweep(plan: CellPlan, cluster: Cluster, journal: Journal | None = None) -> Sweep:
    """Write the sweep's folder, submit the array job, and return the sweep. When it raises, there is neither.

    Parameters
    ----------
    plan
        A plan with points (:func:`add_points`).
    cluster
        Where it runs.
    journal
        The journal; None: the user's.

    Raises
    ------
    NotPicklable
        If an input cannot be pickled (it is named, with its type).
    OutOfResource
        If the disk is full.
    GcsError
        If the cluster refuses the job or does not answer.
    """
    journal = journal or Journal()
    options, points = plan.request.options, plan.points
    if points is None:
        raise TypeError("the plan has no points; submit_cell sends it")
    with JobFolder.create(plan.name) as folder:
        template = sweep_template(plan, str(folder.path), str(folder.runner), str(folder.stdout))
        cluster.jobs.check(template, TaskRange(1, len(points)), must_fit=True)
        spec = _spec(plan, points)
        write_travelling(folder, plan, spec)
        points.write(folder.points)
        folder.write_runner()
        folder.write_spec(spec)
        folder.write_template(template.to_json())
        ran = add_round(folder, 1, np.arange(1, len(points) + 1))
        entry = entry_of(plan, folder, cluster)
        with journal.noted(entry):
            array = cluster.jobs.submit_array(
                template, 1, len(points), max_parallel=options.max_parallel, token=ran.token
            )
    # From here on the job is there, and its folder stays whatever happens: attach finds the id by the token.
    entry.job_id = array.id
    note_submitted(folder, ran, array.id)
    journal.update(entry.folder, job_id=array.id)
    return Sweep(cluster, entry, journal, spec=spec)


def _spec(plan: CellPlan, points: Points) -> dict[str, Any]:
    options = plan.request.options
    spec = plan.spec(_HEARTBEAT_SECONDS)
    spec["sweep"] = {
        "tasks": len(points),
        "parameters": points.names,
        "variable": options.sweep_name,
        "max_parallel": options.max_parallel,
    }
    return spec
