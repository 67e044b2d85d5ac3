"""Templates against the catalogue: every name that is used exists, every request is of its complex's kind."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError, InvalidArgument, SeveralProblems, UnknownName, together
from gcs_lab.jobs.request_hints import hint, meant_boolean, meant_number
from gcs_lab.jobs.requests import parse_memory, parse_time
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gcs_lab.jobs.protocol import Catalogue, Complex
    from gcs_lab.vocabulary import ReservationTemplate

__all__ = ["check_names", "is_about_names"]

_PATTERN = re.compile(r"[*?\[\]|&()!]")
_WHOLE = re.compile(r"[+-]?\d{1,30}\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_TRUTH = {"TRUE", "FALSE", "1", "0", "T", "F"}
#: Memory that a program must have: nothing runs in a few bytes, so a unit was forgotten.
_NEEDED_MEMORY = {"h_vmem", "s_vmem", "h_data", "s_data", "h_rss", "s_rss", "mem_free", "virtual_free"}
_LEAST_MEMORY = 2**20


def check_names(
    template: JobTemplate | ReservationTemplate,
    catalogue: Callable[[], Catalogue],
    where: str,
    project: str | None = None,
    *,
    must_fit: bool = False,
) -> None:
    """Make sure that the names in a template exist; the catalogue is asked for only if there are any.

    Parameters
    ----------
    template
        What is asked for.
    catalogue
        Returns the names that there are.
    where
        The system's name, for messages.
    project
        The project that the job is accounted to; None: the one that the template's native options name (``qsub -P``).
    must_fit
        Whether more slots than a parallel environment has are refused, too. (A job that asks for them waits.)

    Raises
    ------
    UnknownName
        If a queue, parallel environment, job category, host, project or complex does not exist.
    InvalidArgument
        If the value of a request cannot be one of its complex, or a parallel environment has fewer slots.
    SeveralProblems
        If more than one thing is wrong.
    """
    requests = (template.resource_requests or {}) if isinstance(template, JobTemplate) else {}
    project = project or _native_project(template)
    names = (template.queue_name, template.parallel_environment, template.job_category, project)
    if not any(names) and not template.candidate_machines and not requests:
        return
    there = catalogue()
    problems = list(_problems(template, requests, project, there, where))
    if must_fit and isinstance(template, JobTemplate):
        problems += _too_many_slots(template, there, where)
    if problems:
        raise together(problems)


def is_about_names(error: GcsError) -> bool:
    """Tell whether `error` says (among other things) that a name does not exist."""
    if isinstance(error, SeveralProblems):
        return any(isinstance(problem, UnknownName) for problem in error.problems)
    return isinstance(error, UnknownName)


def _problems(
    template: JobTemplate | ReservationTemplate,
    requests: dict[str, str],
    project: str | None,
    there: Catalogue,
    where: str,
) -> Iterator[GcsError]:
    yield from _unknown_queues(template.queue_name, there, where)
    pe = template.parallel_environment
    if pe and not _PATTERN.search(pe) and pe not in there.parallel_environments:
        yield UnknownName("parallel environment", pe, there.parallel_environments, where=where)
    category = template.job_category
    if category is not None and category not in there.job_categories:
        yield UnknownName("job category", category, there.job_categories, where=where)
    # Where no project is set up, nothing can be said: the system may take them from elsewhere.
    if project and there.projects and project not in there.projects:
        yield UnknownName("project", project, there.projects, where=where)
    yield from _unknown_hosts(template.candidate_machines or (), there, where)
    for name, value in requests.items():
        yield from _bad_request(name, value, there, where)


def _native_project(template: JobTemplate | ReservationTemplate) -> str | None:
    """Return the project in the options of qsub (``-P NAME``, the last one); templates have no attribute for it."""
    options = template.native_specification
    if not options or "-P" not in options:
        return None
    try:
        words = shlex.split(options)
    except ValueError:
        return None  # the system says what is wrong with them
    return next((name for word, name in reversed(list(itertools.pairwise(words))) if word == "-P"), None)


def _too_many_slots(template: JobTemplate, there: Catalogue, where: str) -> Iterator[GcsError]:
    pe, asked = template.parallel_environment or "", template.min_slots or 1
    most = there.pe_slots.get(pe)
    if most is not None and asked > most:
        yield InvalidArgument(
            f"-pe {pe} {asked}: the parallel environment {pe} has {most} slots in all on {where}, so the job would "
            f"wait for ever. Ask for {most} or fewer."
        )


def _unknown_queues(queues: str | None, there: Catalogue, where: str) -> Iterator[GcsError]:
    # A queue may be given as a list and with a host or host group: `all.q@node1,b*`; wildcards are the system's.
    for queue in (queues or "").split(","):
        name, _, host = queue.removeprefix("!").partition("@")
        if name and not _PATTERN.search(name) and name not in there.queues:
            yield UnknownName("queue", name, there.queues, where=where)
        if host:
            yield from _unknown_hosts([host], there, where)


def _unknown_hosts(machines: Iterable[str], there: Catalogue, where: str) -> Iterator[GcsError]:
    # A host may be called by its short name or by its full one. A system that tells no hosts checks them itself.
    known = {name.lower() for name in there.hosts}
    short = {name.partition(".")[0] for name in known}
    for machine in dict.fromkeys(machines):
        name = machine.lower()
        fits = name in known or ("." not in name and name in short) or name.partition(".")[0] in known
        if known and not fits and not machine.startswith("@") and not _PATTERN.search(machine):
            yield UnknownName("host", machine, there.hosts, where=where)


def _bad_request(name: str, value: str, there: Catalogue, where: str) -> Iterator[GcsError]:
    known = there.by_name.get(name)
    if known is None:
        askable = [c for c in there.complexes if c.requestable]
        shortcuts = {c.shortcut: c.name for c in askable if c.shortcut != c.name}
        yield UnknownName("complex", name, [c.name for c in askable], where=where, aliases=shortcuts)
        return
    if not known.requestable:
        instead = " Ask for slots with -pe NAME N." if known.name == "slots" else ""
        yield InvalidArgument(f"-l {name}: jobs may not request {known.name} on {where}.{instead}")
        return
    try:
        _check_value(known, name, value)
    except InvalidArgument as error:
        yield InvalidArgument(f"-l {name}={value}: {error}")
    if known.name == "hostname":
        yield from _unknown_hosts(value.split(","), there, where)
    elif known.name == "qname":
        yield from _unknown_queues(value, there, where)


def _check_value(known: Complex, name: str, value: str) -> None:
    """Raise InvalidArgument, without the request's name, if a job cannot ask for `value`."""
    if known.type == "MEMORY":
        amount = parse_memory(value)
        if known.name in _NEEDED_MEMORY and value.isdigit() and 0 < amount < _LEAST_MEMORY:
            raise InvalidArgument(
                f"without a unit these are bytes, and no program runs in {value}. Add the unit.{hint(value + 'G')}"
            )
    elif known.type == "TIME":
        parse_time(value)
    elif known.type == "INT" and not _WHOLE.match(value):
        raise InvalidArgument(
            f"{value!r} is not a number, and {name} is of type INT: a whole number without a unit."
            f"{hint(meant_number(value))}"
        )
    elif known.type == "DOUBLE" and not _NUMBER.match(value):
        raise InvalidArgument(f"{value!r} is not a number, and {name} is of type DOUBLE.{hint(meant_number(value))}")
    elif known.type == "BOOL" and value.upper() not in _TRUTH:
        raise InvalidArgument(f"{value!r} is neither TRUE nor FALSE.{hint(meant_boolean(value))}")
    if known.consumable and known.type in {"INT", "DOUBLE"} and value.startswith("-"):
        raise InvalidArgument(f"{name} is used up by jobs; expected how many of it, 0 or more.{hint(value[1:])}")
