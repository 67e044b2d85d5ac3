"""Send a planned cell: write its folder, submit the job, remember both."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cells import runner
from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cells.script_plan import write_script_inputs
from gcs_lab.errors import NotPicklable
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cluster import Cluster

__all__ = ["entry_of", "pickled_sizes", "submit_cell", "write_travelling"]


def submit_cell(plan: CellPlan, cluster: Cluster, journal: Journal | None = None) -> CellJob:
    """Write the job folder, submit the job, and return its handle. When it raises, there is neither.

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
    with JobFolder.create(plan.name) as folder:
        template = plan.template(str(folder.runner), str(folder.path), str(folder.stdout), str(folder.stderr))
        # Refused names and values are told before a gigabyte of inputs is written.
        cluster.jobs.check(template, must_fit=True)
        spec = plan.spec()
        write_travelling(folder, plan, spec)
        folder.write_runner()
        folder.write_spec(spec)
        folder.write_template(template.to_json())
        entry = entry_of(plan, folder, cluster)
        with journal.noted(entry):
            job = cluster.jobs.submit(template)
    # From here on the job is there, and its folder stays whatever happens: it is all that the job has.
    entry.job_id = job.id
    journal.update(entry.folder, job_id=job.id)
    handle = CellJob(cluster, entry, journal, spec=spec, requested=plan.request.options.requests)
    held = template.submit_as_hold or template.hold_jid
    handle.state = JobState.QUEUED_HELD if held else JobState.QUEUED
    return handle


def entry_of(plan: CellPlan, folder: JobFolder, cluster: Cluster) -> JournalEntry:
    """Return the journal's entry of a job that is about to be submitted; its id is not known yet."""
    return JournalEntry(
        folder=str(folder.path),
        cluster=cluster.name,
        job_id="",
        name=plan.name,
        notebook=plan.request.notebook,
        cell=plan.request.cell,
        execution_count=plan.request.execution_count,
        submitted=time.time(),
        kind="sweep" if plan.points else plan.kind,
        tasks=len(plan.points or ()),
        after=json.dumps([upstream.folder for upstream in plan.upstreams() if upstream.folder]),
    )


def pickled_sizes(values: dict[str, Any]) -> dict[str, int | Exception]:
    """Return the bytes that each value takes when pickled alone, or why it cannot be."""
    import cloudpickle

    sizes: dict[str, int | Exception] = {}
    for name, value in values.items():
        buffers: list[Any] = []
        try:
            data = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
            sizes[name] = len(data) + sum(buffer.raw().nbytes for buffer in buffers)
        except Exception as error:
            sizes[name] = error
    return sizes


def write_travelling(folder: JobFolder, plan: CellPlan, spec: dict[str, Any]) -> None:
    """Write the values that travel with a cell into its folder; of a script, `spec` says which they are.

    Raises
    ------
    NotPicklable
        If a value cannot travel.
    OSError
        If it cannot be written.
    """
    if plan.language:
        write_script_inputs(folder, plan, spec)
    elif plan.inputs:
        _write_inputs(folder, plan)


def _write_inputs(folder: JobFolder, plan: CellPlan) -> None:
    try:
        runner.write_payload(str(folder.inputs), plan.inputs, {})
    except OSError:
        raise
    except Exception as error:
        culprits = {name: why for name, why in pickled_sizes(plan.inputs).items() if isinstance(why, Exception)}
        if not culprits:
            raise NotPicklable(f"the inputs could not be pickled: {error}. Nothing was sent.") from error
        raise NotPicklable(_culprits_text(plan.inputs, culprits)) from error


def _culprits_text(values: dict[str, Any], culprits: dict[str, Exception]) -> str:
    told = "\n".join(
        f"  {name}, of type {type(values[name]).__module__}.{type(values[name]).__qualname__}: {why}"
        for name, why in culprits.items()
    )
    return (
        f"what the cell needs cannot travel, because it cannot be pickled:\n{told}\n"
        "Nothing was sent. Make it inside the cell instead (open the file or connection there), or send what it is "
        "made from."
    )
