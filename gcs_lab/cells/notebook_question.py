"""What a notebook needs, asked of the Python that will run it before anything is sent."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.runner_archive import runner_archive
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from gcs_lab.cells.interpreter import Interpreter

__all__ = ["NotebookAnswer", "NotebookQuestion", "ask_notebook"]

_SECONDS = 120
_FRESH_SECONDS = 60.0
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from gcs_lab_runner.notebook_inspection import main; main()"
_answers: dict[tuple[object, ...], tuple[float, dict[str, Any]]] = {}


@dataclass(frozen=True, kw_only=True)
class NotebookQuestion:
    """A notebook and what it shall be run with.

    ``typed`` and ``raw`` are names with texts (``-p``: read as papermill reads them; ``-r``: kept as text); ``yaml``
    are texts and ``files`` paths of YAML mappings; ``kernel`` is None for the notebook's own.
    """

    path: str
    kernel: str | None = None
    typed: tuple[tuple[str, str], ...] = ()
    raw: tuple[tuple[str, str], ...] = ()
    yaml: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotebookAnswer:
    """Parameters by name, the kernel's name, and sentences for the user."""

    parameters: dict[str, Any]
    kernel: str
    warnings: list[str] = field(default_factory=list)


def ask_notebook(question: NotebookQuestion, python: Interpreter) -> NotebookAnswer:
    """Ask `python` about a notebook; the answer is kept for a minute, unless the notebook changes.

    Raises
    ------
    InvalidArgument
        If papermill is not there, the notebook cannot be read, or a parameter's value cannot.
    UnknownName
        If the kernel is not there, or the notebook knows no such parameter.
    """
    name = Path(question.path).name
    answer = _asked(question, python)
    if missing := answer.get("missing"):
        raise InvalidArgument(
            f"{python.path} has no {missing!r}, which runs notebooks. Install it there: {python.path} -m pip install "
            "papermill ipykernel; or choose another Python with --python or --conda. Nothing was sent."
        )
    if wrong := answer.get("wrong_value"):
        raise InvalidArgument(f"{wrong}. Nothing was sent.")
    if wrong := answer.get("wrong"):
        raise InvalidArgument(f"{name}: {wrong}. Nothing was sent.")
    kernel, kernels = str(answer["kernel"]), list(answer["kernels"])
    if kernel not in kernels:
        raise UnknownName("kernel", kernel, kernels, where=python.path, relation="for")
    parameters: dict[str, Any] = answer["parameters"]
    known: list[str] | None = answer["known"]
    if known is not None:
        for parameter in parameters:
            if parameter not in known:
                raise UnknownName("parameter", parameter, known, where=name, relation="in")
    return NotebookAnswer(parameters, kernel, _remarks(name, answer))


def _remarks(name: str, answer: dict[str, Any]) -> list[str]:
    if not answer["parameters"] or answer["known"] is not None:
        return []
    if not answer["tagged"]:
        told = "the values are put before its first cell, and what it assigns itself counts more"
        return [f"{name} has no cell tagged `parameters`: {told}."]
    return [f"which parameters {name} knows could not be read from its cell; they are sent as they are."]


def _asked(question: NotebookQuestion, python: Interpreter) -> dict[str, Any]:
    text = json.dumps(asdict(question))
    files = tuple(Path(path).stat().st_mtime_ns for path in (question.path, *question.files))
    key = (python.path, *python.launcher, text, *files)
    asked, answer = _answers.get(key, (0.0, {}))
    if asked and time.monotonic() - asked < _FRESH_SECONDS:
        return answer
    command = [*python.launcher, python.path, "-c", _PROGRAM, str(runner_archive()), text]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InvalidArgument(
            f"{python.path} could not be asked about {question.path}: {error}. Nothing was sent."
        ) from error
    try:
        answer = dict(json.loads(said.stdout.strip().splitlines()[-1]))
    except (ValueError, IndexError):
        last = (said.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InvalidArgument(
            f"{python.path} could not be asked about {Path(question.path).name} (exit status {said.returncode}): "
            f"{last}. Nothing was sent."
        ) from None
    _answers.clear()
    _answers[key] = (time.monotonic(), answer)
    return answer
