"""What is wrong with a filled-in form, field by field, held against the cluster's names; nothing is sent."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError, InvalidArgument, SeveralProblems
from gcs_lab.jobs.requests import format_memory, parse_memory, parse_requests
from gcs_lab.server.form_line import Problem, line_of, words_of, written_problems
from gcs_lab.server.job_lookup import recent_snapshot
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from gcs_lab.cells.plan import CellOptions
    from gcs_lab.cluster import Cluster
    from gcs_lab.server.form_line import JobForm
    from gcs_lab.status import Snapshot

__all__ = ["field_problems", "flags_of", "options_of", "warnings_of"]

_PRIORITIES = range(-1023, 1025)
#: Complexes that limit the memory of a job by the slot.
_MEMORY = ("h_vmem", "s_vmem", "mem_free", "virtual_free", "h_rss", "s_rss")


def field_problems(form: JobForm, kind: str, cluster: Cluster, path: str, language: str = "") -> list[Problem]:
    """Return all that is wrong, in the order of the form.

    Parameters
    ----------
    form, kind, path, language
        As for :func:`~gcs_lab.server.form_line.line_of`.
    cluster
        Whose names are meant; it is asked for them at most once a minute.

    Raises
    ------
    GcsError
        If the cluster does not answer.
    """
    found = list(written_problems(form, kind))
    found += [problem for problem in _value_problems(form, kind, cluster) if problem.field not in _fields(found)]
    if not found and (why := _more_problem(form, kind, path, language)):
        found.append(Problem("more", why))
    return found


def _fields(problems: list[Problem]) -> set[str]:
    return {problem.field for problem in problems}


def _value_problems(form: JobForm, kind: str, cluster: Cluster) -> Iterator[Problem]:
    def names(**attributes: Any) -> Callable[[], object]:
        return lambda: cluster.jobs.check_names(JobTemplate(**attributes))

    if form.name:
        named = JobTemplate(remote_command="/bin/true", job_name=form.name)
        yield from _told("name", lambda: cluster.jobs.check(named))
    if form.queue:
        yield from _told("queue", names(queue_name=form.queue))
    if form.project:
        yield from _told("project", lambda: cluster.jobs.check_names(JobTemplate(), form.project))
    for name, value in form.requests.items():
        yield from _told(f"requests.{name}", lambda name=name, value=value: _check_request(name, value, cluster))  # type: ignore[misc]
    if form.parallel_environment:
        yield from _told("parallel_environment", names(parallel_environment=form.parallel_environment))
        yield from _told("slots", lambda: _check_slots(form, cluster))
    if form.after:
        yield from _after_problems(form.after, kind, cluster)
    for axis in form.over:
        yield from _told("over", lambda axis=axis: _check_axis(axis, kind))  # type: ignore[misc]
    yield from _number_problems(form)


def _number_problems(form: JobForm) -> Iterator[Problem]:
    if form.max_parallel and not re.fullmatch(r"0{0,5}[1-9]\d{0,8}", form.max_parallel, re.ASCII):
        yield Problem("max_parallel", f"{form.max_parallel!r} is no number from 1 on: how many may run at once?")
    is_number = re.fullmatch(r"-?\d{1,5}", form.priority, re.ASCII)
    if form.priority and not (is_number and int(form.priority) in _PRIORITIES):
        yield Problem("priority", f"{form.priority!r} is no whole number from -1023 to 1024.")


def _told(field: str, check: Callable[[], object]) -> Iterator[Problem]:
    """Yield what a check refuses; that the cluster does not answer is no problem of the form."""
    try:
        check()
    except SeveralProblems as error:
        for problem in error.problems:
            yield Problem(field, str(problem))
    except InvalidArgument as error:
        yield Problem(field, str(error))


def _check_request(name: str, value: str, cluster: Cluster) -> None:
    # As the flag reads it: a name that no complex can have, a value that nothing can have.
    quoted = value if "," not in value and '"' not in value and "'" not in value else f'"{value}"'
    parse_requests(f"{name}={quoted}" if '"' not in value else f"{name}='{value}'")
    cluster.jobs.check_names(JobTemplate(resource_requests={name: value}))


def _check_slots(form: JobForm, cluster: Cluster) -> None:
    from gcs_lab.magics.arguments import slots_of

    low, high = slots_of(form.parallel_environment, form.slots)
    template = JobTemplate(parallel_environment=form.parallel_environment, min_slots=low, max_slots=high)
    try:
        cluster.jobs.check_names(template, must_fit=True)
    except InvalidArgument as error:
        # That there is no such environment was told before.
        if "slots" in str(error):
            raise


def _check_axis(axis: str, kind: str) -> None:
    from gcs_lab.cells.sweep_axes import check_axis

    # Nothing of a form is run by the server: of a file's sweep only what can be read without that is taken.
    check_axis(axis, plain=kind != "cell")


def _after_problems(after: str, kind: str, cluster: Cluster) -> Iterator[Problem]:
    from gcs_lab.cells.journal import Journal

    words = [word.strip() for word in after.split(",")]
    if not all(words):
        yield Problem("after", "an entry is empty; give names or ids of jobs, with commas between them.")
    # In a notebook a word may be a variable, and * all jobs of its kernel.
    if kind == "cell":
        return
    journal = Journal()
    for word in filter(None, words):
        if not word.isdigit() and not journal.find(word, cluster.name):
            yield Problem("after", f"no job of yours on {cluster.name} is called {word!r}; give a name or an id.")


def flags_of(form: JobForm, kind: str, path: str, language: str = "") -> argparse.Namespace:
    """Return the flags of a form, read by the parser that reads the line.

    Raises
    ------
    InvalidArgument
        If it cannot be read (what is in ``more``).
    """
    import shlex

    from IPython.core.error import UsageError

    from gcs_lab.magics.arguments import FlagParser, cell_parser
    from gcs_lab.magics.notebook_command import notebook_flags

    words = [*words_of(form, kind), *shlex.split(form.more)]
    if kind == "notebook":
        parser = FlagParser("submit-notebook")
        notebook_flags(parser)
        words = [path, *words]
    else:
        parser = cell_parser()
        words = [form.verb if kind == "cell" else "submit", *(["--lang", language] if language else []), *words]
    try:
        return parser.parse_args(words)
    except UsageError as error:
        raise InvalidArgument(str(error)) from None


def options_of(flags: argparse.Namespace) -> CellOptions:
    """Return the options that flags ask for. Raises InvalidArgument."""
    from gcs_lab.magics.arguments import to_options

    return to_options(flags)


def _more_problem(form: JobForm, kind: str, path: str, language: str) -> str:
    """Return what is wrong with the words that were added; '' if nothing is."""
    if not form.more:
        return ""
    try:
        options = options_of(flags_of(form, kind, path, language))
        for axis in options.over:
            _check_axis(axis, kind)
    except GcsError as error:
        return str(error)
    return ""


# -- what does not forbid it -----------------------------------------------------------------------------------------


def warnings_of(form: JobForm, cluster: Cluster) -> list[str]:
    """Return what somebody should know before the job is sent, as far as the last look at the cluster tells."""
    snapshot = recent_snapshot(cluster)
    if snapshot is None:
        return []
    rows = snapshot.queue_instances.select(["queue", "host", "slots_used", "slots_total", "state"]).to_pylist()
    if form.queue and "," not in form.queue:
        queue = form.queue.partition("@")[0]
        rows = [row for row in rows if row["queue"] == queue]
    if not rows:
        return []
    told = [*_slot_warnings(form, rows), *_memory_warnings(form, snapshot)]
    if all(row["state"] for row in rows):
        where = f"the queue {form.queue}" if form.queue else "the cluster"
        letters = ", ".join(sorted({row["state"] for row in rows}))
        told.insert(0, f"{where} takes no jobs now (state {letters}): the job waits until it does.")
    return told


def _slots_asked(form: JobForm) -> int:
    match = re.match(r"\d{1,9}", form.slots) if form.parallel_environment else None
    return int(match[0]) if match else 1


def _slot_warnings(form: JobForm, rows: list[dict[str, Any]]) -> Iterator[str]:
    asked = _slots_asked(form)
    free: dict[str, int] = {}
    most: dict[str, int] = {}
    for row in rows:
        total = row["slots_total"] or 0
        host = row["host"] or ""
        most[host] = most.get(host, 0) + total
        free[host] = free.get(host, 0) + (0 if row["state"] else max(total - (row["slots_used"] or 0), 0))
    what = "1 slot is" if asked == 1 else f"{asked} slots are"
    if asked > max(most.values()):
        yield f"{what} more than any host has ({max(most.values())}): they are spread over several, if at all."
    elif sum(free.values()) < asked:
        yield f"{what} more than are free now ({sum(free.values())}): the job waits."
    elif asked > max(free.values()):
        yield f"{what} more than any host has free now ({max(free.values())})."


def _memory_warnings(form: JobForm, snapshot: Snapshot) -> Iterator[str]:
    hosts = [row for row in snapshot.hosts.select(["host", "memory_total"]).to_pylist() if row["memory_total"]]
    if not hosts:
        return
    most = max(row["memory_total"] for row in hosts)
    for name in _MEMORY:
        size = 0.0
        with contextlib.suppress(GcsError):
            size = parse_memory(form.requests.get(name, "0"))
        if most < size < float("inf"):
            asked = f"{name}={form.requests[name]}"
            yield f"{asked} is more memory than any host has ({format_memory(most)}): the job would wait."


def plan_answer(form: JobForm, kind: str, cluster: Cluster, path: str, language: str = "") -> dict[str, Any]:
    """Return an ``IPlanAnswer``. Raises GcsError if the cluster does not answer."""
    problems = field_problems(form, kind, cluster, path, language)
    return {
        "line": line_of(form, kind, path, language),
        "problems": [{"field": problem.field, "message": problem.message} for problem in problems],
        "warnings": warnings_of(form, cluster),
    }
