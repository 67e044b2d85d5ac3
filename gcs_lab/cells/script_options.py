"""What the ``#$`` lines of a script ask for, put under the flags of its magic's line."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.environment import parse_assignments
from gcs_lab.cells.plan import CellOptions
from gcs_lab.cells.qsub_directives import Directive, read_directives, read_interpreter
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_requests, parse_slots

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ScriptOptions", "with_directives"]

_PRIORITIES = range(-1023, 1025)
_TASKS = re.compile(r"(?P<first>\d{1,10})(?:-(?P<last>\d{1,10})(?::(?P<step>\d{1,10}))?)?\Z", re.ASCII)
#: The parameter of a sweep that ``-t`` makes.
TASK_PARAMETER = "SGE_TASK_ID"


@dataclass(kw_only=True)
class ScriptOptions:
    """What a script says of itself, beside what :class:`~gcs_lab.cells.plan.CellOptions` has words for.

    ``interpreter`` is that of ``-S`` or of the ``#!`` line, with its arguments; ``stdout``, ``stderr`` and ``stdin``
    are the values of ``-o``, ``-e`` and ``-i``; ``hold_jid`` and ``hold_jid_ad`` name jobs as qsub does;
    ``variables`` are those that an array job has beside its index; ``overruled`` are directives that a flag beats.
    """

    directives: list[Directive] = field(default_factory=list)
    overruled: list[Directive] = field(default_factory=list)
    interpreter: tuple[str, tuple[str, ...]] | None = None
    stdout: str | None = None
    stderr: str | None = None
    stdin: str | None = None
    join: bool = False
    hold_jid: list[str] = field(default_factory=list)
    hold_jid_ad: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def with_directives(options: CellOptions, source: str) -> CellOptions:
    """Return the options with what the script's ``#$`` lines say where the flags say nothing.

    Among the lines a later one wins; ``-l``, ``-v``, ``-hold_jid`` and ``-hold_jid_ad`` add up, as in qsub.

    Parameters
    ----------
    options
        What the flags ask for.
    source
        The script; its line numbers are those of the cell.

    Raises
    ------
    InvalidArgument
        If a directive cannot work; the message names its line.
    UnsupportedAttribute
        If one cannot be honoured; the message names its line and says why.
    """
    reading = _Reading()
    for directive in read_directives(source):
        reading.take(directive)
    found, script = reading.finish()
    script.interpreter = script.interpreter or read_interpreter(source)
    script.overruled = [one for one in script.directives if _is_overruled(one, options)]
    native = " ".join(filter(None, [found.native, options.native]))
    over = options.over or found.over
    return replace(
        options,
        name=options.name or found.name,
        queue=options.queue or found.queue,
        requests=found.requests | options.requests,
        parallel_environment=options.parallel_environment or found.parallel_environment,
        slots=options.slots or found.slots,
        priority=found.priority if options.priority is None else options.priority,
        hold=options.hold or found.hold,
        cwd=options.cwd or found.cwd,
        environment=found.environment | options.environment,
        native=native or None,
        project=options.project or found.project,
        over=over,
        max_parallel=(options.max_parallel or found.max_parallel) if over else options.max_parallel,
        script=script if over is found.over else replace(script, variables={}),
    )


#: The field of the options that overrules a directive.
_FIELDS = {
    "-N": "name", "-q": "queue", "-pe": "parallel_environment", "-p": "priority", "-P": "project", "-t": "over",
    "-tc": "max_parallel", "-wd": "cwd", "-cwd": "cwd",
}  # fmt: skip


def _is_overruled(directive: Directive, options: CellOptions) -> bool:
    field_name = _FIELDS.get(directive.option)
    return field_name is not None and getattr(options, field_name) not in (None, [], "")


class _Reading:
    """Takes directives one by one."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self.found = CellOptions()
        self.script = ScriptOptions()
        self.native: list[str] = []
        self._soft = False

    def finish(self) -> tuple[CellOptions, ScriptOptions]:
        """Return what was found."""
        if self.found.max_parallel is not None and not self.found.over:
            where = next(one for one in self.script.directives if one.option == "-tc")
            raise where.wrong("-t with it: it limits the tasks of an array job")
        if self._soft:
            self.native.append("-hard")
        self.found.native = shlex.join(self.native) or None
        return self.found, self.script

    def take(self, directive: Directive) -> None:
        """Take the next one."""
        if directive.option == "-clear":
            self._reset()
            return
        self.script.directives.append(directive)
        option = directive.option
        if option in ("-soft", "-hard"):
            if self._soft != (option == "-soft"):
                self.native.append(option)
            self._soft = option == "-soft"
        elif self._soft and option in ("-l", "-q"):
            self.native += [option, *directive.values]
        elif option in _READERS:
            _READERS[option](self, directive)
        elif option not in _WITHOUT_EFFECT:
            self.native += [option, *directive.values]


def _name(reading: _Reading, directive: Directive) -> None:
    reading.found.name = directive.values[0]


def _queue(reading: _Reading, directive: Directive) -> None:
    reading.found.queue = directive.values[0]


def _project(reading: _Reading, directive: Directive) -> None:
    reading.found.project = directive.values[0]


def _requests(reading: _Reading, directive: Directive) -> None:
    try:
        reading.found.requests |= parse_requests(directive.values[0])
    except InvalidArgument as error:
        raise InvalidArgument(f"line {directive.line}: #$ {error} Nothing was sent.") from None


