"""The questions that clients ask, answered by the scheduler."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gcs_lab._version import __version__
from gcs_lab.backends.embedded.reports import (
    hosts_report,
    info_report,
    jobs_report,
    queues_report,
    status_report,
)
from gcs_lab.backends.embedded.submit_request import SubmitRequest
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.backends.embedded.wire import describe_error
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.backends.embedded.scheduler import Scheduler

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
    CHANGING = frozenset({"submit", "control"})

    def __init__(self, scheduler: Scheduler, owner: str) -> None:
        self._scheduler = scheduler
        self._owner = owner
        self._since = time.time()
        #: Whether the scheduler was asked to end.
        self.stop_asked = False
        self._answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "submit": self._submit,
            "control": self._control,
            "status": lambda asked: self._reports(asked, status_report),
            "info": lambda asked: self._reports(asked, lambda task: info_report(task, scheduler.runs)),
            "job_ids": lambda _: [str(task.job.job_id) for task in scheduler.tasks.values()],
            "jobs_table": lambda _: jobs_report(scheduler.tasks.values()),
            "queues_table": lambda _: queues_report(scheduler),
            "hosts_table": lambda _: hosts_report(scheduler),
            "catalogue": self._catalogue,
            "about": self._about,
            "stop": self._stop,
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

    def _submit(self, asked: dict[str, Any]) -> str:
        return str(self._scheduler.submit(SubmitRequest.from_wire(asked), self._owner))

    def _control(self, asked: dict[str, Any]) -> dict[str, Any]:
        database = self._scheduler.database
        given = database.answer_given(asked["token"])
        if given is not None:
            assert isinstance(given, dict)  # noqa: S101  (kept by this method)
            return given
        failures = {}
        found = self._find(asked["ids"])
        for job_id in asked["ids"]:
            try:
                self._do(asked["action"], job_id, found.get(job_id))
            except GcsError as error:
                failures[job_id] = describe_error(error)
        database.keep_answer(asked["token"], failures)
        return failures

    def _do(self, action: str, job_id: str, task: Task | None) -> None:
        if task is None:
            raise InvalidArgument(f"the embedded cluster knows no job {job_id!r}; its jobs have numbers from 1.")
        if task.phase is Phase.ENDED:
            raise InvalidState(f"job {job_id} has ended; only a job that has not ended can be changed.")
        waits = task.phase in (Phase.PENDING, Phase.ERROR)
        match action:
            case "hold":
                _need(job_id, task, "be held", "it waits in the queue", ok=waits)
                self._scheduler.hold(task, held=True)
            case "release":
                _need(job_id, task, "be released", "it is held", ok=waits and task.held)
                self._scheduler.hold(task, held=False)
            case "suspend":
                _need(job_id, task, "be suspended", "it runs", ok=task.active and not task.suspended)
                self._scheduler.suspend(task, suspended=True)
            case "resume":
                _need(job_id, task, "be resumed", "it is suspended", ok=task.active and task.suspended)
                self._scheduler.suspend(task, suspended=False)
            case "terminate":
                self._scheduler.terminate(task, self._owner)
            case "clear":
                _need(job_id, task, "have its error cleared", "it is in error state", ok=task.phase is Phase.ERROR)
                self._scheduler.clear_error(task)
            case _:
                raise InvalidArgument(f"{action!r} cannot be done to a job.")

    def _find(self, job_ids: Iterable[str]) -> dict[str, Task]:
        """Return the tasks of jobs by id as it was asked for; unknown ones are left out."""
        # Ids are numbers; anything else is the id of no job here.
        numbers = {text: int(text) for text in job_ids if text.isascii() and text.isdigit() and len(text) < 19}  # noqa: PLR2004
        tasks = self._scheduler.tasks
        found = {text: tasks[number, 0] for text, number in numbers.items() if (number, 0) in tasks}
        others = {number: text for text, number in numbers.items() if text not in found}
        for task in self._scheduler.database.tasks_of(others):
            found[others[task.job.job_id]] = task
        return found

    def _reports(self, asked: dict[str, Any], report: Callable[[Task], dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {job_id: report(task) for job_id, task in self._find(asked["ids"]).items()}

    def _catalogue(self, _: dict[str, Any]) -> dict[str, Any]:
        known = self._scheduler.layout.catalogue()
        return {
            "queues": known.queues,
            "parallel_environments": known.parallel_environments,
            "complexes": [asdict(c) for c in known.complexes],
        }

    def _about(self, _: dict[str, Any]) -> dict[str, Any]:
        tasks = self._scheduler.tasks.values()
        return {
            "pid": os.getpid(),
            "version": __version__,
            "since": self._since,
            "running": sum(task.active for task in tasks),
            "waiting": sum(not task.active for task in tasks),
        }

    def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        self.stop_asked = True
        return self._about({})


def _need(job_id: str, task: Task, what: str, when: str, *, ok: bool) -> None:
    if not ok:
        raise InvalidState(
            f"job {job_id} cannot {what}: its state is {task.letters()}. That is possible while {when}."
        )
