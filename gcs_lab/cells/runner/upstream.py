# ruff: noqa: PTH110, PTH118, PTH120
# Importing pathlib alone would add a tenth to the start of every job.
"""Earlier jobs that a job needs: whether they ended well, and the values that they left (docs/dependencies.md)."""

from __future__ import annotations

import os
import time

from .job_end import JobEnd, end_of_job, host_of_job
from .private_file import write_whole
from .task_place import task_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["UpstreamFailed", "check_upstreams", "not_run_text", "upstream_error", "values_from_jobs"]

#: Seconds that the end of a job on another host may take to be seen here: network file systems show writes late.
_PATIENCE = 30.0
#: The same for a job that ran on this host, or was killed on it.
_PATIENCE_HERE = 3.0
_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
#: Beside the folders of tasks: an empty file that says that what the sweep depends on as a whole ended well.
_SEEN = "upstreams-ended-well"


class UpstreamFailed(Exception):
    """An earlier job, whose end or result this one needs, did not end well.

    Parameters
    ----------
    text
        What is said.
    upstream
        The earlier job, as ``spec.json`` has it.
    """

    def __init__(self, text: str, upstream: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.upstream = {key: upstream.get(key) for key in ("job_id", "name", "folder")}


def upstream_error(error: UpstreamFailed) -> dict[str, Any]:
    """Return the keys of the ``error`` event (without ``type``); ``upstream`` is its mark."""
    text = str(error)
    return {
        "ename": "UpstreamFailed",
        "evalue": text,
        "frames": [],
        "traceback": [f"UpstreamFailed: {text}"],
        "notes": [],
        "payload": False,
        "cause": None,
        "missing_module": None,
        "upstream": error.upstream,
    }


def check_upstreams(spec: Mapping[str, Any], *, patience: float = _PATIENCE) -> None:
    """Make sure that all jobs that this one depends on ended well; of ``after_each`` the same task.

    The tasks of a sweep do it together: what one of them has seen to be good the others need not look at again.
    Where no end is to be seen it is looked for again, for 30 s (`patience`): the job's host may be another one.

    Raises
    ------
    UpstreamFailed
        If one did not, or its end is not to be seen.
    """
    needed = {str(one.get("job_id")): one for one in (spec.get("from_jobs") or {}).values()}
    by_task, task = spec.get("after_each"), spec.get("task")
    if by_task and task:
        # Names that come from its tasks are the task's; a sweep that is needed as a whole is waited for as a whole.
        needed = {key: one for key, one in needed.items() if key != str(by_task.get("job_id"))}
        _check(by_task, task, needed=True, patience=patience)
    seen = os.path.join(os.path.dirname(spec["place"]), _SEEN) if spec.get("place") else ""
    if seen and os.path.exists(seen):
        return
    for upstream in needed.values():
        _check(upstream, None, needed=True, patience=patience)
    for upstream in spec.get("after") or ():
        if str(upstream.get("job_id")) not in needed:
            _check(upstream, None, needed=False, patience=patience)
    if seen and (needed or spec.get("after")):
        write_whole(seen, lambda _: None)


def _check(upstream: Mapping[str, Any], task: int | None, *, needed: bool, patience: float) -> None:
    folder = upstream.get("folder")
    if not folder:
        # A job that no notebook submitted tells us nothing; the scheduler has waited for its end.
        return
    end = _end_with_patience(str(folder), int(upstream.get("tasks") or 0), task, patience)
    if not end.good:
        raise UpstreamFailed(not_run_text(upstream, end.why, task, needed=needed), upstream)


def not_run_text(upstream: Mapping[str, Any], why: str, task: int | None = None, *, needed: bool) -> str:
    """Return what is said of a job that was not run: which earlier job is to blame, and why that one failed."""
    role = "whose result it needs" if needed else "after which it was to run"
    return f"not run: {said_of(upstream, task)}, {role}, {why}"


def said_of(upstream: Mapping[str, Any], task: int | None = None) -> str:
    """Return what to call an earlier job: ``job 12 (prepare)``, ``task 3 of sweep 14 (scan)``."""
    name = upstream.get("name")
    who = f"{'sweep' if upstream.get('tasks') else 'job'} {upstream.get('job_id')}{f' ({name})' if name else ''}"
    return who if task is None else f"task {task} of {who}"


def _end_with_patience(folder: str, tasks: int, task: int | None, patience: float) -> JobEnd:
    began, pause = time.monotonic(), _PAUSE
    while True:
        end, place = _end(folder, tasks, task)
        if end is not None:
            return end
        host = host_of_job(place)
        longest = min(patience, _PATIENCE_HERE) if host == os.uname().nodename else patience
        waited = time.monotonic() - began
        if waited >= longest:
            return JobEnd(good=False, why=_unseen(place, host, waited))
        time.sleep(min(pause, longest - waited))
        pause = min(2 * pause, _LONGEST_PAUSE)


def _end(folder: str, tasks: int, task: int | None) -> tuple[JobEnd | None, str]:
    """Return the end that is to be seen, and the folder in which it was looked for."""
    if not tasks:
        return end_of_job(folder), folder
    from .sweep_end import end_of_sweep, end_of_task

    if task is None:
        return end_of_sweep(folder, tasks), folder
    return end_of_task(folder, task), task_folder(folder, task)


def _unseen(place: str, host: str | None, waited: float) -> str:
    if host is None:
        return (
            f"has left no word: {place} does not say that it ever started ({waited:.0f} s were waited). It was "
            "deleted before, or this host does not see its folder"
        )
    return (
        f"has left no word of its end ({waited:.0f} s were waited): it was killed on {host}, or it still runs and "
        "somebody took the dependency away"
    )


def values_from_jobs(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that earlier jobs left, by the names that they have here.

    Raises
    ------
    UpstreamFailed
        If a job ended well and did not leave one (it says which and why).
    PermissionError
        If another user could have written them.
    Exception
        What a value raises when it is rebuilt.
    """
    by_place: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    values: dict[str, Any] = {}
    for name, upstream in (spec.get("from_jobs") or {}).items():
        output, whole = upstream.get("output") or "", bool(upstream.get("tasks"))
        if whole and not output:
            from .sweep_results import SweepResults

            values[name] = SweepResults(str(upstream["folder"]), int(upstream["tasks"]))
            continue
        task = int(spec["task"]) if whole else None
        place = str(upstream["folder"]) if task is None else task_folder(str(upstream["folder"]), task)
        if place not in by_place:
            by_place[place] = _left_by(place, upstream, task)
        values[name] = _value(output or name, by_place[place], upstream, task)
    return values


def _left_by(place: str, upstream: Mapping[str, Any], task: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a job, or a task of a sweep, left: its values (a task's parameters, too) and their header."""
    from .result_files import read_outputs

    try:
        values, header = read_outputs(place)
    except FileNotFoundError as error:
        text = f"not run: {said_of(upstream, task)} ended well, and its outputs are gone: {error.filename}"
        raise UpstreamFailed(text, upstream) from None
    if task is not None:
        from .point_file import POINTS, read_point

        points = os.path.join(str(upstream["folder"]), POINTS)
        values = {**(read_point(points, task) if os.path.exists(points) else {}), **values}
    return values, header


def _value(
    name: str, found: tuple[dict[str, Any], dict[str, Any]], upstream: Mapping[str, Any], task: int | None
) -> Any:
    values, header = found
    if name in values:
        return values[name]
    if name in header.get("modules", {}):
        import importlib

        return importlib.import_module(header["modules"][name])
    who = said_of(upstream, task)
    skipped = header.get("skipped", {}).get(name)
    if skipped:
        why = f"it is a {skipped.get('type')} that could not be pickled: {skipped.get('why')}"
        raise UpstreamFailed(f"not run: {who} ended well and could not leave {name}: {why}", upstream)
    raise UpstreamFailed(f"not run: {who} ended well and did not leave {name}: it never bound that name", upstream)
