"""Read a cell against its namespace and say what would be sent: the plan of a job."""

from __future__ import annotations

import builtins
import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.cell_source import CellSource, Discarded, read_cell
from gcs_lab.cells.code_sources import sources_of
from gcs_lab.cells.environment import travelling_environment
from gcs_lab.cells.from_jobs import taken_from_jobs
from gcs_lab.cells.interpreter import Version, job_interpreter, version_text
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.job_packages import check_packages, module_path
from gcs_lab.cells.later_module import LaterModule
from gcs_lab.errors import CellSourceError, InvalidArgument, NotPicklable
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gcs_lab.cells.script_options import ScriptOptions
    from gcs_lab.cells.sweep_points import Points
    from gcs_lab.cells.upstream import Upstream

__all__ = ["CellOptions", "CellPlan", "CellRequest", "plan_cell", "working_directory"]

#: Names that a cell assigns by habit and nobody reads in another cell, or that IPython keeps for itself.
_NOT_OUTPUTS = {"_", "__", "___"}
#: What the runner gives a cell itself.
_PROVIDED = {"get_ipython", "display", "In", "Out", "exit", "quit", "open"}


@dataclass(kw_only=True)
class CellOptions:
    """What the flags of ``%%gcs`` ask for; each name is the flag's meaning, None or empty: not given."""

    name: str | None = None
    queue: str | None = None
    requests: dict[str, str] = field(default_factory=dict)
    parallel_environment: str | None = None
    slots: tuple[int, int] | None = None
    priority: int | None = None
    hold: bool = False
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    cwd: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    python: str | None = None
    native: str | None = None
    project: str | None = None
    over: list[str] = field(default_factory=list)
    side_by_side: bool = False
    max_parallel: int | None = None
    sweep_name: str = "sweep"
    after: list[str] = field(default_factory=list)
    after_each: str | None = None
    cache: bool = False
    cache_files: list[str] = field(default_factory=list)
    lang: str | None = None
    conda: str | None = None
    modules: list[str] = field(default_factory=list)
    script: ScriptOptions | None = None
    #: Flags that came from defaults, with where each comes from.
    from_defaults: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class CellRequest:
    """A cell that shall become a job.

    ``source`` is plain Python (IPython's transformations applied) whose line numbers are the cell's own;
    ``filename`` is the name under which IPython knows it; ``display_name`` what tracebacks call it (``Cell In[3]``);
    ``display_source`` is the cell as the user wrote it, with the magic's line; ``hidden`` are names that IPython put
    into the namespace; ``cell_name`` tells what a code's file name is called if it is a cell's. ``parameters`` are
    names that each task of a sweep is given; ``left_by`` names that the same task of an earlier sweep leaves
    (``--after-each``): neither need be in the namespace.
    """

    source: str
    filename: str
    display_name: str
    display_source: str
    namespace: dict[str, Any]
    hidden: Mapping[str, Any] = field(default_factory=dict)
    cell_name: Callable[[str], str | None] = lambda _: None
    options: CellOptions = field(default_factory=CellOptions)
    parameters: Collection[str] = ()
    left_by: Mapping[str, Upstream] = field(default_factory=dict)
    execution_count: int = 0
    notebook: str = ""
    cell: str = ""

    def __post_init__(self) -> None:
        # A sweep's own parameter is nearer than one that an earlier sweep had under the same name.
        self.left_by = {name: one for name, one in self.left_by.items() if name not in self.parameters}


