"""One job over REST, on the embedded cluster: facts, log, outputs, actions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from job_cells import ended, send_cell
from live_server import TOKEN
from patience import wait_for

from gcs_lab import connect
from gcs_lab.server.outputs_reader import MOST_OUTPUTS, OutputsReader

if TYPE_CHECKING:
    from pathlib import Path

    from live_server import LiveServer

    from gcs_lab.server.log_index import Stop

JOBS = "clusters/embedded/jobs"

DRAWS = """\
import sys
from IPython.display import HTML, clear_output, display
print("first line")
print("\\x1b[31mred\\x1b[0m error 1", file=sys.stderr)
print("not kept")
handle = display(HTML("<b>1</b>"), display_id=True)
display(HTML("x" * 300_000))
handle.update(HTML("<b>2</b>"))
print("10%\\r20%\\rlast")
6 * 7
"""


@pytest.fixture(scope="module")
def drawn(server: LiveServer) -> str:
    """A cell's job that printed and drew, and ended well."""
    job = send_cell(DRAWS, name="draws", notebook=str(server.root / "work" / "fit.ipynb"), cell="cell-7")
    assert ended(server, job.id)["state"] == "DONE"
    return job.id


def test_facts_of_a_cells_job(server: LiveServer, drawn: str) -> None:
    facts = server.get(f"{JOBS}/{drawn}")
    assert (facts["name"], facts["kind"], facts["cell"], facts["execution_count"]) == ("draws", "cell", "cell-7", 3)
    assert facts["notebook"] == "work/fit.ipynb"
    assert "6 * 7" in facts["source"]
    assert facts["folder"].endswith(facts["folder"].rpartition("/")[2])
    assert facts["submitted"] <= facts["started"] <= facts["ended"] <= time.time()
    assert facts["exit_status"] == 0
    assert facts["outcome"].startswith("done in ")
    assert facts["streams"][0]["stream"] == "output"
    assert facts["streams"][0]["bytes"] > 0
    assert facts["attach"].endswith(f"%gcs attach {drawn} --on embedded")


def test_log_by_number_and_by_text(server: LiveServer, drawn: str) -> None:
    log = server.get(f"{JOBS}/{drawn}/log")
    assert log["lines"] == ["first line", "\x1b[31mred\x1b[0m error 1", "not kept", "last"]
    assert (log["total"], log["first"], log["live"], log["note"], log["stream"]) == (4, 0, False, "", "output")
    assert server.get(f"{JOBS}/{drawn}/log", first=-1, count=5)["lines"] == ["last"]
    assert server.get(f"{JOBS}/{drawn}/log", first=9)["lines"] == []
    found = server.get(f"{JOBS}/{drawn}/log/matches", text="RED e".lower())
    assert found == {"matches": [{"line": 1, "text": "red error 1"}], "total": 1, "more": False}
    assert server.get(f"{JOBS}/{drawn}/log/matches", text="RED")["matches"] == []
    assert server.get(f"{JOBS}/{drawn}/log/matches", text="t", limit=1, after=0)["more"] is True
    assert "printed is in its output" in server.get(f"{JOBS}/{drawn}/log", stream="stderr")["note"]
    assert server.refused(400, "GET", f"{JOBS}/{drawn}/log", params={"stream": "/etc/passwd"})["field"] == "stream"
    assert server.refused(400, "GET", f"{JOBS}/{drawn}/log/matches")["field"] == "text"
    server.refused(400, "GET", f"{JOBS}/{drawn}/log/matches", params={"text": "a\nb"})


def test_outputs_are_those_of_a_notebook(server: LiveServer, drawn: str) -> None:
    answer = server.get(f"{JOBS}/{drawn}/outputs")
    first, large, result = answer["outputs"]
    assert first["data"]["text/html"] == "<b>2</b>"  # changed in place
    assert len(large["data"]["text/html"]) == 300_000  # from its side file
    assert (result["output_type"], result["execution_count"]) == ("execute_result", 3)
    assert result["data"]["text/plain"] == "42"
    assert answer["note"] == ""
    again = server.request("GET", f"{JOBS}/{drawn}/outputs", params={"version": answer["version"]})
    assert (again.status_code, again.content) == (304, b"")
    assert server.get(f"{JOBS}/{drawn}/outputs", version=answer["version"] - 1)["version"] == answer["version"]


