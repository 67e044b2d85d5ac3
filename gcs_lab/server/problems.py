"""What a refusal is to a page: a status of HTTP, and ``IProblem`` of ``labextension/src/protocol/envelope.ts``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError

from gcs_lab.errors import (
    ClusterNotFound,
    DeniedByDrms,
    DrmCommunication,
    GcsError,
    InvalidArgument,
    InvalidSession,
    InvalidState,
    JobFailed,
    OutOfResource,
    SessionManagement,
    Timeout,
    TryLater,
    UnknownName,
    UnsupportedAttribute,
    UnsupportedOperation,
    UntrustedFile,
)

__all__ = ["Refused", "problem_of", "problem_of_http"]

#: The first that fits counts. What is in none is a fault of ours.
_STATUS: tuple[tuple[type[GcsError], HTTPStatus], ...] = (
    (ClusterNotFound, HTTPStatus.NOT_FOUND),
    (InvalidArgument, HTTPStatus.BAD_REQUEST),
    (DeniedByDrms, HTTPStatus.FORBIDDEN),
    (UntrustedFile, HTTPStatus.FORBIDDEN),
    (InvalidState, HTTPStatus.CONFLICT),
    (InvalidSession, HTTPStatus.CONFLICT),
    (JobFailed, HTTPStatus.CONFLICT),
    (UnsupportedAttribute, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnsupportedOperation, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DrmCommunication, HTTPStatus.SERVICE_UNAVAILABLE),
    (SessionManagement, HTTPStatus.SERVICE_UNAVAILABLE),
    (OutOfResource, HTTPStatus.SERVICE_UNAVAILABLE),
    (Timeout, HTTPStatus.SERVICE_UNAVAILABLE),
    (TryLater, HTTPStatus.SERVICE_UNAVAILABLE),
)


#: For refusals that say nothing themselves.
_SENTENCES: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "the Jupyter server does not know who asks, or does not allow it: log in, reload the page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "this cannot be done to it; see api/openapi.json.",
}


class Refused(HTTPError):
    """A request that is refused before anything is done.

    Parameters
    ----------
    status
        Of HTTP, 400 or more.
    message
        For people: what happened, what was expected, what to do.
    field
        The field of the request that it is about.
    """

    def __init__(self, status: int, message: str, *, field: str = "") -> None:
        # The message may have "%" in it, and is no format.
        super().__init__(status, "%s", message)
        self.message, self.field = message, field


def problem_of(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Return status and ``IProblem`` of what was raised; of what is no GcsError, that it is a fault of ours."""
    if isinstance(error, GcsError):
        told: dict[str, Any] = {"message": "\n".join([str(error), *getattr(error, "__notes__", ())])}
        told["type"] = type(error).__name__
        if field := getattr(error, "field", ""):
            told["field"] = str(field)
        return _status_of(error), told
    return HTTPStatus.INTERNAL_SERVER_ERROR, {
        "message": f"this could not be done, by a fault of gcs_lab ({type(error).__name__}: {error}). The log of the "
        "Jupyter server has more; please report it.",
        "type": "Internal",
    }


def _status_of(error: GcsError) -> int:
    if isinstance(error, UnknownName) and error.kind.startswith(("job", "task")):
        return HTTPStatus.NOT_FOUND
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of_http(status: int, error: BaseException | None) -> dict[str, Any]:
    """Return the ``IProblem`` of a refusal by tornado or Jupyter, or of a :class:`Refused`."""
    phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown"
    problem: dict[str, Any] = {"message": phrase, "type": phrase.title().replace(" ", "").replace("-", "")}
    if isinstance(error, Refused):
        problem["message"] = error.message
        if error.field:
            problem["field"] = error.field
    elif isinstance(error, HTTPError):
        said = error.log_message % error.args if error.log_message and error.args else error.log_message
        problem["message"] = said or _SENTENCES.get(status, phrase)
    return problem
