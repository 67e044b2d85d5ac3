"""The sweep's card on the kernel's side, with a recorded comm in the place of the browser."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import comm
import pytest
from patience import wait_for
from recording_comm import RecordingComm

from gcs_lab.errors import InvalidState
from gcs_lab.models.sweep_model import STRIP_CELLS, SweepModel
from gcs_lab.vocabulary import JobState
from gcs_lab.widgets import live_card
from gcs_lab.widgets.sweep_card import SweepCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDGET = "application/vnd.jupyter.widget-view+json"


class Actions:
    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.error: Exception | None = None
        self.rows: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in {"cancel", "hold", "release", "rerun_failed", "tasks_of_cell", "task_output"}:
            raise AttributeError(name)

        def called(*arguments: int) -> Any:
            self.calls.append((name, *map(str, arguments), threading.current_thread().name))
            if self.error is not None:
                raise self.error
            return self.rows if name == "tasks_of_cell" else "10%\r100%\n"

        return called


def row(task: int, **different: Any) -> dict[str, Any]:
    return {
        "task": task,
        "state": "DONE",
        "parameters": f"x={task}",
        "host": "node1",
        "wall": 1.5,
        "memory": 1024,
        "error": "",
        **different,
    }


@pytest.fixture
def made(monkeypatch) -> Iterator[Callable[..., tuple[SweepCard, SweepModel, Actions]]]:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(live_card, "_front_end", lambda name: f"/* {name} */")
    cards = []

    def make(tasks: int = 100, **traits: Any) -> tuple[SweepCard, SweepModel, Actions]:
        per_cell = -(-tasks // STRIP_CELLS)
        strip = bytes([JobState.QUEUED]) * -(-tasks // per_cell)
        first = {
            "name": "grid",
            "job_id": "12",
            "tasks": tasks,
            "counts": {"QUEUED": tasks},
            "strip": strip,
            "tasks_per_cell": per_cell,
        }
        model, actions = SweepModel(**{**first, **traits}), Actions()
        cards.append(SweepCard(model, actions))
        return cards[-1], model, actions

    yield make
    for card in cards:
        card.close()


def ask(card: SweepCard, **content: Any) -> dict[str, Any]:
    """Send what the browser would, and return the answer."""
    before = len(card.comm.answers())
    card._handle_custom_msg(content, [])
    wait_for(lambda: len(card.comm.answers()) > before)
    return card.comm.answers()[-1]


def test_card_opens_with_the_present_state_and_the_strip_as_a_buffer(made):
    card, model, _ = made()
    kind, data, _ = card.comm.sent[0]
    assert kind == "comm_open"
    assert data["state"]["sweep"]["state"] == "QUEUED"
    assert data["state"]["sweep"]["states"][JobState.FAILED] == "FAILED"
    assert data["buffer_paths"] == [["strip"]]
    assert card.strip == model.strip


def run(model: SweepModel, count: int) -> None:
    """Let the first `count` tasks be done, as the feed tells it: trait by trait."""
    cells = count // model.tasks_per_cell
    rest = len(model.strip) - cells
    model.counts = {"DONE": count, "QUEUED": model.tasks - count}
    model.strip = bytes([JobState.DONE]) * cells + bytes([JobState.QUEUED]) * rest


@pytest.mark.parametrize("tasks", [10_000, 100_000, 1_000_000])
def test_a_refresh_is_less_than_6_kb_however_many_tasks_there_are(made, tasks):
    card, model, _ = made(
        tasks, parameters=["x", "model"], waiting=["no queue has room " * 3] * 3, message="3 failed " * 10
    )
    before = len(card.comm.sizes)
    run(model, tasks // 2)
    wait_for(lambda: card.comm.updates("sweep")[-1:] and card.comm.updates("sweep")[-1]["counts"].get("DONE"))
    assert len(card.comm.sizes) == before + 1
    assert card.comm.sizes[-1] < 6_000


def test_changes_are_at_most_four_messages_a_second_and_the_last_one_arrives(made):
    card, model, _ = made(1000)
    before = len(card.comm.sent)
    started = time.monotonic()
    count = 0
    while time.monotonic() - started < 1.0:
        count = min(1000, count + 1)
        run(model, count)
        time.sleep(0.002)
    wait_for(lambda: card.comm.updates("sweep")[-1]["counts"]["DONE"] == count)
    assert 2 <= len(card.comm.sent) - before <= 6


def test_counts_alone_do_not_send_the_strip_again(made):
    card, model, _ = made()
    card.flush()
    model.wall_left = 60.0
    card.flush()
    assert [data["buffer_paths"] for _, data, _ in card.comm.sent[1:]] == [[]] * (len(card.comm.sent) - 1)


@pytest.mark.parametrize("action", ["cancel", "hold", "release", "rerun_failed"])
def test_a_press_calls_its_action_in_a_thread_of_its_own(made, action):
    card, _, actions = made()
    card._handle_custom_msg({"kind": "press", "action": action}, [])
    wait_for(lambda: card.press.get("phase") == "accepted")
    assert actions.calls == [(action, "gcs-lab-card")]


def test_tasks_that_go_on_do_not_answer_a_press_but_a_rerun_does(made):
    card, model, _ = made(counts={"DONE": 50, "RUNNING": 48, "FAILED": 2})
    card._handle_custom_msg({"kind": "press", "action": "rerun_failed"}, [])
    wait_for(lambda: card.press.get("phase") == "accepted")
    model.counts = {"DONE": 51, "RUNNING": 47, "FAILED": 2}
    card.flush()
    assert card.press["phase"] == "accepted"
    model.counts = {"DONE": 51, "RUNNING": 47, "QUEUED": 2}
    card.flush()
    assert card.press == {}


def test_tasks_of_a_cell_are_sent_once_and_then_only_their_version(made):
    card, _, actions = made()
    actions.rows = [row(17, state="FAILED", error="ValueError: no\nsecond line"), row(18)]
    first = ask(card, kind="cell", cell=3, have="")
    assert first["tasks"][0] == {**row(17), "state": "FAILED", "error": "ValueError: no second line"}
    again = ask(card, kind="cell", cell=3, have=first["version"])
    assert again == {"kind": "cell", "cell": 3, "version": first["version"]}
    assert actions.calls[0][:2] == ("tasks_of_cell", "3")


def test_an_answer_about_a_cell_is_limited_and_plain_json(made):
    card, _, actions = made()
    actions.rows = [row(n, wall=float("nan"), parameters="y" * 5000) for n in range(1, 400)]
    answer = ask(card, kind="cell", cell=0, have="")
    assert len(answer["tasks"]) == 100
    assert answer["tasks"][0]["wall"] == -1
    assert len(answer["tasks"][0]["parameters"]) == 300
    assert len(json.dumps(answer)) < 60_000


def test_output_of_a_task_is_what_a_terminal_would_leave(made):
    card, _, actions = made()
    assert ask(card, kind="output", task=100, have="")["text"] == "100%\n"
    assert actions.calls[0][:3] == ("task_output", "100", "200")


def test_what_cannot_be_told_says_why(made):
    card, _, actions = made()
    actions.error = InvalidState("the folder is gone.")
    assert ask(card, kind="cell", cell=0, have="")["error"] == "the folder is gone."
    assert ask(card, kind="output", task=1, have="")["error"] == "the folder is gone."


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "press", "action": "tasks_of_cell"},
        {"kind": "cell", "cell": 100, "have": ""},
        {"kind": "cell", "cell": -1, "have": ""},
        {"kind": "cell", "cell": "0", "have": ""},
        {"kind": "output", "task": 0, "have": ""},
        {"kind": "output", "task": 101, "have": ""},
    ],
)
def test_a_message_that_is_not_known_calls_nothing(made, content, caplog):
    card, _, actions = made()
    card._handle_custom_msg(content, [])
    assert "does not know" in caplog.text
    assert actions.calls == []


def test_bundles_have_the_line_and_the_last_one_no_widget(made):
    card, model, _ = made()
    data, _ = card.bundle()
    assert data[WIDGET]["model_id"] == card.model_id
    assert data["text/plain"].startswith("◷ queued · grid · job 12 · 100 queued of 100")
    model.counts, model.strip, model.ended = {"DONE": 100}, bytes([JobState.DONE]) * 100, True
    final, _ = card.final_bundle()
    assert set(final) == {"text/plain", "text/html"}
    assert final["text/plain"] == f"✓ done · grid · job 12 · 100 done of 100 · {'✓' * 60}"


def test_a_card_costs_less_than_34_kb_on_the_wire(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    card = SweepCard(SweepModel(name="grid"), Actions())
    try:
        assert sum(card.comm.sizes) < 34_000
    finally:
        card.close()
