"""Routes of what a job printed and drew. Who goes away before the answer is there ends the work for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.server.job_routes import TASK, JobHandler
from gcs_lab.server.openapi_types import BOOLEAN, COUNT, INTEGER, TEXT, choice, list_of, nullable, record, text
from gcs_lab.server.operation import Query, operation

if TYPE_CHECKING:
    from gcs_lab.server.api_handler import ApiHandler
    from gcs_lab.server.log_index import Stop

__all__ = ["ROUTES"]

_STREAM = choice("output", "stdout", "stderr")
_STREAM_QUERY = Query("stream", _STREAM, "output", "What the cell printed; or the scheduler's own files.")
_FAR = 10**12


class StoppableHandler(JobHandler):
    """A route whose work may take long."""

    _stop: Stop | None = None

    def stop(self) -> Stop:
        """Return what is set when nobody waits for the answer any more."""
        from gcs_lab.server.log_index import Stop

        if self._stop is None:
            self._stop = Stop()
        return self._stop

    def on_connection_close(self) -> None:
        """End the work."""
        if self._stop is not None:
            self._stop.set()
        super().on_connection_close()


class LinesHandler(StoppableHandler):
    """Lines by number."""

    @operation(
        "Return lines of a job's log by number.",
        query=[
            _STREAM_QUERY,
            TASK,
            Query(
                "first", {"type": "integer", "minimum": -_FAR, "maximum": _FAR}, 0, "From 0; below 0: from the end."
            ),
            Query("count", {"type": "integer", "minimum": 0, "maximum": 10_000}, 1000, "So many at most."),
        ],
        answer=record(
            stream=_STREAM,
            task=nullable(INTEGER),
            first=COUNT,
            lines=list_of(TEXT),
            total=COUNT,
            live=BOOLEAN,
            note=TEXT,
        ),
    )
    async def get(self, name: str, job_id: str) -> dict[str, Any]:
        """Return them."""
        asked = (self.argument("stream"), self.argument("first"), self.argument("count"), self.stop())
        return await self.in_thread(self._lines, name, job_id, self.argument("task"), asked)

    def _lines(self, name: str, job_id: str, task: int | None, asked: tuple[str, int, int, Stop]) -> dict[str, Any]:
        from gcs_lab.server.log_streams import log_lines

        return log_lines(self.found(name, job_id, task), *asked)


class MatchesHandler(StoppableHandler):
    """Search in the whole log."""

    @operation(
        "Return the lines of a job's log that contain a text; capitals count only if it has some.",
        query=[
            _STREAM_QUERY,
            TASK,
            Query("text", text(1000, least=1), ..., "What is looked for, without colours."),
            Query("after", {"type": "integer", "minimum": -1, "maximum": _FAR}, -1, "Only lines after this number."),
            Query("limit", {"type": "integer", "minimum": 1, "maximum": 10_000}, 1000, "So many at most."),
        ],
        answer=record(matches=list_of(record(line=COUNT, text=TEXT)), total=COUNT, more=BOOLEAN),
    )
    async def get(self, name: str, job_id: str) -> dict[str, Any]:
        """Look for it."""
        asked = {name: self.argument(name) for name in ("stream", "text", "after", "limit")}
        return await self.in_thread(self._matches, name, job_id, self.argument("task"), asked | {"stop": self.stop()})

    def _matches(self, name: str, job_id: str, task: int | None, asked: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.log_streams import log_matches

        return log_matches(self.found(name, job_id, task), **asked)


class OutputsHandler(StoppableHandler):
    """What a job drew and returned."""

    @operation(
        "Return what a job drew and returned, as outputs of nbformat; what it printed is its log.",
        query=[TASK, Query("version", nullable(COUNT), None, "That of the last answer: 304 if it is still so.")],
        answer=record(outputs=list_of({"type": "object"}), version=COUNT, note=TEXT),
        also={304: "Nothing has changed since that version."},
    )
    async def get(self, name: str, job_id: str) -> dict[str, Any] | None:
        """Return them."""
        answer = await self.in_thread(self._outputs, name, job_id, self.argument("task"), self.stop())
        if answer["version"] == self.argument("version"):
            self.set_status(304)
            return None
        return answer

    def _outputs(self, name: str, job_id: str, task: int | None, stop: Stop) -> dict[str, Any]:
        from gcs_lab.server.outputs_reader import outputs_of

        job = self.found(name, job_id, task)
        if job.folder is None or job.entry is None:
            why = "its job folder is gone" if job.cell is not None else "no notebook of yours submitted it"
            return {"outputs": [], "version": 0, "note": f"{why}, so what it drew is not known."}
        if job.is_sweep and job.task is None:
            return {"outputs": [], "version": 0, "note": "each point of a sweep has outputs of its own; open one."}
        outputs, version, note = outputs_of(job.folder, job.entry.execution_count, stop)
        return {"outputs": outputs, "version": version, "note": note}


ROUTES: list[tuple[str, type[ApiHandler]]] = [
    ("clusters/{name}/jobs/{job_id}/log", LinesHandler),
    ("clusters/{name}/jobs/{job_id}/log/matches", MatchesHandler),
    ("clusters/{name}/jobs/{job_id}/outputs", OutputsHandler),
]
