"""The job card on the kernel's side, with a recorded comm in the place of the browser."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import comm
import pytest
from patience import wait_for
from recording_comm import RecordingComm

from gcs_lab.errors import DeniedByDrms, Internal
from gcs_lab.models import JobModel
from gcs_lab.widgets import live_card
from gcs_lab.widgets.job_card import JobCard
from gcs_lab.widgets.live_card import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDGET = "application/vnd.jupyter.widget-view+json"
ESCAPE = "\x1b"


class Actions:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.log = "one\ntwo\n"
        self.go = threading.Event()
        self.go.set()

    def _called(self, name: str) -> None:
        self.go.wait(10)
        self.calls.append((name, threading.current_thread().name))
        if self.error is not None:
            raise self.error

    def cancel(self) -> None:
        self._called("cancel")

    def hold(self) -> None:
        self._called("hold")

    def release(self) -> None:
        self._called("release")

    def log_tail(self, stream: str, lines: int) -> str:
        self._called(f"{stream} {lines}")
        return self.log


@pytest.fixture
def made(monkeypatch, tmp_path) -> Iterator[Callable[..., tuple[JobCard, JobModel, Actions]]]:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(live_card, "_front_end", lambda name: f"/* {name} */")
    cards = []

    def make(**traits: Any) -> tuple[JobCard, JobModel, Actions]:
        model, actions = JobModel(**{"name": "fit", "job_id": "12", "state": "QUEUED", **traits}), Actions()
        cards.append(JobCard(model, actions))
        return cards[-1], model, actions

    yield make
    for card in cards:
        card.close()


def press(card: JobCard, action: str) -> None:
    card._handle_custom_msg({"kind": "press", "action": action}, [])


def test_card_opens_with_the_present_state_and_the_kernels_time(made):
    card, _, _ = made(state="RUNNING")
    kind, data, _ = card.comm.sent[0]
    assert kind == "comm_open"
    assert data["state"]["job"]["state"] == "RUNNING"
    assert abs(data["state"]["job"]["now"] - time.time()) < 60


def test_a_change_of_state_is_one_message_that_does_not_wait(made, monkeypatch):
    monkeypatch.setattr(live_card, "_CONTINUOUS_SECONDS", 1000.0)
    card, model, _ = made()
    before = len(card.comm.updates("job"))
    for name, value in {"queue": "all.q", "host": "node1", "started": 5.0, "state": "RUNNING"}.items():
        setattr(model, name, value)
    wait_for(lambda: len(card.comm.updates("job")) > before)
    assert [job["state"] for job in card.comm.updates("job")[before:]] == ["RUNNING"]


def test_a_thousand_heartbeats_a_second_are_at_most_four_messages_a_second(made):
    card, model, _ = made(state="RUNNING")
    before = len(card.comm.updates("job"))
    started = time.monotonic()
    count = 0
    while time.monotonic() - started < 1.0:
        count += 1
        model.rss = count
        time.sleep(0.001)
    wait_for(lambda: count in [job["rss"] for job in card.comm.updates("job")])
    assert 2 <= len(card.comm.updates("job")) - before <= 2 + (time.monotonic() - started) / 0.25


def test_a_change_of_state_does_not_wait_for_the_pace_of_heartbeats(made, monkeypatch):
    monkeypatch.setattr(live_card, "_CONTINUOUS_SECONDS", 1000.0)
    card, model, _ = made(state="RUNNING")
    model.rss = 5
    model.state = "DONE"
    wait_for(lambda: "DONE" in [job["state"] for job in card.comm.updates("job")])


@pytest.mark.parametrize("action", ["cancel", "hold", "release"])
def test_a_press_calls_its_action_in_a_thread_of_its_own(made, action):
    card, _, actions = made()
    actions.go.clear()
    press(card, action)
    assert card.press == {"action": action, "phase": "sent", "error": ""}
    actions.go.set()
    wait_for(lambda: card.press.get("phase") == "accepted")
    assert actions.calls == [(action, "gcs-lab-card")]


def test_a_refused_press_shows_the_errors_own_words(made):
    card, _, actions = made()
    actions.error = DeniedByDrms("the queue is not yours.")
    press(card, "cancel")
    wait_for(lambda: card.press.get("phase") == "failed")
    assert card.press["error"] == "the queue is not yours."


def test_an_unexpected_error_is_shown_with_its_type(made):
    card, _, actions = made()
    actions.error = ValueError("odd")
    press(card, "cancel")
    wait_for(lambda: card.press.get("phase") == "failed")
    assert card.press["error"] == "ValueError: odd"


def test_a_new_state_answers_an_accepted_press(made):
    card, model, _ = made()
    press(card, "hold")
    wait_for(lambda: card.press.get("phase") == "accepted")
    model.state = "QUEUED_HELD"
    wait_for(lambda: card.press == {})


def test_a_press_that_changed_the_state_at_once_leaves_no_note(made):
    card, model, actions = made()
    actions.hold = lambda: setattr(model, "state", "QUEUED_HELD")
    press(card, "hold")
    wait_for(lambda: card.job["state"] == "QUEUED_HELD" and card.press == {})


@pytest.mark.parametrize(
    "content", [{}, {"kind": "press", "action": "__init__"}, {"kind": "log", "stream": "../etc", "have": ""}]
)
def test_a_message_that_is_not_known_calls_nothing(made, content, caplog):
    card, _, actions = made()
    card._handle_custom_msg(content, [])
    assert "does not know" in caplog.text
    assert actions.calls == []


def test_log_is_sent_once_and_then_only_its_version(made):
    card, _, actions = made()
    card._handle_custom_msg({"kind": "log", "stream": "stdout", "have": ""}, [])
    wait_for(lambda: len(card.comm.answers()) == 1)
    first = card.comm.answers()[0]
    assert first["text"] == "one\ntwo\n"
    card._handle_custom_msg({"kind": "log", "stream": "stdout", "have": first["version"]}, [])
    wait_for(lambda: len(card.comm.answers()) == 2)
    assert card.comm.answers()[1] == {"kind": "log", "stream": "stdout", "version": first["version"]}
    assert [name for name, _ in actions.calls] == ["stdout 200"] * 2


def test_a_log_that_cannot_be_read_says_why(made):
    card, _, actions = made()
    actions.error = DeniedByDrms("no log yet")
    card._handle_custom_msg({"kind": "log", "stream": "stderr", "have": ""}, [])
    wait_for(card.comm.answers)
    assert card.comm.answers() == [{"kind": "log", "stream": "stderr", "error": "no log yet"}]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (f"{ESCAPE}[1;31mred{ESCAPE}[0m\n", "red\n"),
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("a\r\nb\r\n", "a\nb\n"),
        (f"{ESCAPE}]0;title\x07text{ESCAPE}[2K", "text"),
        ("tab\there\x00\x08", "tab\there"),
        ("x" * 100_000, "x" * 64_000),
    ],
)
def test_log_text_is_what_a_terminal_would_leave(raw, plain):
    assert plain_text(raw) == plain


def test_bundle_has_the_widget_and_static_fallbacks(made):
    card, _, _ = made(name="<script>")
    data, metadata = card.bundle()
    assert data[WIDGET]["model_id"] == card.model_id
    assert "&lt;script&gt;" in data["text/html"]
    assert data["text/plain"] == "◷ queued · <script> · job 12"
    assert metadata == {}
    assert card._repr_mimebundle_() == (data, metadata)


def test_final_bundle_has_no_widget_and_the_last_state(made):
    card, model, _ = made()
    model.state, model.exit_status, model.ended = "DONE", 0, True
    data, _ = card.final_bundle()
    assert set(data) == {"text/plain", "text/html"}
    assert data["text/plain"] == "✓ done · fit · job 12 · exit 0"


def test_a_closed_card_follows_nothing_and_still_has_its_line(made):
    card, model, _ = made()
    sent = card.comm.sent
    card.close()
    count = len(sent)
    model.state = "DONE"
    card.flush()
    assert len(sent) == count
    assert WIDGET not in card.bundle()[0]
    assert card.bundle()[0]["text/plain"].startswith("✓ done")


def test_comm_of_a_kernel_with_subshells_follows_the_browsers_choice(monkeypatch):
    class Routing:
        def _reply_subshell_for(self, data, default):
            return None

    routing = Routing()
    live_card.follow_the_browser(routing)
    assert routing._reply_subshell_for({}, "subshell-1") == "subshell-1"


def test_a_missing_front_end_says_how_to_build_it():
    with pytest.raises(Internal, match="npm --prefix labextension run build"):
        live_card._front_end("no_such_file.js")


def test_a_card_costs_less_than_20_kb_on_the_wire(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    card = JobCard(JobModel(name="fit"), Actions())
    try:
        assert sum(len(json.dumps(data)) for _, data, _ in card.comm.sent) < 20_000
    finally:
        card.close()
