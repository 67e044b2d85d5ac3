"""What ``--explain`` shows of a cell in another language."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.runner.script_values import suffix_of

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan

__all__ = ["script_sections"]

_Rows = list[tuple[str, ...]]


def script_sections(plan: CellPlan) -> list[tuple[str, _Rows]]:
    """Return the sections that take the place of a Python cell's: the script, what it is given, what it leaves."""
    spec: dict[str, Any] = plan.more_spec["script"]
    return [
        ("script", _script_rows(plan, spec)),
        ("sent", _input_rows(plan, spec)),
        ("comes back", _output_rows(spec)),
    ]


def _script_rows(plan: CellPlan, spec: dict[str, Any]) -> _Rows:
    rows: _Rows = [
        ("language", str(plan.language)),
        ("runs", shlex.join([spec["program"], *spec["arguments"], f"FOLDER/script{spec['suffix']}"])),
    ]
    if spec["login"]:
        rows.append(("as", "a login shell, as Grid Engine starts scripts: it reads the profile"))
    files = (("stdout", "standard output"), ("stderr", "standard error"), ("stdin", "standard input"))
    rows += [(name, f"{spec[key]}{'' if key == 'stdin' else ', too'}") for key, name in files if spec[key]]
    if spec["join"]:
        rows.append(("standard error", "goes where standard output goes"))
    script = plan.request.options.script
    if script is None:
        return rows
    rows += [(f"after {job}", "as qsub -hold_jid: when it has left the queue") for job in script.hold_jid]
    rows += [(f"after each task of {job}", "as qsub -hold_jid_ad") for job in script.hold_jid_ad]
    for directive in script.directives:
        beaten = "; the flag on the magic's line counts" if directive in script.overruled else ""
        rows.append((f"line {directive.line}", f"#$ {directive}{beaten}"))
    return rows


def _input_rows(plan: CellPlan, spec: dict[str, Any]) -> _Rows:
    rows: _Rows = []
    for name, value in plan.inputs.items():
        suffix = suffix_of(name, value, spec["suffixes"].get(name, ""))
        how = f"${name}: the path of a file {name}{suffix}" if suffix else f"${name}"
        rows.append((name, type(value).__qualname__, how))
    rows += [(name, "of an earlier job", f"${name}") for name in plan.from_jobs]
    return rows or [("nothing: --in names what the script needs",)]


def _output_rows(spec: dict[str, Any]) -> _Rows:
    rows: _Rows = [(name, f"the file {path}") for name, path in spec["files"].items()]
    rows += [(name, f"a line {name}=… of the file $GCS_LAB_OUT") for name in spec["names"]]
    return rows or [("nothing: --out names the files that it leaves",)]
