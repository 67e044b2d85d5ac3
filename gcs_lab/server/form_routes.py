"""Routes of a form of a job: the line that it means, what earlier jobs needed, and sending a file."""

from __future__ import annotations

from typing import Any

from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.form_line import FORM, JobForm
from gcs_lab.server.openapi_types import TEXT, choice, list_of, record, text
from gcs_lab.server.operation import Query, operation

__all__ = ["ROUTES"]

_PATH = text(4096)


class PlanHandler(ApiHandler):
    """What a form means."""

    @operation(
        "Return the line that a form means, and what is wrong with it. Nothing is sent.",
        body=record(kind=choice("cell", "notebook", "script"), form=FORM, path=_PATH),
        answer=record(line=TEXT, problems=list_of(record(field=TEXT, message=TEXT)), warnings=list_of(TEXT)),
    )
    async def post(self, name: str) -> dict[str, Any]:
        """Plan it."""
        return await self.in_thread(self._plan, name, self.body())

    def _plan(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.plan_checks import plan_answer
        from gcs_lab.server.submit_files import file_problem, language_of

        kind, form = body["kind"], JobForm.of(body["form"])
        cluster = self.cluster(name)
        if kind == "cell":
            return plan_answer(form, kind, cluster, "")
        file = self.paths.to_file(body["path"])
        language = language_of(file) if kind == "script" else ""
        answer = plan_answer(form, kind, cluster, body["path"], language)
        if why := file_problem(file, kind):
            answer["problems"].insert(0, {"field": "path", "message": why})
        return answer


class SubmitHandler(ApiHandler):
    """Sending a file."""

    @operation(
        "Submit a notebook or a script of the server's files as a job.",
        body=record({"parameters": {"type": "object"}}, kind=choice("notebook", "script"), path=_PATH, form=FORM),
        answer=record(job_id=TEXT, name=TEXT, text=TEXT),
    )
    async def post(self, name: str) -> dict[str, Any]:
        """Submit it."""
        return await self.in_thread(self._submit, name, self.body())

    def _submit(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        from gcs_lab.server.submit_files import submit_file

        file = self.paths.to_file(body["path"])
        form = JobForm.of(body["form"])
        # Who submits wants it to run.
        return submit_file(self.clusters.connect(name, wake=True), body["kind"], file, form, body.get("parameters"))


class AdviceHandler(ApiHandler):
    """What earlier jobs needed."""

    @operation(
        "Return what records of the user's earlier jobs of a name say of a form's values.",
        query=[Query("name", text(1000), "", "The job's name.")],
        answer=record(text=TEXT, requests=list_of(record(name=TEXT, value=TEXT, why=TEXT))),
    )
    async def get(self, name: str) -> dict[str, Any]:
        """Look it up."""
        return await self.in_thread(self._advice, name, self.argument("name"))

    def _advice(self, name: str, job: str) -> dict[str, Any]:
        from gcs_lab.server.accounting_answers import form_advice

        return form_advice(self.cluster(name), job)


ROUTES: list[tuple[str, type[ApiHandler]]] = [
    ("clusters/{name}/plan", PlanHandler),
    ("clusters/{name}/submit", SubmitHandler),
    ("clusters/{name}/advice", AdviceHandler),
]
