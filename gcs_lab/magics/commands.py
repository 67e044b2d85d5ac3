"""The line magics: ``%gcs status``, ``%gcs jobs`` and the others."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.follower import follower
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.printed_text import log_text
from gcs_lab.doctor.screen import diagnose
from gcs_lab.errors import GcsError, JobFailed, UnknownName, nearest
from gcs_lab.jobs import JobAction
from gcs_lab.jobs.requests import format_memory, format_time
from gcs_lab.magics.advice_command import advice_command, advice_flags
from gcs_lab.magics.arguments import FlagParser, parse_flags
from gcs_lab.magics.cache_command import cache_command, cache_flags
from gcs_lab.magics.cell_channel import CellChannel
from gcs_lab.magics.cell_runner import wait_in_cell
from gcs_lab.magics.dashboard_command import dashboard_command, dashboard_flags
from gcs_lab.magics.defaults_command import defaults_command, defaults_flags
from gcs_lab.magics.earlier_jobs import watch_earlier_jobs, watch_unfinished
from gcs_lab.magics.flag_checks import timeout_seconds
from gcs_lab.magics.job_view import deliver, show_job
from gcs_lab.magics.live_states import live_states
from gcs_lab.magics.named_jobs import NamedJob, named_job, named_jobs
from gcs_lab.magics.notebook_command import notebook_flags, show_output_link, submit_notebook_command
from gcs_lab.magics.session import where_jobs_go
from gcs_lab.magics.tracebacks import TracebackArtist
from gcs_lab.magics.why_command import why_command, why_flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.magics.explanation import Explanation
    from gcs_lab.magics.graph_drawing import GraphDrawing
    from gcs_lab.magics.session import Session

__all__ = ["COMMANDS", "Commands"]

#: The latest jobs whose dependencies are looked after when jobs are shown.
_LOOKED_AFTER = 200


#: Of the table of queues.
_QUEUE_COLUMNS = ["queue", "host", "slots_used", "slots_total", "load_avg", "state"]
#: Of the table of jobs.
_COLUMNS = ["id", "name", "cluster", "state", "tasks", "where", "submitted", "since then", "message", "notebook"]


class Commands:
    """The commands of ``%gcs``; each method is one, its docstring is its help.

    Parameters
    ----------
    shell
        The running shell.
    session
        What the magics share.
    """

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell, self._session = shell, session

    def run(self, line: str) -> Any:
        """Do what `line` says.

        Raises
        ------
        UsageError
            If there is no such command or flag.
        """
        word, _, rest = line.strip().partition(" ")
        if word in {"run", "submit"}:
            raise UsageError(f"%gcs {word}: it is a cell magic; write %%gcs {word} on the first line of the cell.")
        if word not in COMMANDS:
            near = nearest(word, COMMANDS)
            hint = f" Did you mean %gcs {' or %gcs '.join(near)}?" if near else ""
            raise UsageError(f"%gcs {word}: no such command. The commands are: {', '.join(COMMANDS)}.{hint}")
        add_flags, method = COMMANDS[word]
        parser = FlagParser(prog=f"%gcs {word}", description=method.__doc__)
        add_flags(parser)
        return method(self, parse_flags(parser, rest))

    # -- the cluster ---------------------------------------------------------------------------------------------

    def connect(self, flags: argparse.Namespace) -> None:
        """Choose the cluster that jobs go to from now on; without a name, say which it is and why."""
        cluster = self._session.use(flags.cluster) if flags.cluster else self._session.cluster()[0]
        print(where_jobs_go(cluster))  # noqa: T201

    def status(self, flags: argparse.Namespace) -> pd.DataFrame:  # noqa: ARG002
        """Show the queues with their slots, load and state, and count this user's jobs."""
        cluster, _ = self._session.cluster()
        snapshot = cluster.status.snapshot()  # one question for both
        mine = cluster.status.jobs(owner=getpass.getuser(), snapshot=snapshot)
        counts = mine["state"].value_counts().to_dict() if len(mine) else {}
        told = ", ".join(f"{n} {state}" for state, n in counts.items()) or "none in the queue"
        print(f"{cluster.system}; your jobs: {told}")  # noqa: T201
        return cluster.status.queue_instances(snapshot=snapshot)[_QUEUE_COLUMNS]

    def dashboard(self, flags: argparse.Namespace) -> None:
        """Show the cluster's cockpit below the cell: what it does now, live, and actions on jobs."""
        dashboard_command(self._session, flags)

    def doctor(self, flags: argparse.Namespace) -> None:  # noqa: ARG002
        """Say what was found on this machine, which cluster would be used and why, and what is missing."""
        connected = self._session.connected
        print(diagnose(connected.name if connected else ""))  # noqa: T201

    # -- jobs ----------------------------------------------------------------------------------------------------

    def jobs(self, flags: argparse.Namespace) -> pd.DataFrame:
        """List the jobs that this user's notebooks submitted, the latest first."""
        import pandas as pd

        self._session.complete_journal()
        entries = self._session.journal.recent(flags.n)
        watch_unfinished(self._session, entries)
        states = live_states(self._session, [entry for entry in entries if not entry.finished])
        rows = []
        for entry in entries:
            state, where = states.get(entry.folder, (entry.state, ""))
            ran = (entry.finished or time.time()) - entry.submitted
            rows.append(
                {
                    "id": entry.job_id,
                    "name": entry.name,
                    "cluster": entry.cluster,
                    "state": state,
                    "tasks": f"{entry.tasks:,}" if entry.tasks else "",
                    "where": where,
                    "submitted": pd.Timestamp(entry.submitted, unit="s", tz="UTC")
                    .tz_convert(_local_zone())
                    .floor("s"),
                    "since then": format_time(ran) if entry.finished else f"{format_time(ran)} so far",
                    "message": entry.message,
                    "notebook": entry.notebook,
                }
            )
        return pd.DataFrame(rows, columns=_COLUMNS)

    def graph(self, flags: argparse.Namespace) -> GraphDrawing:
        """Draw this notebook's jobs and what they wait for, with their states; --all: those of all notebooks."""
        from gcs_lab.magics.notebook_graph import notebook_graph

        watch_unfinished(self._session, self._session.journal.recent(_LOOKED_AFTER))
        return notebook_graph(self._session, everything=flags.all)

    def wait(self, flags: argparse.Namespace) -> None:
        """Wait for jobs (ids or names; without any: for all of this kernel's) and raise what failed first."""
        jobs = self._jobs(flags.jobs) if flags.jobs else self._session.unconcluded()
        deadline = None if flags.timeout is None else time.monotonic() + timeout_seconds(flags.timeout)
        for job in jobs:
            follower().follow(job)
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if left is not None and not job.concluded.wait(left):
                print(f"gcs: job {job.id} ({job.name}) is still {job.state.name}")  # noqa: T201
                return
            wait_in_cell(job, TracebackArtist(self._shell))

    def cancel(self, flags: argparse.Namespace) -> None:
        """End jobs, whatever they are doing."""
        self._control(JobAction.TERMINATE, flags.jobs, "cancelled")

    def hold(self, flags: argparse.Namespace) -> None:
        """Keep queued jobs from starting."""
        self._control(JobAction.HOLD, flags.jobs, "on hold")

    def release(self, flags: argparse.Namespace) -> None:
        """Take the hold off."""
        self._control(JobAction.RELEASE, flags.jobs, "released")

    def _control(self, action: JobAction, wanted: list[str], done: str) -> None:
        by_cluster: dict[str, list[NamedJob]] = {}
        told = []
        for job in self._named(wanted):
            if job.entry.kind == "sweep" and job.task is None:
                told += self._control_sweep(action, job, done)
            else:
                by_cluster.setdefault(job.entry.cluster, []).append(job)
        for name, jobs in by_cluster.items():
            cluster, _ = self._session.cluster(name)
            failures = cluster.jobs.control(action, [job.job_id for job in jobs])
            for job in jobs:
                failure = failures.get(job.job_id)
                print(f"gcs: {job}: {failure or done}")  # noqa: T201
                if failure:
                    told.append(str(failure))
        if told:
            raise JobFailed(f"{len(told)} of {len(wanted)} jobs: {told[0]}")

    def _control_sweep(self, action: JobAction, job: NamedJob, done: str) -> list[str]:
        sweep = self._session.handle(job.entry)
        try:
            if not isinstance(sweep, CellJob):
                sweep.control(action)
        except GcsError as failure:
            print(f"gcs: {job}: {failure}")  # noqa: T201
            return [str(failure)]
        print(f"gcs: {job}: {done}")  # noqa: T201
        return []

    def submit_notebook(self, flags: argparse.Namespace) -> Explanation | None:
        """Run a whole notebook as a job; its output notebook can be read while it runs."""
        return submit_notebook_command(self._shell, self._session, flags)

    def defaults(self, flags: argparse.Namespace) -> pd.DataFrame | None:
        """Show what jobs are given where flags say nothing, and from where; set it for this kernel, or keep it."""
        if self._session.defaults is None:
            raise UsageError("%gcs defaults: these magics were made without configuration.")
        return defaults_command(self._session.defaults, self._shell, flags)

    def why(self, flags: argparse.Namespace) -> None:
        """Say why jobs have not started; without a job: all of yours that wait, grouped by equal reasons."""
        print(why_command(self._session, self._shell.user_ns, flags))  # noqa: T201

    def advice(self, flags: argparse.Namespace) -> None:
        """Say what jobs asked for and what they used, with the corrected flags to copy."""
        print(advice_command(self._session, self._shell.user_ns, flags))  # noqa: T201

    def logs(self, flags: argparse.Namespace) -> None:
        """Print what a job printed, or (12.5, or a sweep and a task's number) what one task of a sweep did."""
        job = named_job(self._session, flags.job, self._shell.user_ns, flags.task)
        if job.entry.kind == "sweep" and job.task is None:
            raise UsageError(
                f"%gcs logs {flags.job}: it is a sweep of {job.entry.tasks:,} tasks; name one: "
                f"%gcs logs {flags.job} 1, or %gcs logs {job.job_id}.1."
            )
        self._folder(job.entry)
        streams = {"stderr"} if flags.stderr else {"stdout", "stderr"}
        text = log_text(job.folder, streams, flags.n, last_try=job.task is not None)
        print(text, end="")  # noqa: T201

    def attach(self, flags: argparse.Namespace) -> None:
        """Show jobs' output here and bring their results: all unfinished ones of this notebook, or those named."""
        wanted = flags.jobs
        if flags.on and not wanted:
            raise UsageError("%gcs attach --on: name the jobs of that cluster too: %gcs attach 12 --on NAME.")
        if flags.on:
            entries = self._session.entries(wanted, flags.on)
        else:
            entries = [job.entry for job in self._named(wanted)] if wanted else self._session.unfinished()
        if not entries:
            print("gcs: no unfinished job of this notebook. %gcs jobs lists all; %gcs attach ID shows one.")  # noqa: T201
        channel = CellChannel(self._shell)
        jobs, left_out = self._session.renewed_handles(entries, named=bool(wanted))
        for line in left_out:
            print(line)  # noqa: T201
        for job in jobs:
            show_job(job, self._shell, channel, raises=False)
            show_output_link(job.spec, channel, self._session.notebook)
            if told := deliver(job, self._shell.user_ns, replace=flags.overwrite):
                print(told)  # noqa: T201
            follower().follow(job)
            watch_earlier_jobs(self._session, job)

    def clean(self, flags: argparse.Namespace) -> pd.DataFrame | None:
        """Show job folders that could go, with age, state and size; --yes deletes them."""
        import pandas as pd

        older = time.time() - _days(flags.older)
        rows, folders = [], []
        for entry in self._session.journal.everything():
            unfinished = not entry.finished and not flags.unfinished
            if (entry.finished or entry.submitted) > older or unfinished:
                continue
            folder = JobFolder(Path(entry.folder))
            size = folder.size()
            folders.append((entry, folder, size))
            age = f"{(time.time() - entry.submitted) / 86400:.1f} days"
            rows.append({"id": entry.job_id, "name": entry.name, "state": entry.state, "age": age,
                         "size": format_memory(size), "folder": entry.folder})  # fmt: skip
        total = format_memory(sum(size for *_, size in folders))
        if not flags.yes:
            print(f"{len(folders)} job folders, {total}. Nothing was deleted; --yes deletes them.")  # noqa: T201
            return pd.DataFrame(rows, columns=["id", "name", "state", "age", "size", "folder"])
        for _, folder, _ in folders:
            if folder.path.exists():
                folder.remove()
        self._session.journal.remove(entry.folder for entry, *_ in folders)
        self._session.cache.remove(entry.folder for entry, *_ in folders)
        print(f"gcs: deleted {len(folders)} job folders, {total}.")  # noqa: T201
        return None

    def cache(self, flags: argparse.Namespace) -> pd.DataFrame | None:
        """List the results that --cache can take; explain what decides on one; clear: forget them."""
        return cache_command(self._session, flags, lambda age: _days(age, "cache clear"))

    # -- finding -------------------------------------------------------------------------------------------------

    def _jobs(self, wanted: list[str]) -> list[CellJob | Sweep]:
        return [self._session.handle(job.entry) for job in self._named(wanted)]

    def _named(self, wanted: list[str]) -> list[NamedJob]:
        return named_jobs(self._session, wanted, self._shell.user_ns)

    def _folder(self, entry: JournalEntry) -> JobFolder:
        folder = JobFolder(Path(entry.folder))
        if not folder.path.exists():
            raise UnknownName("job folder", entry.folder, [])
        return folder


