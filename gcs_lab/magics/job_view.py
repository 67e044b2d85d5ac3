"""One job shown in one cell: its model, its card, its live output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.printed_text import log_text
from gcs_lab.jobs import JobAction
from gcs_lab.magics.live_output import LiveOutput
from gcs_lab.magics.tracebacks import TracebackArtist, raise_drawn
from gcs_lab.models import JobFeed

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.magics.cell_channel import CellChannel

__all__ = ["JobActions", "JobView", "deliver", "is_sweep", "raise_failed", "show_job"]


def is_sweep(job: CellJob | Sweep) -> TypeGuard[Sweep]:
    """Tell whether it is a sweep; numpy, which sweeps need, is not loaded to find that out."""
    return job.entry.kind == "sweep"


def show_job(job: CellJob | Sweep, shell: InteractiveShell, channel: CellChannel, *, raises: bool) -> None:
    """Show a job or sweep in the cell of `channel`; parameters as for :class:`JobView`."""
    if isinstance(job, CellJob):
        JobView(job, shell, channel, raises=raises)
        return
    from gcs_lab.magics.sweep_view import SweepView

    SweepView(job, channel)


def deliver(job: CellJob | Sweep, namespace: MutableMapping[str, Any], *, replace: bool) -> str:
    """Bring what a job left, or the sweep itself, into the notebook; return what the user should hear of it."""
    if isinstance(job, CellJob):
        job.deliver_to(namespace, replace=replace)
        return ""
    if job.deliver_to(namespace, replace=replace):
        return ""
    name = job.spec["sweep"]["variable"]
    return f"gcs: {name} has another value here, and kept it; `%gcs attach {job.id} --overwrite` makes it the sweep."


def raise_failed(job: CellJob | Sweep, artist: TracebackArtist) -> None:
    """Raise why a job or sweep failed, drawn without our frames.

    Raises
    ------
    Exception
        What the job's code raised, or JobFailed.
    """
    if isinstance(job, CellJob):
        raise_drawn(job, artist)
        return
    from gcs_lab.magics.sweep_failure import raise_sweep_failed

    raise_sweep_failed(job, artist)


class JobActions:
    """What the buttons of a card do.

    Parameters
    ----------
    job
        The card's job.
    """

    def __init__(self, job: CellJob) -> None:
        self._job = job

    def cancel(self) -> None:
        """End the job."""
        self._do(JobAction.TERMINATE)

    def hold(self) -> None:
        """Keep it from starting."""
        self._do(JobAction.HOLD)

    def release(self) -> None:
        """Let it start."""
        self._do(JobAction.RELEASE)

    def log_tail(self, stream: str, lines: int) -> str:
        """Return the last lines of what it printed (``"stdout"`` or ``"stderr"``)."""
        return log_text(self._job.folder, {stream}, lines)

    def _do(self, action: JobAction) -> None:
        failures = self._job.cluster.jobs.control(action, [self._job.id])
        if failures:
            raise failures[self._job.id]
        self._job.cluster.jobs.board.status([self._job.id], max_age=0)


class JobView:
    """Shows `job` in the cell that runs now.

    Parameters
    ----------
    job
        The job.
    shell
        The running shell.
    raises
        Whether the caller will raise its error.
    """

    def __init__(self, job: CellJob, shell: InteractiveShell, channel: CellChannel, *, raises: bool) -> None:
        from gcs_lab.widgets import JobCard

        self.artist = TracebackArtist(shell)
        self.model = JobFeed(job).model
        self.card = JobCard(self.model, JobActions(job))
        self.output = LiveOutput(job, channel, self.card, self.artist, raises=raises)
        self.model.observe(lambda _: self.output.redraw_end(), names=["usage", "advice"])
