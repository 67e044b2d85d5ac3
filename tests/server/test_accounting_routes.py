"""Questions to accounting over REST, and the advice of a form; and that nothing large is read within a request."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from accounting.odd_site import HEAD, NOON, line
from job_cells import ended, send_cell
from patience import wait_for

from gcs_lab import connect, open_accounting
from gcs_lab.cockpit.picture import current_user
from gcs_lab.jobs.requests import parse_memory, parse_time
from gcs_lab.server import accounting_reading
from gcs_lab.server.accounting_answers import form_advice

if TYPE_CHECKING:
    from pathlib import Path

    from live_server import LiveServer

PATH = "clusters/embedded/accounting"


@pytest.fixture(scope="module", autouse=True)
def records(server: LiveServer) -> None:
    """Two jobs of a name that asked for more memory than they needed, in the records."""
    jobs = [send_cell("1 + 1", name="advised", requests={"h_vmem": "8G", "h_rt": "3000"}) for _ in range(2)]
    for job in jobs:
        ended(server, job.id)
    wait_for(lambda: len(connect("embedded").accounting.frame(["name"], name="advised")) >= 2, "the records")


def asked(server: LiveServer, question: str, **words: Any) -> list[dict[str, Any]]:
    told = server.get(PATH, question=question, **words)
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


def test_questions_are_answered_as_tables(server: LiveServer) -> None:
    area = connect("embedded").accounting
    (row,) = asked(server, "summary", name="advised")
    assert row["jobs"] == 2
    assert row["cpu"] == pytest.approx(area.summary(name="advised")["cpu"][0])
    assert {row["name"] for row in asked(server, "summary", by="name")} >= {"advised"}
    assert [row["owner"] for row in asked(server, "efficiency", name="advised")] != []
    assert asked(server, "waits", name="advised")[0]["jobs"] == 2
    assert asked(server, "failures", name="advised") == []
    told = server.get(PATH, question="utilisation", freq="1d", since="1d", by="queue")
    assert told["columns"][:3] == ["time", "queue", "slots"]
    assert all(row[0].startswith("20") for row in told["rows"])
    assert len(asked(server, "top", by="name", n=1)) == 1
    assert any(row["family"] == "advised" for row in asked(server, "families"))
    assert server.get(PATH, question="summary", by="job_id", limit=1)["total"] > 1


def test_words_that_say_nothing_are_refused(server: LiveServer) -> None:
    assert server.refused(400, "GET", PATH)["field"] == "question"
    assert server.refused(400, "GET", PATH, params={"question": "why"})["field"] == "question"
    server.refused(400, "GET", PATH, params={"question": "summary", "by": "nothing"})
    server.refused(400, "GET", PATH, params={"question": "summary", "since": "yester"})
    server.refused(400, "GET", PATH, params={"question": "top", "by": "owner,name"})
    assert (
        server.refused(400, "GET", PATH, params={"question": "summary", "where": "slots>"})["type"] == "FilterError"
    )


def test_advice_of_earlier_jobs_of_the_name(tmp_path: Path) -> None:
    asked_for = "-U users -l h_vmem=8G,h_rt=36000"
    used = {"owner": current_user(), "name": "fit", "category": asked_for, "max_vmem": 2**30, "end": NOON + 600}
    (tmp_path / "accounting").write_text(HEAD + "".join(line(job=number, **used) for number in range(1, 31)))
    made = SimpleNamespace(accounting=open_accounting(tmp_path / "accounting", folder=tmp_path / "store"))
    told = form_advice(made, "fit")
    assert told["text"].startswith("From 30 earlier runs of jobs named fit: -l h_vmem=")
    memory, time = told["requests"]
    assert (memory["name"], time["name"]) == ("h_vmem", "h_rt")
    assert parse_memory(memory["value"]) < 2 * 2**30
    assert parse_time(time["value"]) < 1000
    assert memory["why"] == "enough for 95% of 30 earlier jobs"
    for name in ("", " ", "other", "*[", "99"):
        assert form_advice(made, name) == {"text": "", "requests": []}
    made.accounting.close()


def test_a_few_jobs_teach_nothing(server: LiveServer) -> None:
    assert server.get("clusters/embedded/advice", name="advised") == {"text": "", "requests": []}


def test_much_that_is_new_is_read_beside(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    area = connect("embedded").accounting
    may_read = threading.Event()
    read = area.refresh

    def slow(**options: Any) -> Any:
        may_read.wait(30)
        return read(**options)

    monkeypatch.setattr(area, "refresh", slow)
    monkeypatch.setattr(accounting_reading, "unread_bytes", lambda _: 5_000_000_000)
    problem = server.refused(503, "GET", PATH, params={"question": "summary"})
    assert (problem["type"], "5.0 GB" in problem["message"]) == ("TryLater", True)
    assert "being read" in server.refused(503, "GET", PATH, params={"question": "summary"})["message"]
    told = server.get("clusters/embedded/advice", name="advised")
    assert (told["requests"], "not known" in told["text"]) == ([], True)
    monkeypatch.setattr(accounting_reading, "unread_bytes", lambda _: 0)
    may_read.set()
    wait_for(lambda: server.request("GET", PATH, params={"question": "summary"}).status_code == 200, "the answer")


def test_how_much_is_not_read_yet(server: LiveServer) -> None:
    area = connect("embedded").accounting
    area.refresh()
    assert accounting_reading.unread_bytes(area) == 0
    (path, *_) = area.backend.record_files()
    job = send_cell("1", name="one_more")
    ended(server, job.id)
    wait_for(lambda: accounting_reading.unread_bytes(area) > 0, "a record that is new")
    assert accounting_reading.unread_bytes(area) < path.stat().st_size