@dataclass(kw_only=True)
class CellPlan:
    """All that would be sent; nothing has been.

    ``after`` are jobs that must have ended well before it; ``after_each`` is a sweep whose tasks are waited for task
    by task; ``from_jobs`` are names whose values earlier jobs compute: they travel from job folder to job folder.
    ``by_task`` is False for an earlier sweep of several rounds, whose array jobs do not have this one's tasks.
    ``ended`` are those of all these jobs that have ended already, and well: there is nothing to wait for.
    ``launcher`` is what stands before the Python on the command line (environment modules, conda). ``language`` is
    None for a cell in Python. ``kind`` is the journal's word for it; ``module_path`` is where the job looks for
    modules after its own places; ``warnings`` are sentences for the user; ``more_spec`` has more of ``spec.json``.
    ``points`` are those of a sweep, None for one job.
    """

    request: CellRequest
    name: str
    inputs: dict[str, Any]
    modules: dict[str, str]
    outputs: list[str]
    cwd: str
    python: str
    environment: dict[str, str]
    withheld: list[str]
    discarded: list[Discarded]
    needs_shell: bool
    after: list[Upstream] = field(default_factory=list)
    after_each: Upstream | None = None
    from_jobs: dict[str, Upstream] = field(default_factory=dict)
    ended: list[Upstream] = field(default_factory=list)
    by_task: bool = True
    launcher: list[str] = field(default_factory=list)
    language: str | None = None
    kind: str = "cell"
    module_path: list[str] = field(default_factory=lambda: [entry for entry in sys.path if entry])
    warnings: list[str] = field(default_factory=list)
    more_spec: dict[str, Any] = field(default_factory=dict)
    points: Points | None = None

    def waits_for(self) -> list[Upstream]:
        """Return the jobs that must have ended before it may start, each once; not that of ``after_each``."""
        by_task = self.after_each.job_id if self.after_each else None
        over = {by_task, *(upstream.job_id for upstream in self.ended)}
        found = {one.job_id: one for one in [*self.from_jobs.values(), *self.after] if one.job_id not in over}
        return list(found.values())

    def _holds(self) -> tuple[list[str], list[str]]:
        """Return the ids of the jobs that are waited for as a whole, and of the one whose tasks are, one by one."""
        by_task: list[str] = []
        whole = [job_id for one in self.waits_for() for job_id in _all_ids(one)]
        if self.after_each and self.after_each not in self.ended:
            if self.by_task:
                by_task.append(self.after_each.job_id)
            else:
                whole += _all_ids(self.after_each)
        return whole, by_task

    def upstreams(self) -> list[Upstream]:
        """Return all jobs that it depends on, each once: ended ones and :attr:`after_each` too."""
        each = [self.after_each] if self.after_each else []
        return list({one.job_id: one for one in [*self.waits_for(), *self.ended, *each]}.values())

    def template(self, runner: str, folder: str, stdout: str, stderr: str) -> JobTemplate:
        """Return the job template that runs the folder's runner."""
        options, script = self.request.options, self.request.options.script
        low, high = options.slots or (None, None)
        holds, holds_by_task = self._holds()
        command = [*self.launcher, self.python, runner, folder]
        native = [options.native, options.project and f"-P {shlex.quote(options.project)}"]
        return JobTemplate(
            remote_command=command[0],
            args=command[1:],
            job_name=self.name,
            working_directory=folder,
            output_path=stdout,
            error_path=stderr,
            queue_name=options.queue,
            resource_requests=dict(options.requests),
            parallel_environment=options.parallel_environment,
            min_slots=low,
            max_slots=high,
            priority=options.priority,
            submit_as_hold=True if options.hold else None,
            hold_jid=[*holds, *(script.hold_jid if script else [])] or None,
            hold_jid_ad=[*holds_by_task, *(script.hold_jid_ad if script else [])] or None,
            native_specification=" ".join(filter(None, native)) or None,
        )

    def spec(self, heartbeat_seconds: float = 5.0) -> dict[str, Any]:
        """Return what the runner reads (docs/event-log.md)."""
        import uuid

        return {
            "version": 1,
            "token": uuid.uuid4().hex,
            "name": self.name,
            "source": self.request.source,
            "filename": self.request.filename,
            "display_name": self.request.display_name,
            "display_source": self.request.display_source,
            "python": self.python,
            "sources": sources_of(self.inputs.values(), self.request.cell_name),
            "inputs": sorted(self.inputs),
            "imports": self.modules,
            "outputs": self.outputs,
            "explicit_outputs": self.request.options.outputs,
            "cwd": self.cwd,
            "environment": self.environment,
            "named_environment": sorted(self.request.options.environment),
            "sys_path": self.module_path,
            "python_version": list(sys.version_info[:2]),
            "heartbeat_seconds": heartbeat_seconds,
            "shell": self.needs_shell,
            "after": [upstream.to_json() for upstream in self.after],
            "after_each": self.after_each and self.after_each.to_json(),
            "from_jobs": {name: upstream.to_json() for name, upstream in self.from_jobs.items()},
            "lang": self.language,
            "execution_count": self.request.execution_count,
            "notebook": self.request.notebook,
            "cell": self.request.cell,
            **self.more_spec,
        }


def plan_cell(request: CellRequest) -> CellPlan:
    """Read the cell and check it against its namespace.

    Raises
    ------
    SyntaxError
        If the cell is not Python.
    CellSourceError
        If it needs names that are not defined (all of them are named, with their lines).
    NotReady
        If it needs a value that an earlier job was to compute and did not.
    InvalidArgument
        If a flag's value cannot work.
    """
    options = request.options
    source = read_cell(request.source, request.filename)
    values = _needed_values(request, source)
    from_jobs = taken_from_jobs(values, request.left_by, {*source.needs, *options.inputs})
    values = {name: value for name, value in values.items() if name not in from_jobs}
    modules = {name: value.__name__ for name, value in values.items() if isinstance(value, ModuleType)}
    _check_modules(modules, values)
    environment, withheld = travelling_environment(os.environ, options.environment)
    inputs = {name: value for name, value in values.items() if name not in modules}
    outputs = _outputs(source, options, values)
    python = job_interpreter(options.python, options.conda, options.modules)
    _check_code_travels(inputs, python.version)
    warnings = check_packages(python, inputs, modules, outputs, request.source)
    return CellPlan(
        request=request,
        name=options.name or f"cell_{request.execution_count}",
        inputs=inputs,
        modules=modules,
        outputs=outputs,
        cwd=working_directory(options.cwd),
        python=python.path,
        launcher=python.launcher,
        module_path=module_path(python.version),
        warnings=[*python.warnings, *warnings],
        environment=environment,
        withheld=withheld,
        discarded=[d for d in source.discarded if d.name not in outputs and _is_instance(inputs.get(d.name))],
        needs_shell="get_ipython" in source.needs,
        from_jobs=from_jobs,
    )


