"""The static line of a sweep's card."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from gcs_lab.models.sweep_model import STATES, SweepModel
from gcs_lab.vocabulary import JobState
from gcs_lab.widgets.sweep_html import BY_WEIGHT, coarse_strip, sweep_html, sweep_state, sweep_text, whole_state

DONE, FAILED, RUNNING, QUEUED = (JobState[name].value for name in ("DONE", "FAILED", "RUNNING", "QUEUED"))


class TagsAndText(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "style"}

    def handle_data(self, data):
        self.text += data


def test_every_state_has_a_weight():
    assert sorted(BY_WEIGHT) == sorted(STATES)


@pytest.mark.parametrize(
    ("counts", "ended", "state"),
    [
        ({}, False, "UNDETERMINED"),
        ({"QUEUED": 5}, False, "QUEUED"),
        ({"QUEUED_HELD": 5}, False, "QUEUED_HELD"),
        ({"QUEUED_HELD": 5, "DONE": 1}, False, "QUEUED_HELD"),
        ({"QUEUED_HELD": 5, "QUEUED": 1}, False, "QUEUED"),
        ({"QUEUED": 5, "RUNNING": 1}, False, "RUNNING"),
        ({"QUEUED": 5, "DONE": 1}, False, "RUNNING"),
        ({"SUSPENDED": 1, "QUEUED": 4}, False, "SUSPENDED"),
        ({"RUNNING": 1, "FAILED": 4}, False, "RUNNING"),
        ({"DONE": 5}, False, "DONE"),
        ({"DONE": 4, "FAILED": 1}, True, "FAILED"),
        ({"DONE": 4, "UNDETERMINED": 1}, False, "UNDETERMINED"),
        ({"DONE": 4, "UNDETERMINED": 1}, True, "UNDETERMINED"),
    ],
)
def test_the_whole_is_in_one_state(counts, ended, state):
    assert whole_state(counts, ended=ended) == state


def test_coarse_strip_shows_of_many_tasks_the_one_that_failed():
    strip = bytearray([DONE]) * 4000
    strip[1234] = FAILED
    names = coarse_strip(bytes(strip))
    assert len(names) == 60
    assert names.count("FAILED") == 1
    assert names.index("FAILED") == 1234 * 60 // 4000


def test_coarse_strip_of_few_tasks_has_a_cell_each():
    assert coarse_strip(bytes([DONE, RUNNING, QUEUED])) == ["DONE", "RUNNING", "QUEUED"]
    assert coarse_strip(b"") == []


def sweep(**traits) -> tuple[dict, bytes]:
    model = SweepModel(
        **{
            "name": "grid",
            "job_id": "12",
            "tasks": 10_000,
            "counts": {"DONE": 9_997, "FAILED": 3},
            "strip": bytes([DONE] * 50 + [FAILED]),
            "ended": True,
            "started": 100.0,
            "finished": 850.0,
            "message": "3 of 10,000 failed; first: task 17: ValueError: <x>",
            "usage": ["used 1 GiB"],
            "advice": "-l h_vmem=2G",
            **traits,
        }
    )
    return sweep_state(model), model.strip


def test_text_is_one_line_with_counts_and_strip():
    text = sweep_text(*sweep())
    assert text == (
        "✗ failed · grid · job 12 · 3 failed, 9,997 done of 10,000 · 12:30 wall · "
        "3 of 10,000 failed; first: task 17: ValueError: <x> · next time: -l h_vmem=2G · " + "✓" * 50 + "✗"
    )
    assert text.isprintable()


def test_html_says_the_same_and_what_was_used_without_script_or_style_sheet():
    parsed = TagsAndText(sweep_html(*sweep(name="<script>")))
    assert parsed.tags == {"div", "span", "strong"}
    for part in ("<script>", "3 failed, 9,997 done of 10,000", "ValueError: <x>", "used 1 GiB", "✓" * 50 + "✗"):
        assert part in parsed.text


def test_why_it_waits_is_said_while_it_does():
    state, strip = sweep(ended=False, counts={"QUEUED": 10_000}, message="", waiting=["no slots are free", "b"])
    assert "◷ queued" in sweep_text(state, strip)
    assert "no slots are free (and 1 more)" in sweep_text(state, strip)
    assert "h_vmem" not in sweep_text(state, strip)


def test_nothing_known_is_still_a_line():
    assert sweep_text({}, b"") == "? unknown"
    assert TagsAndText(sweep_html({}, b"")).text.strip() == "? unknown"


def test_state_of_a_model_is_json_and_has_no_more_than_a_few_parameters():
    state, _ = sweep(parameters=[f"p{n}" for n in range(500)])
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert state["parameters"][-2:] == ["p7", "492 more"]


def test_html_of_the_longest_strip_stays_small():
    strip = bytes([DONE, FAILED] * 2000)
    assert len(sweep_html({}, strip)) < 1_000
    assert len(sweep_html({}, bytes([DONE, FAILED] * 30))) < 8_000
