"""The questions that clients ask, answered by the scheduler."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gcs_lab._version import __version__
from gcs_lab.backends.embedded.alterations import Alterations
from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.control import Control, number_of
from gcs_lab.backends.embedded.event_ring import EventRing
from gcs_lab.backends.embedded.keeper_questions import KeeperQuestions
from gcs_lab.backends.embedded.pending_reports import pending_reasons, reasons_to_wire
from gcs_lab.backends.embedded.reports import machines_report, queue_infos
from gcs_lab.backends.embedded.status_questions import StatusQuestions
from gcs_lab.backends.embedded.submission_checks import category_options
from gcs_lab.backends.embedded.submissions import Submissions
from gcs_lab.backends.embedded.task_reports import (
    array_info,
    array_report,
    array_status,
    live_infos,
    task_info,
    task_status,
)
from gcs_lab.backends.embedded.wire import describe_error
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Task
    from gcs_lab.errors import GcsError

__all__ = ["Questions"]


class Questions:
    """Answers what is asked on behalf of one user.

    Parameters
    ----------
    scheduler
        Who knows.
    owner
        Name of the user whose scheduler it is.
    """

    #: Questions that change something: they are answered within a transaction.
    CHANGING = frozenset({"submit", "submit_many", "control", "alter"}) | KeeperQuestions.CHANGING

    def __init__(self, scheduler: Scheduler, owner: str) -> None:
        self._scheduler = scheduler
        self._since = time.time()
        self._submissions = Submissions(scheduler, owner)
        self._actions = Control(scheduler, owner, lambda numbers: self._jobs_ended(numbers).keys())
        self._alterations = Alterations(scheduler, lambda numbers: self._jobs_ended(numbers).keys())
        #: What happened lately; the server adds to it after each commit.
        self.events = EventRing()
        #: Whether the scheduler was asked to end.
        self.stop_asked = False
        self._answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "submit": lambda asked: str(self._submissions.submit(asked)),
            "submit_many": self._submit_many,
            "find_submissions": self._find_submissions,
            "control": lambda asked: self._once(asked, self._actions.act, asked["action"], asked["ids"]),
            "alter": lambda asked: self._once(asked, self._alterations.alter, asked["changes"], asked["ids"]),
            "status": lambda asked: self._reports(asked["ids"], task_status, array_status),
            "array_status": self._array_status,
            "pending_reasons": self._pending_reasons,
            "info": lambda asked: self._reports(asked["ids"], task_info, array_info),
            "job_ids": lambda _: list(scheduler.jobs),
            "all_jobs": lambda _: live_infos(scheduler),
            "queues": lambda _: queue_infos(scheduler),
            "machines": lambda _: machines_report(scheduler),
            "events": lambda asked: self.events.since(asked["cursor"]),
            "catalogue": self._catalogue,
            "category": lambda asked: category_options(asked["name"], scheduler.layout),
            "abilities": lambda _: {"mail": scheduler.layout.mail is not None},
            "about": self._about,
            "stop": self._stop,
            **KeeperQuestions(scheduler, owner).answers,
            **StatusQuestions(scheduler).answers,
        }

    def answer(self, message: dict[str, Any]) -> Any:
        """Return the answer to a question.

        Raises
        ------
        GcsError
            If there is none: the client is told so.
        sqlite3.Error
            If the database cannot be read or written.
        """
        known = self._answers.get(str(message.get("do")))
        if known is None:
            raise InvalidArgument(f"there is no question {message.get('do')!r}; ask {', '.join(self._answers)}.")
        return known(message.get("with") or {})

    # --- submissions and control ---

    def _submit_many(self, asked: dict[str, Any]) -> list[int]:
        """Submit chunks: what the jobs of each have in ``common``, and for ``each`` what differs."""
        everything = [(chunk["common"], differs) for chunk in asked["chunks"] for differs in chunk["each"]]
        return self._submissions.submit_many(everything)

    def _find_submissions(self, asked: dict[str, Any]) -> dict[str, str]:
        found = self._scheduler.database.jobs_of_tokens(asked["tokens"])
        return {token: str(job_id) for token, job_id in found.items()}

    def _once(self, asked: dict[str, Any], act: Callable[..., dict[str, GcsError]], *given: Any) -> dict[str, Any]:
        """Act on jobs, unless it was asked for with the same token before; return what went wrong, by id."""
        database = self._scheduler.database
        known = database.answer_given(asked["token"])
        if known is not None:
            assert isinstance(known, dict)  # noqa: S101  (kept by this method)
            return known
        told = {job_id: describe_error(error) for job_id, error in act(*given).items()}
        database.keep_answer(asked["token"], told)
        return told

    # --- jobs ---

    def _jobs_ended(self, numbers: Iterable[int]) -> dict[int, Any]:
        return self._scheduler.database.jobs(numbers, self._scheduler.shared_request)

    def _entries(self, numbers: set[int]) -> dict[int, Task | ArrayJob]:
        """Return jobs by number, whether or not they have ended; an ended one that is no array as its last task."""
        live = self._scheduler.jobs
        found = {number: live[number] for number in numbers if number in live}
        database = self._scheduler.database
        for number, job in self._jobs_ended(numbers - found.keys()).items():
            if job.tasks is not None:
                found[number] = database.array(job)
            elif rows := database.rows(number, [0]):
                found[number] = database.read_task(rows[0], job)
        return found

    def _reports(
        self,
        ids: list[str],
        of_task: Callable[[Task, Scheduler], dict[str, Any]],
        of_array: Callable[[ArrayJob, Scheduler], dict[str, Any]],
    ) -> dict[str, dict[str, Any]]:
        """Return a report for each of `ids`; unknown ones are left out."""
        whole: dict[str, int] = {}
        indices: dict[int, dict[int, str]] = {}
        for job_id in ids:
            text, index = split_id(job_id)
            number = number_of(text)
            if number is not None and index is not None:
                indices.setdefault(number, {})[index] = job_id
            elif number is not None:
                whole[job_id] = number
        entries = self._entries({*whole.values(), *indices})
        told: dict[str, dict[str, Any]] = {}
        for job_id, number in whole.items():
            entry = entries.get(number)
            if isinstance(entry, ArrayJob):
                told[job_id] = of_array(entry, self._scheduler)
            elif entry is not None:
                told[job_id] = of_task(entry, self._scheduler)
        for number, wanted in indices.items():
            entry = entries.get(number)
            if isinstance(entry, ArrayJob):
                for task in self._tasks(entry, wanted):
                    told[wanted[task.task_id]] = of_task(task, self._scheduler)
        return told

    def _tasks(self, array: ArrayJob, indices: Iterable[int]) -> Iterable[Task]:
        """Yield tasks of an array; those that it does not have are left out."""
        stored = []
        for index in indices:
            if array.has(index):
                task = array.task(index)
                if task is None:
                    stored.append(index)
                else:
                    yield task
        for row in self._scheduler.database.rows(array.job.job_id, stored):
            yield self._scheduler.database.read_task(row, array.job)

    def _array_status(self, asked: dict[str, Any]) -> dict[str, Any]:
        numbers = {job_id: number_of(job_id) for job_id in asked["ids"]}
        entries = self._entries({number for number in numbers.values() if number is not None})
        told = {}
        for job_id, number in numbers.items():
            entry = entries.get(number) if number is not None else None
            if isinstance(entry, ArrayJob):
                told[job_id] = array_report(entry)
        return told

    def _pending_reasons(self, asked: dict[str, Any]) -> dict[str, Any]:
        numbers = {job_id: number_of(job_id) for job_id in asked["ids"]}
        entries = self._entries({number for number in numbers.values() if number is not None})
        live = self._scheduler.jobs
        return {
            job_id: reasons_to_wire(pending_reasons(entries[number], self._scheduler)) if number in live else []
            for job_id, number in numbers.items()
            if number is not None and number in entries
        }

    # --- the cluster ---

    def _catalogue(self, _: dict[str, Any]) -> dict[str, Any]:
        known = self._scheduler.layout.catalogue()
        return {
            "queues": known.queues,
            "parallel_environments": known.parallel_environments,
            "complexes": [asdict(c) for c in known.complexes],
            "job_categories": known.job_categories,
            "hosts": known.hosts,
            "pe_slots": dict(known.pe_slots),
        }

    def _about(self, _: dict[str, Any]) -> dict[str, Any]:
        scheduler = self._scheduler
        unended = sum(entry.unended if isinstance(entry, ArrayJob) else 1 for entry in scheduler.jobs.values())
        last, longest = scheduler.pass_seconds
        return {
            "pid": os.getpid(),
            "version": __version__,
            "since": self._since,
            "running": len(scheduler.active),
            "waiting": unended - len(scheduler.active),
            "last_pass_seconds": last,
            "longest_pass_seconds": longest,
        }

    def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        self.stop_asked = True
        return self._about({})