def _needed_values(request: CellRequest, source: CellSource) -> dict[str, Any]:
    namespace, hidden = request.namespace, request.hidden
    undefined: dict[str, int] = {}
    values: dict[str, Any] = {}
    for name, line in source.needs.items():
        if name in request.parameters or name in request.left_by:
            continue
        if name in namespace and not (name in hidden and namespace[name] is hidden[name]):
            values[name] = namespace[name]
        elif name in _PROVIDED or hasattr(builtins, name) or name in source.optional or source.open_ended:
            continue
        else:
            undefined[name] = line
    for name in request.options.inputs:
        if name in request.parameters or name in request.left_by:
            continue
        if name not in namespace:
            raise CellSourceError(f"--in {name}: {name!r} is not defined in this notebook. Nothing was sent.")
        values[name] = namespace[name]
    if undefined:
        raise CellSourceError(_undefined_text(request, undefined))
    return values


def _undefined_text(request: CellRequest, undefined: dict[str, int]) -> str:
    lines = request.source.splitlines()
    shown = "\n".join(
        f"  {name}: {request.display_name}, line {line}: {lines[line - 1].strip() if line <= len(lines) else ''}"
        for name, line in undefined.items()
    )
    many = len(undefined) > 1
    return (
        f"the cell needs {'names that are' if many else 'a name that is'} not defined:\n{shown}\n"
        f"Nothing was sent. Define {'them' if many else 'it'} in the cell, or run the cell that does."
    )


def _check_modules(modules: dict[str, str], values: dict[str, Any]) -> None:
    for name, module in modules.items():
        if module not in sys.modules and not isinstance(values[name], LaterModule):
            raise NotPicklable(
                f"{name} is a module called {module!r} that was made here and cannot be imported elsewhere. Nothing "
                "was sent. Put its code into a file beside the notebook, or define what the cell needs as functions."
            )


def _outputs(source: CellSource, options: CellOptions, values: dict[str, Any]) -> list[str]:
    changed = [name for name in source.changes if not isinstance(values.get(name), (ModuleType, FunctionType, type))]
    known = dict.fromkeys([*source.leaves, *changed])
    found = [name for name in known if name not in _NOT_OUTPUTS]
    for name in options.outputs:
        if not name.isidentifier():
            raise InvalidArgument(f"--out {name}: {name!r} cannot be the name of a variable.")
        if name not in known and name not in values and not source.open_ended:
            raise CellSourceError(
                f"--out {name}: the cell neither assigns nor uses {name!r}. Nothing was sent. "
                f"It leaves: {', '.join(found) or 'nothing'}."
            )
    return [*found, *(name for name in options.outputs if name not in found)]


def working_directory(cwd: str | None) -> str:
    """Return the absolute folder that a job runs in: that of ``--cwd``, else the notebook's."""
    path = Path(cwd).expanduser() if cwd else Path.cwd()
    if not path.is_dir():
        raise InvalidArgument(f"--cwd {cwd}: there is no such folder here. Nothing was sent.")
    return str(path.absolute())


def _check_code_travels(inputs: dict[str, Any], version: Version | None) -> None:
    """Refuse functions and classes of the notebook for another version of Python: bytecode does not travel."""
    here = (sys.version_info.major, sys.version_info.minor)
    if version is None or version == here:
        return
    code = [
        name
        for name, value in inputs.items()
        if getattr(value, "__module__", None) == "__main__" and isinstance(value, (FunctionType, type))
    ]
    if code:
        raise NotPicklable(
            f"{', '.join(code)}: code defined in the notebook (Python {version_text(here)}) cannot run in Python "
            f"{version_text(version)}. Nothing was sent. Define it in the cell, or in a file that the job imports."
        )


def _all_ids(upstream: Upstream) -> list[str]:
    """Return the ids of an earlier job; of a sweep, those of all its rounds: each may still have tasks to run."""
    ids = JobFolder(Path(upstream.folder)).round_ids() if upstream.tasks and upstream.folder else []
    return ids or [upstream.job_id]


def _is_instance(value: object) -> bool:
    plain = (int, float, complex, str, bytes, tuple, frozenset, bool, type(None))
    return value is not None and not isinstance(value, (type, FunctionType, ModuleType, *plain))
