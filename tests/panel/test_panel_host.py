"""The panel's host on a cluster whose answers the test gives: what is told, when, and when nothing is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from in_memory_backend import InMemorySystem, task_row
from panel_lab import ME, Page
from patience import wait_for

from gcs_lab.cluster import Cluster
from gcs_lab.errors import DrmCommunication, InvalidArgument, UnsupportedOperation
from gcs_lab.jobs import JobAction
from gcs_lab.panel.messages import check_message
from gcs_lab.status import JobDetails
from gcs_lab.vocabulary import JobState, PendingReason
from gcs_lab.vocabulary.pending_reason import ReasonKind

if TYPE_CHECKING:
    from panel_lab import Lab


def mine(job_id: str, letters: str = "r", **others: Any) -> dict[str, Any]:
    return task_row(job_id, ME, letters, **others)


def test_hello_is_answered_with_the_whole(lab: Lab) -> None:
    lab.status.tasks = [mine("1"), task_row("2", "bob"), mine("3", "qw"), mine("4", "hqw"), mine("5", "Eqw")]
    page = lab.page()
    first, panel = page.messages[0], page.panel
    assert (first["kind"], first["whole"]) == ("panel", True)
    assert (panel["cluster"], panel["user"], panel["stale_since"]) == (lab.cluster.name, ME, 0.0)
    assert panel["mine"] == {"running": 1, "suspended": 0, "pending": 1, "held": 1, "error": 1}
    assert panel["slots"] == {"used": 1, "free": 3, "closed": 0, "total": 4}
    assert [(row["job_id"], row["state"]) for row in page.live()] == [
        ("1", "RUNNING"), ("5", "FAILED"), ("4", "QUEUED_HELD"), ("3", "QUEUED"),
    ]  # fmt: skip
    assert page.row("1")["actions"] == ["cancel", "suspend"]
    assert page.row("5")["actions"] == ["cancel", "clear_error"]
    assert page.row("4")["actions"] == ["cancel", "release"]
    assert panel["health"]["level"] == "warn"
    assert panel["health"]["text"] == "3 of 4 slots free · 1 job of yours in error"


def test_an_idle_cluster_is_silence_and_a_change_is_only_what_differs(lab: Lab) -> None:
    lab.status.tasks = [mine(str(number), "qw") for number in range(1, 41)]
    page = lab.page()
    page.wait(lambda: len(page.panel["live"]) == 40)
    for _ in range(3):
        lab.now()
    time.sleep(0.2)  # four times the pace of messages
    assert len(page.messages) == len([m for m in page.messages if m["time"] <= page.panel["time"]])
    told = len(page.messages)
    lab.now()
    lab.status.tasks[6] = mine("7", "r")
    lab.now()
    page.wait_row("7", state="RUNNING")
    assert len(page.messages) == told + 1
    assert list(page.messages[-1]["jobs"]) == ["7"]
    assert page.panel["live"][0] == "7"


def test_a_job_of_the_journal_is_there_before_any_look_at_the_cluster(lab: Lab) -> None:
    lab.submit("8", "early", notebook="/home/ann/work/fit.ipynb", cell="abc", execution_count=3)
    lab.status.answer_may_go.clear()
    page = lab.page(hello=False, contents_path=lambda path: path.removeprefix("/home/ann/"))
    try:
        page.say("hello", protocol=1)
        row = page.wait_row("8")
        assert page.messages[0]["time"] == 0.0
        assert row["name"] == "early"
        assert (row["notebook"], row["cell"], row["execution_count"]) == ("work/fit.ipynb", "abc", 3)
        assert (row["state"], row["kind"], row["actions"]) == ("QUEUED", "cell", ["cancel"])
        assert page.panel["mine"]["pending"] == 1
        polls = lab.status.polls
    finally:
        lab.status.answer_may_go.set()
    # It is submitted while the panel is open: it is there at once, and the cluster is looked at.
    page.wait(lambda: page.panel["time"])
    lab.status.poll_floor = 1.0
    lab.submit("9", "next")
    page.wait_row("9")
    lab.status.tasks = [mine("8"), mine("9")]
    wait_for(lambda: lab.status.polls > polls)
    lab.now()
    page.wait_row("9", state="RUNNING", letters="r", name="next")


def test_progress_comes_from_the_log_and_a_clean_end_needs_no_look(lab: Lab) -> None:
    entry = lab.submit("5", "train", cell="c", notebook="/n.ipynb")
    lab.status.tasks = [mine("5", name="train")]
    page = lab.page()
    page.say("watch", notebooks=["/n.ipynb"])
    page.wait_row("5", progress=None)
    lab.say(entry, "started", host="node1", job_id="5")
    lab.say(entry, "progress", n=30, total=120, desc="epoch", unit="steps")
    row = page.wait_row("5", progress={"fraction": 0.25, "text": "epoch 30/120 steps"})
    assert row["kind"] == "cell"
    page.wait(lambda: [m for m in page.told("cells") if m["cells"].get("c", {}).get("text") == "epoch 30/120 steps"])
    lab.say(entry, "finished", exit_status=0, reason="done", wall=12.0)
    row = page.wait_row("5", "recent", state="DONE")
    assert row["outcome"].startswith("done in ")
    assert page.row("5") is None, "although it still stands in the queue"
    assert lab.journal.of_folder(entry.folder).state == "DONE"
    ended = page.wait(lambda: page.told("ended"))[0]
    assert [job["job_id"] for job in ended["jobs"]] == ["5"]
    assert (ended["done"], ended["failed"], ended["more"]) == (1, 0, 0)
    cells = page.wait(lambda: [m for m in page.told("cells") if m["cells"]["c"]["state"] == "DONE"])
    assert cells[0]["cells"]["c"]["text"].startswith("done in ")


def test_a_job_whose_kernel_was_killed_is_concluded_once(lab: Lab) -> None:
    entry = lab.submit("5", "train")
    lab.status.tasks = [mine("5", name="train"), mine("6")]
    lab.system.jobs.states["5"] = lab.system.jobs.states["6"] = JobState.RUNNING
    page = lab.page()
    page.wait_row("5")
    lab.say(entry, "started", host="node1", job_id="5")
    lab.say(entry, "error", ename="ValueError", evalue="x is 0\nand more", traceback=[])
    lab.say(entry, "finished", exit_status=1, reason="error", wall=2.0)
    page.wait_row("5", "recent", state="FAILED", outcome="ValueError: x is 0")
    # What is no cell's is known from accounting alone.
    lab.system.jobs.states["6"] = JobState.FAILED
    lab.status.tasks = []
    lab.now()
    row = page.wait_row("6", "recent", state="FAILED")
    assert (row["kind"], row["outcome"], row["actions"]) == ("job", "failed", [])
    page.wait(lambda: sum(len(m["jobs"]) for m in page.told("ended")) == 2)
    page.say("hello", protocol=1)
    lab.now()
    time.sleep(1.2)
    assert sorted(job["job_id"] for m in page.told("ended") for job in m["jobs"]) == ["5", "6"]
    assert page.told("panel")[-1]["recent"] == page.panel["recent"]
    assert set(page.panel["recent"]) == {"5", "6"}


def test_what_ended_before_hello_is_recent_and_no_news(lab: Lab) -> None:
    old = lab.submit("3", "old")
    lab.journal.update(old.folder, state="FAILED", finished=time.time() - 60, message="killed: h_rt=60 s exceeded")
    lost = lab.submit("4", "lost", submitted=time.time() - 3600)
    lab.say(lost, "finished", exit_status=0, reason="done", wall=65.0, t=time.time() - 1800)
    page = lab.page()
    row = page.wait_row("4", "recent", state="DONE", outcome="done in 1:05")
    assert row["ended"] == pytest.approx(time.time() - 1800, abs=60), "its own time, not that of who looked"
    assert page.row("3", "recent")["outcome"] == "killed: h_rt=60 s exceeded"
    assert page.panel["recent"] == ["3", "4"]
    time.sleep(0.8)
    assert page.told("ended") == []


def test_ends_are_told_while_hidden_many_at_once_in_one_message(lab: Lab) -> None:
    lab.status.tasks = [mine(str(number)) for number in range(1, 13)]
    for number in range(1, 13):
        lab.system.jobs.states[str(number)] = JobState.RUNNING
    page = lab.page()
    page.wait(lambda: len(page.panel["live"]) == 12)
    page.say("visible", visible=False)
    for number in range(1, 13):
        lab.system.jobs.states[str(number)] = JobState.FAILED if number == 4 else JobState.DONE
    panels = len(page.told("panel"))
    lab.status.tasks = []
    lab.now()
    (ended,) = page.wait(lambda: page.told("ended"))
    assert (len(ended["jobs"]), ended["more"], ended["failed"], ended["done"]) == (5, 7, 1, 11)
    assert ended["jobs"][0]["job_id"] == "4", "what failed is named first"
    assert len(page.told("panel")) == panels
    page.say("visible", visible=True)
    page.wait(lambda: len(page.panel["recent"]) == 12)
    assert page.panel["live"] == []


def test_who_cancels_here_is_told_by_the_answer_alone(lab: Lab) -> None:
    lab.status.tasks = [mine("1", name="a"), mine("2", name="b")]
    lab.system.jobs.states |= {"1": JobState.RUNNING, "2": JobState.RUNNING}
    page = lab.page()
    page.wait_row("2")
    acted = page.act("cancel", "1")
    assert (acted["kind"], acted["text"], acted["error"]) == ("acted", "Job 1 (a) was cancelled.", "")
    lab.system.jobs.states["2"] = JobState.FAILED
    lab.status.tasks = []
    lab.now()
    page.wait(lambda: len(page.panel["recent"]) == 2)
    page.wait(lambda: page.told("ended"))
    assert [job["job_id"] for m in page.told("ended") for job in m["jobs"]] == ["2"]
    assert "not in the queue any more" in page.act("hold", "2")["error"]
    assert "journal" in page.act("rerun_failed", "2")["error"]
    assert lab.system.jobs.controlled == [(JobAction.TERMINATE, ["1"])]


def test_an_error_state_is_explained_and_cleared(lab: Lab) -> None:
    entry = lab.submit("5", "broken")
    lab.status.tasks = [mine("5", "Eqw", name="broken")]
    lab.system.jobs.states["5"] = JobState.QUEUED
    lab.system.jobs.reasons["5"] = [PendingReason(ReasonKind.ERROR, "can't chdir to /gone", lasting=True)]
    # The kernel gives up on a job in error state; the panel does not, as long as it is in the queue.
    lab.journal.update(entry.folder, state="FAILED", finished=time.time(), message="error state Eqw")
    page = lab.page()
    row = page.wait_row("5", reason="can't chdir to /gone")
    assert (row["state"], row["letters"], row["actions"]) == ("FAILED", "Eqw", ["cancel", "clear_error"])
    assert "The error of job 5" in page.act("clear_error", "5")["text"]
    lab.status.tasks = [mine("5", "qw", name="broken")]
    assert lab.system.jobs.controlled == [(JobAction.CLEAR_ERROR, ["5"])]
    assert len(lab.system.jobs.reasons_asked) <= 2


def test_reasons_are_asked_together_and_for_a_few_rows_only(lab: Lab) -> None:
    lab.status.tasks = [mine(str(number), "qw") for number in range(1, 101)]
    for number in range(1, 101):
        lab.system.jobs.states[str(number)] = JobState.QUEUED
    lab.system.jobs.reasons["100"] = [PendingReason(ReasonKind.SLOTS, "no slot is free")]
    page = lab.page()
    page.wait_row("100", reason="no slot is free")
    assert [len(ids) for ids in lab.system.jobs.reasons_asked] == [20]


def test_what_waits_for_others_alone_cannot_be_released(lab: Lab) -> None:
    lab.status.tasks = [mine("1", "hqw"), mine("2", "hqw"), mine("3", "s")]
    for number in "12":
        lab.system.jobs.states[number] = JobState.QUEUED_HELD
    other = PendingReason(ReasonKind.DEPENDENCY, "waits for job 9")
    lab.system.jobs.reasons["1"] = [other]
    lab.system.jobs.reasons["2"] = [PendingReason(ReasonKind.HOLD, "held by its user", "user"), other]
    page = lab.page()
    page.wait_row("1", reason="waits for job 9", actions=["cancel"])
    page.wait_row("2", reason="held by its user", actions=["cancel", "release"])
    # What is suspended is not counted with what runs.
    assert page.panel["mine"] == {"running": 0, "suspended": 1, "pending": 0, "held": 2, "error": 0}


def test_ten_thousand_jobs_are_two_hundred_rows(lab: Lab) -> None:
    lab.status.tasks = [mine(str(number), "r" if number <= 300 else "qw") for number in range(1, 10_001)]
    page = lab.page()
    page.wait(lambda: page.panel["more"] == 9_800)
    assert len(page.panel["live"]) == 200
    assert page.panel["live"][0] == "300"
    assert page.panel["mine"] == {"running": 300, "suspended": 0, "pending": 9_700, "held": 0, "error": 0}
    assert max(page.sizes) < 100_000
    lab.status.tasks = lab.status.tasks[:300]
    lab.now()
    page.wait(lambda: page.panel["more"] == 100)
    assert page.sizes[-1] < 5_000


def test_a_plain_array_is_one_row_with_its_tasks(lab: Lab) -> None:
    lab.status.details["7"] = JobDetails("7", task_range="1-10:1")
    lab.status.tasks = [mine("7", "r", task=4, tasks="4"), mine("7", "qw", tasks="5-10:1", task_count=6)]
    page = lab.page()
    row = page.wait(lambda: page.row("7") if (page.row("7") or {}).get("tasks", {}).get("total") == 10 else None)
    assert (row["kind"], row["state"]) == ("array", "RUNNING")
    assert row["tasks"] == {
        "running": 1, "pending": 6, "held": 0, "suspended": 0, "error": 0, "done": 3, "failed": 0, "total": 10,
    }  # fmt: skip


def test_a_silent_cluster_is_told_once_and_its_return_too(lab: Lab) -> None:
    lab.status.tasks = [mine("1")]
    page = lab.page()
    lab.status.fault = DrmCommunication("the qmaster on host ma does not answer")
    panel = page.wait(lambda: page.panel if page.panel["stale_since"] else None)
    assert panel["health"]["level"] == "bad"
    assert panel["health"]["text"].startswith("no answer (tried again in ")
    assert "qmaster on host ma" in panel["health"]["help"]
    assert page.row("1")["state"] == "RUNNING", "what was known stays"
    page.say("refresh")
    page.wait(lambda: [m for m in page.told("trouble") if "qmaster on host ma" in m["message"]])
    lab.status.fault = None
    page.say("refresh")
    page.wait(lambda: page.panel["health"]["level"] == "good")
    assert page.panel["stale_since"] == 0.0


def test_the_health_line_says_what_an_operator_would(lab: Lab) -> None:
    lab.status.hosts.append({"host": "node2", "cores": 2, "slots_total": 4, "state": "u"})
    lab.status.queue_instances.append(
        {"queue": "all.q", "host": "node2", "type": "BIP", "slots_used": 0, "slots_total": 4, "state": "au"}
    )
    page = lab.page()
    health = page.panel["health"]
    assert (health["level"], health["text"]) == ("warn", "3 of 8 slots free · 1 host down")
    assert "8 slots: 1 used, 3 free, 4 in queues that take no job" in health["help"]
    lab.status.hosts.pop()
    lab.status.queue_instances = [
        {"queue": "all.q", "host": "node1", "type": "BIP", "slots_used": 4, "slots_total": 4, "state": ""}
    ]
    lab.now()
    page.wait(lambda: page.panel["health"]["text"] == "no slot of 4 free")
    assert page.panel["health"]["level"] == "busy"


def test_a_job_number_that_was_given_out_anew_is_another_job(lab: Lab) -> None:
    lab.submit("1", "of-the-old-cluster", submitted=time.time() - 86_400, notebook="/old.ipynb", cell="c")
    submitted = datetime.now(UTC) - timedelta(seconds=5)
    lab.status.tasks = [mine("1", name="new", submission_time=submitted)]
    page = lab.page()
    row = page.wait_row("1", name="new")
    assert (row["kind"], row["notebook"]) == ("job", "")


def test_a_log_that_is_long_is_read_from_its_end(lab: Lab) -> None:
    entry = lab.submit("5", "noisy")
    lab.status.tasks = [mine("5", name="noisy")]
    lab.say(entry, "started", host="node1", job_id="5")
    for _ in range(20):
        lab.say(entry, "stream", name="stdout", text="x" * 50_000)
    lab.say(entry, "progress", n=1, total=2)
    page = lab.page()
    page.wait_row("5", progress={"fraction": 0.5, "text": "1/2"})


def test_cells_of_other_clusters_are_told_from_their_logs(lab: Lab) -> None:
    entry = lab.submit("5", "elsewhere", notebook="/n.ipynb", cell="c1")
    lab.journal.update(entry.folder, cluster="another")
    older = lab.submit("4", "older", notebook="/n.ipynb", cell="c1", submitted=time.time() - 100)
    lab.journal.update(older.folder, finished=time.time(), state="DONE")
    page = lab.page()
    page.say("watch", notebooks=["/n.ipynb", "/empty.ipynb"])
    page.wait(lambda: len(page.told("cells")) == 2)
    assert page.told("cells")[1] == {"kind": "cells", "notebook": "/empty.ipynb", "cells": {}}
    assert page.told("cells")[0]["cells"]["c1"]["cluster"] == "another"
    lab.say(entry, "started", host="h")
    page.wait(lambda: page.told("cells")[-1]["cells"].get("c1", {}).get("state") == "RUNNING")
    lab.say(entry, "finished", exit_status=0, reason="done", wall=3.0)
    page.wait(lambda: page.told("cells")[-1]["cells"].get("c1", {}).get("text") == "done in 3.0 s")
    assert page.panel["live"] == []


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"kind": "rows"},
        {"kind": "act", "id": 1, "action": "explode", "job_id": "1"},
        {"kind": "act", "id": 1, "action": "cancel", "job_id": ""},
        {"kind": "watch", "notebooks": "a.ipynb"},
        {"kind": "visible", "visible": 1},
    ],
)
def test_what_is_no_message_is_answered_with_trouble(lab: Lab, message: object) -> None:
    with pytest.raises(InvalidArgument):
        check_message(message)
    page = lab.page(hello=False)
    page.host.receive(message)
    assert page.wait(lambda: page.told("trouble"))[0]["message"]


def test_a_cluster_without_status_has_no_panel() -> None:
    cluster = Cluster(InMemorySystem("bare", with_status=False))
    with pytest.raises(UnsupportedOperation):
        Page(cluster)


def test_two_panels_share_the_poll_and_a_hidden_one_is_left_alone(lab: Lab) -> None:
    lab.status.tasks = [mine("1")]
    one, two = lab.page(), lab.page()
    lab.status.poll_floor = 1.0
    one.say("visible", visible=False)
    wait_for(lambda: not one.host._following.looked_at)
    told = len(one.told("panel"))
    lab.now()
    polls = lab.status.polls
    lab.status.tasks = [mine("1"), mine("2")]
    two.wait_row("2")
    assert lab.status.polls <= polls + 1
    assert len(one.told("panel")) == told
    one.say("visible", visible=True)
    one.wait_row("2")
