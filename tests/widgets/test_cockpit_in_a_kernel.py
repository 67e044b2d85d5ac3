"""The dashboard in a real kernel on the embedded cluster: live while the kernel computes, and what is saved of it."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from kernel_session import KernelSession
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIME = "application/vnd.jupyter.widget-view+json"


class PageSession(KernelSession):
    """A kernel, and the messages of the widgets' comms in it, as a browser has them."""

    def __init__(self, cwd: Path, env: dict[str, str]) -> None:
        self.comms: list[tuple[float, str, dict[str, Any]]] = []
        self.comm_id = ""
        super().__init__(cwd, env)

    def _take(self, message: dict[str, Any]) -> None:
        super()._take(message)
        content = message["content"]
        if message["msg_type"] == "comm_msg" and content["data"].get("method") == "custom":
            self.comms.append((time.monotonic(), content["comm_id"], content["data"]["content"]))

    def say(self, **content: Any) -> None:
        """Send what a browser would, on the channel on which it does."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": self.comm_id, "data": data})
        self.client.shell_channel.send(message)

    def told(self, kind: str, after: float = 0.0) -> list[tuple[float, dict[str, Any]]]:
        return [(at, message) for at, _, message in self.comms if message["kind"] == kind and at > after]

    def wait_told(self, kind: str, fits: Callable[[dict[str, Any]], Any], timeout: float = 30.0) -> dict[str, Any]:
        assert self.pump(lambda: any(fits(message) for _, message in self.told(kind)), timeout), self.comms[-5:]
        return next(message for _, message in self.told(kind) if fits(message))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSession]:
    environment = {**os.environ, "GCS_LAB_CLUSTER": "embedded", "PYTHONWARNINGS": "default"}
    session = PageSession(tmp_path_factory.mktemp("notebook"), environment)
    assert session.run("%load_ext gcs_lab\nimport gcs_lab\ncluster = gcs_lab.connect()", 120).error() is None
    made = session.run("%gcs dashboard", 120)
    assert made.error() is None, made.traceback()
    [view] = made.data(MIME)
    session.comm_id = view["model_id"]
    session.say(kind="hello", protocol=1)
    session.wait_told("overview", lambda m: m["sequence"] > 0)
    yield session
    # A job that runs outlives its cluster.
    session.run("for job in cluster.jobs.list():\n    job.terminate()\n    job.wait_terminated(30)\ncluster.close()")
    session.close()


def test_a_dashboard_keeps_up_while_the_kernel_computes(kernel):
    kernel.say(
        kind="view", view="jobs", id=1, sort=[], first=0, count=50, columns=["job_id", "letters", "name"],
        expanded=[], anew=True,
    )  # fmt: skip
    kernel.wait_told("rows", lambda m: m["id"] == 1)
    interval = kernel.told("overview")[-1][1]["interval"]

    # A job begins, and the kernel computes in Python without a pause; its name is seen meanwhile.
    began = time.monotonic()
    cell = kernel.send(
        'job = cluster.jobs.run("sleep", "60", job_name="while-busy")\n'
        "import time\nend = time.time() + 6\nn = 0\nwhile time.time() < end:\n    n += 1\nprint(n)"
    )
    kernel.wait_told("rows", lambda m: any("while-busy" in row for row in m["rows"].values()))
    assert kernel.cells[cell].replied is None, "the kernel was not busy"
    assert kernel.wait(cell, 60).error() is None
    times = [at for at, _ in kernel.told("overview", began)]
    assert len(times) >= (times[-1] - times[0]) / (4 * interval + 1), "it did not keep up"
    # What it does is not printed into the cell that runs.
    assert kernel.cells[cell].text("stdout").strip().isdigit()
    assert "display_data" not in [kind for _, kind, _ in kernel.cells[cell].messages]


def test_jobs_are_opened_and_ended_from_the_page(kernel):
    kernel.run('job = cluster.jobs.run("sh", "-c", "echo hello; sleep 60", job_name="opened"); job.wait_started(30)')
    job_id = kernel.value("job.id").strip("'")
    kernel.say(kind="details", id=11, job_id=job_id, task=None)
    told = kernel.wait_told("details", lambda m: m["id"] == 11 and m["name"] == "opened")
    assert told["state"] in {"RUNNING", "QUEUED"}
    target = [{"job_id": job_id, "task": None}]
    kernel.wait_told("overview", lambda m: m["tasks"].get("RUNNING"))
    kernel.say(kind="plan", id=12, action="cancel", targets=target, fields={})
    assert kernel.wait_told("plan", lambda m: m["id"] == 12)["jobs"] == 1
    kernel.say(kind="act", id=13, action="cancel", targets=target, fields={})
    done = kernel.wait_told("acted", lambda m: m["id"] == 13)
    assert (done["done"], done["failures"], done["error"]) == (1, [], "")
    assert kernel.value("(job.wait_terminated(30), job.state.name)[1]") == "'FAILED'"


def test_the_page_without_a_kernel_is_beside_it_and_follows(kernel):
    outputs = next(cell for cell in kernel.cells.values() if cell.data(MIME))
    html = outputs.data("text/html")
    page = next(one for one in html if 'id="gcs-static-' in one)
    assert "<table" in page
    assert "embedded" in page


def test_a_saved_notebook_has_the_page_and_stays_small(tmp_path, monkeypatch):
    monkeypatch.setenv("GCS_LAB_CLUSTER", "embedded")
    code = "import gcs_lab\ncluster = gcs_lab.connect()\ncluster.dashboard()"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("cluster.close()")]
    )
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[0].outputs
    assert [output["output_type"] for output in outputs] == ["display_data", "display_data"]
    live, page = (output["data"] for output in outputs)
    assert MIME in live
    assert 'id="gcs-static-' in page["text/html"]
    assert "Jobs" in page["text/html"]
    # Without its own program, which the widget's state holds once, it is small.
    assert len(json.dumps(outputs)) < 60_000

    from nbconvert import HTMLExporter

    body, _ = HTMLExporter().from_notebook_node(notebook)
    assert 'id="gcs-static-' in body
