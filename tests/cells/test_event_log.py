"""The reader of event logs."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.cells.event_log import KNOWN_TYPES, Event, EventLog

bodies = st.dictionaries(st.sampled_from(["text", "name", "data"]), st.text() | st.integers() | st.none(), max_size=3)
logs = st.lists(st.tuples(st.sampled_from(sorted(KNOWN_TYPES)), bodies), max_size=12)


def line(seq, kind="stream", **body):
    return json.dumps({"seq": seq, "t": 1.5, "type": kind, **body}, ensure_ascii=False).encode() + b"\n"


@settings(deadline=None, max_examples=120)
@given(logs, st.lists(st.integers(1, 60), min_size=1), st.integers(1, 100))
def test_any_way_in_which_a_log_grows_gives_the_same_events(log, steps, limit):
    data = b"".join(line(seq, kind, **body) for seq, (kind, body) in enumerate(log))
    expected = [Event(kind, seq, 1.5, body) for seq, (kind, body) in enumerate(log)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        reader, seen, written = EventLog(path), [], 0
        while written < len(data):
            step = steps[written % len(steps)]
            with path.open("ab") as file:
                file.write(data[written : written + step])
            written += step
            seen += reader.read(limit)
        while batch := reader.read(limit):
            seen += batch
    assert seen == expected
    assert reader.position == len(data)
    assert (reader.damaged, reader.generation) == (0, 0)


@settings(deadline=None, max_examples=80)
@given(logs, st.data())
def test_any_prefix_gives_the_events_whose_lines_are_whole(log, choose):
    lines = [line(seq, kind, **body) for seq, (kind, body) in enumerate(log)]
    data = b"".join(lines)
    cut = choose.draw(st.integers(0, len(data)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        path.write_bytes(data[:cut])
        events = EventLog(path).read()
    assert [event.seq for event in events] == list(range(data[:cut].count(b"\n")))


def test_a_log_that_is_not_there_yet_has_no_events(tmp_path):
    reader = EventLog(tmp_path / "events.jsonl")
    assert reader.read() == []
    (tmp_path / "events.jsonl").write_bytes(line(0))
    assert [event.seq for event in reader.read()] == [0]


def test_damaged_lines_are_counted_and_unknown_types_skipped(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        line(0) + b'{"seq": 1, "t":\n' + b"[]\n" + b"\n" + line(1, "of_a_later_version") + b'{"a":1}\n' + line(2)
    )
    reader = EventLog(path)
    assert [event.seq for event in reader.read()] == [0, 2]
    assert reader.damaged == 3


def test_a_replaced_file_is_read_from_its_start(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(0) + line(1))
    reader = EventLog(path)
    assert len(reader.read()) == 2
    (tmp_path / "new").write_bytes(line(0) + line(1) + line(2))
    (tmp_path / "new").replace(path)
    assert [event.seq for event in reader.read()] == [0, 1, 2]
    assert reader.generation == 1


@pytest.mark.parametrize("content", [b"", line(0), line(0, text="x" * 500) + line(1)])
def test_a_file_cut_short_is_noticed_even_when_it_grew_again(tmp_path, content):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(0) + line(1) + line(2))
    reader = EventLog(path)
    reader.read()
    path.write_bytes(content)
    assert len(reader.read()) == content.count(b"\n")
    assert reader.generation == 1


def test_pages_that_a_network_file_system_has_not_shown_yet_are_waited_for(tmp_path):
    path = tmp_path / "events.jsonl"
    second = line(1, text="late")
    path.write_bytes(line(0) + b"\0" * (len(second) - 1) + b"\n" + line(2))
    reader = EventLog(path)
    assert [event.seq for event in reader.read()] == [0]
    assert reader.read() == []
    path.write_bytes(line(0) + second + line(2))
    assert [event.seq for event in reader.read()] == [1, 2]
    assert reader.damaged == 0


def test_zero_bytes_that_stay_are_damage(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(0) + b"\0\0\0\n" + line(1))
    reader = EventLog(path, patience_seconds=0.0)
    events = [*reader.read(), *reader.read(), *reader.read()]
    assert [event.seq for event in events] == [0, 1]
    assert reader.damaged == 1


def test_a_line_longer_than_the_limit_is_read_whole(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(0, text="x" * 10_000) + line(1))
    reader = EventLog(path)
    events = [*reader.read(100), *reader.read(100)]
    assert events[0].body["text"] == "x" * 10_000
    assert [event.seq for event in events] == [0, 1]


def test_parts_in_files_are_loaded(tmp_path):
    (tmp_path / "files").mkdir()
    content = json.dumps({"a": 1}).encode()
    name = hashlib.sha256(content).hexdigest()
    (tmp_path / "files" / name).write_bytes(content)
    reader = EventLog(tmp_path / "events.jsonl")
    body = {"data": {"application/json": {"$file": name, "encoding": "json"}, "text/plain": "x"}, "metadata": {}}
    assert reader.resolve(body)["data"] == {"application/json": {"a": 1}, "text/plain": "x"}
    assert body["data"]["application/json"]["$file"] == name
    same = {"data": {"text/plain": "x"}}
    assert reader.resolve(same) is same


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a" * 63, "A" * 64, 5, None, "0" * 64])
def test_a_part_that_cannot_be_had_leaves_the_others_and_says_why(tmp_path, name):
    (tmp_path / "files").mkdir()
    (tmp_path / "secret").write_text("no")
    reader = EventLog(tmp_path / "events.jsonl")
    data = reader.resolve({"data": {"text/html": {"$file": name, "encoding": "text"}, "text/plain": "x"}})["data"]
    assert set(data) == {"text/plain"}
    assert data["text/plain"].startswith("x\n[the text/html part of this output cannot be shown")


def test_a_large_log_is_read_whole_in_parts(tmp_path):
    path = tmp_path / "events.jsonl"
    block = b"".join(line(seq, name="stdout", text="y" * 100) for seq in range(50_000))
    path.write_bytes(block * 4)
    reader = EventLog(path)
    batches = []
    while batch := reader.read():
        batches.append(len(batch))
    assert sum(batches) == 200_000
    assert len(batches) > 1
