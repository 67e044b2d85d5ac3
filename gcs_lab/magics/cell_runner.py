"""``%%gcs run`` and ``%%gcs submit``: from the cell's text to a job that is followed."""

from __future__ import annotations

import itertools
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gcs_lab.cells.dependencies import Dependencies
from gcs_lab.cells.follower import follower
from gcs_lab.cells.plan import CellPlan, CellRequest, plan_cell
from gcs_lab.cells.script_options import with_directives
from gcs_lab.cells.script_plan import plan_script, script_source
from gcs_lab.cells.submission import submit_cell
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.unhonoured_directives import sent_with_its_lines
from gcs_lab.magics.arguments import cell_parser, parse_flags, whole_line
from gcs_lab.magics.cell_channel import CellChannel
from gcs_lab.magics.earlier_jobs import watch_earlier_jobs
from gcs_lab.magics.explanation import Explanation
from gcs_lab.magics.flag_checks import checked_options
from gcs_lab.magics.job_view import is_sweep, raise_failed, show_job
from gcs_lab.magics.session import where_jobs_go
from gcs_lab.magics.tracebacks import TracebackArtist
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.dependencies import EarlierSweep
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cells.sweep_points import Points
    from gcs_lab.cluster import Cluster
    from gcs_lab.magics.cached_cell import CachedCell
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
    shown = f"%%gcs {line}\n{cell}"
    line, cell = whole_line(line, cell)
    flags = parse_flags(cell_parser(), line)
    options = checked_options(flags, session)
    if options.lang:
        options = with_directives(options, script_source(cell))
    options = session.under_defaults(options, flags, shell.displayhook.prompt_count)
    artist = TracebackArtist(shell)
    channel = CellChannel(shell)
    # The number of the cell that runs: IPython 9 counts on before it runs a cell, its display hook knows.
    count = shell.displayhook.prompt_count
    request = CellRequest(
        source=script_source(cell) if options.lang else _plain_python(shell, cell),
        filename=artist.cell_filename(shown, count),
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
    dependencies = Dependencies(shell.user_ns, session)
    each = dependencies.earlier_sweep(options, session.cluster(flags.cluster)[0]) if options.after_each else None
    points = asked_points(options, shell.user_ns) or (each.points if each else None)
    plan = _planned(request, points, each, artist)
    cluster, first = session.cluster(flags.cluster)
    dependencies.settle(plan, cluster, each, len(points or ()))
    cached = _cached(plan, session)
    if flags.explain:
        why = cached.why if cached else ""
        return sent_with_its_lines(plan, lambda plan: Explanation(plan, cluster, why))
    if first:
        channel.stream("stdout", f"{where_jobs_go(cluster)}\n")
    job = cached.take(shell, channel, raises=flags.verb == "run") if cached else None
    if job is not None:
        if flags.verb == "run":
            wait_in_cell(job, artist)
        return None
    job = sent_with_its_lines(plan, lambda plan: _send(plan, cluster, session))
    session.remember(job)
    if cached:
        cached.keep(job)
    show_job(job, shell, channel, raises=flags.verb == "run")
    _tell_hints(plan, channel)
    for note in dependencies.notes:
        channel.stream("stderr", f"gcs: {note}\n")
    job.deliver_to(shell.user_ns)
    follower().follow(job)
    watch_earlier_jobs(session, job)
    if flags.verb == "run":
        wait_in_cell(job, artist)
    return None


def _planned(
    request: CellRequest, points: Points | None, each: EarlierSweep | None, artist: TracebackArtist
) -> CellPlan:
    """Return the plan of a cell: in Python or another language, for one job or for a sweep."""
    request = replace(request, parameters=points.names if points else (), left_by=each.leaves if each else {})
    try:
        plan = plan_script(request) if request.options.lang else plan_cell(request)
    except SyntaxError as error:
        raise artist.syntax_error(error) from None
    if points is not None:
        from gcs_lab.cells.sweep_submission import add_points

        add_points(plan, points)
    return plan


def _cached(plan: CellPlan, session: Session) -> CachedCell | None:
    """Return what the cache has for a cell; None if it was not asked for."""
    if not plan.request.options.cache:
        return None
    from gcs_lab.magics.cached_cell import CachedCell

    return CachedCell(session, plan)


def _send(plan: CellPlan, cluster: Cluster, session: Session) -> CellJob | Sweep:
    if plan.points is None:
        return submit_cell(plan, cluster, session.journal)
    from gcs_lab.cells.sweep_submission import submit_sweep

    return submit_sweep(plan, cluster, session.journal)


def _plain_python(shell: InteractiveShell, cell: str) -> str:
    """Return the cell as Python whose line numbers are those that the user sees: line 1 is the magic's."""
    # IPython's transformation drops empty lines at the start.
    empty = len(list(itertools.takewhile(lambda line: not line.strip(), cell.splitlines())))
    return "\n" * (1 + empty) + str(shell.transform_cell(cell))  # type: ignore[no-untyped-call]


def _tell_hints(plan: CellPlan, channel: CellChannel) -> None:
    for text in plan.warnings:
        channel.stream("stderr", f"gcs: {text}\n")
    told = set()
    for call in plan.discarded:
        if call.name not in told:
            told.add(call.name)
            channel.stream(
                "stderr",
                f"gcs: line {call.line}: what {call.text} does to {call.name} stays in the job; "
                f"--out {call.name} brings it back.\n",
            )


def wait_in_cell(job: CellJob | Sweep, artist: TracebackArtist) -> None:
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
        raise_failed(job, artist)


def _detach(job: CellJob | Sweep) -> str:
    try:
        # The second press may come while this is still on its way to the front end.
        sys.stderr.write(
            f"gcs: detached; job {job.id} goes on. Come back with `%gcs attach {job.id}`. "
            "Interrupt again within two seconds to cancel it.\n"
        )
        sys.stderr.flush()
        time.sleep(_SECOND_PRESS_SECONDS)
    except KeyboardInterrupt:
        job.cancel() if is_sweep(job) else job.job.terminate()
        return f"Cancelled: job {job.id} ({job.name})."
    return f"Detached from job {job.id} ({job.name}); it goes on. `%gcs attach {job.id}` brings its output here."
