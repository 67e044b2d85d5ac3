"""A whole notebook as a job: what would be sent, and the output notebook that can be read while it runs."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.environment import looks_secret, travelling_environment
from gcs_lab.cells.interpreter import job_interpreter
from gcs_lab.cells.job_packages import module_path
from gcs_lab.cells.notebook_question import NotebookQuestion, ask_notebook
from gcs_lab.cells.plan import CellOptions, CellPlan, CellRequest, working_directory
from gcs_lab.cells.submission import submit_cell
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.journal import Journal
    from gcs_lab.cluster import Cluster

__all__ = ["NotebookRequest", "output_of", "plan_notebook", "submit_notebook"]


@dataclass(kw_only=True)
class NotebookRequest:
    """A notebook that shall become a job.

    ``typed``, ``raw`` are ``NAME=VALUE`` texts (``-p``, ``-r``), ``yaml`` texts and ``files`` paths of YAML mappings;
    ``output`` is where the output notebook goes (None: beside the notebook); ``display_source`` is what the user
    wrote.
    """

    path: str
    output: str | None = None
    kernel: str | None = None
    typed: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    yaml: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    options: CellOptions = field(default_factory=CellOptions)
    display_source: str = ""
    execution_count: int = 0
    notebook: str = ""
    cell: str = ""


def plan_notebook(request: NotebookRequest) -> CellPlan:
    """Check a notebook, its kernel and its parameters, and return the plan of its job.

    It runs in the folder that it stands in, unless ``--cwd`` names another.

    Raises
    ------
    InvalidArgument
        If the notebook is not there or is none, if the output cannot be written there, if the job's Python has no
        papermill, or if a flag's value cannot work.
    UnknownName
        If the kernel is not there, or the notebook knows no such parameter.
    """
    options = request.options
    path = _existing(request.path)
    python = job_interpreter(options.python, options.conda, options.modules)
    question = NotebookQuestion(
        path=str(path),
        kernel=request.kernel,
        typed=tuple(_pairs(request.typed, "-p")),
        raw=tuple(_pairs(request.raw, "-r")),
        yaml=tuple(request.yaml),
        files=tuple(str(_existing(file, "-f ")) for file in request.files),
    )
    output = _output(path, request.output)
    answer = ask_notebook(question, python)
    environment, withheld = travelling_environment(os.environ, options.environment)
    return CellPlan(
        request=CellRequest(
            source=f"# {path.name}",
            filename=str(path),
            display_name=path.name,
            display_source=request.display_source,
            namespace={},
            options=options,
            execution_count=request.execution_count,
            notebook=request.notebook,
            cell=request.cell,
        ),
        name=options.name or _job_name(path),
        inputs={},
        modules={},
        outputs=[],
        cwd=working_directory(options.cwd) if options.cwd else str(path.parent),
        python=python.path,
        launcher=python.launcher,
        module_path=module_path(python.version),
        environment=environment,
        withheld=withheld,
        discarded=[],
        needs_shell=False,
        kind="notebook",
        warnings=[*python.warnings, *answer.warnings, *_secret_parameters(answer.parameters)],
        more_spec={
            "notebook_run": {
                "path": str(path),
                "output": str(output),
                "parameters": answer.parameters,
                "kernel": answer.kernel,
            }
        },
    )


def submit_notebook(plan: CellPlan, cluster: Cluster, journal: Journal | None = None) -> CellJob:
    """Submit a notebook's job as :func:`~gcs_lab.cells.submission.submit_cell` does.

    The output notebook is there when this returns, so that it can be opened: it is the notebook as it is, until the
    job begins. An output notebook that was there before stays until then.
    """
    made = _make_output(plan)
    try:
        return submit_cell(plan, cluster, journal)
    except BaseException:
        if made:
            output_of(plan).unlink(missing_ok=True)
        raise


def output_of(plan: CellPlan) -> Path:
    """Return the path of the output notebook."""
    return Path(plan.more_spec["notebook_run"]["output"])


def _make_output(plan: CellPlan) -> bool:
    """Put a copy of the notebook where the output goes, if nothing is there; return whether it did."""
    run = plan.more_spec["notebook_run"]
    output = Path(run["output"])
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    part.write_bytes(Path(run["path"]).read_bytes())
    try:
        # A link is made whole or not at all, and never over another file.
        os.link(part, output)
    except FileExistsError:
        return False
    except OSError:
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return True


def _existing(text: str, flag: str = "") -> Path:
    path = Path(text).expanduser().absolute()
    if not flag and not path.exists() and path.suffix != ".ipynb":
        path = path.with_name(path.name + ".ipynb")
    if path.is_file():
        if not flag:
            _check_is_notebook(path)
        return path
    if path.parent.is_dir() and not flag:
        there = [one.name for one in path.parent.glob("*.ipynb")]
        raise UnknownName("notebook", path.name, there, where=str(path.parent), relation="in")
    raise InvalidArgument(f"{flag}{text}: there is no such file. Nothing was sent.")


def _check_is_notebook(path: Path) -> None:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InvalidArgument(f"{path.name} is no notebook: {error}. Nothing was sent.") from None
    if not isinstance(content, dict) or "nbformat" not in content:
        raise InvalidArgument(f"{path.name} is no notebook: it has no `nbformat`. Nothing was sent.")


def _pairs(texts: Iterable[str], flag: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InvalidArgument(f"{flag} {text}: expected NAME=VALUE, as in {flag} alpha=0.5. Nothing was sent.")
        pairs.append((name, value))
    return pairs


def _output(path: Path, wanted: str | None) -> Path:
    # Its own folder is where the output goes anyway, under a name of its own.
    if wanted is None or Path(wanted).expanduser().resolve() == path.parent.resolve():
        stamp = f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
        names = [f"{stamp}.ipynb", *(f"{stamp}-{number}.ipynb" for number in range(2, 1000))]
        output = next(found for name in names if not (found := path.with_name(name)).exists())
    else:
        output = Path(wanted).expanduser().absolute()
        if output.is_dir():
            output /= path.name
        elif output.suffix != ".ipynb":
            raise InvalidArgument(f"--output {wanted}: expected the name of a notebook (.ipynb) or a folder.")
    if output.exists() and output.samefile(path):
        raise InvalidArgument(f"--output {wanted}: that is the notebook itself, and it stays as it is.")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InvalidArgument(
            f"the output notebook cannot be written to {output.parent}: there is no such folder, or it is not yours. "
            "Name another place with --output. Nothing was sent."
        )
    return output


def _job_name(path: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem).strip("_") or "notebook"
    return name if name[0].isalpha() else f"nb_{name}"


def _secret_parameters(parameters: dict[str, Any]) -> list[str]:
    return [
        f"parameter {name}: {why}. Parameters are written into the output notebook; give a secret with "
        f"--env {name.upper()}=… and read os.environ there."
        for name, value in parameters.items()
        if isinstance(value, str) and (why := looks_secret(name, value))
    ]