def _local_zone() -> Any:
    from datetime import datetime

    return datetime.now().astimezone().tzinfo


def _days(text: str, command: str = "clean") -> float:
    number, unit = (text[:-1], text[-1]) if text[-1:] in "dhms" else (text, "d")
    try:
        return float(number) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit]
    except ValueError:
        told = f"%gcs {command} --older {text}: expected days (7d), hours (12h) or minutes (30m)."
        raise UsageError(told) from None


def _no_flags(parser: FlagParser) -> None:
    del parser


def _some_jobs(parser: FlagParser) -> None:
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="id, name or variable")


def _connect_flags(parser: FlagParser) -> None:
    parser.add_argument("cluster", nargs="?", help="embedded, gridengine, demo …")


def _wait_flags(parser: FlagParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="id, name or variable")
    parser.add_argument("--timeout", metavar="TIME", help="give up waiting after this time (the job goes on)")


def _attach_flags(parser: FlagParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="id, name or variable")
    parser.add_argument("--overwrite", action="store_true", help="take the job's values for names that have one here")
    parser.add_argument("--on", metavar="CLUSTER", help="where the jobs are, if the notebook uses another cluster")


def _logs_flags(parser: FlagParser) -> None:
    parser.add_argument("job", metavar="JOB", help="id or name; 12.5 is a task of a sweep")
    parser.add_argument("task", metavar="TASK", nargs="?", type=int, help="of a sweep: the number of the task")
    parser.add_argument("-n", type=int, metavar="LINES", help="only the last lines")
    parser.add_argument("--stderr", action="store_true", help="only standard error")


