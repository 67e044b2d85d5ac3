"""The panel on a real Grid Engine: cells, a sweep, an error state, and a qmaster that does not answer."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest
from gridengine.demo_lab import demo_cell
from panel_lab import Page, submit_cell_source, submit_points

from gcs_lab.backends.gridengine import commands
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]

pytestmark = pytest.mark.gridengine


@pytest.fixture
def page(demo_cell: DemoState) -> Iterator[Page]:
    # What libdrmaa submits ends instead of staying in error state.
    cluster = Cluster(GridEngineSystem("demo", demo_cell.cell(), "qsub"))
    made = Page(cluster)
    made.cluster = cluster
    made.say("hello", protocol=1)
    made.wait(lambda: made.panel.get("time"), "the first answer", 30)
    yield made
    made.host.close()
    for job in cluster.jobs.list():
        job.terminate()
    cluster.close()


def test_cells_and_a_sweep_from_submission_to_their_ends(page: Page, tmp_path: Path) -> None:
    cluster = page.cluster
    go_on = tmp_path / "go-on"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.05)\n"
    good = submit_cell_source(cluster, f"{wait}x = 1", name="good", hold=True)
    row = page.wait_row(good, name="good")
    assert row["kind"] == "cell"
    page.wait_row(good, state="QUEUED_HELD", letters="hqw", seconds=30)
    assert "hold" in page.wait(lambda: (page.row(good) or {}).get("reason"), "why it waits", 30)
    assert page.act("release", good)["error"] == ""
    sweep = submit_points(cluster, f"{wait}assert k != 2, 'two'", "k=range(1, 4)", name="grid").id
    page.wait_row(sweep, kind="sweep")
    page.wait(lambda: (page.row(good) or page.row(sweep) or {}).get("state") == "RUNNING", "a start", 60)
    assert page.panel["health"]["level"] in {"good", "busy"}
    go_on.touch()
    page.wait_row(good, "recent", state="DONE", seconds=60)
    row = page.wait_row(sweep, "recent", state="FAILED", seconds=60)
    assert row["outcome"].startswith("1 of 3 failed; first: task 2: AssertionError: two")
    page.wait(lambda: sum(len(m["jobs"]) for m in page.told("ended")) == 2)
    names = [job["name"] for message in page.told("ended") for job in message["jobs"]]
    assert sorted(names) == ["good", "grid"]


def test_an_error_state_is_explained_and_cleared(page: Page, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    place = tmp_path / "missing"
    # Exit status 100 puts a job into error state (qsub(1)).
    script = f"test -d {place} || exit 100; sleep 60"
    job = page.cluster.jobs.run("/bin/sh", "-c", script, job_name="nowhere")
    row = page.wait_row(job.id, state="FAILED", seconds=60)
    assert "E" in row["letters"]
    assert row["actions"] == ["cancel", "clear_error"]
    assert page.panel["health"]["level"] == "warn"
    assert "in error" in page.panel["health"]["text"]
    assert "100" in page.wait(lambda: (page.row(job.id) or {}).get("reason"), "the reason", 30)
    place.mkdir(mode=0o755)
    assert page.act("clear_error", job.id)["error"] == ""
    page.wait_row(job.id, state="RUNNING", seconds=60)
    assert page.act("cancel", job.id)["text"] == f"Job {job.id} (nowhere) was cancelled."
    row = page.wait_row(job.id, "recent", seconds=60)
    assert row["kind"] == "job"
    assert all(one["job_id"] != job.id for message in page.told("ended") for one in message["jobs"])


def test_a_qmaster_that_does_not_answer_is_told_and_comes_back(
    page: Page, demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch
) -> None:
    for question in (commands.ask, commands.run_command):
        # A minute otherwise.
        monkeypatch.setitem(question.__kwdefaults__, "timeout", 2.0)
    (master,) = [
        process.pid
        for process in psutil.process_iter(["name"])
        if process.info["name"] == "sge_qmaster" and str(demo_cell.folder) in _environment(process)
    ]
    os.kill(master, signal.SIGSTOP)
    try:
        panel = page.wait(lambda: page.panel if page.panel["stale_since"] else None, "the silence", 120)
        assert panel["health"]["level"] == "bad"
        assert panel["health"]["text"].startswith("no answer")
        assert panel["health"]["help"]
    finally:
        os.kill(master, signal.SIGCONT)
    page.say("refresh")
    page.wait(lambda: page.panel["health"]["level"] != "bad", "its return", 60)


def _environment(process: psutil.Process) -> str:
    """Return the values of a process's environment; nothing of one that has ended meanwhile, as others' tests let end."""
    try:
        return " ".join(process.environ().values())
    except psutil.Error:
        return ""
