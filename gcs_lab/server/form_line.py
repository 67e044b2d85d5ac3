"""The line that a filled-in form means: ``%%gcs submit -N fit -l h_rt=1:00:00``, and what cannot be written in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gcs_lab.server.openapi_types import by_name, choice, record, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FORM", "JobForm", "Problem", "line_of", "words_of", "written_problems"]

_SHORT, _LONG = text(1000), text(20_000)
#: ``IJobForm``.
FORM = record(
    verb=choice("submit", "run"),
    name=_SHORT,
    queue=_SHORT,
    project=_SHORT,
    parallel_environment=_SHORT,
    slots=_SHORT,
    requests=by_name(_SHORT) | {"maxProperties": 200},
    after=_LONG,
    over=_LONG,
    max_parallel=_SHORT,
    priority=_SHORT,
    more=_LONG,
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a form; of a request the field is ``requests.h_vmem``."""

    field: str
    message: str


@dataclass(frozen=True, kw_only=True)
class JobForm:
    """A filled-in form: ``IJobForm`` without white space around its values, and without empty requests.

    ``over`` has a line for each axis.
    """

    verb: str = "submit"
    name: str = ""
    queue: str = ""
    project: str = ""
    parallel_environment: str = ""
    slots: str = ""
    requests: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    over: tuple[str, ...] = ()
    max_parallel: str = ""
    priority: str = ""
    more: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> JobForm:
        """Return what a page sent, which fits :data:`FORM`."""
        texts = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
        texts.pop("over")
        requests = {name.strip(): value.strip() for name, value in form["requests"].items() if value.strip()}
        over = tuple(line.strip() for line in form["over"].splitlines() if line.strip())
        return cls(**texts, requests=requests, over=over)


def words_of(form: JobForm, kind: str) -> list[str]:
    """Return the flags of a form, as a shell splits them, but for ``more``.

    Parameters
    ----------
    form
        The form; :func:`written_problems` finds none in it.
    kind
        ``"cell"``, ``"script"`` or ``"notebook"``: they have other flags for the priority.
    """
    words: list[str] = []
    for flag, value in (("-N", form.name), ("-q", form.queue), ("-P", form.project)):
        if value:
            words += [flag, value]
    if form.requests:
        words += ["-l", ",".join(_request(name, value) for name, value in form.requests.items())]
    if form.parallel_environment:
        words += ["-pe", form.parallel_environment, form.slots]
    if form.priority:
        words += ["--priority" if kind == "notebook" else "-p", form.priority]
    if form.after:
        words += ["--after", form.after]
    if kind != "notebook":
        for axis in form.over:
            words += ["--over", axis]
        if form.max_parallel:
            words += ["-tc", form.max_parallel]
    return words


def line_of(form: JobForm, kind: str, path: str, language: str = "") -> str:
    """Return the whole line.

    Parameters
    ----------
    form, kind
        As for :func:`words_of`.
    path
        Of a notebook: its file, as the command takes it.
    language
        Of a script: its language. Its line is that of a cell with the script in it.
    """
    import shlex

    head = {"cell": f"%%gcs {form.verb}", "script": "%%gcs submit", "notebook": "gcs-lab submit-notebook"}[kind]
    before = [shlex.quote(path)] if kind == "notebook" else ["--lang", shlex.quote(language)] if language else []
    written = [shlex.quote(word) for word in words_of(form, kind)]
    return " ".join([head, *before, *written, *([form.more] if form.more else [])])


def _request(name: str, value: str) -> str:
    """Return a request as ``-l`` takes it: what has a comma or a quotation mark in it stands in quotes."""
    if not any(mark in value for mark in ",\"'"):
        return f"{name}={value}"
    quote = '"' if '"' not in value else "'"
    return f"{name}={quote}{value}{quote}"


def written_problems(form: JobForm, kind: str) -> Iterator[Problem]:
    """Yield what keeps a form from being written as one line that says the same."""
    values = {
        "name": form.name, "queue": form.queue, "project": form.project, "slots": form.slots,
        "parallel_environment": form.parallel_environment, "after": form.after, "more": form.more,
        "max_parallel": form.max_parallel, "priority": form.priority,
        **{f"requests.{name}": value for name, value in form.requests.items()},
    }  # fmt: skip
    for where, value in values.items():
        if not value.isprintable():
            yield Problem(where, "it has a line break or a control character in it; write it in one line.")
        elif value.startswith("-") and where not in ("priority", "more") and not where.startswith("requests."):
            yield Problem(where, f"{value!r} begins with a minus, which only flags do.")
    yield from _unwritable(form)
    yield from _of_kind(form, kind)
    import shlex

    try:
        shlex.split(form.more)
    except ValueError as error:
        yield Problem("more", f"{error}: close the quotation mark, or put a quoted one before it.")


def _unwritable(form: JobForm) -> Iterator[Problem]:
    for name, value in form.requests.items():
        if '"' in value and "'" in value:
            yield Problem(f"requests.{name}", "it has both kinds of quotation marks; no scheduler takes that.")
    for axis in form.over:
        if axis.startswith("-") or not axis.isprintable():
            yield Problem("over", f"{axis!r:.80} is no row of values; write x=range(10), a line for each name.")
    if form.parallel_environment and not form.slots:
        yield Problem("slots", f"how many slots of {form.parallel_environment}? Give a number (4) or a range (2-8).")
    if form.slots and not form.parallel_environment and form.slots != "1":
        yield Problem("parallel_environment", f"{form.slots} slots need a parallel environment; choose one.")


def _of_kind(form: JobForm, kind: str) -> Iterator[Problem]:
    if kind == "notebook":
        for where, value in (("over", form.over), ("max_parallel", form.max_parallel)):
            if value:
                yield Problem(where, "a notebook runs once. For many points write a cell with --over.")
    elif kind == "script" and form.verb == "run":
        yield Problem("verb", "a script is submitted: nothing here waits for its end.")
    if form.max_parallel and not form.over and kind == "cell":
        yield Problem("max_parallel", "it limits the tasks of a sweep; give the points, or leave it empty.")
