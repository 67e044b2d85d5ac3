"""What the handlers of all REST routes have in common.

A route is a handler class in a ``…_routes.py`` module, with a line in its ``ROUTES``; below ``<base>gcs-lab/api/``::

    class LogLinesHandler(ApiHandler):
        @operation(
            "Lines of a job's log, by number",
            query=[Query("stream", choice("output", "stdout"), "output"), Query("first", INTEGER, 0)],
            answer=record(first=INTEGER, lines=list_of(TEXT)),
        )
        async def get(self, name: str, job_id: str) -> dict[str, Any]:
            return await self.in_thread(self._lines, name, job_id, self.argument("stream"), self.argument("first"))

        def _lines(self, name: str, job_id: str, stream: str, first: int) -> dict[str, Any]:
            cluster = self.cluster(name)
            ...

    ROUTES: list[tuple[str, type[ApiHandler]]] = [("clusters/{name}/jobs/{job_id}/log", LogLinesHandler)]

:mod:`gcs_lab.server.operation` says what stands in braces, and what ``@operation`` does: it authenticates,
authorizes, checks what comes, writes what is returned as JSON, and answers a GcsError that is raised with its status
(:mod:`gcs_lab.server.problems`; ``raise Refused(404, "…")`` for others). :mod:`gcs_lab.server.openapi_types` has the
words of schemas. The document ``openapi.json`` is made from all this: ``python -m gcs_lab.server.openapi``.
"""

from __future__ import annotations

import asyncio
import functools
import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from gcs_lab.server.operation import PATH_PARAMETERS
from gcs_lab.server.problems import Refused, problem_of, problem_of_http

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gcs_lab.cluster import Cluster
    from gcs_lab.server.clusters import Clusters
    from gcs_lab.server.contents_paths import ContentsPaths
    from gcs_lab.server.operation import Operation, Query

