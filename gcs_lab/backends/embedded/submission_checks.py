"""What the scheduler checks of a submission that only it can: names, values, slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.matching import check_queues
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["check_submission"]

_WHERE = "embedded"


def check_submission(request: SubmitRequest, layout: Layout) -> None:
    """Make sure that the cluster knows what a submission asks for.

    Raises
    ------
    UnknownName
        If a queue, host, parallel environment or complex does not exist.
    InvalidArgument
        If a value cannot work.
    """
    check_queues(request.queues, layout)
    environment = request.parallel_environment
    if environment is not None and layout.parallel_environment(environment) is None:
        known = [pe.name for pe in layout.parallel_environments]
        raise UnknownName("parallel environment", environment, known, where=_WHERE)
    if environment is None and request.min_slots > 1:
        raise InvalidArgument(
            f"{request.min_slots} slots are asked for without a parallel environment; say which, for example "
            "parallel_environment='smp' (-pe smp 4) for slots on one host."
        )
    if not 1 <= request.min_slots <= request.max_slots:
        raise InvalidArgument(f"slots {request.min_slots}-{request.max_slots}: expected 1 <= least <= most.")
    known_complexes = {c.name: c for c in layout.catalogue().complexes}
    for name, value in request.requests.items():
        if name not in known_complexes:
            raise UnknownName("complex", name, known_complexes, where=_WHERE)
        _check_value(name, value, known_complexes[name].type)
        if not known_complexes[name].requestable:
            raise InvalidArgument(f"-l {name}: jobs may not request {name}; slots are asked for with -pe.")


def _check_value(name: str, value: str, kind: str) -> None:
    try:
        if kind == "TIME" and parse_time(value) <= 0:
            raise InvalidArgument("expected more than 0 seconds.")
        if kind == "MEMORY" and parse_memory(value) <= 0:
            raise InvalidArgument("expected more than 0 bytes.")
        if kind == "INT" and int(value) < 0:
            raise InvalidArgument("expected 0 or more.")
        if kind in {"RESTRING", "HOST"} and set(value) & set("&()"):
            raise InvalidArgument("the embedded cluster knows | between alternatives, * ? [] and a leading !.")
    except InvalidArgument as error:
        raise InvalidArgument(f"-l {name}={value}: {error}") from None
    except ValueError:
        raise InvalidArgument(f"-l {name}={value}: {value!r} is no whole number.") from None
