"""Another Python than the notebook's is asked for the packages that the values need, before anything is sent."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gcs_lab.cells import job_packages
from gcs_lab.cells.interpreter import Interpreter, job_interpreter
from gcs_lab.cells.job_packages import check_packages, module_path, packages_of
from gcs_lab.errors import NotPicklable

HERE = sys.version_info[:2]


@pytest.fixture(autouse=True)
def _no_answers_of_other_tests():
    job_packages._answers.clear()


@pytest.fixture(scope="module")
def other_python(tmp_path_factory) -> Path:
    """A real Python with a `site-packages` of its own."""
    folder = tmp_path_factory.mktemp("other")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


@pytest.fixture
def packages(other_python):
    """Put packages into the other Python: their names with versions."""
    site = next(other_python.glob("lib/python*/site-packages"))
    made = []

    def put(**versions: str) -> Interpreter:
        for name, version in versions.items():
            (site / name).mkdir()
            (site / name / "__init__.py").write_text("")
            about = site / f"{name}-{version}.dist-info"
            about.mkdir()
            (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            made.extend([site / name / "__init__.py", site / name, about / "METADATA", about])
        return job_interpreter(str(other_python / "bin" / "python"))

    yield put
    for path in made:
        path.rmdir() if path.is_dir() else path.unlink()


def test_the_notebooks_own_python_is_not_asked(monkeypatch):
    monkeypatch.setattr(job_packages.subprocess, "run", lambda *_, **__: pytest.fail("it was asked"))
    assert check_packages(job_interpreter(None), {"x": np.ones(3)}, {"np": "numpy"}, [], "y = x") == []


def test_packages_are_those_of_the_values_types_and_of_what_they_hold():
    class Model:
        def __init__(self) -> None:
            self.weights = [np.ones(2)]

    Model.__module__ = "__main__"
    found = packages_of(
        {"table": pd.DataFrame({"a": [1]}), "model": Model(), "n": 1, "path": Path("x"), "d": {"k": 1}}
    )
    assert set(found) >= {"numpy", "pandas"}
    assert set(found) <= {"numpy", "pandas", "pyarrow"}
    assert found["pandas"] == ["table, of type pandas.DataFrame"] or "DataFrame" in found["pandas"][0]
    assert any("model, of type numpy.ndarray" in who for who in found["numpy"])


def test_a_numpy_that_cannot_read_the_arrays_is_refused(packages):
    # Tried with the real ones: 1.24 has no numpy._core at all, 1.26 none of what protocol 5 needs.
    python = packages(numpy="1.26.4")
    with pytest.raises(NotPicklable, match="NumPy 1 cannot read arrays that NumPy 2 pickled") as caught:
        check_packages(python, {"x": np.ones(3)}, {}, [], "y = 1")
    assert "x, of type numpy.ndarray" in str(caught.value)
    assert "Nothing was sent" in str(caught.value)


def test_a_newer_numpy_is_a_warning_only_if_something_comes_back(packages):
    python = packages(numpy="9.0")
    assert check_packages(python, {"x": np.ones(3)}, {}, [], "1") == []
    (told,) = check_packages(python, {"x": np.ones(3)}, {}, ["y"], "y = x")
    assert "arrays that come back pickled by NumPy 9 cannot be read by NumPy 2" in told


def test_another_major_version_is_a_warning_that_names_what_is_concerned(packages):
    python = packages(pandas="1.5.3")
    table = pd.DataFrame({"a": [1]})
    (there,) = check_packages(python, {"table": table}, {}, [], "1")
    (back,) = check_packages(python, {"table": table}, {}, ["y"], "y = table")
    assert f"pandas is {pd.__version__} here and 1.5.3 in {python.path}" in there
    assert "Concerned: table, of type pandas" in there
    assert ("the way there between" in there, "the way there or back between" in back) == (True, True)


def test_equal_major_versions_are_silent(packages):
    assert check_packages(packages(numpy=np.__version__), {"x": np.ones(3)}, {}, ["y"], "y = x") == []


def test_a_package_that_is_not_there_is_refused_with_who_needs_it(packages, monkeypatch):
    ghost = types.ModuleType("ghostpackage")
    kind = type("Ghost", (), {"__module__": "ghostpackage"})
    ghost.Ghost = kind
    monkeypatch.setitem(sys.modules, "ghostpackage", ghost)
    with pytest.raises(NotPicklable, match=r"ghostpackage: needed for g, of type ghostpackage\.Ghost"):
        check_packages(packages(), {"g": kind()}, {}, [], "1")
    with pytest.raises(NotPicklable, match="ghostpackage: needed for gp"):
        check_packages(packages(), {}, {"gp": "ghostpackage"}, [], "1")


def test_older_cloudpickle_is_refused_where_code_travels_and_only_there(packages):
    python = packages(cloudpickle="1.6.0")

    def function():
        return 1

    with pytest.raises(NotPicklable, match="an older cloudpickle does not understand"):
        check_packages(python, {"f": function}, {}, [], "f()")
    assert check_packages(python, {"n": 1}, {}, [], "n") == []


def test_it_is_asked_once_a_minute(packages, monkeypatch):
    python = packages(numpy=np.__version__)
    asked = []
    run = subprocess.run
    monkeypatch.setattr(job_packages.subprocess, "run", lambda *a, **k: (asked.append(a), run(*a, **k))[1])
    for _ in range(3):
        check_packages(python, {"x": np.ones(3)}, {}, [], "1")
    assert len(asked) == 1


def test_a_python_that_does_not_answer_is_a_warning():
    (told,) = check_packages(Interpreter("/no/python", (3, 9)), {"x": np.ones(3)}, {}, [], "1")
    assert "could not be asked" in told


def test_code_that_another_python_makes_cannot_come_back(monkeypatch):
    monkeypatch.setattr(job_packages, "_ask", lambda *_: {})
    source = "def f():\n    return 1\nx = 1"
    (told,) = check_packages(Interpreter("/python", (3, 9)), {}, {}, ["f", "x"], source)
    assert told.startswith("f: what the cell defines is made by Python 3.9")
    assert check_packages(Interpreter("/python", HERE), {}, {}, ["f"], source) == []


def test_another_version_does_not_see_what_was_compiled_for_this_one(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert module_path(HERE) == [entry for entry in sys.path if entry]
    others = module_path((3, 9))
    assert str(tmp_path) in others
    assert not any("site-packages" in entry or "lib-dynload" in entry or entry.endswith(".zip") for entry in others)
    assert os.path.dirname(os.__file__) not in others  # noqa: PTH120
