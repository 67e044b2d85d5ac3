"""``%%gcs run`` and ``%%gcs submit``: from the cell's text to a job that is followed."""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING

from gcs_lab.cells.follower import follower
from gcs_lab.cells.plan import CellPlan, CellRequest, plan_cell
from gcs_lab.cells.submission import submit_cell
from gcs_lab.magics.arguments import cell_parser, parse_flags, to_options
from gcs_lab.magics.cell_channel import CellChannel
from gcs_lab.magics.explanation import Explanation
from gcs_lab.magics.job_view import JobView
from gcs_lab.magics.tracebacks import TracebackArtist, raise_drawn
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.magics.session import Session

__all__ = ["Detached", "run_cell", "wait_in_cell"]

_SECOND_PRESS_SECONDS = 2.0


class Detached(KeyboardInterrupt):
    """Ctrl-C let go of a job that goes on (or, pressed twice, cancelled it)."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def run_cell(shell: InteractiveShell, session: Session, line: str, cell: str) -> Explanation | None:
    """Do one ``%%gcs`` cell.

    Raises
    ------
    UsageError
        If a flag is unknown.
    GcsError
        If the cell cannot be a job, or the cluster refuses it; nothing was sent.
    Exception
        With ``run``: what the cell's code raised in the job.
    """
    flags = parse_flags(cell_parser(), line)
    options = to_options(flags)
    artist = TracebackArtist(shell)
    channel = CellChannel(shell)
    shown = f"%%gcs {line}\n{cell}"
    # The number of the cell that runs: IPython 9 counts on before it runs a cell, its display hook knows.
    count = shell.displayhook.prompt_count
    filename = artist.cell_filename(shown, count)
    source = _plain_python(shell, cell)
    request = CellRequest(
        source=source,
        filename=filename,
        display_name=f"Cell In[{count}]",
        display_source=shown,
        namespace=shell.user_ns,
        hidden=shell.user_ns_hidden,
        cell_name=artist.cell_name,
        options=options,
        execution_count=count,
        notebook=session.notebook,
        cell=channel.cell_id,
    )
    try:
        plan = plan_cell(request)
    except SyntaxError as error:
        raise artist.syntax_error(error) from None
    cluster, first = session.cluster(flags.cluster)
    if flags.explain:
        return Explanation(plan, cluster)
    if first:
        channel.stream("stdout", f"gcs: jobs go to {cluster.system}, because {cluster.why}\n")
    job = submit_cell(plan, cluster, session.journal)
    session.remember(job)
    JobView(job, shell, channel, raises=flags.verb == "run")
    _tell_hints(plan, channel)
    job.deliver_to(shell.user_ns)
    follower().follow(job)
    if flags.verb == "run":
        wait_in_cell(job, artist)
    return None


def _plain_python(shell: InteractiveShell, cell: str) -> str:
    """Return the cell as Python whose line numbers are those that the user sees: line 1 is the magic's."""
    # IPython's transformation drops empty lines at the start.
    empty = len(list(itertools.takewhile(lambda line: not line.strip(), cell.splitlines())))
    return "\n" * (1 + empty) + str(shell.transform_cell(cell))  # type: ignore[no-untyped-call]


def _tell_hints(plan: CellPlan, channel: CellChannel) -> None:
    told = set()
    for call in plan.discarded:
        if call.name not in told:
            told.add(call.name)
            channel.stream(
                "stderr",
                f"gcs: line {call.line}: what {call.text} does to {call.name} stays in the job; "
                f"--out {call.name} brings it back.\n",
            )


def wait_in_cell(job: CellJob, artist: TracebackArtist) -> None:
    """Wait for a job; Ctrl-C detaches, a second one within two seconds cancels.

    Raises
    ------
    Detached
        If Ctrl-C was pressed.
    Exception
        What the job's code raised, or JobFailed.
    """
    try:
        job.concluded.wait()
    except KeyboardInterrupt:
        raise Detached(_detach(job)) from None
    if job.state is JobState.FAILED:
        raise_drawn(job, artist)


def _detach(job: CellJob) -> str:
    try:
        # The second press may come while this is still on its way to the front end.
        sys.stderr.write(
            f"gcs: detached; job {job.id} goes on. Come back with `%gcs attach {job.id}`. "
            "Interrupt again within two seconds to cancel it.\n"
        )
        sys.stderr.flush()
        time.sleep(_SECOND_PRESS_SECONDS)
    except KeyboardInterrupt:
        job.job.terminate()
        return f"Cancelled: job {job.id} ({job.name})."
    return f"Detached from job {job.id} ({job.name}); it goes on. `%gcs attach {job.id}` brings its output here."
