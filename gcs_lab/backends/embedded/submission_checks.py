"""What the scheduler checks of a submission that only it can: names, values, slots."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.matching import check_queues
from gcs_lab.backends.embedded.submission import NO_MAIL
from gcs_lab.errors import InvalidArgument, UnknownName, UnsupportedAttribute

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["category_options", "check_submission"]

_WHERE = "embedded"


def category_options(name: str, layout: Layout) -> str:
    """Return the options of a job category. Raises UnknownName if there is none of that name."""
    try:
        return layout.job_categories[name]
    except KeyError:
        raise UnknownName("job category", name, layout.job_categories, where=_WHERE) from None


def check_submission(request: SubmitRequest, layout: Layout) -> SubmitRequest:
    """Make sure that the cluster knows what a submission asks for; return it with all complexes by full names.

    Raises
    ------
    UnknownName
        If a queue, host, parallel environment or complex does not exist.
    InvalidArgument
        If a value cannot work.
    UnsupportedAttribute
        If mail is asked for, and the cluster sends none.
    """
    check_queues(request.queues, layout)
    _check_machines(request, layout)
    _check_slots(request, layout)
    wanted = request.mail_on_start or request.mail_on_end or request.mail_on_abort
    if wanted and layout.mail is None:
        raise UnsupportedAttribute(f"email: {NO_MAIL}")
    requests: dict[str, str] = {}
    for given, value in request.requests.items():
        name = layout.full_names.get(given)
        if name is None:
            raise UnknownName("complex", given, layout.complexes_by_name, where=_WHERE)
        if name in requests:
            raise InvalidArgument(f"-l {given}={value}: {name} is asked for twice, by its name and its shortcut.")
        definition = layout.complexes_by_name[name]
        try:
            definition.check_request(value)
        except InvalidArgument as error:
            raise InvalidArgument(f"-l {given}={value}: {error}") from None
        if not definition.requestable:
            raise InvalidArgument(f"-l {given}: jobs may not request {name}; slots are asked for with -pe.")
        requests[name] = value
    if requests == request.requests:
        return request
    return dataclasses.replace(request, requests=requests)


def _check_machines(request: SubmitRequest, layout: Layout) -> None:
    known = {host.name.lower() for host in layout.hosts}
    for name in request.candidate_machines:
        if name.lower() not in known:
            raise UnknownName("host", name, [host.name for host in layout.hosts], where=_WHERE)


def _check_slots(request: SubmitRequest, layout: Layout) -> None:
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