def _jobs_flags(parser: FlagParser) -> None:
    parser.add_argument("-n", type=int, default=20, metavar="N", help="how many (default 20)")


def _graph_flags(parser: FlagParser) -> None:
    parser.add_argument("--all", action="store_true", help="the jobs of all notebooks, and all of them")


def _clean_flags(parser: FlagParser) -> None:
    parser.add_argument(
        "--older", default="7d", metavar="AGE", help="ended longer ago than this (7d, 12h; default 7d)"
    )
    parser.add_argument("--unfinished", action="store_true", help="also jobs whose end was never seen")
    parser.add_argument("--yes", action="store_true", help="delete them")


COMMANDS: dict[str, tuple[Callable[[FlagParser], None], Callable[[Commands, argparse.Namespace], Any]]] = {
    "status": (_no_flags, Commands.status),
    "dashboard": (dashboard_flags, Commands.dashboard),
    "jobs": (_jobs_flags, Commands.jobs),
    "graph": (_graph_flags, Commands.graph),
    "wait": (_wait_flags, Commands.wait),
    "cancel": (_some_jobs, Commands.cancel),
    "hold": (_some_jobs, Commands.hold),
    "release": (_some_jobs, Commands.release),
    "why": (why_flags, Commands.why),
    "advice": (advice_flags, Commands.advice),
    "submit-notebook": (notebook_flags, Commands.submit_notebook),
    "defaults": (defaults_flags, Commands.defaults),
    "logs": (_logs_flags, Commands.logs),
    "attach": (_attach_flags, Commands.attach),
    "clean": (_clean_flags, Commands.clean),
    "cache": (cache_flags, Commands.cache),
    "connect": (_connect_flags, Commands.connect),
    "doctor": (_no_flags, Commands.doctor),
}
