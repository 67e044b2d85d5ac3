"""Notebooks and scripts of the server's files as jobs, on the embedded cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from job_cells import ended, form

from gcs_lab.cells.journal import Journal

if TYPE_CHECKING:
    from live_server import LiveServer

SUBMIT = "clusters/embedded/submit"
JOBS = "clusters/embedded/jobs"


def submit(
    server: LiveServer, kind: str, path: str, values: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return dict(server.post(SUBMIT, {"kind": kind, "path": path, "form": form(**(values or {})), **more}))


def log_of(server: LiveServer, job_id: str, **query: Any) -> list[str]:
    return list(server.get(f"{JOBS}/{job_id}/log", **query)["lines"])


def test_a_notebook_runs_with_parameters_and_its_output_is_beside_it(server: LiveServer) -> None:
    folder = server.root / "work"
    folder.mkdir(exist_ok=True)
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": "p", "metadata": {"tags": ["parameters"]}, "source": "alpha = 1\nwords = []"},
        {"cell_type": "code", "id": "q", "metadata": {}, "source": "print('alpha is', alpha, words)"},
    ]
    for cell in cells:
        cell |= {"outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (folder / "fit.ipynb").write_text(json.dumps(content))
    parameters = {"alpha": 1e16, "words": ["a", "1e5"]}
    sent = submit(server, "notebook", "work/fit.ipynb", {"name": "nightly"}, parameters=parameters)
    assert sent["name"] == "nightly"
    assert sent["text"].startswith(
        f"Job {sent['job_id']} (nightly) was sent to embedded. Its output notebook is fit-"
    )
    facts = ended(server, sent["job_id"])
    assert (facts["state"], facts["kind"], facts["notebook"]) == ("DONE", "notebook", "work/fit.ipynb"), facts
    (output,) = folder.glob("fit-*.ipynb")
    assert "alpha is 1e+16 ['a', '1e5']" in output.read_text()
    wrong = {"kind": "notebook", "path": "work/fit.ipynb", "form": form(), "parameters": {"alhpa": 1}}
    assert "alpha" in server.refused(400, "POST", SUBMIT, json=wrong)["message"]


def test_scripts_run_in_their_folder_with_their_lines(server: LiveServer) -> None:
    folder = server.root / "scripts"
    folder.mkdir()
    (folder / "run me.sh").write_text(
        "#!/bin/bash\n#$ -N from_script -l h_rt=100\n#$ -v WHO=me\necho $WHO in $(basename $PWD) at $LINENO\nhostname > left\n"
    )
    (folder / "count.py").write_text("#$ -t 1-3\nimport os\nprint('task', os.environ['SGE_TASK_ID'])\n")
    (folder / "two.bash").write_text("echo $x\n")
    shell = submit(server, "script", "scripts/run me.sh", {"requests": {"h_rt": "200"}})
    array = submit(server, "script", "scripts/count.py")
    swept = submit(server, "script", "scripts/two.bash", {"over": "x=['a', 'b']", "name": "two"})
    assert shell["name"] == "from_script"
    assert array["text"].startswith("Array job of 3 tasks")
    facts = ended(server, shell["job_id"])
    assert (facts["state"], facts["kind"], facts["notebook"]) == ("DONE", "script", "scripts/run me.sh"), facts
    assert log_of(server, shell["job_id"]) == ["me in scripts at 4"]
    assert (folder / "left").exists()
    (entry,) = Journal().find(shell["job_id"], "embedded")
    assert entry.kind == "script"
    for sent, words in ((array, "task 2"), (swept, "b")):
        assert ended(server, sent["job_id"])["state"] == "DONE"
        assert log_of(server, sent["job_id"], task=2) == [words]


@pytest.mark.parametrize(
    ("path", "values", "field"),
    [
        ("none.sh", {}, "path"),
        ("bad.sh", {"queue": "al.q"}, "queue"),
        ("latin.sh", {}, "path"),
        ("text.txt", {}, "path"),
        ("", {}, "path"),
    ],
)
def test_what_cannot_be_a_job_is_refused_and_nothing_is_sent(
    server: LiveServer, path: str, values: dict[str, Any], field: str
) -> None:
    (server.root / "bad.sh").write_text("#$ -l h_vmem=4GG\n")
    (server.root / "latin.sh").write_bytes(b"echo \xe9\n")
    (server.root / "text.txt").write_text("")
    before = len(Journal().everything())
    problem = server.refused(400, "POST", SUBMIT, json={"kind": "script", "path": path, "form": form(**values)})
    assert problem["field"] == field
    assert len(Journal().everything()) == before


def test_a_wrong_line_of_a_script_is_told_with_its_number(server: LiveServer) -> None:
    (server.root / "bad.sh").write_text("#!/bin/sh\n#$ -l h_vmem=4GG\n")
    problem = server.refused(400, "POST", SUBMIT, json={"kind": "script", "path": "bad.sh", "form": form()})
    assert "line 2" in problem["message"]


def test_a_path_that_leads_out_is_refused(server: LiveServer) -> None:
    (server.root.parent / "outside.sh").write_text("echo\n")
    problem = server.refused(400, "POST", SUBMIT, json={"kind": "script", "path": "../outside.sh", "form": form()})
    assert "leads out" in problem["message"]
