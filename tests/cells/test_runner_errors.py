"""How the runner tells errors of the cell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from test_runner import FILENAME, end, folders, make_folder, run, start

from gcs_lab.cells import runner

__all__ = ["folders", "run"]


def test_a_traceback_names_the_cell_its_line_and_no_frame_of_ours(run):
    job = run("\n\ndef f(x):\n    return 1 / x\nf(0)")
    error = job.error
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert [frame["firstlineno"] for frame in error["frames"]] == [1, 3]
    assert [(f["filename"], f["lineno"], f["name"], f["line"], f["cell"]) for f in error["frames"]] == [
        (FILENAME, 5, "<module>", "f(0)", True),
        (FILENAME, 4, "f", "return 1 / x", True),
    ]
    text = "\n".join(error["traceback"])
    assert text.startswith("Traceback (most recent call last):\n  Cell In[3], line 5, in <module>\n    f(0)")
    assert "runner.pyz" not in text
    assert "gcs_lab" not in text
    assert text.endswith("ZeroDivisionError: division by zero")
    assert job.status == 1
    assert job.finished["reason"] == "error"
    assert error["payload"] is True
    back = runner.read_payload(str(job.folder / "exception.payload"))[0]["exception"]
    assert isinstance(back, ZeroDivisionError)


def test_with_an_older_python_too_the_cells_code_begins_at_line_one(folders):
    found = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python"))
    if not found:
        pytest.skip("Python 3.9 is not installed here")
    folder = make_folder("\n\nx = 1\n1/0")
    folders.append(folder)
    error = end(folder, start(folder, (str(found[0]), "-I"))).error
    assert [(frame["lineno"], frame["firstlineno"]) for frame in error["frames"]] == [(4, 1)]


def test_frames_of_libraries_are_not_the_cells(run):
    frames = run("import json\njson.loads('{')").error["frames"]
    assert [frame["cell"] for frame in frames] == [True, False, False, False]


def test_causes_contexts_and_notes_are_told(run):
    job = run(
        "try:\n    try:\n        {}['a']\n    except KeyError as e:\n        raise ValueError('b') from e\n"
        "except ValueError as e:\n    raise RuntimeError('c')"
    )
    assert job.error["ename"] == "RuntimeError"
    assert job.error["cause"]["ename"] == "ValueError"
    assert job.error["cause"]["cause"]["ename"] == "KeyError"
    assert job.error["cause"]["cause"]["cause"] is None
    text = "\n".join(job.error["traceback"])
    assert "direct cause" in text
    assert "During handling" in text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes came with Python 3.11")
def test_notes_are_told(run):
    assert run("e = ValueError('x')\ne.add_note('mind the gap')\nraise e").error["notes"] == ["mind the gap"]


def test_a_syntax_error_points_at_the_cells_line(run):
    job = run("x = 1\nif x\n    pass", outputs=["x"])
    assert job.error["ename"] == "SyntaxError"
    (frame,) = job.error["frames"]
    assert (frame["filename"], frame["lineno"], frame["line"], frame["cell"]) == (FILENAME, 2, "if x", True)
    text = "\n".join(job.error["traceback"])
    assert "Cell In[3], line 2" in text
    assert "^" in text
    assert "runner.pyz" not in text
    assert "gcs_lab" not in text


def test_deep_recursion_is_told_with_a_bounded_number_of_frames(run):
    job = run("def f(n):\n    return f(n + 1)\nf(0)")
    assert job.error["ename"] == "RecursionError"
    assert 100 < len(job.error["frames"]) <= 200
    assert job.status == 1


def test_a_missing_module_is_named(run):
    error = run("import not_there_at_all.sub").error
    assert error["missing_module"] == "not_there_at_all"


def test_an_input_that_needs_a_missing_module_is_told_with_its_names(folders, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("class Model:\n    pass\ndef f(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    folder = make_folder("1", inputs={"a": 1, "m": only_here.Model(), "deep": [{"f": only_here.f}], "z": "m"})
    folders.append(folder)
    job = end(folder, start(folder))
    assert job.error["missing_module"] == "only_here"
    assert "`m`" in job.error["evalue"]
    assert "`deep`" in job.error["evalue"]
    assert "`a`" not in job.error["evalue"]
    assert "`z`" not in job.error["evalue"]
    assert job.status == 1


def test_an_exception_that_cannot_be_rebuilt_has_no_payload(run):
    job = run("class E(Exception):\n    def __init__(self, a, b):\n        super().__init__(a)\nraise E(1, 2)")
    assert job.error["payload"] is False
    assert not (job.folder / "exception.payload").exists()


def test_an_exception_whose_message_fails_is_still_told(run):
    job = run("class E(Exception):\n    def __str__(self): raise ValueError\nraise E")
    assert job.error["ename"] == "E"
    assert "cannot be shown" in job.error["evalue"]


def test_a_huge_message_is_shortened(run):
    job = run("raise ValueError('x' * 10_000_000)")
    assert job.error["evalue"].endswith("… (10000000 characters)")
    assert (job.folder / "events.jsonl").stat().st_size < 200_000


def test_an_exception_group_is_told(run):
    text = "\n".join(run("raise ExceptionGroup('many', [ValueError(1), KeyError(2)])").error["traceback"])
    assert "ValueError: 1" in text
    assert "KeyError: 2" in text


def test_a_working_folder_that_is_not_there_is_an_error(folders):
    folder = make_folder("1", cwd="/no/such/folder")
    folders.append(folder)
    job = end(folder, start(folder))
    assert job.error["ename"] == "FileNotFoundError"
    assert "/no/such/folder" in job.error["evalue"]


def test_a_cell_with_magics_says_that_the_jobs_python_has_no_ipython(folders):
    folder = make_folder("get_ipython().system('echo hi')", shell=True)
    folders.append(folder)
    job = end(folder, start(folder, (sys.executable, "-I", "-S")))
    assert job.error["missing_module"] == "IPython"
    assert "need IPython" in job.error["evalue"]


def test_an_error_in_an_await_is_the_cells(run):
    error = run("import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    1 / 0\nawait f()").error
    assert [(f["lineno"], f["name"], f["cell"]) for f in error["frames"]] == [(5, "<module>", True), (4, "f", True)]
    assert "asyncio" not in "\n".join(error["traceback"]).replace("import asyncio", "")


def test_functions_that_came_from_other_cells_show_their_lines(run):
    source = "def f(x):\n    return 1 / x"
    namespace = {"__name__": "__main__"}
    exec(compile(source, "/tmp/ipykernel_7/1.py", "exec"), namespace)
    job = run("f(0)", inputs={"f": namespace["f"]}, sources={"/tmp/ipykernel_7/1.py": ["Cell In[1]", source]})
    frame = job.error["frames"][-1]
    assert (frame["line"], frame["cell"]) == ("return 1 / x", True)
    assert "  Cell In[1], line 2, in f" in job.error["traceback"]
