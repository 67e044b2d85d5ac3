"""A notebook that is renamed in JupyterLab keeps its jobs: what the journal knows by the former name is found."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests
from live_server import TOKEN
from patience import wait_for

from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.server.notebook_renames import NotebookRenames
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live_server import LiveServer


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    assert home.is_dir()


def rename(server: LiveServer, former: str, present: str) -> None:
    address = f"http://127.0.0.1:{server.port}/api/contents/{former}"
    headers = {"Authorization": f"token {TOKEN}"}
    done = requests.patch(address, json={"path": present}, headers=headers, timeout=10)
    assert done.status_code == 200, done.text


def test_cells_of_a_renamed_notebook_and_folder_have_their_jobs(
    start_server: Callable[..., LiveServer],
) -> None:
    server = start_server()
    file = server.root / "work" / "fit.ipynb"
    file.parent.mkdir()
    file.write_text("{}")
    Journal().add(
        JournalEntry(
            folder="/x",
            cluster="elsewhere",
            job_id="1",
            name="fit",
            notebook=str(file),
            cell="c1",
            state="DONE",
            submitted=1.0,
            finished=2.0,
        )
    )
    rename(server, "work/fit.ipynb", "work/best.ipynb")
    rename(server, "work", "old")
    line = server.line()
    line.open(1, "panel")
    line.say(1, "hello", protocol=1)

    def told() -> bool:
        line.say(1, "watch", notebooks=["old/best.ipynb"])
        return "c1" in line.told(1, "cells")["cells"]

    wait_for(told, "the cell of the renamed notebook")
    line.close()
    # Another server, later.
    assert NotebookRenames(logging.getLogger()).now(str(file)) == str(server.root / "old" / "best.ipynb")


def test_a_new_notebook_under_a_former_name_is_not_taken_for_the_renamed_one(tmp_path: Path) -> None:
    renames = NotebookRenames(logging.getLogger())
    former, present = str(tmp_path / "Untitled.ipynb"), str(tmp_path / "fit.ipynb")
    assert renames.now(former) == former
    renames.note(former, present)
    assert renames.now(former) == present
    (tmp_path / "Untitled.ipynb").write_text("{}")
    assert renames.now(former) == former


def test_names_that_go_round_end_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    renames = NotebookRenames(logging.getLogger())
    one, other = str(tmp_path / "a"), str(tmp_path / "b")
    renames.note(one, other)
    renames.note(other, one)
    assert renames.now(one) in {one, other}
    with (state_folder() / "notebook-renames.jsonl").open("a") as file:
        file.write('{"from": "/x", "t')
    assert NotebookRenames(logging.getLogger()).now("/x") == "/x"
