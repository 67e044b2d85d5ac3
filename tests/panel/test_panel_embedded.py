"""The panel on a real embedded cluster: cells and sweeps that no kernel follows."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from embedded.embedded_lab import processes_with
from panel_lab import Page, submit_cell_source, submit_points
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.system import EmbeddedSystem
from gcs_lab.cells.journal import Journal
from gcs_lab.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    made = Cluster(EmbeddedSystem.connect())
    yield made
    made.close()
    service.stop()
    wait_for(lambda: not processes_with(str(folder)), "the end of all processes")
    shutil.rmtree(folder)


def test_a_morning_of_cells_that_no_kernel_follows(cluster: Cluster, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.02)\n"
    page = Page(cluster)
    try:
        page.say("hello", protocol=1)
        page.wait(lambda: page.panel.get("time"))
        page.say("watch", notebooks=["/w/n.ipynb"])
        good = submit_cell_source(cluster, f"print('begun')\n{wait}x = 1", name="good", cell="c1")
        page.wait_row(good, state="RUNNING", name="good", kind="cell")
        bad = submit_cell_source(cluster, f"{wait}raise ValueError('x is 0')", name="bad", cell="c2")
        killed = submit_cell_source(cluster, "import time\ntime.sleep(600)", name="killed", cell="c3")
        sweep = submit_points(cluster, f"{wait}assert k != 3, 'three'", "k=range(1, 6)", name="grid").id
        held = submit_cell_source(cluster, "y = 1", name="held", hold=True, cell="c4")
        page.wait_row(held, state="QUEUED_HELD", actions=["cancel", "release"])
        page.wait_row(killed, state="RUNNING", seconds=30)
        cluster.jobs.job(killed).terminate()
        row = page.wait_row(killed, "recent", state="FAILED", seconds=30)
        assert "deleted" in row["outcome"] or "killed" in row["outcome"], row
        go_on.touch()
        assert page.wait_row(good, "recent", state="DONE", seconds=30)["outcome"].startswith("done in ")
        assert page.wait_row(bad, "recent", state="FAILED", seconds=30)["outcome"] == "ValueError: x is 0"
        row = page.wait_row(sweep, "recent", state="FAILED", seconds=30)
        assert row["outcome"].startswith("1 of 5 failed; first: task 3: AssertionError: three")
        assert (row["tasks"]["done"], row["tasks"]["failed"]) == (4, 1)
        # What ends twice before it is told is told once.
        page.wait(lambda: "grid" in names_told(page), "its first end")
        acted = page.act("rerun_failed", sweep)
        assert acted["error"] == ""
        assert "1 failed task of sweep" in acted["text"]
        page.wait(lambda: (page.row(sweep, "recent") or {}).get("ended", 0) > row["ended"], "its second end", 30)
        assert page.act("release", held)["error"] == ""
        page.wait_row(held, "recent", state="DONE", seconds=30)
        names = ["bad", "good", "grid", "grid", "held", "killed"]
        told = page.wait(lambda: t if len(t := names_told(page)) >= len(names) else None, "all ends", 20)
        assert sorted(told) == names, [
            [(j["name"], j["ended"], j["outcome"], m["more"]) for j in m["jobs"]] for m in page.told("ended")
        ]
        cells = page.wait(
            lambda: [m["cells"] for m in page.told("cells") if m["cells"].get("c4", {}).get("state") == "DONE"]
        )[-1]
        assert {cell: job["state"] for cell, job in cells.items()} == {
            "c1": "DONE", "c2": "FAILED", "c3": "FAILED", "c4": "DONE",
        }  # fmt: skip
        assert {entry.name: entry.state for entry in Journal().everything()} == {
            "good": "DONE", "bad": "FAILED", "killed": "FAILED", "grid": "FAILED", "held": "DONE",
        }  # fmt: skip
    finally:
        page.host.close()


def names_told(page: Page) -> list[str]:
    assert all(not message["more"] for message in page.told("ended"))
    return [job["name"] for message in page.told("ended") for job in message["jobs"]]
