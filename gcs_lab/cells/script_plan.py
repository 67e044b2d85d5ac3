"""Read a cell in another language and say what would be sent: the plan of a script's job."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.environment import travelling_environment
from gcs_lab.cells.from_jobs import is_upstream_source, taken_from_jobs
from gcs_lab.cells.interpreter import job_interpreter
from gcs_lab.cells.languages import LANGUAGES, Language, find_language, with_interpreter
from gcs_lab.cells.plan import CellPlan, working_directory
from gcs_lab.cells.runner.script_values import place_value, suffix_of
from gcs_lab.cells.script_names import check_variable, input_names, result_names, undefined_input
from gcs_lab.cells.script_options import TASK_PARAMETER, ScriptOptions, with_directives
from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.user_paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.cells.plan import CellRequest

__all__ = ["plan_script", "script_source", "write_script_inputs"]

#: What Grid Engine starts as login shells (``login_shells`` in sge_conf(5), the default; seen so on 8.1.9).
_LOGIN_SHELLS = ("bash", "sh", "ksh", "csh", "tcsh")
#: ``name=``, ``for name``, ``read -r name``, ``local name`` …
_ASSIGNED = (
    r"(?:^|[\s;&|(]){name}\+?=|\b(?:for|read|local|export|declare|typeset|select|foreach|set)\s[^\n;]*\b{name}\b"
)
_USED = re.compile(r"(?<!\\)\$(?:\{(?:#|!)?)?([A-Za-z_]\w*)")


def script_source(cell: str) -> str:
    """Return a script whose line numbers are those that the user sees: line 1 is the magic's, and empty here.

    No shell understands the line ends of Windows: where every line has them, they are taken as line ends.
    """
    return "\n" + (cell.replace("\r\n", "\n") if _has_windows_ends(cell) else cell)


def _has_windows_ends(cell: str) -> bool:
    return "\r\n" in cell and cell.count("\r\n") == cell.count("\n")


def plan_script(request: CellRequest) -> CellPlan:
    """Check a cell in another language against its flags, its ``#$`` lines and the namespace.

    Raises
    ------
    CellSourceError
        If ``--in`` names what is not defined.
    NotReady
        If it needs a value that an earlier job was to compute and did not.
    InvalidArgument
        If a flag, a directive or a value cannot work; the message says what would.
    UnsupportedAttribute
        If a directive cannot be honoured; the message names its line.
    """
    if request.options.script is None:
        request = replace(request, options=with_directives(request.options, request.source))
    options = request.options
    script = options.script or ScriptOptions()
    language = _language(request, script)
    suffixes = input_names(options.inputs)
    values = _values(request, suffixes)
    _check_no_jobs(values)
    from_jobs = taken_from_jobs(values, request.left_by, suffixes)
    values = {name: value for name, value in values.items() if name not in from_jobs}
    _check_inputs(request, values, suffixes)
    files, names, remarks = result_names(options.outputs)
    if _has_windows_ends(request.display_source.partition("\n")[2]):
        remarks = [*remarks, "the script's Windows line ends (CR LF) were taken as line ends."]
    if request.parameters:
        _check_files_of_tasks(files, next(iter(request.parameters)))
    environment, withheld = travelling_environment(os.environ, options.environment)
    python = job_interpreter(options.python, options.conda, options.modules)
    if language.name == "python" and (options.lang or "").lower() == "python" and script.interpreter is None:
        language = replace(language, program=python.path)
    return CellPlan(
        request=request,
        name=options.name or f"cell_{request.execution_count}",
        inputs=values,
        modules={},
        outputs=[*files, *names],
        cwd=working_directory(options.cwd),
        python=python.path,
        launcher=python.launcher,
        environment=environment,
        withheld=withheld,
        discarded=[],
        needs_shell=False,
        from_jobs=from_jobs,
        language=language.name,
        kind="script",
        more_spec={
            "explicit_outputs": [*files, *names],
            "script": {
                "program": language.program,
                "arguments": list(language.arguments),
                "suffix": language.suffix,
                "login": _as_login_shell(language, script) and not python.launcher,
                # Where qsub would have been called: scripts go there.
                "variables": {"SGE_O_WORKDIR": str(Path.cwd()), **script.variables},
                "suffixes": {name: suffix for name, suffix in suffixes.items() if suffix},
                "files": files,
                "names": names,
                "stdout": script.stdout,
                "stderr": script.stderr,
                "stdin": script.stdin,
                "join": script.join,
            },
        },
        warnings=[*python.warnings, *remarks, *_overlooked(request, language, suffixes)],
    )


def _language(request: CellRequest, script: ScriptOptions) -> Language:
    options = request.options
    word = options.lang or "sh"
    if script.interpreter is not None and os.sep not in word:
        # The script's own interpreter, unless the flag says which program it shall be.
        known = LANGUAGES.get(word.lower()) or Language(word, word)
        return with_interpreter(known, *script.interpreter)
    return find_language(word, elsewhere=bool(options.conda or options.modules))


def _as_login_shell(language: Language, script: ScriptOptions) -> bool:
    """Tell whether the shell reads the user's profile first: that of a script for qsub does (``sge_conf(5)``)."""
    return bool(script.directives) and Path(language.program).name in _LOGIN_SHELLS and not language.arguments


