"""LiveOutput with a fake channel and card: what is sent to a cell, and what is held back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gcs_lab.cells.event_log import Event
from gcs_lab.magics import live_output
from gcs_lab.magics.live_output import LiveOutput
from gcs_lab.vocabulary import JobState


class FakeChannel:
    def __init__(self):
        self.sent = []

    def __getattr__(self, kind):
        return lambda *args, **kwargs: self.sent.append((kind, args, kwargs))

    def text(self):
        return "".join(args[1] for kind, args, _ in self.sent if kind == "stream")

    def shown(self):
        return [args[0].get("text/plain", "") for kind, args, _ in self.sent if kind in {"display", "update_display"}]


@pytest.fixture
def channel():
    return FakeChannel()


@pytest.fixture
def job():
    return SimpleNamespace(
        id="7",
        folder=SimpleNamespace(path=Path("/jobs/7")),
        log=SimpleNamespace(resolve=lambda body: body),
        entry=SimpleNamespace(execution_count=3),
        state=JobState.DONE,
        skipped={},
        overtaken=[],
        listen=lambda _: None,
    )


@pytest.fixture
def output(job, channel):
    card = SimpleNamespace(
        bundle=lambda: ({"text/plain": "the card"}, {}),
        final_bundle=lambda: ({"text/plain": "the end"}, {}),
        close=lambda: None,
    )
    return LiveOutput(job, channel, card, None, raises=True)


def say(output, job, text, name="stdout"):
    output.on_event(job, Event("stream", 0, 0.0, {"name": name, "text": text}))


def test_text_passes_as_it_is_up_to_the_limit_of_lines(output, job, channel, monkeypatch):
    monkeypatch.setattr(live_output, "LINE_LIMIT", 3)
    say(output, job, "1\n2\n")
    say(output, job, "3\n4\n5\n")
    say(output, job, "6\n")
    output.on_concluded(job)
    assert channel.text() == "1\n2\n3\n"
    assert any("3 more lines" in text and text.endswith("4\n5\n6") for text in channel.shown())


def test_one_endless_line_is_bounded_too(output, job, channel):
    for _ in range(50):
        say(output, job, "x" * 60_000)
    assert len(channel.text()) <= live_output.CHARACTER_LIMIT + 1


def test_a_progress_bar_that_rewrites_its_line_never_reaches_the_limit(output, job, channel):
    for n in range(20_000):
        say(output, job, f"\r{n:6}|##########|")
    assert "19999" in channel.text()[-40:]


def test_of_a_line_that_is_rewritten_within_one_piece_only_the_last_state_is_sent(output, job, channel):
    say(output, job, "\r10%\r20%\r30%")
    assert channel.text() == "\r30%"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("plain\n", "plain\n"),
        ("\ra\rb", "\rb"),
        ("a\rb\nc\rd\n", "\rb\n\rd\n"),
        ("dos\r\nline\r\n", "dos\r\nline\r\n"),
        ("a\rb\r", "\rb\r"),
        ("\r", "\r"),
        ("", ""),
    ],
)
def test_the_last_state_of_each_line(text, last):
    assert live_output.last_states(text) == last


def test_rewriting_does_not_hide_the_size_of_what_follows(output, job, channel):
    for _ in range(50):
        say(output, job, "\rbar\n" + "x" * 60_000)
    assert len(channel.text()) <= live_output.CHARACTER_LIMIT + 70_000


def test_clearing_the_output_keeps_the_card_and_starts_counting_anew(output, job, channel):
    say(output, job, "x\n" * 5_000)
    output.on_event(job, Event("clear_output", 1, 0.0, {"wait": True}))
    say(output, job, "fresh\n")
    kinds = [kind for kind, _, _ in channel.sent]
    assert kinds[-3:] == ["clear", "display", "stream"]
    assert channel.shown()[-1] == "the card"


def test_ids_of_displays_are_the_jobs_own(output, job, channel):
    body = {"data": {"text/plain": "a"}, "metadata": {}, "display_id": "same"}
    output.on_event(job, Event("display", 0, 0.0, body))
    output.on_event(job, Event("update_display", 1, 0.0, body))
    shown, updated = channel.sent[-2][1][2], channel.sent[-1][1][2]
    assert shown == updated
    assert shown.startswith("7-")


def test_displays_beyond_the_limit_are_counted_and_not_sent(output, job, channel, monkeypatch):
    monkeypatch.setattr(live_output, "DISPLAY_LIMIT", 2)
    for n in range(5):
        output.on_event(job, Event("display", n, 0.0, {"data": {"text/plain": f"d{n}"}, "metadata": {}}))
    output.on_concluded(job)
    assert "d1" in channel.shown()
    assert "d2" not in channel.shown()
    assert any("3 more displays" in text for text in channel.shown())