__all__ = ["ApiHandler"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Bytes of a request's body; and of one that is checked within the loop: a longer one takes up to seconds.
_MOST_BODY, _MOST_AT_ONCE = 2_000_000, 20_000
#: Parameters of Jupyter's own, which mean nothing here.
_JUPYTERS = {"token", "_xsrf", "no_track_activity", "_"}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class ApiHandler(APIHandler):
    """A route of the REST interface."""

    auth_resource = "gcs_lab"

    # -- what verbs use ---------------------------------------------------------------------------------------------

    @property
    def clusters(self) -> Clusters:
        """The clusters that can be used from here."""
        clusters: Clusters = self.settings["gcs_lab_clusters"]
        return clusters

    @property
    def paths(self) -> ContentsPaths:
        """Where the contents of pages are in the file system."""
        paths: ContentsPaths = self.settings["gcs_lab_paths"]
        return paths

    def cluster(self, name: str) -> Cluster:
        """Return a cluster; call it in a thread: connecting takes its time. Raises as :meth:`Clusters.connect`."""
        return self.clusters.connect(name)

    async def in_thread(self, work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        """Do what takes long in a thread, and return what it returns."""
        # The route's cluster: others do not wait for one that does not answer.
        return await self.clusters.in_thread_of(
            self.path_kwargs.get("name", ""), functools.partial(work, *args, **options)
        )

    def body(self) -> Any:
        """Return the body, which fits the schema of the operation."""
        return self._body

    def argument(self, name: str) -> Any:
        """Return a parameter of the query, of the type that the operation says, or its default."""
        return self._arguments[name]

    # -- what is done for them --------------------------------------------------------------------------------------

    async def answer(self, operation: Operation, method: Callable[..., Awaitable[Any]], path: dict[str, str]) -> None:
        """Check what came, call the method, and write what it returns or raises."""
        try:
            _check_path(path)
            self._arguments = self._query_of(operation.query)
            self._body = None if operation.body is None else await self._checked_body(operation.body)
            answer = await method(self, **path)
            if answer is not None:
                self.finish(json.dumps(answer, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace"))
        except HTTPError:
            raise
        except Exception as error:
            status, problem = problem_of(error)
            if status == HTTPStatus.INTERNAL_SERVER_ERROR:
                self.log.exception("gcs_lab: %s %s failed", self.request.method, self.request.path)
            self.set_status(status)
            self.finish(json.dumps(problem))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write what tornado, Jupyter or a check refuses as an ``IProblem``."""
        error = kwargs.get("exc_info", (None, None))[1]
        self.finish(json.dumps(problem_of_http(status_code, error)))

    def log_exception(self, *about: Any) -> None:
        """Leave what was refused out of the log: the page is told."""
        if not isinstance(about[1], Refused):
            super().log_exception(*about)

    def _query_of(self, wanted: Sequence[Query]) -> dict[str, Any]:
        known = {query.name: query for query in wanted}
        found: dict[str, Any] = {name: query.default for name, query in known.items()}
        for name, values in self.request.query_arguments.items():
            if name not in known:
                # A bare number is JupyterLab's, against caches.
                if name in _JUPYTERS or name.isdigit():
                    continue
                there = f"There is: {', '.join(known)}." if known else "There are none."
                raise Refused(400, f"the query has no parameter {name!r} here. {there}", field=name)
            if len(values) > 1:
                raise Refused(400, f"the parameter {name!r} is given {len(values)} times; give it once.", field=name)
            found[name] = _value_of(known[name], self.decode_argument(values[0], name))
        for name, value in found.items():
            if value is ...:
                raise Refused(400, f"the parameter {name!r} of the query is missing.", field=name)
        return found

    async def _checked_body(self, schema: dict[str, Any]) -> Any:
        body = self.request.body
        if len(body) > _MOST_BODY:
            raise Refused(413, f"the body has {len(body):,} bytes; at most {_MOST_BODY:,} are taken.")
        return (
            _body_of(schema, body) if len(body) <= _MOST_AT_ONCE else await asyncio.to_thread(_body_of, schema, body)
        )


def _body_of(schema: dict[str, Any], data: bytes) -> Any:
    try:
        body = json.loads(data, parse_constant=_no_constant)
        _check_texts(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body cannot be read ({error}); expected JSON.") from None
    if problem := _first_problem(schema, body):
        raise Refused(400, f"the body is not as expected: {problem[1]}.", field=problem[0])
    return body


def _check_path(path: dict[str, str]) -> None:
    for name, value in path.items():
        schema, text = PATH_PARAMETERS[name]
        if not value.isprintable() or _first_problem(schema, value):
            raise Refused(404, f"{value[:100]!r} cannot be this: {text}", field=name)


def _value_of(query: Query, text: str) -> Any:
    value: Any = text
    try:
        if query.type in {"integer", "number"}:
            # JSON's numbers, not all that Python takes for one.
            value = json.loads(text, parse_constant=_no_constant)
        elif query.type == "boolean":
            value = _TRUTH[text]
        _check_texts(value)
    except (ValueError, KeyError):
        raise Refused(400, f"{query.name}={text[:100]!r}: expected {query.type}.", field=query.name) from None
    if problem := _first_problem(query.schema, value):
        raise Refused(400, f"{query.name}: {problem[1]}.", field=query.name)
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_texts(value: Any) -> None:
    """Refuse what no file name, database or command can have in it: zero bytes, and halves of characters."""
    if isinstance(value, str):
        value.encode()  # a UnicodeEncodeError is a ValueError
        if "\0" in value:
            raise ValueError("a text has a zero byte in it")
    elif isinstance(value, dict):
        for name, one in value.items():
            _check_texts(name)
            _check_texts(one)
    elif isinstance(value, list):
        for one in value:
            _check_texts(one)


def _first_problem(schema: dict[str, Any], value: Any) -> tuple[str, str] | None:
    """Return the field and the message of what does not fit; None if all does."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    error = best_match(_validator(json.dumps(schema)).iter_errors(value))
    if error is None:
        return None
    return ".".join(str(part) for part in error.absolute_path), error.message[:300]


@cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    return Draft202012Validator(json.loads(schema))