def _values(request: CellRequest, names: Mapping[str, str]) -> dict[str, Any]:
    namespace = request.namespace
    values = {}
    for name in names:
        if name not in request.options.environment:
            check_variable(name, "--in")
        if name in request.parameters or name in request.left_by:
            continue
        if name not in namespace:
            raise undefined_input(name, namespace.keys())
        values[name] = namespace[name]
    for name in request.parameters:
        if name != TASK_PARAMETER:
            check_variable(name, "--over")
    return values


def _check_no_jobs(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if is_upstream_source(value):
            raise InvalidArgument(
                f"--in {name}: it is a {type(value).__name__}, and not what it leaves. Send a variable that it "
                "leaves, or of a sweep its table when it is done (table = sweep.frame). To wait for it use --after "
                f"{name}. Nothing was sent."
            )


def _check_inputs(request: CellRequest, values: Mapping[str, Any], suffixes: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name in request.options.environment:
            raise InvalidArgument(f"{name} is named by --in and by --env (or #$ -v). Give one of the two.")
        try:
            suffix = suffix_of(name, value, suffixes[name])
        except TypeError as error:
            raise InvalidArgument(f"--in {error} Nothing was sent.") from None
        if isinstance(value, str) and "\0" in value and not suffix:
            raise InvalidArgument(f"--in {name}: it has a NUL character; send it as a file: --in {name}.txt.")


def _check_files_of_tasks(files: Mapping[str, str], parameter: str) -> None:
    for entry in files.values():
        if "$" not in entry:
            path = Path(entry)
            example = path.with_name(f"{path.stem}-${parameter}{path.suffix}")
            raise InvalidArgument(
                f"--out {entry}: all tasks of the sweep would write the same file. Put a parameter into its name, and"
                f" let the script write that file: --out '{example}'. Nothing was sent."
            )


def _overlooked(request: CellRequest, language: Language, inputs: Mapping[str, str]) -> list[str]:
    """Say which variables of the notebook a shell script uses that do not travel."""
    if not language.is_shell:
        return []
    namespace, hidden = request.namespace, request.hidden
    known = {*inputs, *request.parameters, *request.options.environment, *os.environ}
    found = []
    for name in dict.fromkeys(_USED.findall(request.source)):
        value = namespace.get(name)
        if name in known or name not in namespace or name.startswith("_") or name in hidden:
            continue
        if isinstance(value, (ModuleType, FunctionType, type)) or callable(value):
            continue
        if not re.search(_ASSIGNED.format(name=name), request.source, re.MULTILINE):
            found.append(name)
    if not found:
        return []
    many = len(found) > 1
    dollars = ", ".join(f"${name}" for name in found)
    what = "are variables" if many else "is a variable"
    sends = f"--in {','.join(found)} sends {'them' if many else 'it'}"
    return [f"{dollars} {what} of the notebook, and not set in the script; {sends}."]


def write_script_inputs(folder: JobFolder, plan: CellPlan, spec: dict[str, Any]) -> None:
    """Write the inputs of a script into its folder, and what its environment shall be into `spec`.

    Raises
    ------
    InvalidArgument
        If a value cannot be written as what a script takes.
    OSError
        If the disk is full.
    """
    script: dict[str, Any] = {**spec["script"], "variables": dict(spec["script"]["variables"])}
    spec["script"] = script
    if plan.inputs:
        private_folder(folder.input_files)
    for name, value in plan.inputs.items():
        wanted = script["suffixes"].get(name, "")
        try:
            text, path = place_value(str(folder.input_files), name, value, wanted)
        except (OSError, GcsError):
            raise
        except Exception as error:
            raise InvalidArgument(
                f"--in {name}: it could not be written for the script: {error}. Nothing was sent."
            ) from error
        script["variables"][name] = text
        if path and not suffix_of(name, value, wanted):
            plan.warnings.append(f"{name} is too large for a variable: ${name} is the path of a file with it.")
