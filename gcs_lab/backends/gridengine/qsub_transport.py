"""Submit with ``qsub -terse``: the way that every cell has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["QsubTransport", "Transport"]


class Transport(Protocol):
    """One way of submitting."""

    name: str

    def submit(self, request: JobRequest, marker: str) -> str:
        """Submit the job with `marker` in its context (``-ac``) and return its id. Called once a job.

        Raises
        ------
        DrmCommunication
            If it is not known whether the job was taken: the caller looks for the marker.
        GcsError
            If it was refused.
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

    def submit(self, request: JobRequest, marker: str) -> str:
        """Submit one job; see :meth:`Transport.submit`."""
        # -shell n: a shell would take the arguments apart once more.
        argv = ["qsub", "-terse", "-b", "y", "-shell", "n", "-ac", marker, *request.options]
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
