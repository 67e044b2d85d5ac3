"""Submit with ``qsub -terse``: the way that every cell has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import TaskRange

__all__ = ["CONTEXT", "Batch", "QsubTransport", "Transport", "concurrency"]

#: Name of the marker in a job's context.
CONTEXT = "gcs_lab"


def concurrency(batch: Batch) -> list[str]:
    """Return the option of qsub that limits how many tasks run at once."""
    return [] if batch.max_parallel is None else ["-tc", str(batch.max_parallel)]


@dataclass(frozen=True)
class Batch:
    """Jobs to be submitted, each with its marker; with `tasks`, one array job."""

    requests: list[JobRequest]
    markers: list[str]
    tasks: TaskRange | None = None
    max_parallel: int | None = None

    def __len__(self) -> int:
        return len(self.requests)

    def without(self, number: int) -> Batch:
        """Return the batch without its first jobs."""
        return replace(self, requests=self.requests[number:], markers=self.markers[number:])


class Transport(Protocol):
    """One way of submitting."""

    name: str

    def submit(self, batch: Batch, ids: list[str]) -> None:
        """Submit jobs in order, each with its marker in its context (``-ac``), and append their ids to `ids`.

        After one that was not taken, none is sent.

        Raises
        ------
        DrmCommunication
            If it is not known whether the next job, and those after it, were taken: the caller looks for the markers.
        GcsError
            If the next one was refused; those after it were not sent.
        """
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class QsubTransport:
    """``qsub`` once a job.

    Parameters
    ----------
    cell
        The cell to submit to.
    """

    name = "qsub"

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell

    def submit(self, batch: Batch, ids: list[str]) -> None:
        """Submit jobs; see :meth:`Transport.submit`."""
        for request, marker in zip(batch.requests, batch.markers, strict=True):
            ids.append(self._submit(request, marker, batch))

    def _submit(self, request: JobRequest, marker: str, batch: Batch) -> str:
        # -shell n: a shell would take the arguments apart once more.
        argv = ["qsub", "-terse", "-b", "y", "-shell", "n", "-ac", f"{CONTEXT}={marker}", *request.options]
        if batch.tasks is not None:
            argv += ["-t", str(batch.tasks)]
        argv += concurrency(batch)
        for option, value in (
            ("-N", request.name),
            ("-wd", request.working_directory),
            ("-i", request.input_path),
            ("-o", request.output_path),
            ("-e", request.error_path),
        ):
            argv += [option, value] if value is not None else []
        if request.hold:
            argv += ["-h"]
        argv += ["-j", "y" if request.join_files else "n"]
        if variables := request.variables():
            argv += ["-v", ",".join(variables)]
        argv += [request.command, *request.args]
        answer = run_command(self._cell, argv, extra_env=request.environment)
        if answer.exit_status:
            raise error_of(answer.said, answer.argv, answer.exit_status)
        # -terse prints the number alone, but a site's JSV or default options may say more before it.
        job_id = (answer.text.split() or [""])[-1].partition(".")[0]
        if not job_id.isdigit():
            raise Internal(f"qsub took the job and printed {answer.text!r} for its id. Look for the job with qstat.")
        return job_id

    def close(self) -> None:
        """Release nothing."""
