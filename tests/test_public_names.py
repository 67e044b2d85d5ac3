"""The names that users may rely on."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import gcs_lab
from gcs_lab import errors

PACKAGE = Path(gcs_lab.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
PUBLIC = [path for path in SOURCES if not path.stem.startswith("_") or path.stem == "__init__"]


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def _declared(path: Path) -> list[str] | None:
    for node in ast.parse(path.read_text()).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))
    return None


def _defines_something(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return any(not isinstance(node, ast.Expr) for node in tree.body if not isinstance(node, ast.ImportFrom))


@pytest.mark.parametrize("name", gcs_lab.__all__)
def test_every_name_of_the_package_is_there(name: str) -> None:
    assert getattr(gcs_lab, name) is not None


def test_dir_shows_the_public_names() -> None:
    assert dir(gcs_lab) == sorted(gcs_lab.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        _ = gcs_lab.conect


@pytest.mark.parametrize("path", PUBLIC, ids=_module_name)
def test_a_public_module_lists_its_names_in_order(path: Path) -> None:
    if not _defines_something(path):
        return
    names = _declared(path)
    assert names is not None, "a public module says in __all__ what is public"
    # Constants, then classes, then functions, as ruff's RUF022 sorts them.
    order = sorted(names, key=lambda n: (0 if n.isupper() else 1 if n[:1].isupper() else 2, n))
    assert names == order


@pytest.mark.parametrize("path", PUBLIC, ids=_module_name)
def test_every_public_class_and_function_has_a_docstring(path: Path) -> None:
    module = importlib.import_module(_module_name(path))
    bare = [
        name
        for name in _declared(path) or []
        if (inspect.isclass(value := getattr(module, name)) or inspect.isfunction(value)) and not value.__doc__
    ]
    assert not bare


def test_every_exception_stands_in_the_tree_at_the_top_of_the_module() -> None:
    tree = (errors.__doc__ or "").partition("::")[2]
    assert all(f" {name} " in tree or f"{name}\n" in tree for name in errors.__all__)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_exception_is_a_gcs_error_at_the_place_the_tree_says(name: str) -> None:
    lines = [line for line in (errors.__doc__ or "").splitlines() if "── " in line]
    parents: dict[str, str] = {"GcsError": ""}
    stack = [(-1, "GcsError")]
    for line in lines:
        depth, child = line.index("── "), line.partition("── ")[2].split()[0]
        while stack[-1][0] >= depth:
            stack.pop()
        parents[child] = stack[-1][1]
        stack.append((depth, child))
    exception = getattr(errors, name)
    assert name == "GcsError" or exception.__bases__[0].__name__ == parents[name]


def test_an_error_is_drawn_in_a_notebook_without_our_frames() -> None:
    assert errors.InvalidArgument("so it is")._render_traceback_() == ["InvalidArgument: so it is"]


def test_a_failed_command_tells_what_was_run_how_it_ended_and_what_it_said() -> None:
    error = errors.CommandFailed(["qsub", "x"], 1, "denied\n")
    assert str(error) == "qsub x ended with status 1: denied"
    assert (error.argv, error.exit_status) == (["qsub", "x"], 1)


def test_a_command_that_did_not_end_says_so() -> None:
    assert str(errors.CommandFailed(["qstat"], None, "")) == "qstat did not end: it said nothing on standard error"


def test_an_unknown_name_comes_with_the_names_that_exist_and_the_nearest() -> None:
    error = errors.UnknownName("queue", "al.q", ["all.q", "short.q"], where="the cluster")
    assert str(error) == ("no queue is called 'al.q' on the cluster. There is: all.q, short.q. Did you mean all.q?")


def test_an_unknown_name_says_when_there_is_none_at_all() -> None:
    assert "There is no queue at all." in str(errors.UnknownName("queue", "x", []))


def test_a_remote_error_keeps_the_name_and_the_message_that_the_job_saw() -> None:
    error = errors.RemoteError("KeyError", "'a'")
    assert (error.ename, error.evalue, str(error)) == ("KeyError", "'a'", "'a'")
