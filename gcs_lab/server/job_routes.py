"""Routes of one job: its facts, its tasks, what it drew, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.openapi_types import (
    BOOLEAN,
    COUNT,
    INTEGER,
    NUMBER,
    TEXT,
    by_name,
    choice,
    list_of,
    nullable,
    record,
    text,
)
from gcs_lab.server.operation import Query, operation

if TYPE_CHECKING:
    from gcs_lab.server.job_lookup import FoundJob

__all__ = ["ROUTES", "TASK"]

#: Names of gcs_lab.server.log_streams, job_actions and gcs_lab.vocabulary; those load more than a start may.
_STREAM = choice("output", "stdout", "stderr")
STATES = (
    "UNDETERMINED", "QUEUED", "QUEUED_HELD", "RUNNING", "SUSPENDED", "REQUEUED", "REQUEUED_HELD", "DONE", "FAILED",
)  # fmt: skip
_ACTION = choice("cancel", "hold", "release", "suspend", "resume", "clear_error", "requeue")
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
TASK = Query(
    "task", nullable(_NUMBER), None, "Number of a sweep's task, or index of an array's; none: the whole job."
)
_FACTS = record(
    job_id=TEXT,
    cluster=TEXT,
    name=TEXT,
    kind=choice("cell", "sweep", "script", "notebook", "job", "array"),
    state=choice(*STATES),
    letters=TEXT,
    notebook=TEXT,
    cell=TEXT,
    execution_count=INTEGER,
    source=TEXT,
    folder=TEXT,
    submitted=nullable(NUMBER),
    started=nullable(NUMBER),
    ended=nullable(NUMBER),
    exit_status=nullable(INTEGER),
    outcome=TEXT,
    streams=list_of(record(stream=_STREAM, bytes=COUNT)),
    tasks=COUNT,
    attach=TEXT,
)


class JobHandler(ApiHandler):
    """A route of one job."""

    def found(self, name: str, job_id: str, task: int | None = None) -> FoundJob:
        """Return the job; call it in a thread."""
        from gcs_lab.server.job_lookup import find_job

        return find_job(self.cluster(name), job_id, task)


class FactsHandler(JobHandler):
    """What is known of a job."""

    @operation(
        "Return what is known of a job: of its cell, its end, and which logs can be read.",
        query=[TASK],
        answer=_FACTS,
    )
    async def get(self, name: str, job_id: str) -> dict[str, Any]:
        """Look it up."""
        return await self.in_thread(self._facts, name, job_id, self.argument("task"))

    def _facts(self, name: str, job_id: str, task: int | None) -> dict[str, Any]:
        from gcs_lab.server.job_record import job_record

        return job_record(self.found(name, job_id, task), self.paths.of_file)


class TasksHandler(JobHandler):
    """The tasks of a sweep or array job."""

    @operation(
        "Return the tasks of a sweep (all of them), or of an array job (those that have not ended), a row each.",
        query=[
            Query("first", COUNT, 0, "Number of the first row, from 0."),
            Query("limit", {"type": "integer", "minimum": 1, "maximum": 10_000}, 1000, "So many rows at most."),
            Query("state", choice("", *STATES), "", "Only tasks in this state."),
        ],
        answer=record(
            columns=list_of(TEXT),
            rows=list_of(list_of({"type": ["string", "number", "null"]})),
            total=COUNT,
        ),
    )
    async def get(self, name: str, job_id: str) -> dict[str, Any]:
        """Return the rows."""
        asked = (self.argument("first"), self.argument("limit"), self.argument("state"))
        return await self.in_thread(self._rows, name, job_id, asked)

    def _rows(self, name: str, job_id: str, asked: tuple[int, int, str]) -> dict[str, Any]:
        from gcs_lab.server.tasks_table import task_rows

        return task_rows(self.found(name, job_id), *asked)


class ActionsHandler(JobHandler):
    """What can be done to a job."""

    @operation(
        "Do something to a job, or to some of its tasks, now.",
        body=record({"tasks": list_of(_NUMBER, 10_000)}, action=_ACTION),
        answer=record(text=TEXT, done=COUNT, failures=list_of(list_of(TEXT))),
    )
    async def post(self, name: str, job_id: str) -> dict[str, Any]:
        """Do it."""
        return await self.in_thread(self._act, name, job_id, self.body())

    def _act(self, name: str, job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.job_actions import act

        return act(self.found(name, job_id), body["action"], body.get("tasks", ()))


class RerunHandler(JobHandler):
    """Points of a sweep again."""

    @operation(
        "Run points of a sweep again, as a new array job: those that failed, or some by number.",
        body=record(
            {
                "failed": BOOLEAN,
                "tasks": list_of(_NUMBER, 1_000_000),
                "requests": by_name(text(1000)) | {"maxProperties": 200},
            }
        ),
        answer=record(job_id=TEXT, tasks=COUNT, text=TEXT),
    )
    async def post(self, name: str, job_id: str) -> dict[str, Any]:
        """Submit them."""
        return await self.in_thread(self._rerun, name, job_id, self.body())

    def _rerun(self, name: str, job_id: str, body: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.sweep_handles import rerun

        return rerun(
            self.found(name, job_id),
            failed=body.get("failed", False),
            tasks=body.get("tasks"),
            requests=body.get("requests", {}),
        )


ROUTES: list[tuple[str, type[ApiHandler]]] = [
    ("clusters/{name}/jobs/{job_id}", FactsHandler),
    ("clusters/{name}/jobs/{job_id}/tasks", TasksHandler),
    ("clusters/{name}/jobs/{job_id}/actions", ActionsHandler),
    ("clusters/{name}/jobs/{job_id}/rerun", RerunHandler),
]
