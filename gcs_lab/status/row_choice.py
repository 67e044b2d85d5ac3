"""Which rows a call of the ``status`` area is about: owner, state, queue, and the language of filters."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.status.filter_language import parse_filter
from gcs_lab.status.job_rows import job_keys
from gcs_lab.status.state_kinds import codes_and_values
from gcs_lab.status.tables import JOB_COLUMNS, TASK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import Snapshot

__all__ = ["chosen_jobs", "chosen_rows", "chosen_tasks"]

_WILD = re.compile(r"[*?\[]")
#: What `state` may be: words, letters and wildcards; anything else would be more than one value of the filter.
_STATE = re.compile(r"[A-Za-z_*?]+")


def chosen_jobs(
    snapshot: Snapshot,
    owner: str | Sequence[str] | None,
    state: str | Sequence[str] | None,
    queue: str | Sequence[str] | None,
    where: str,
) -> pa.Table:
    """Return the jobs of a snapshot that are meant.

    A job is in a queue if one of its tasks is.

    Raises
    ------
    InvalidArgument
        If one of the words says nothing; UnknownName: no such queue.
    """
    import numpy as np

    jobs = snapshot.jobs
    mask = _matching(jobs["owner"], _words("owner", owner)) & _in_state(jobs, state, JOB_COLUMNS)
    if queue is not None:
        there = _in_queues(snapshot, queue)
        mask &= np.isin(jobs["key"].to_numpy(), job_keys(snapshot.tasks["key"].to_numpy()[there]))
    return jobs.filter(mask & parse_filter(where, JOB_COLUMNS).mask(jobs))


def chosen_tasks(
    snapshot: Snapshot,
    owner: str | Sequence[str] | None,
    state: str | Sequence[str] | None,
    queue: str | Sequence[str] | None,
    where: str,
) -> pa.Table:
    """Return the rows of the table of tasks that are meant; as :func:`chosen_jobs`."""
    tasks = snapshot.tasks
    mask = _matching(tasks["owner"], _words("owner", owner)) & _in_state(tasks, state, TASK_COLUMNS)
    if queue is not None:
        mask &= _in_queues(snapshot, queue)
    return tasks.filter(mask & parse_filter(where, TASK_COLUMNS).mask(tasks))


def chosen_rows(table: pa.Table, columns: Mapping[str, str], where: str) -> pa.Table:
    """Return the rows of another table that a filter lets through.

    Raises
    ------
    InvalidArgument
        If it is no filter of these columns.
    """
    return table.filter(parse_filter(where, columns).mask(table))


def _words(name: str, told: str | Sequence[str] | None) -> list[str] | None:
    if told is None:
        return None
    words = [told] if isinstance(told, str) or not isinstance(told, Iterable) else list(told)
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise InvalidArgument(f"{name}={told!r}: expected a name or several, as text; * and ? are fine.")
    return words


def _matching(column: pa.ChunkedArray, patterns: Iterable[str] | None) -> NDArray[np.bool_]:
    """Tell which values fit one of the patterns (None: all do)."""
    import numpy as np

    if patterns is None:
        return np.ones(len(column), np.bool_)
    codes, values = codes_and_values(column)
    wanted = list(patterns)
    # The last place is that of null (code -1), which fits none.
    fits = np.array([any(fnmatch.fnmatchcase(value, one) for one in wanted) for value in values] + [False])
    found: NDArray[np.bool_] = fits[codes]
    return found


def _in_queues(snapshot: Snapshot, queue: str | Sequence[str]) -> NDArray[np.bool_]:
    words = _words("queue", queue) or []
    known = snapshot.queues["queue"].to_pylist()
    for word in words:
        if not _WILD.search(word) and word not in known:
            raise UnknownName("queue", word, known, where=snapshot.cluster)
    return _matching(snapshot.tasks["queue"], words)


def _in_state(table: pa.Table, state: str | Sequence[str] | None, columns: Mapping[str, str]) -> NDArray[np.bool_]:
    words = _words("state", state)
    if words is None:
        return parse_filter("", columns).mask(table)
    if not all(_STATE.fullmatch(word) for word in words):
        raise InvalidArgument(
            f"state={state!r}: expected letters as qstat prints them (r, qw, hqw, Eqw), a word (running, pending, "
            "held, suspended, error) or a DRMAA2 state (QUEUED …), or several of them in a list."
        )
    return parse_filter(f"state:{','.join(words)}" if words else "not state:*", columns).mask(table)
