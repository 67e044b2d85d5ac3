"""Rows of the panel (``IPanelJob``): made of what the cluster, the journal, logs and sweeps' folders tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_plan import possible_actions
from gcs_lab.panel.messages import ACTIONS
from gcs_lab.panel.outcome_words import outcome
from gcs_lab.status.state_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.panel.ends import End
    from gcs_lab.panel.job_log import JobLog
    from gcs_lab.panel.own_rows import OwnRow
    from gcs_lab.panel.sweeps import PanelSweep

__all__ = ["ahead_row", "ended_row", "queue_row", "task_counts"]

Row = dict[str, Any]

_KINDS_OF_CELLS = frozenset({"cell", "sweep", "script", "notebook"})
#: DRMAA2 state of a row whose furthest tasks are of that kind.
_STATES = {
    "running": "RUNNING",
    "suspended": "SUSPENDED",
    "error": "FAILED",
    "pending": "QUEUED",
    "held": "QUEUED_HELD",
}


def _of_entry(entry: JournalEntry | None, contents_path: Callable[[str], str]) -> Row:
    """Return what the journal tells of where a job came from."""
    if entry is None:
        return {"notebook": "", "cell": "", "execution_count": 0}
    notebook = contents_path(entry.notebook) if entry.notebook else ""
    return {"notebook": notebook, "cell": entry.cell, "execution_count": entry.execution_count}


def _kind(entry: JournalEntry | None, *, array: bool) -> str:
    if entry is not None and entry.kind in _KINDS_OF_CELLS:
        return entry.kind
    return "array" if array else "job"


def task_counts(kinds: Mapping[str, int], done: int, failed: int, total: int) -> dict[str, int]:
    """Return the ``IPanelTasks``.

    Folders know of an end before the scheduler tells it: what is counted there too is taken off what runs.

    Parameters
    ----------
    kinds
        Tasks in the queue by what they do.
    done, failed
        Tasks that ended.
    total
        All; what is more than that is counted twice.
    """
    counts = {kind: kinds.get(kind, 0) for kind in KINDS}
    over = sum(counts.values()) + done + failed - total
    for kind in KINDS:
        if over <= 0:
            break
        less = min(over, counts[kind])
        counts[kind] -= less
        over -= less
    return {**counts, "done": done, "failed": failed, "total": total}


def queue_row(
    rows: Sequence[OwnRow],
    entry: JournalEntry | None,
    sweep: PanelSweep | None,
    log: JobLog | None,
    *,
    total: int,
    started: float | None,
    reason: str,
    may_release: bool,
    contents_path: Callable[[str], str],
) -> Row:
    """Return the row of a job in the queue.

    Parameters
    ----------
    rows
        Its row; of a sweep one for each of its array jobs that has not ended.
    entry, sweep, log
        What else is known of it.
    total
        Of an array job that is no sweep: how many tasks it has.
    started
        When it, or the first of its tasks, started.
    reason
        Why it waits.
    may_release
        Whether somebody holds it; one that waits for other jobs has the same letters.
    contents_path
        Makes a path of the page's of an absolute one.
    """
    kinds = {kind: sum(row.kinds[kind] for row in rows) for kind in KINDS}
    first = rows[0]
    state, letters = first.state, first.letters
    if len(rows) > 1:
        state = next((name for kind, name in _STATES.items() if kinds[kind]), state)
    tasks = None
    if sweep is not None:
        tasks = task_counts(kinds, sweep.done, sweep.failed, sweep.entry.tasks)
    elif first.array:
        tasks = task_counts(kinds, max(total - sum(kinds.values()), 0), 0, total)
    if log is not None and log.started and kinds["pending"] and not first.array:
        # The job's own word is newer than the scheduler's.
        state, letters, kinds = "RUNNING", "", {**kinds, "pending": 0, "running": 1}
        started = log.started
    actions = [name for name in possible_actions(kinds) if name in ACTIONS and (may_release or name != "release")]
    if tasks is not None and sweep is not None and tasks["failed"]:
        actions.append("rerun_failed")
    submitted = entry.submitted if entry is not None else first.submitted
    return {
        "job_id": entry.job_id if entry is not None else first.job_id,
        "name": entry.name if entry is not None else first.name,
        "kind": _kind(entry, array=first.array),
        "state": state,
        "letters": letters,
        "submitted": _milliseconds(submitted),
        "started": _milliseconds(started),
        "ended": None,
        "queue": first.queue,
        "slots": first.slots,
        "tasks": tasks,
        "progress": None if log is None else log.progress,
        "reason": reason,
        "outcome": "",
        **_of_entry(entry, contents_path),
        "actions": sorted(actions, key=ACTIONS.index),
    }


def ahead_row(
    entry: JournalEntry, sweep: PanelSweep | None, log: JobLog | None, contents_path: Callable[[str], str]
) -> Row:
    """Return the row of a job that a kernel submitted and that no look at the cluster has shown yet."""
    running = log is not None and bool(log.started)
    tasks = None
    if entry.tasks:
        done, failed = (0, 0) if sweep is None else (sweep.done, sweep.failed)
        tasks = task_counts({"pending": entry.tasks - done - failed}, done, failed, entry.tasks)
    return {
        "job_id": entry.job_id,
        "name": entry.name,
        "kind": _kind(entry, array=bool(entry.tasks)),
        "state": "RUNNING" if running else "QUEUED",
        "letters": "",
        "submitted": _milliseconds(entry.submitted),
        "started": _milliseconds(log.started) if log is not None and log.started else None,
        "ended": None,
        "queue": "",
        "slots": None,
        "tasks": tasks,
        "progress": None if log is None else log.progress,
        "reason": "",
        "outcome": "",
        **_of_entry(entry, contents_path),
        "actions": ["cancel"],
    }


def ended_row(
    end: End,
    entry: JournalEntry | None,
    last: Row | None,
    counts: tuple[int, int] | None,
    contents_path: Callable[[str], str],
    *,
    again: bool = False,
) -> Row:
    """Return the row of a job that has ended.

    Parameters
    ----------
    end
        How.
    entry
        What the journal has of it.
    last
        Its row when it was in the queue; None: it was not seen there.
    counts
        Of a sweep the tasks that ended well and that failed; None: not known.
    contents_path
        Makes a path of the page's of an absolute one.
    again
        Whether tasks of a sweep ran again: from its first start to now is not how long it took.
    """
    last = last or {}
    total = entry.tasks if entry is not None else (last.get("tasks") or {}).get("total", 0)
    tasks = None
    if total and end.state == "DONE":
        counts = (total, 0)
    if total and counts is not None:
        tasks = task_counts({}, *counts, total)
    started = end.started if end.started is not None else last.get("started")
    may_again = bool(tasks and tasks["failed"]) or (tasks is None and end.state == "FAILED")
    is_sweep = entry is not None and entry.kind == "sweep"
    return {
        "job_id": entry.job_id if entry is not None else last.get("job_id", end.key),
        "name": (entry.name if entry is not None else last.get("name")) or end.name,
        "kind": _kind(entry, array=bool(total)),
        "state": end.state,
        "letters": "",
        "submitted": _milliseconds(entry.submitted) if entry is not None else last.get("submitted"),
        "started": _milliseconds(started),
        "ended": _milliseconds(end.ended),
        "queue": last.get("queue", ""),
        "slots": last.get("slots"),
        "tasks": tasks,
        "progress": None,
        "reason": "",
        "outcome": outcome(end.state, end.message, None if started is None or again else end.ended - started, total),
        **_of_entry(entry, contents_path),
        "actions": ["rerun_failed"] if is_sweep and may_again else [],
    }


def _milliseconds(moment: float | None) -> float | None:
    return None if moment is None else round(moment, 3)
