"""What a notebook needs, asked of the Python that will run it: papermill, a kernel, the names of its parameters.

The submitting side starts it there before anything is sent: ``PYTHON -c '… main()' QUESTION``.
"""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["inspect_notebook", "main"]


def inspect_notebook(question: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to `question`, which has what :class:`gcs_lab.cells.notebook_question.NotebookQuestion` says.

    ``missing`` names a package that is not there, ``wrong`` says what is wrong with the notebook, ``wrong_value``
    what is wrong with a parameter; else
    there are ``parameters`` (by name, read as papermill reads them), ``known`` (names that the notebook's parameters
    cell defines; None if that cannot be told), ``tagged`` (whether it has such a cell), ``kernel`` (its name) and
    ``kernels`` (those that are there).
    """
    import logging
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import papermill.inspection
            import papermill.iorw
            import papermill.utils
            from jupyter_client.kernelspec import KernelSpecManager
    except ImportError as error:
        return {"missing": error.name or str(error)}
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    try:
        parameters = _parameters(question)
    except ValueError as error:
        return {"wrong_value": str(error)}
    try:
        notebook: Any = papermill.iorw.load_notebook_node(question["path"])
    except Exception as error:
        return {"wrong": f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")}
    manager: Any = KernelSpecManager()
    kernels = sorted(manager.find_kernel_specs())
    try:
        kernel = papermill.utils.nb_kernel_name(notebook, question.get("kernel"))
    except ValueError:
        there = ", ".join(kernels) or "none"
        return {"wrong": f"it names no kernel; say which with --kernel NAME. There is: {there}"}
    return {
        "parameters": parameters,
        "tagged": papermill.utils.find_first_tagged_cell_index(notebook, "parameters") >= 0,
        "known": _known(papermill.inspection, notebook, kernel),
        "kernel": kernel,
        "kernels": kernels,
    }


def _known(inspection: Any, notebook: Any, kernel: str) -> list[str] | None:
    try:
        found = inspection._infer_parameters(notebook, name=kernel)  # noqa: SLF001  (inspect_notebook takes no kernel)
    except Exception:
        return None
    return [parameter.name for parameter in found] or None


def _parameters(question: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters in the order of precedence of papermill's own command line."""
    found: dict[str, Any] = {}
    for path in question.get("files") or ():
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"-f {path}: it cannot be read: {error}") from None
        found.update(_mapping(text, f"-f {path}"))
    for text in question.get("yaml") or ():
        found.update(_mapping(text, f"-y {text!r}"))
    found.update({name: typed(text) for name, text in question.get("typed") or ()})
    found.update(question.get("raw") or ())
    # What JSON cannot say would be another value in the job.
    for name, value in found.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            kind = type(value).__name__
            raise ValueError(f"the parameter {name} is a {kind}, which a notebook cannot be given") from None
    return found


def _mapping(text: str, where: str) -> dict[str, Any]:
    import yaml
    from papermill.iorw import NoDatesSafeLoader

    try:
        value = yaml.load(text, Loader=NoDatesSafeLoader)  # noqa: S506
    except yaml.YAMLError as error:
        problem, mark = getattr(error, "problem", None) or str(error), getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{where}: it is no YAML{place}: {problem}") from None
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{where}: expected names with values, as in 'alpha: 0.5'")
    return value


def typed(text: str) -> Any:
    """Return the value of ``-p NAME=TEXT`` as papermill does: True, False, None, an int, a float, else the text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def main() -> None:
    """Answer the question that is the last argument, as JSON in the last line of standard output."""
    answer_to = sys.stdout
    # What imports print is not part of the answer.
    sys.stdout = sys.stderr
    answer = inspect_notebook(json.loads(sys.argv[-1]))
    answer_to.write("\n" + json.dumps(answer) + "\n")
