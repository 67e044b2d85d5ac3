"""Templates against the catalogue: every name that is used exists, every request is of its complex's kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import parse_memory, parse_time
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.jobs.protocol import Catalogue
    from gcs_lab.vocabulary import ReservationTemplate

__all__ = ["check_names"]


def check_names(template: JobTemplate | ReservationTemplate, catalogue: Callable[[], Catalogue], where: str) -> None:
    """Make sure that the names in a template exist; the catalogue is asked for only if there are any.

    Raises
    ------
    UnknownName
        If a queue, parallel environment, job category, host or complex does not exist.
    InvalidArgument
        If the value of a request cannot be one of its complex.
    """
    requests = (template.resource_requests or {}) if isinstance(template, JobTemplate) else {}
    names = (template.queue_name, template.parallel_environment, template.job_category)
    if not any(names) and not template.candidate_machines and not requests:
        return
    there = catalogue()
    _check_queues(template.queue_name, there, where)
    pe = template.parallel_environment
    if pe and not any(c in pe for c in "*?[") and pe not in there.parallel_environments:
        raise UnknownName("parallel environment", pe, there.parallel_environments, where=where)
    if template.job_category is not None and template.job_category not in there.job_categories:
        raise UnknownName("job category", template.job_category, there.job_categories, where=where)
    _check_hosts(template.candidate_machines or (), there, where)
    for name, value in requests.items():
        known = there.by_name.get(name)
        if known is None:
            raise UnknownName("complex", name, [c.name for c in there.complexes], where=where)
        if not known.requestable:
            raise InvalidArgument(f"-l {name}: jobs may not request {known.name} on {where}.")
        _check_value(name, value, known.type)


def _check_queues(queues: str | None, there: Catalogue, where: str) -> None:
    # A queue may be given as a list and with a host or host group: `all.q@node1,b*`; wildcards are the system's.
    for queue in (queues or "").split(","):
        name = queue.partition("@")[0].lstrip("!")
        if name and not any(c in name for c in "*?[|&()") and name not in there.queues:
            raise UnknownName("queue", name, there.queues, where=where)


def _check_hosts(machines: Iterable[str], there: Catalogue, where: str) -> None:
    # A host may be called by its short name or by its full one. A system that tells no hosts checks them itself.
    known = {name.lower() for name in there.hosts}
    short = {name.partition(".")[0] for name in known}
    for machine in machines:
        name = machine.lower()
        fits = name in known or ("." not in name and name in short) or name.partition(".")[0] in known
        if known and not fits and not machine.startswith("@"):
            raise UnknownName("host", machine, there.hosts, where=where)


def _check_value(name: str, value: str, kind: str) -> None:
    try:
        if kind == "MEMORY":
            parse_memory(value)
        elif kind == "TIME":
            parse_time(value)
        elif kind == "INT":
            int(value)
        elif kind == "DOUBLE":
            float(value)
        elif kind == "BOOL" and value.upper() not in {"TRUE", "FALSE", "1", "0", "T", "F"}:
            raise InvalidArgument(f"{value!r} is neither TRUE nor FALSE.")
    except InvalidArgument as error:
        raise InvalidArgument(f"-l {name}={value}: {error}") from None
    except ValueError:
        raise InvalidArgument(
            f"-l {name}={value}: {value!r} is not a number, and {name} is of type {kind}."
        ) from None
