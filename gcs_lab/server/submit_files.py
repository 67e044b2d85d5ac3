"""Submits a notebook or a script of the server's files: what ``gcs-lab submit-notebook`` and ``qsub`` do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument
from gcs_lab.server.form_line import line_of
from gcs_lab.server.plan_checks import field_problems, flags_of, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.plan import CellOptions, CellPlan
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cluster import Cluster
    from gcs_lab.magics.session import Session
    from gcs_lab.server.form_line import JobForm

__all__ = ["file_problem", "language_of", "submit_file"]

#: Languages by the endings of files; a script that names its interpreter (``#$ -S``, ``#!``) runs with that.
LANGUAGES = {".sh": "bash", ".bash": "bash", ".py": "python", ".r": "R", ".jl": "julia"}
_MOST_OF_SCRIPT = 10 << 20


def language_of(path: Path) -> str:
    """Return the language of a script by its ending; '' if it is none that is known."""
    return LANGUAGES.get(path.suffix.lower(), "")


def file_problem(path: Path, kind: str) -> str:
    """Return why a file cannot be submitted, as far as can be told by a look at it; '' if it can."""
    if not path.exists():
        return f"{path.name} is not there (any more). Save it first."
    if not path.is_file():
        return f"{path.name} is no file."
    if kind == "notebook":
        return "" if path.suffix == ".ipynb" else f"{path.name} is no notebook: its name does not end in .ipynb."
    if not language_of(path):
        return f"{path.name} is no script that is known here; its name has to end in {', '.join(LANGUAGES)}."
    if path.stat().st_size > _MOST_OF_SCRIPT:
        return f"{path.name} has {path.stat().st_size:,} bytes; a script has at most {_MOST_OF_SCRIPT:,}."
    return ""


def submit_file(
    cluster: Cluster, kind: str, path: Path, form: JobForm, parameters: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Submit a file as a job, and return an ``ISubmitted``. When it raises, nothing was sent.

    A notebook runs in its folder, and its output notebook is beside it. A script runs in its folder; its ``#$`` lines
    are honoured, and the form counts more.

    Parameters
    ----------
    cluster
        Where it runs.
    kind
        ``"notebook"`` or ``"script"``.
    path
        The file.
    form
        What the job asks for.
    parameters
        Papermill's, of a notebook.

    Raises
    ------
    InvalidArgument
        If the file cannot be a job, or a value of the form cannot work (its ``field`` says which).
    GcsError
        If the cluster refuses it, or does not answer.
    """
    if why := file_problem(path, kind):
        raise _about("path", why)
    if parameters and kind != "notebook":
        raise _about("parameters", "only a notebook has parameters; a script may have its #$ -v lines.")
    language = language_of(path) if kind == "script" else ""
    if problems := field_problems(form, kind, cluster, str(path), language):
        raise _about(problems[0].field, "\n".join(problem.message for problem in problems))
    from gcs_lab.magics.session import Session

    session = Session()
    options = options_of(flags_of(form, kind, str(path), language))
    if kind == "notebook":
        return _submit_notebook(cluster, session, path, options, parameters or {})
    return _submit_script(cluster, session, path, options, line_of(form, kind, str(path), language))


def _about(field: str, message: str) -> InvalidArgument:
    error = InvalidArgument(message)
    error.field = field  # type: ignore[attr-defined]
    return error


def _submit_notebook(
    cluster: Cluster, session: Session, path: Path, options: CellOptions, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    import yaml

    from gcs_lab.cells.dependencies import Dependencies
    from gcs_lab.cells.notebook_plan import NotebookRequest, output_of, plan_notebook, submit_notebook

    plan = plan_notebook(
        NotebookRequest(
            path=str(path),
            yaml=[yaml.safe_dump(dict(parameters))] if parameters else [],
            options=options,
            display_source=f"%gcs submit-notebook {path.name}",
            notebook=str(path),
        )
    )
    dependencies = Dependencies({}, session)
    dependencies.settle(plan, cluster)
    job = submit_notebook(plan, cluster, session.journal)
    return _submitted(job, plan, f"Its output notebook is {output_of(plan).name}.", dependencies.notes)


def _submit_script(cluster: Cluster, session: Session, path: Path, options: CellOptions, line: str) -> dict[str, Any]:
    from gcs_lab.cells.dependencies import Dependencies
    from gcs_lab.cells.plan import CellRequest
    from gcs_lab.cells.script_options import with_directives
    from gcs_lab.cells.script_plan import plan_script, script_source
    from gcs_lab.cells.submission import submit_cell
    from gcs_lab.cells.sweep_points import asked_points
    from gcs_lab.cells.sweep_submission import add_points, submit_sweep
    from gcs_lab.cells.unhonoured_directives import sent_with_its_lines

    text = _text_of(path)
    # A file has no magic's line above it, so its lines have their own numbers.
    source = script_source(text)[1:]
    options = with_directives(options, source)
    options = replace(options, name=options.name or _job_name(path), cwd=options.cwd or str(path.parent))
    points = asked_points(options, {})
    plan = plan_script(
        CellRequest(
            source=source,
            filename=str(path),
            display_name=path.name,
            display_source=f"{line}\n{text}",
            namespace={},
            options=options,
            parameters=points.names if points else (),
            notebook=str(path),
        )
    )
    # Where qsub would have been called.
    plan.more_spec["script"]["variables"]["SGE_O_WORKDIR"] = str(path.parent)
    if points is not None:
        add_points(plan, points)
    dependencies = Dependencies({}, session)
    dependencies.settle(plan, cluster, None, len(points or ()))

    def send(plan: CellPlan) -> CellJob | Sweep:
        submit = submit_cell if plan.points is None else submit_sweep
        return submit(plan, cluster, session.journal)

    job = sent_with_its_lines(plan, send)
    return _submitted(job, plan, f"It runs in {plan.cwd}.", dependencies.notes)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _about("path", f"{path.name} is no text in UTF-8, so it is not taken for a script.") from None
    except OSError as error:
        raise _about("path", f"{path.name} cannot be read: {error.strerror}.") from error


def _job_name(path: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem).strip("_") or "script"
    return name if name[0].isalpha() else f"job_{name}"


def _submitted(job: CellJob | Sweep, plan: CellPlan, where: str, notes: list[str]) -> dict[str, Any]:
    what = "Job" if plan.points is None else f"Array job of {len(plan.points):,} tasks"
    said = [f"{what} {job.id} ({job.name}) was sent to {job.cluster.name}.", where, *plan.warnings, *notes]
    return {"job_id": job.id, "name": job.name, "text": " ".join(said)}
