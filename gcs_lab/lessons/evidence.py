"""What a learner did, read from the journal, the job folders and the kernel: what checks look at.

Almost nothing is asked of a cluster here: what happened is in the journal, in each job's folder and its event log.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells import runner
from gcs_lab.cells.event_log import Event, EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.printed_text import log_text
from gcs_lab.errors import GcsError
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.cells.journal import JournalEntry

__all__ = [
    "LessonJob",
    "ended_jobs_named",
    "failure",
    "how_it_stands",
    "jobs_named",
    "lesson_jobs",
    "namespace",
    "newest_job",
]

#: How long ago a job may have been submitted where the notebook's path is not known.
_DAY = 86_400.0
#: The events that draw something.
_DRAWN = {"display", "update_display", "result"}
#: How long a job that is being ended may take until its end is known.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class LessonJob:
    """One submitted cell (or sweep, script, notebook), as it is now.

    ``state`` is a JobState's name; ``requests``, ``queue``, ``parallel_environment``, ``slots`` as it was submitted
    (``template.json``); ``over`` the parameters of a sweep, each with its values, and ``side_by_side`` whether they
    were walked together (``--zip``); ``after`` the folders of the jobs that it depends on; ``submitted`` and
    ``finished`` seconds since the epoch (0.0: not yet); ``error`` why it failed, in words, empty if it did not;
    ``text`` what it printed so far, ``stdout`` of it; ``displays`` the MIME types of what it drew; ``outputs`` the
    names that came back. ``began``, ``ended`` and ``failure`` are the bodies of the last ``started``, ``finished``
    and ``error`` events (docs/event-log.md), empty where there is none: a sweep's are in its tasks' folders.
    ``rounds`` are the ids of a sweep's array jobs: more than one if some of its tasks were run again;
    ``max_parallel`` how many of its tasks may run at once (``-tc``; None: any). ``inputs`` are the names that
    travelled, modules among them.
    """

    name: str
    job_id: str
    cluster: str
    kind: str
    state: str
    folder: Path
    source: str
    tasks: int
    after: tuple[str, ...]
    submitted: float
    requests: Mapping[str, str]
    queue: str | None
    parallel_environment: str | None
    slots: int
    over: Mapping[str, Sequence[Any]]
    error: str
    text: str
    displays: tuple[str, ...]
    outputs: tuple[str, ...]
    stdout: str = ""
    finished: float = 0.0
    side_by_side: bool = False
    rounds: tuple[str, ...] = ()
    max_parallel: int | None = None
    inputs: tuple[str, ...] = ()
    began: Mapping[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)
    failure: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether it ended, and well."""
        return self.state == JobState.DONE.name

    @property
    def failed(self) -> bool:
        """Whether it ended, and not well."""
        return self.state == JobState.FAILED.name

    @property
    def host(self) -> str:
        """Where it ran; empty if it has not started."""
        return str(self.began.get("host") or "")

    def values(self) -> dict[str, Any]:
        """Return the variables that it left, from its folder; none where they cannot be read."""
        folder = JobFolder(self.folder)
        # An object whose class is not known here raises whatever it likes when it is unpickled.
        with contextlib.suppress(Exception):
            folder.check_trusted(folder.outputs)
            return runner.read_outputs(str(self.folder))[0]
        return {}

    def points(self) -> list[dict[str, Any]]:
        """Return the parameters of each task of a sweep, the first task's first; none of one job."""
        points = _points(JobFolder(self.folder))
        return list(points) if points is not None else []

    def task_ends(self, last_round: int | None = None) -> dict[int, dict[str, Any]]:
        """Return how the tasks of a sweep ended, each the last time it was run: number to a line of ``ends-*.jsonl``.

        ``results`` in it has the numbers and short texts that the task left. A task that was killed leaves no line.

        Parameters
        ----------
        last_round
            Later rounds do not count; None: all do.
        """
        from gcs_lab.cells.sweep_ends import EndLines

        lines: list[dict[str, Any]] = []
        with contextlib.suppress(OSError):
            lines = EndLines(self.folder).read()
        lines.sort(key=lambda end: (end["task"], end["round"], end.get("try") or 0))
        return {end["task"]: end for end in lines if last_round is None or end["round"] <= last_round}

    def round_tasks(self, number: int) -> list[int]:
        """Return the tasks of a sweep's round (1, 2 …), in its order; none if there was no such round."""
        from gcs_lab.cells.sweep_rounds import read_rounds

        with contextlib.suppress(OSError, ValueError, KeyError, GcsError):
            return [int(task) for one in read_rounds(JobFolder(self.folder), self.tasks) if one.number == number
                    for task in one.tasks]  # fmt: skip
        return []


def jobs_named(name: str, *, kind: str | None = None) -> list[LessonJob]:
    """Return this user's jobs of that name that this notebook submitted, the newest first.

    A notebook knows its path where a Jupyter server started its kernel. Elsewhere (``nbclient``, VS Code, a plain
    IPython) those of the last day that were submitted without a path.

    Parameters
    ----------
    name
        The job's name (``-N``).
    kind
        Only ``"cell"``, ``"sweep"``, ``"script"`` or ``"notebook"``.
    """
    return [_read(entry) for entry in _entries() if entry.name == name and kind in (None, entry.kind)]


def newest_job(name: str, *, kind: str | None = None) -> LessonJob | None:
    """Return the one of :func:`jobs_named` that counts, the one submitted last; None if there is none."""
    return next(iter(jobs_named(name, kind=kind)), None)


def failure(job: LessonJob | None) -> str:
    """Return a hint that says how a job failed; empty if it did not."""
    return f"it failed: {job.error}" if job is not None and job.failed else ""