def _slots(reading: _Reading, directive: Directive) -> None:
    try:
        reading.found.parallel_environment, reading.found.slots = (
            directive.values[0],
            parse_slots(directive.values[1]),
        )
    except InvalidArgument as error:
        raise InvalidArgument(f"line {directive.line}: #$ {error} Nothing was sent.") from None


def _priority(reading: _Reading, directive: Directive) -> None:
    value = _whole_number(directive)
    if value not in _PRIORITIES:
        raise directive.wrong("a priority from -1023 to 1024")
    reading.found.priority = value


def _hold(reading: _Reading, _: Directive) -> None:
    reading.found.hold = True


def _cwd(reading: _Reading, _: Directive) -> None:
    # The notebook's folder, which is what a cell runs in anyway.
    reading.found.cwd = None


def _wd(reading: _Reading, directive: Directive) -> None:
    if not Path(directive.values[0]).expanduser().is_dir():
        raise directive.wrong("a folder that is here, too")
    reading.found.cwd = directive.values[0]


def _variables(reading: _Reading, directive: Directive) -> None:
    for part in filter(None, directive.values[0].split(",")):
        name = part.partition("=")[0]
        try:
            # As qsub does: a variable that is not set here is set to nothing.
            reading.found.environment |= parse_assignments([part], {name: os.environ.get(name, "")})
        except InvalidArgument as error:
            said = str(error).replace("--env", "#$ -v")
            raise InvalidArgument(f"line {directive.line}: {said} Nothing was sent.") from None


def _interpreter(reading: _Reading, directive: Directive) -> None:
    entries = [entry for entry in directive.values[0].split(",") if entry]
    if len(entries) != 1:
        raise directive.wrong("one path: a path for each host cannot be honoured here")
    reading.script.interpreter = entries[0].lstrip(":"), ()


def _stdout(reading: _Reading, directive: Directive) -> None:
    reading.script.stdout = directive.values[0]


def _stderr(reading: _Reading, directive: Directive) -> None:
    reading.script.stderr = directive.values[0]


def _stdin(reading: _Reading, directive: Directive) -> None:
    reading.script.stdin = directive.values[0]


def _join(reading: _Reading, directive: Directive) -> None:
    reading.script.join = _yes(directive)


def _hold_jid(reading: _Reading, directive: Directive) -> None:
    reading.script.hold_jid += [name for name in directive.values[0].split(",") if name]


def _hold_jid_ad(reading: _Reading, directive: Directive) -> None:
    reading.script.hold_jid_ad += [name for name in directive.values[0].split(",") if name]


def _tasks(reading: _Reading, directive: Directive) -> None:
    match = _TASKS.match(directive.values[0])
    first = int(match["first"]) if match else 0
    last, step = (int(match["last"] or first), int(match["step"] or 1)) if match else (0, 0)
    if not 1 <= first <= last or step < 1:
        raise directive.wrong("n, n-m or n-m:s with 1 <= n <= m, for example 1-10 or 2-20:2")
    reading.found.over = [f"{TASK_PARAMETER}=range({first}, {last + 1}, {step})"]
    reading.script.variables = {
        "SGE_TASK_FIRST": str(first), "SGE_TASK_LAST": str(last), "SGE_TASK_STEPSIZE": str(step)
    }  # fmt: skip


def _max_parallel(reading: _Reading, directive: Directive) -> None:
    reading.found.max_parallel = _whole_number(directive)
    if reading.found.max_parallel < 1:
        raise directive.wrong("a whole number from 1 on")


def _not_yes(_: _Reading, directive: Directive) -> None:
    if _yes(directive):
        use = "%%gcs run waits for the job" if directive.option == "-sync" else "a job that finds no room waits"
        raise directive.unsupported(use)


def _check(reading: _Reading, directive: Directive) -> None:
    if directive.values[0] in ("v", "p"):
        raise directive.unsupported("it sends no job; --explain shows what would be sent")
    if directive.values[0] != "n":
        reading.native += ["-w", directive.values[0]]


def _yes(directive: Directive) -> bool:
    value = directive.values[0].lower()
    if value not in ("y", "yes", "n", "no"):
        raise directive.wrong("y or n")
    return value.startswith("y")


def _whole_number(directive: Directive) -> int:
    try:
        return int(directive.values[0])
    except ValueError:
        raise directive.wrong("a whole number") from None


#: Options that qsub, too, takes from a script without any effect (-b, -C, -shell), or that are about its own answer.
_WITHOUT_EFFECT = frozenset(("-C", "-b", "-shell", "-terse", "-V"))
#: What is not here goes to the scheduler in its own words.
_READERS: dict[str, Callable[[_Reading, Directive], None]] = {
    "-N": _name, "-q": _queue, "-P": _project, "-l": _requests,
    "-pe": _slots, "-p": _priority, "-h": _hold, "-cwd": _cwd,
    "-wd": _wd, "-v": _variables, "-S": _interpreter, "-o": _stdout,
    "-e": _stderr, "-i": _stdin, "-j": _join, "-hold_jid": _hold_jid,
    "-hold_jid_ad": _hold_jid_ad, "-t": _tasks, "-tc": _max_parallel,
    "-now": _not_yes, "-sync": _not_yes, "-w": _check,
}  # fmt: skip
