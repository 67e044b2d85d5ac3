"""From what clients send to jobs: each once, all of a call or none, what they ask for alike kept once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.dependencies import check_entries
from gcs_lab.backends.embedded.submission_checks import check_submission
from gcs_lab.backends.embedded.submit_request import NAMES, SubmitRequest
from gcs_lab.backends.embedded.task import OWN, Job, SharedRequest
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from weakref import WeakValueDictionary

    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["Submissions"]

#: So many different requests are kept at hand.
_MOST_AT_HAND = 10_000
_KNOWN = frozenset(NAMES)
_OWN_AND_TOKEN = OWN | {"token"}
#: What an entry of :data:`OWN` says if it asks for nothing; shared requests have no other value.
_PLAIN: dict[str, Any] = {
    "deadline_time": None,
    "hold_jid": [],
    "hold_jid_ad": [],
    "max_parallel": None,
    "start_time": None,
    "tasks": None,
}

#: A submission as it is sent: what it has in common with others, and in what it differs.
Chunked = tuple[Mapping[str, Any], Mapping[str, Any]]


class Submissions:
    """Takes jobs in.

    Parameters
    ----------
    scheduler
        Who gets them.
    owner
        Name of the user whose jobs they are.
    """

    def __init__(self, scheduler: Scheduler, owner: str) -> None:
        self._scheduler = scheduler
        self._owner = owner
        self._last: tuple[Mapping[str, Any], SharedRequest] | None = None
        self._at_hand: dict[str, SharedRequest] = {}
        self._at_hand_of: WeakValueDictionary[int, SharedRequest] | None = None

    def submit(self, data: Mapping[str, Any]) -> int:
        """Add one job, or one array, and return its id; what was submitted with the same token is not added again.

        Raises
        ------
        GcsError
            If the cluster cannot take it; there is no job then.
        """
        return self.submit_many([(data, {})])[0]

    def submit_many(self, submissions: Sequence[Chunked]) -> list[int]:
        """Add jobs, or none if one of them cannot be taken; return their ids. As :meth:`submit`."""
        tokens = [str(differs.get("token") or common["token"]) for common, differs in submissions]
        if len(set(tokens)) < len(tokens):
            raise InvalidArgument("a token was given twice; each submission has one of its own.")
        known = self._scheduler.database.jobs_of_tokens(tokens)
        both = zip(tokens, submissions, strict=True)
        self._last = None
        new = [(token, *self._read(*submission)) for token, submission in both if token not in known]
        return self._add(tokens, known, new)

    def _read(self, common: Mapping[str, Any], differs: Mapping[str, Any]) -> tuple[SharedRequest, str | None]:
        """Check a submission; return what is shared with others, and its own as JSON. Raises GcsError."""
        if not differs.keys() <= _OWN_AND_TOKEN:
            common, differs = {**common, **differs}, {}
        if self._last is None or common is not self._last[0]:
            self._last = (common, self._shared(common))
        shared = self._last[1]
        request = shared.request
        own = {}
        for name in OWN:
            value = differs[name] if name in differs else common[name] if name in common else _PLAIN[name]
            if value != getattr(request, name):
                own[name] = value
        self._check(own)
        if request.reservation_id is not None:
            self._scheduler.keeper.book.check_usable(request.reservation_id)
        return shared, json.dumps(own) if own else None

    def _shared(self, data: Mapping[str, Any]) -> SharedRequest:
        scheduler = self._scheduler
        if self._at_hand_of is not scheduler.shared or len(self._at_hand) > _MOST_AT_HAND:
            # A transaction was rolled back, or old requests forgotten: what is at hand may not be in the database.
            self._at_hand, self._at_hand_of = {}, scheduler.shared
        if not data.keys() <= _KNOWN:
            raise InvalidArgument(f"a submission has the entries {', '.join(sorted(_KNOWN))}; got {sorted(data)}.")
        key = json.dumps({name: data[name] for name in data if name not in OWN and name != "token"}, sort_keys=True)
        found = self._at_hand.get(key)
        if found is None:
            request = check_submission(SubmitRequest.from_wire({**data, **_PLAIN, "token": ""}), scheduler.layout)
            found = self._at_hand[key] = scheduler.share(request)
        return found

    def _check(self, data: Mapping[str, Any]) -> None:
        """Check what is each job's own, in which it differs from what is plain."""
        for attribute in ("hold_jid", "hold_jid_ad"):
            if data.get(attribute):
                check_entries(attribute, data[attribute])
        tasks = data.get("tasks")
        if tasks is None:
            if data.get("hold_jid_ad"):
                raise InvalidArgument(
                    "hold_jid_ad lets the tasks of an array wait for those of another; this job is no array. Use "
                    "hold_jid."
                )
            if data.get("max_parallel") is not None:
                raise InvalidArgument("max_parallel is a limit for the tasks of an array; this job is no array.")
            return
        most = self._scheduler.layout.max_array_tasks
        count = len(TaskRange(*tasks))
        if count > most:
            raise InvalidArgument(
                f"an array of {count} tasks; this cluster takes {most} at most (max_array_tasks in cluster.toml)."
            )
        limit = data.get("max_parallel")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise InvalidArgument(f"max_parallel is {limit!r}; expected a whole number of 1 or more, or None.")
        self._array_predecessors(data.get("hold_jid_ad") or (), TaskRange(*tasks))

    def _array_predecessors(self, entries: Iterable[str], tasks: TaskRange) -> tuple[int, ...]:
        found = set()
        for job_id in self._scheduler.names.resolve(entries):
            entry = self._scheduler.jobs.get(job_id)
            if entry is None:
                continue
            if not isinstance(entry, ArrayJob) or entry.tasks != tasks:
                has = f"has the tasks {entry.tasks}" if isinstance(entry, ArrayJob) else "is no array"
                raise InvalidArgument(
                    f"hold_jid_ad: job {job_id} {has}, this one {tasks}; both arrays must have the same tasks."
                )
            found.add(job_id)
        return tuple(sorted(found))

    def _add(
        self, tokens: list[str], known: dict[str, int], new: list[tuple[str, SharedRequest, str | None]]
    ) -> list[int]:
        scheduler = self._scheduler
        job_id, now = scheduler.database.last_job_id(), time.time()
        ids, jobs = dict(known), []
        for token, shared, own in new:
            job_id += 1
            job = Job(job_id, self._owner, now, token, shared, own)
            if entries := job.asked("hold_jid"):
                present = {other for other in scheduler.names.resolve(entries) if other in scheduler.jobs}
                job.waits_for = tuple(sorted(present))
            if entries := job.asked("hold_jid_ad"):
                job.waits_for_tasks_of = self._array_predecessors(entries, TaskRange(*job.asked("tasks")))
            scheduler.add(job)
            jobs.append(job)
            ids[token] = job_id
        scheduler.database.add_jobs(jobs)
        return [ids[token] for token in tokens]
