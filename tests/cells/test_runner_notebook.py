"""A whole notebook in the runner: progress, an output notebook that is whole at any time, errors with their place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from gcs_lab.cells.runner.notebook_inspection import inspect_notebook, typed
from gcs_lab.cells.runner.notebook_progress import heading_of
from gcs_lab.cells.runner_archive import runner_archive


def notebook(path: Path, *cells: str, parameters: str | None = None) -> Path:
    """Write a notebook: texts that begin with ``#`` and a blank are headings, the others code."""
    book = nbformat.v4.new_notebook()
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    if parameters is not None:
        cell = nbformat.v4.new_code_cell(parameters)
        cell.metadata.tags = ["parameters"]
        book.cells.append(cell)
    for text in cells:
        make = nbformat.v4.new_markdown_cell if text.startswith("# ") else nbformat.v4.new_code_cell
        book.cells.append(make(text))
    nbformat.write(book, path)
    return path


class Run:
    """The runner on a notebook."""

    def __init__(self, tmp_path: Path, book: Path, **parameters: object) -> None:
        self.folder = tmp_path / "job"
        self.folder.mkdir(mode=0o700)
        self.output = tmp_path / "out.ipynb"
        run = {"path": str(book), "output": str(self.output), "parameters": parameters, "kernel": "python3"}
        spec = {
            "version": 1,
            "source": "",
            "filename": "n",
            "display_name": "n",
            "cwd": str(tmp_path),
            "notebook_run": run,
        }
        (self.folder / "spec.json").write_text(json.dumps(spec))
        (self.folder / "spec.json").chmod(0o600)
        self.process = subprocess.Popen(
            [sys.executable, str(runner_archive()), str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def finish(self) -> int:
        self.process.communicate(timeout=90)
        return self.process.returncode

    def events(self, kind: str) -> list[dict]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["type"] == kind]

    def wait_for(self, condition, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to that"
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def read(self):
        return nbformat.read(self.output, as_version=4)


def test_progress_times_and_an_output_notebook_that_is_whole_whenever_it_is_read(tmp_path):
    book = notebook(
        tmp_path / "fit {x}.ipynb",
        "# Load",
        "import time\nprint('loading', alpha)",
        "# Train the model",
        "time.sleep(0.4)\nalpha * 2",
        parameters="alpha = 0.1",
    )
    run = Run(tmp_path, book, alpha=0.5)
    seen: list[str] = []
    done = threading.Event()

    def read_on() -> None:
        while not done.is_set():
            if run.output.exists():
                text = run.output.read_text()
                json.loads(text)
                if not seen or seen[-1] != text:
                    seen.append(text)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        assert run.finish() == 0, run.process
    finally:
        done.set()
        reader.join()
    assert len(seen) > 3
    assert any('"status": "running"' in text for text in seen)
    told = [event["text"] for event in run.events("progress")]
    assert told == [
        "cell 1 of 4: parameters",
        "cell 2 of 4: parameters",
        "cell 3 of 4: Load",
        "cell 4 of 4: Train the model",
        "4 of 4 cells",
    ]
    lists = [*run.events("display"), *run.events("update_display")]
    assert "Train the model  0." in lists[-1]["data"]["text/plain"]
    assert len({event["display_id"] for event in lists}) == 1
    cells = run.read().cells
    assert [cell.execution_count for cell in cells if cell.cell_type == "code"] == [1, 2, 3, 4]
    assert cells[-1].outputs[0].data["text/plain"] == "1.0"
    assert run.events("stream") == []
    assert not list(tmp_path.glob(".*"))


def test_a_cell_that_raises_is_named_with_its_line_and_stands_in_the_output(tmp_path):
    book = notebook(tmp_path / "fit.ipynb", "x = 1", "# Evaluate", "y = 0\nz = x / y", "never = 1")
    run = Run(tmp_path, book)
    assert run.finish() == 1
    (error,) = run.events("error")
    assert error["ename"] == "ZeroDivisionError"
    assert error["evalue"] == "fit.ipynb, cell 2 (Evaluate), line 2: division by zero"
    assert any("fit.ipynb, cell 2, line 2" in line for line in error["traceback"])
    assert any("\x1b[" in line for line in error["drawn"])
    cells = run.read().cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.ename for output in outputs] == ["ZeroDivisionError"]
    assert run.read().metadata.papermill.output_path == str(run.output)
    (finished,) = run.events("finished")
    assert (finished["reason"], finished["exit_status"]) == ("error", 1)


def _kernels(folder: Path) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (
                str(folder).encode() in (place / "environ").read_bytes()
                and b"ipykernel" in (place / "cmdline").read_bytes()
            ):
                found.append(int(place.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_job_is_ended_its_kernel_ends_and_the_output_stays(tmp_path, monkeypatch, number):
    monkeypatch.setenv("MARK_OF_THE_TEST", str(tmp_path))
    book = notebook(tmp_path / "long.ipynb", "print('first')", "import time\nprint('second')\ntime.sleep(600)")
    before = _socket_folders()
    run = Run(tmp_path, book)
    run.wait_for(
        lambda: run.output.exists() and '"first' in run.output.read_text().replace("\\n", "") and _kernels(tmp_path)
    )
    run.wait_for(lambda: any(event["text"].startswith("cell 2") for event in run.events("progress")))
    # What a cell shows is there while it runs.
    run.wait_for(lambda: '"second' in run.output.read_text())
    os.kill(run.process.pid, number)
    assert run.finish() != 0
    deadline = time.monotonic() + 10
    while _kernels(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _kernels(tmp_path) == []
    assert run.read().cells[0].outputs[0].text == "first\n"
    assert run.read().cells[1].outputs[0].text == "second\n"
    if number == signal.SIGTERM:
        assert _socket_folders() == before


def test_a_dead_kernel_names_the_cell_in_which_it_died(tmp_path):
    book = notebook(tmp_path / "big.ipynb", "# Allocate", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    run = Run(tmp_path, book)
    assert run.finish() == 1
    (error,) = run.events("error")
    assert error["ename"] == "DeadKernelError"
    assert error["evalue"].startswith("big.ipynb, cell 1 (Allocate): the kernel died")
    assert "s, failed" in str(run.events("update_display")[-1])


def _socket_folders() -> set[Path]:
    return set(Path(os.environ["TMPDIR"]).glob("gcs-*"))


def test_the_kernel_is_spoken_to_through_unix_sockets_and_none_is_left(tmp_path):
    book = notebook(
        tmp_path / "n.ipynb",
        "import json, ipykernel.connect\njson.loads(ipykernel.connect.get_connection_info())['transport']",
    )
    before = _socket_folders()
    run = Run(tmp_path, book)
    assert run.finish() == 0
    assert run.read().cells[0].outputs[0].data["text/plain"] == "'ipc'"
    assert _socket_folders() == before


# -- what is asked before anything is sent -------------------------------------------------------------------------


def test_parameters_are_read_as_papermill_reads_them(tmp_path):
    from papermill.cli import _resolve_type

    for text in ("1", "0.5", "True", "False", "None", "1e-3", "text", "true", "0x10", "", "nan"):
        ours, theirs = typed(text), _resolve_type(text)
        assert (type(ours), repr(ours)) == (type(theirs), repr(theirs))
    (tmp_path / "p.yaml").write_text("a: 1\nb: [1, 2]\n")
    book = notebook(tmp_path / "n.ipynb", "1", parameters="a = 0\nb = c = d = None")
    question = {
        "path": str(book), "files": [str(tmp_path / "p.yaml")], "yaml": ["b: {x: 2020-01-01}"], "typed": [["c", "3"]],
        "raw": [["d", "3"]],
    }  # fmt: skip
    answer = inspect_notebook(question)
    assert answer["parameters"] == {"a": 1, "b": {"x": "2020-01-01"}, "c": 3, "d": "3"}
    assert answer["tagged"]
    assert "a" in answer["known"]
    assert (answer["kernel"], "python3" in answer["kernels"]) == ("python3", True)


def test_what_is_wrong_is_told(tmp_path):
    book = notebook(tmp_path / "n.ipynb", "1")
    assert "expected names with values" in inspect_notebook({"path": str(book), "yaml": ["[1, 2]"]})["wrong_value"]
    told = inspect_notebook({"path": str(book), "yaml": ["a: ["]})["wrong_value"]
    assert told.startswith("-y 'a: [': it is no YAML (line 1, column 5): ")
    (tmp_path / "p.yaml").write_bytes(b"a: \xff")
    told = inspect_notebook({"path": str(book), "files": [str(tmp_path / "p.yaml")]})["wrong_value"]
    assert told.startswith(f"-f {tmp_path}/p.yaml: it cannot be read: ")
    nameless = tmp_path / "nameless.ipynb"
    nameless.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}))
    assert (
        "it names no kernel; say which with --kernel NAME. There is: "
        in inspect_notebook({"path": str(nameless)})["wrong"]
    )
    (tmp_path / "broken.ipynb").write_text("{}")
    assert inspect_notebook({"path": str(tmp_path / "broken.ipynb")})["wrong"]


def test_a_cell_is_called_by_the_heading_above_it_or_its_first_comment():
    new = nbformat.v4
    cells = [
        new.new_code_cell("# read the data\nx = 1"),
        new.new_code_cell("y = 1"),
        new.new_markdown_cell("text\n## Train\n### the  *model*\nmore"),
        new.new_code_cell("z = 1"),
    ]
    assert [heading_of(cells, index) for index in (0, 1, 3)] == ["read the data", "", "the *model*"]
