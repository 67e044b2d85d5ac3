"""``%gcs submit-notebook``: a whole notebook as a job."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gcs_lab.cells.dependencies import Dependencies
from gcs_lab.cells.follower import follower
from gcs_lab.cells.notebook_plan import NotebookRequest, plan_notebook, submit_notebook
from gcs_lab.magics.arguments import (
    add_after_flag,
    add_asking_flags,
    add_how_flags,
    add_interpreter_flags,
    add_place_flags,
)
from gcs_lab.magics.cell_channel import CellChannel
from gcs_lab.magics.cell_runner import wait_in_cell
from gcs_lab.magics.earlier_jobs import watch_earlier_jobs
from gcs_lab.magics.explanation import Explanation
from gcs_lab.magics.flag_checks import checked_options
from gcs_lab.magics.job_view import show_job
from gcs_lab.magics.session import where_jobs_go
from gcs_lab.magics.tracebacks import TracebackArtist

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.magics.session import Session

__all__ = ["notebook_flags", "notebook_request", "show_output_link", "submit_notebook_command"]


def notebook_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``%gcs submit-notebook``."""
    parser.add_argument("path", metavar="NOTEBOOK", help="the notebook (.ipynb)")
    with_what = parser.add_argument_group("the notebook")
    for flag, dest, metavar, text in (
        (
            "-p",
            "typed",
            "NAME=VALUE",
            "a parameter; the value is read as papermill reads it (1, 0.5, True, None, text)",
        ),
        ("-r", "raw", "NAME=TEXT", "a parameter that is text, whatever it looks like"),
        ("-y", "yaml", "YAML", "parameters as YAML: -y 'alphas: [0.1, 0.5]'"),
        ("-f", "files", "FILE", "parameters in a YAML file"),
    ):
        with_what.add_argument(flag, dest=dest, metavar=metavar, action="append", default=[], help=text)
    with_what.add_argument(
        "--output",
        metavar="PATH",
        help="output notebook, or its folder (default: NOTEBOOK-DATE-TIME.ipynb beside it)",
    )
    with_what.add_argument("--kernel", metavar="NAME", help="kernel to run it with (default: the notebook's own)")
    add_asking_flags(parser, "--priority", "the notebook's")
    more = parser.add_argument_group("where and with what")
    add_place_flags(more)
    add_interpreter_flags(more)
    add_after_flag(more)
    how = parser.add_argument_group("how")
    add_how_flags(how)
    how.add_argument("--wait", action="store_true", help="wait for it; Ctrl-C lets go of the job")
    parser.set_defaults(
        inputs=[], outputs=[], over=[], side_by_side=False, max_parallel=None, sweep_name="sweep", after_each=None,
        cache=False, cache_files=[], lang=None,
    )  # fmt: skip


def notebook_request(flags: argparse.Namespace) -> NotebookRequest:
    """Return what the flags ask for, without the options of the job."""
    return NotebookRequest(
        path=flags.path,
        output=flags.output,
        kernel=flags.kernel,
        typed=flags.typed,
        raw=flags.raw,
        yaml=flags.yaml,
        files=flags.files,
    )


def submit_notebook_command(
    shell: InteractiveShell, session: Session, flags: argparse.Namespace
) -> Explanation | None:
    """Do ``%gcs submit-notebook``.

    Raises
    ------
    GcsError
        If the notebook cannot be a job, or the cluster refuses it; nothing was sent.
    Exception
        With ``--wait``: that the notebook failed, and where.
    """
    count = shell.displayhook.prompt_count
    channel = CellChannel(shell)
    request = notebook_request(flags)
    request.options = session.under_defaults(checked_options(flags, session), flags, count)
    request.display_source = f"%gcs submit-notebook {flags.path}"
    request.execution_count, request.notebook, request.cell = count, session.notebook, channel.cell_id
    plan = plan_notebook(request)
    cluster, first = session.cluster(flags.cluster)
    dependencies = Dependencies(shell.user_ns, session)
    dependencies.settle(plan, cluster)
    if flags.explain:
        return Explanation(plan, cluster)
    if first:
        channel.stream("stdout", f"{where_jobs_go(cluster)}\n")
    job = submit_notebook(plan, cluster, session.journal)
    session.remember(job)
    show_job(job, shell, channel, raises=flags.wait)
    show_output_link(plan.more_spec, channel, session.notebook)
    for text in [*plan.warnings, *dependencies.notes]:
        channel.stream("stderr", f"gcs: {text}\n")
    follower().follow(job)
    watch_earlier_jobs(session, job)
    if flags.wait:
        wait_in_cell(job, TracebackArtist(shell))
    return None


def show_output_link(spec: Mapping[str, Any], channel: CellChannel, notebook: str) -> None:
    """Show a link to the output notebook, which JupyterLab opens; nothing for the job of a cell.

    Parameters
    ----------
    spec
        What ``spec.json`` says of the job.
    channel
        Where it is shown.
    notebook
        Path of the notebook that shows it, if that is known.
    """
    run = spec.get("notebook_run")
    if not run:
        return
    output = Path(run["output"])
    # JupyterLab takes an address that is relative as one from the notebook's own folder.
    here = Path(notebook).parent if notebook and Path(notebook).is_absolute() else Path.cwd()
    relative = os.path.relpath(output, here)
    link = f"<a href='{html.escape(quote(relative))}' target='_blank'>{html.escape(output.name)}</a>"
    told = "output notebook, while it runs and after"
    channel.display({"text/plain": f"{told}: {relative}", "text/html": f"<div>{told}: {link}</div>"}, {})
