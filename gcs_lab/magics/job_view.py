"""One job shown in one cell: its model, its card, its live output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.jobs import JobAction
from gcs_lab.magics.job_log import log_text
from gcs_lab.magics.live_output import LiveOutput
from gcs_lab.magics.tracebacks import TracebackArtist
from gcs_lab.models import JobFeed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.magics.cell_channel import CellChannel

__all__ = ["JobActions", "JobView"]


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