def test_a_job_that_fails(server: LiveServer) -> None:
    job = send_cell("print('before')\nraise ValueError('no data')", name="fails")
    facts = ended(server, job.id)
    assert (facts["state"], facts["exit_status"], facts["outcome"]) == ("FAILED", 1, "ValueError: no data")
    (error,) = server.get(f"{JOBS}/{job.id}/outputs")["outputs"]
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "ValueError", "no data")
    assert "Cell In[3]" in "\n".join(error["traceback"])
    refused = server.refused(422, "POST", f"{JOBS}/{job.id}/rerun", json={"failed": True})
    assert "Run its cell in the notebook again" in refused["message"]
    server.refused(422, "GET", f"{JOBS}/{job.id}/tasks")


def test_a_job_that_runs_is_live_and_can_be_cancelled(server: LiveServer) -> None:
    job = send_cell("import time\nprint('on')\ntime.sleep(600)", name="sleeps")
    wait_for(lambda: server.get(f"{JOBS}/{job.id}/log")["lines"] == ["on"], "its line")
    log = server.get(f"{JOBS}/{job.id}/log", first=-1)
    assert (log["live"], log["total"]) == (True, 1)
    assert server.refused(409, "POST", f"{JOBS}/{job.id}/actions", json={"action": "release"})["message"].startswith(
        "Release was not done to job"
    )
    server.refused(400, "POST", f"{JOBS}/{job.id}/actions", json={"action": "shoot"})
    acted = server.post(f"{JOBS}/{job.id}/actions", {"action": "suspend"})
    assert (acted["done"], acted["text"]) == (1, f"Job {job.id} (sleeps) was suspended.")
    assert server.post(f"{JOBS}/{job.id}/actions", {"action": "resume"})["done"] == 1
    assert server.post(f"{JOBS}/{job.id}/actions", {"action": "cancel"})["failures"] == []
    facts = ended(server, job.id)
    assert facts["state"] == "FAILED"
    assert facts["outcome"]
    wait_for(lambda: not server.get(f"{JOBS}/{job.id}/log")["live"], "that it is live no more")
    assert (
        "queue any more"
        in server.refused(409, "POST", f"{JOBS}/{job.id}/actions", json={"action": "cancel"})["message"]
    )


def test_a_job_that_no_notebook_submitted(server: LiveServer, tmp_path: Path) -> None:
    files = {"output_path": str(tmp_path / "out"), "error_path": str(tmp_path / "err")}
    job = connect("embedded").jobs.run("sh", "-c", "echo hello; sleep 600", job_name="plain", **files)
    wait_for(lambda: server.get(f"{JOBS}/{job.id}/log", stream="stdout")["lines"] == ["hello"], "its line")
    facts = server.get(f"{JOBS}/{job.id}")
    assert (facts["name"], facts["kind"], facts["state"], facts["source"]) == ("plain", "job", "RUNNING", "")
    assert f"jobs.job('{job.id}')" in facts["attach"]
    assert "no notebook of yours" in server.get(f"{JOBS}/{job.id}/log")["note"]
    assert "no notebook of yours" in server.get(f"{JOBS}/{job.id}/outputs")["note"]
    server.refused(422, "POST", f"{JOBS}/{job.id}/rerun", json={"failed": True})
    server.post(f"{JOBS}/{job.id}/actions", {"action": "cancel"})
    assert ended(server, job.id)["state"] == "FAILED"


def test_a_job_that_nobody_knows(server: LiveServer) -> None:
    assert server.refused(404, "GET", f"{JOBS}/987654")["type"] == "UnknownName"
    assert server.refused(404, "GET", "clusters/nowhere/jobs/1")["type"] == "ClusterNotFound"
    server.refused(404, "GET", f"{JOBS}/..%2f1")
    assert "left the queue" in server.get(f"{JOBS}/987654/log", stream="stdout")["note"]
    server.refused(409, "POST", f"{JOBS}/987654/actions", json={"action": "cancel"})


