"""What a cluster does not honour of a script's ``#$`` lines: told with its line, or left out if that does no harm."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.errors import GcsError, UnsupportedAttribute

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cells.qsub_directives import Directive

__all__ = ["sent_with_its_lines"]

T = TypeVar("T")

#: Options that change when a job runs, who pays for it or who hears of it, and nothing of what it does.
_WISHES = ("-M", "-m", "-P", "-R", "-dl", "-js", "-w")
#: What a cluster without mail calls them.
_MAIL = ("-M", "-m")


def sent_with_its_lines(plan: CellPlan, send: Callable[[CellPlan], T]) -> T:
    """Return what `send` makes of the plan; what it refuses of a ``#$`` line is told with the line.

    A wish that the cluster cannot honour (mail, project, reservation, share, deadline, check) is left out, and
    ``plan.warnings`` says so: a script that asks for it runs on any cluster.

    Parameters
    ----------
    plan
        The plan of a script; any other is handed on.
    send
        Checks or submits it; when it raises, nothing was sent.

    Raises
    ------
    GcsError
        As `send`.
    """
    left_out: list[Directive] = []
    while True:
        try:
            return send(plan)
        except GcsError as error:
            directive = _culprit(plan, str(error), left_out)
            if directive is None:
                raise
            if isinstance(error, UnsupportedAttribute) and directive.option in _WISHES:
                plan.warnings.append(f"line {directive.line}: #$ {directive}: the job goes without it. {error}")
                plan = _without(plan, directive)
                left_out.append(directive)
                continue
            error.args = (f"{error} It stands in line {directive.line}: #$ {directive}", *error.args[1:])
            raise


def _culprit(plan: CellPlan, said: str, left_out: list[Directive]) -> Directive | None:
    """Return the directive that an error is about, if it is about one that counts."""
    options = plan.request.options
    if options.script is None:
        return None
    native = shlex.split(options.native or "")
    without = [*options.script.overruled, *left_out]
    for directive in options.script.directives:
        asked = bool(options.project) if directive.option == "-P" else directive.option in native
        counts = directive not in without and (asked or directive.option not in _WISHES)
        if counts and _is_about(said, directive):
            return directive
    return None


def _is_about(said: str, directive: Directive) -> bool:
    words = [directive.option, *(part for value in directive.values for part in re.split(r"[,=]", value))]
    if directive.option in _MAIL and said.startswith("email"):
        return True
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", said) for word in words if len(word) > 1)


def _without(plan: CellPlan, directive: Directive) -> CellPlan:
    """Return the plan without what a directive asked for."""
    options = plan.request.options
    if directive.option == "-P":
        options = replace(options, project=None)
    words, own = shlex.split(options.native or ""), [directive.option, *directive.values]
    for at in range(len(words)):
        if words[at : at + len(own)] == own:
            options = replace(options, native=shlex.join(words[:at] + words[at + len(own) :]) or None)
            break
    return replace(plan, request=replace(plan.request, options=options))
