"""The static line of a job's card."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gcs_lab.models import JobModel
from gcs_lab.vocabulary import JobState
from gcs_lab.widgets.card_html import card_html, card_state, card_text
from gcs_lab.widgets.card_line import state_look

FINAL_LINES = json.loads(Path(__file__).with_name("final_lines.json").read_text(encoding="utf-8"))


class TagsAndText(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("line", FINAL_LINES)
def test_final_facts_are_those_that_the_front_end_shows_too(line):
    job = line["job"]
    word = {"DONE": "✓ done", "FAILED": "✗ failed"}[job["state"]]
    assert card_text(job) == " · ".join([word, job["name"], *line["facts"]])


def test_html_says_the_same_as_the_text():
    for line in FINAL_LINES:
        assert TagsAndText(card_html(line["job"])).text.replace(" · ", " ") == card_text(line["job"]).replace(
            " · ", " "
        )


def test_a_script_in_every_text_is_harmless():
    evil = "<script>alert('x')</script>\"&"
    names = ("name", "job_id", "queue", "host", "message", "progress_text")
    parsed = TagsAndText(card_html({"state": "RUNNING", **dict.fromkeys(names, evil)}))
    assert set(parsed.tags) == {"div", "span", "strong"}
    assert parsed.text.count("<script>") == len(names)


def test_text_is_one_line_without_escape_sequences():
    text = card_text({"state": "FAILED", "name": "a\nb\x1b[31m", "message": "died\r\nbadly\x07"})
    assert text.isprintable()
    assert "a b [31m" in text
    assert text.endswith("died badly")


def test_message_ends_the_line_of_a_failed_job():
    text = card_text({"state": "FAILED", "exit_status": 137, "message": "killed: h_rt=60 s exceeded"})
    assert text == "✗ failed · exit 137 · killed: h_rt=60 s exceeded"


def test_running_job_shows_start_and_progress():
    text = card_text(
        {"state": "RUNNING", "started": 86400.0, "submitted": 1.0, "progress": 0.5, "progress_text": "1/2"}
    )
    assert "started 1970-01-0" in text
    assert text.endswith("50% · 1/2")


def test_silence_of_the_cluster_is_said():
    assert "stale since" in card_text({"state": "RUNNING", "stale_since": 86400.0})


def test_nothing_known_is_still_a_line():
    assert card_text({}) == "? unknown"
    assert TagsAndText(card_html({})).text.strip() == "? unknown"


def test_the_first_reason_why_it_waits_is_said_and_how_many_more_there_are():
    waiting = ["waits for job 12 (prepare), which runs", "2 more", "3 more"]
    assert card_text({"state": "QUEUED", "waiting": waiting}).endswith(
        "waits for job 12 (prepare), which runs (and 2 more)"
    )
    assert card_text({"state": "QUEUED", "waiting": waiting[:1]}).endswith("which runs")
    assert card_text({"state": "DONE", "ended": True, "waiting": waiting}) == "✓ done"


def test_advice_and_what_was_used_are_said_at_the_end_only():
    state = {"state": "DONE", "usage": ["used 1 GiB of <4 GiB>"], "advice": "-l h_vmem=2G"}
    assert "h_vmem" not in card_text(state)
    assert "used" not in card_html(state)
    assert card_text(state | {"ended": True}) == "✓ done · next time: -l h_vmem=2G"
    assert TagsAndText(card_html(state | {"ended": True})).text.endswith(
        "next time: -l h_vmem=2Gused 1 GiB of <4 GiB>"
    )


@pytest.mark.parametrize("state", [state.name for state in JobState])
def test_each_drmaa2_state_has_a_look_of_its_own_word_and_enough_contrast(state):
    look = state_look(state)
    assert 1.05 / (luminance(look.colour) + 0.05) >= 4.5
    others = [state_look(other.name) for other in JobState if other.name != state]
    assert look.word not in {other.word for other in others}


def test_a_state_that_is_not_known_is_drawn_as_undetermined():
    assert state_look("PARKED") == state_look("UNDETERMINED")


def test_state_of_a_fresh_model_is_json_and_makes_a_line():
    state = card_state(JobModel(name="fit"))
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert card_text(state) == "? unknown · fit"