def test_an_array_job_has_its_tasks(server: LiveServer) -> None:
    jobs = connect("embedded").jobs
    from gcs_lab.vocabulary import JobTemplate

    template = JobTemplate(remote_command="/bin/sleep", args=["600"], job_name="many", submit_as_hold=True)
    array = jobs.submit_array(template, 1, 5)
    jobs_path = f"{JOBS}/{array.id}"
    connect("embedded").status.poller.fresh()
    told = server.get(f"{jobs_path}/tasks", first=1, limit=2)
    assert told["total"] == 5
    assert [row[0] for row in told["rows"]] == [2, 3]
    assert dict(zip(told["columns"], told["rows"][0], strict=True))["letters"] == "hqw"
    assert server.get(f"{jobs_path}/tasks", state="RUNNING")["rows"] == []
    assert server.post(f"{jobs_path}/actions", {"action": "cancel", "tasks": [2, 4]})["done"] == 2
    connect("embedded").status.poller.fresh()
    assert [row[0] for row in server.get(f"{jobs_path}/tasks")["rows"]] == [1, 3, 5]
    server.post(f"{jobs_path}/actions", {"action": "cancel"})


def test_outputs_as_a_notebook_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of event, in an order in which a job would be hard to make."""
    import json

    from gcs_lab.cells.job_folder import JobFolder

    folder = JobFolder(tmp_path)
    number = 0

    def say(kind: str, **body: object) -> None:
        nonlocal number
        with folder.events.open("a") as file:
            file.write(json.dumps({"seq": number, "t": 1e9, "type": kind, **body}) + "\n")
        number += 1

    def show(text: str, kind: str = "display", **more: object) -> None:
        say(kind, data={"text/plain": text}, metadata={}, **more)

    reader = OutputsReader(folder, 0)
    assert reader.read() == ([], 0, "")
    say("started")
    show("a", display_id="one")
    show("b", display_id="one")
    versions = [reader.read()[1]]

    def texts() -> list[str]:
        outputs, version, _ = reader.read()
        assert version > versions[-1]
        versions.append(version)
        return [output["data"]["text/plain"] for output in outputs if output.get("data")]

    show("c", "update_display", display_id="one")
    show("nobody", "update_display", display_id="two")
    assert texts() == ["c", "c"]
    say("clear_output", wait=True)
    assert texts() == ["c", "c"]
    say("stream", name="stdout", text="x")
    assert texts() == []
    show("lost", "update_display", display_id="one")
    show("d")
    say("clear_output", wait=False)
    assert texts() == []
    say("error", ename="E", evalue="v", traceback=["t"])
    assert texts() == []
    assert reader.read()[0][0]["ename"] == "E"
    # It was put back into the queue and runs again: its first end is void.
    say("started")
    show("e")
    assert texts() == ["e"]
    assert not any(output["output_type"] == "error" for output in reader.read()[0])
    for _ in range(MOST_OUTPUTS + 3):
        show("many")
    outputs, version, note = reader.read()
    assert len(outputs) == MOST_OUTPUTS
    assert "outputs are left out" in note
    assert version > versions[-1]
    monkeypatch.setattr("gcs_lab.server.outputs_reader.MOST_BYTES", 50)
    fresh = OutputsReader(folder, 0)
    say("clear_output", wait=False)
    show("x" * 40, display_id="big")
    show("y" * 40)
    show("z" * 60, "update_display", display_id="big")
    outputs, _, note = fresh.read()
    assert [output["data"]["text/plain"] for output in outputs] == ["[an output of 0.0 MB is left out]"]
    assert note.startswith("1 output is left out")


def test_who_goes_away_ends_the_search(server: LiveServer, drawn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    from gcs_lab.server import log_streams

    stopped: list[bool] = []

    def search(*_: object, stop: Stop, **__: object) -> dict[str, object]:
        stopped.append(stop.wait(30))
        return {"matches": [], "total": 0, "more": False}

    monkeypatch.setattr(log_streams, "log_matches", search)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(
            server.url(f"api/{JOBS}/{drawn}/log/matches"), params={"text": "x", "token": TOKEN}, timeout=(5, 0.3)
        )
    wait_for(lambda: stopped == [True], "that it was stopped")