def how_it_stands(job: LessonJob | None) -> str:
    """Return a hint about a job that should have ended well; empty if there is none, or it has.

    Of a job without an event log (a script) only its end is known here: it may wait or run until then.
    """
    if job is None or job.done:
        return ""
    return job.error or f"it has not ended yet; `%gcs wait {job.name}` waits for it"


def ended_jobs_named(name: str) -> list[LessonJob]:
    """Return :func:`jobs_named`, once the newest has ended, if it was told to end: deleting takes a cluster a moment.

    A job that nobody has told to end is not waited for.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        jobs = jobs_named(name)
        if not jobs or jobs[0].finished or time.monotonic() > deadline or _goes_on(jobs[0]):
            return jobs
        time.sleep(_PAUSE_SECONDS)


def _goes_on(job: LessonJob) -> bool:
    """Tell whether its cluster has it, and does not end it."""
    from gcs_lab.cluster import connect

    with contextlib.suppress(GcsError):
        status = connect(job.cluster).jobs.job(job.job_id).status(max_age=0)
        # Grid Engine's letter of a job that is being deleted is d: "dr", "dt".
        return (
            not status.state.terminated and status.state is not JobState.UNDETERMINED and "d" not in status.sub_state
        )
    return False


def lesson_jobs() -> list[LessonJob]:
    """Return all jobs that this notebook submitted, the newest first; as :func:`jobs_named` finds them."""
    return [_read(entry) for entry in _entries()]


def namespace() -> dict[str, Any]:
    """Return the variables of the notebook's kernel; empty outside IPython."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    variables: dict[str, Any] = shell.user_ns if shell is not None else {}
    return variables


def _entries() -> list[JournalEntry]:
    # As the magics' Session does (magics/session.py).
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    journal = Journal()
    if notebook:
        return journal.of_notebook(notebook)
    return [one for one in journal.of_notebook("") if one.submitted > time.time() - _DAY]


def _read(entry: JournalEntry) -> LessonJob:
    """Return a job as its journal entry and its folder tell it; what is gone from the folder is empty."""
    folder = JobFolder(Path(entry.folder))
    events = _events(folder)
    last = {event.type: event.body for event in events}
    began, ended, failure = (last.get(kind, {}) for kind in ("started", "finished", "error"))
    template, points = _template(folder), _points(folder)
    state = _state(entry, began, ended)
    spec: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, GcsError):
        spec = folder.read_spec()
    return LessonJob(
        name=entry.name,
        job_id=entry.job_id,
        cluster=entry.cluster,
        kind=entry.kind,
        state=state,
        folder=folder.path,
        source=str(spec.get("display_source") or spec.get("source", "")),
        tasks=entry.tasks,
        after=tuple(json.loads(entry.after)),
        submitted=entry.submitted,
        finished=entry.finished,
        requests=dict(template.resource_requests),
        queue=template.queue_name,
        parallel_environment=template.parallel_environment,
        slots=template.min_slots or 1,
        over={name: _axis_values(points, name) for name in points.names} if points is not None else {},
        side_by_side=points is not None and points.side_by_side,
        rounds=_rounds(folder) if entry.kind == "sweep" else (),
        max_parallel=spec.get("sweep", {}).get("max_parallel"),
        inputs=(*spec.get("inputs", ()), *spec.get("imports", ())),
        error=_why(entry, failure) if state == JobState.FAILED.name else "",
        text=log_text(folder, {"stdout", "stderr"}),
        stdout=log_text(folder, {"stdout"}),
        displays=tuple(
            dict.fromkeys(mime for event in events if event.type in _DRAWN for mime in event.body.get("data", {}))
        ),
        outputs=tuple(last.get("outputs", {}).get("names", ())),
        began=began,
        ended=ended,
        failure=failure,
    )


def _events(folder: JobFolder) -> list[Event]:
    found: list[Event] = []
    with contextlib.suppress(OSError):
        log = EventLog(folder.events)
        while events := log.read():
            found += events
    return found


def _state(entry: JournalEntry, began: Mapping[str, Any], ended: Mapping[str, Any]) -> str:
    """Return the state as the journal knows it; the log may know of an end that no kernel has followed."""
    if entry.finished:
        return entry.state
    if ended:
        return (JobState.DONE if ended.get("exit_status") == 0 else JobState.FAILED).name
    if began or JobFolder(Path(entry.folder)).of_task(1).path.parent.exists():
        return JobState.RUNNING.name
    return JobState.QUEUED.name


def _why(entry: JournalEntry, failure: Mapping[str, Any]) -> str:
    raised = f"{failure['ename']}: {failure.get('evalue', '')}" if failure.get("ename") else ""
    return entry.message or raised or "it failed without a word"


def _template(folder: JobFolder) -> JobTemplate:
    with contextlib.suppress(OSError, ValueError, TypeError, GcsError):
        folder.check_trusted(folder.template)
        return JobTemplate.from_json(json.loads(folder.template.read_bytes()))
    return JobTemplate()


def _points(folder: JobFolder) -> Any:
    """Return the points of a sweep (gcs_lab.cells.sweep_points.Points); None if it is none, or they are gone."""
    if not folder.points.exists():
        return None
    from gcs_lab.cells.sweep_points import Points

    with contextlib.suppress(OSError, ValueError, GcsError):
        return Points.read(folder.points)
    return None


def _axis_values(points: Any, name: str) -> list[Any]:
    axis = next(axis for axis in points.axes if name in axis.names)
    return [axis.values(place)[name] for place in range(len(axis.pickles))]


def _rounds(folder: JobFolder) -> tuple[str, ...]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return tuple(folder.round_ids())
    return ()
