"""One verb of a route: what it takes and answers, checked before it is done, and told in the OpenAPI document."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web

from gcs_lab.server.openapi_types import Schema, text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gcs_lab.server.api_handler import ApiHandler

__all__ = ["PATH_PARAMETERS", "Operation", "Query", "operation"]

#: What stands in braces in the paths of routes. What does not fit is answered with 404.
PATH_PARAMETERS: dict[str, tuple[Schema, str]] = {
    "name": (text(100, least=1, pattern=r"^[\w.@+-]+$"), "Name of a cluster."),
    "job_id": (text(41, least=1, pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?$"), "Id of a job (5) or of a task (5.3)."),
}


@dataclass(frozen=True)
class Query:
    """A parameter of the query (``?stream=stdout``).

    ``schema`` has a ``type`` of string, integer, number or boolean (or ``anyOf`` of one of them and null); a
    parameter that is not given is ``default``, and one without a default (``...``) is required.
    """

    name: str
    schema: Schema
    default: Any = ...
    help: str = ""

    @property
    def type(self) -> str:
        """JSON's name of its type."""
        first = self.schema.get("anyOf", [self.schema])[0]
        return str(first.get("type", "string"))


@dataclass(frozen=True)
class Operation:
    """What the document tells of a verb."""

    summary: str
    answer: Schema
    query: Sequence[Query] = ()
    body: Schema | None = None
    #: Statuses of other good answers, with what they mean: {304: "it is still so"}.
    also: dict[int, str] = field(default_factory=dict)
    #: Type of the answer's body.
    media: str = "application/json"


def operation(
    summary: str,
    *,
    answer: Schema,
    query: Sequence[Query] = (),
    body: Schema | None = None,
    also: dict[int, str] | None = None,
    media: str = "application/json",
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[None]]]:
    """Make a method of an :class:`~gcs_lab.server.api_handler.ApiHandler` a verb of its route.

    It is authenticated and authorized (resource ``gcs_lab``). Path, query and body are checked against their schemas
    before it is called; what it returns is written as JSON (None: it has written its answer, or set a status without
    one); what it raises is answered as an ``IProblem``.

    Parameters
    ----------
    summary
        For the document: a sentence.
    answer
        Schema of what it returns.
    query, body
        What it takes; all else is refused. A verb without a body takes none.
    also, media
        As in :class:`Operation`.
    """
    described = Operation(summary, answer, tuple(query), body, also or {}, media)

    def wrap(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[None]]:
        @functools.wraps(method)
        async def answered(self: ApiHandler, **path: str) -> None:
            await self.answer(described, method, path)

        verb = cast("Callable[..., Awaitable[None]]", web.authenticated(authorized(answered)))
        setattr(verb, "operation", described)  # noqa: B010
        return verb

    return wrap
