"""Lines by number of texts that grow, against what splitting the whole text gives."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcs_lab.errors import InvalidState
from gcs_lab.server import log_index, log_source
from gcs_lab.server.log_index import LineIndex, Stop, shown_line
from gcs_lab.server.log_source import FileSource, Indices, PrintedSource

if TYPE_CHECKING:
    from pathlib import Path

PIECES = st.lists(st.text(alphabet="ab \n\né", max_size=12), max_size=12)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of the index and blocks of few bytes, so that small texts have many."""
    monkeypatch.setattr(log_index, "_STRIDE", 8)
    monkeypatch.setattr(log_source, "_BLOCK", 5)


def lines_of(text: str) -> list[str]:
    whole = text.split("\n")
    return whole if whole[-1] else whole[:-1]


def event(text: str, number: int = 0) -> str:
    return json.dumps(
        {"seq": number, "t": 1.5, "type": "stream", "name": "stdout", "text": text}, separators=(",", ":")
    )


EVERYWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@EVERYWHERE
@given(PIECES, st.integers(-15, 15), st.integers(0, 9))
def test_a_growing_file_has_the_lines_of_its_text(tmp_path: Path, pieces: list[str], first: int, count: int) -> None:
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    index, text = LineIndex(FileSource(path)), ""
    for piece in pieces:
        with path.open("ab") as file:
            file.write(piece.encode())
        text += piece
        wanted = lines_of(text)
        found = index.lines(first, count)
        begin = max(len(wanted) + first, 0) if first < 0 else min(first, len(wanted))
        assert (found.total, found.first, found.lines) == (len(wanted), begin, wanted[begin : begin + count])


@EVERYWHERE
@given(PIECES, st.integers(0, 15))
def test_a_growing_event_log_has_the_lines_of_its_streams(tmp_path: Path, pieces: list[str], first: int) -> None:
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    index, text = LineIndex(PrintedSource(path)), ""
    for number, piece in enumerate(pieces):
        with path.open("a") as file:
            file.write(event(piece, number) + '\n{"seq":1,"t":1.0,"type":"heartbeat","rss":1}\n{"seq":')
        # The last event is torn until the next one comes: a newline ends it, so that it hurts itself alone.
        text += piece
        wanted = lines_of(text)
        found = index.lines(first, 5)
        assert (found.total, found.lines) == (len(wanted), wanted[first : first + 5])
        with path.open("a") as file:
            file.write("\n")


@EVERYWHERE
@given(PIECES, st.sampled_from(["a", "ab", "B", "é", "bé", "É", " "]), st.integers(-1, 8), st.integers(1, 5))
def test_matches_are_those_of_the_whole_text(
    tmp_path: Path, pieces: list[str], wanted: str, after: int, limit: int
) -> None:
    path = tmp_path / "log"
    path.write_bytes("".join(pieces).encode())
    all_lines = lines_of("".join(pieces))
    hits = [(n, line) for n, line in enumerate(all_lines) if n > after and wanted in line]
    found = LineIndex(FileSource(path)).matches(wanted, after, limit)
    assert found.matches == hits[:limit]
    assert found.more == (len(hits) > limit)


def test_capitals_count_only_if_the_text_has_some_and_colours_never(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("all good\n\x1b[31mErr\x1b[0mor: x\nerror: y\n")
    index = LineIndex(FileSource(path))
    assert [number for number, _ in index.matches("error", -1, 10).matches] == [1, 2]
    assert index.matches("Error", -1, 10).matches == [(1, "Error: x")]
    path.write_text("\x1b]0;hidden title\x07seen\nover\x07written\rÉTÉ\n")
    assert [index.matches(text, -1, 9).matches for text in ("hidden", "written")] == [[], []]
    assert [number for text in ("seen", "été", "É") for number, _ in index.matches(text, -1, 9).matches] == [0, 1, 1]
    path.write_text("all good\n\x1b[31mErr\x1b[0mor: x\nerror: y\n")
    # The lines themselves keep their colours.
    assert index.lines(1, 1).lines == ["\x1b[31mErr\x1b[0mor: x"]


def test_a_file_that_was_cut_short_or_replaced_is_counted_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthree\n")
    index = LineIndex(FileSource(path))
    assert index.lines(0, 9).total == 3
    path.write_text("a\nb\nc\nd\nof another length\n")  # the same inode, longer than before
    assert index.lines(0, 9).lines == ["a", "b", "c", "d", "of another length"]
    path.write_text("x")
    assert index.lines(-5, 9).lines == ["x"]
    other = tmp_path / "other"
    other.write_text("y\n")
    other.replace(path)
    assert index.lines(0, 9).lines == ["y"]
    path.unlink()
    assert index.lines(0, 9).total == 0


def test_long_lines_are_cut_and_many_of_them_are_told_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "MOST_OF_LINE", 10)
    monkeypatch.setattr(log_index, "_MOST_RAW", 40)
    monkeypatch.setattr(log_index, "MOST_BYTES", 25)
    path = tmp_path / "log"
    path.write_text("é" * 11 + "\n" + "ok\n" + "y" * 1000 + "\n" + "z\n" * 5 + "w" * 10 + "\n")
    index = LineIndex(FileSource(path))
    found = index.lines(0, 3)
    assert found.lines == ["é" * 10, "ok", "y" * 10]
    assert found.notes == ["2 lines are longer than 10 characters; their rest is left out."]
    found = index.lines(2, 9)
    assert found.lines == ["y" * 10, "z", "z", "z", "z", "z", "w" * 10]
    monkeypatch.setattr(log_index, "MOST_BYTES", 11)
    found = index.lines(2, 7)
    assert len(found.lines) < 7
    assert "7 lines are told" in found.notes[1]


def test_lines_are_as_a_terminal_leaves_them() -> None:
    assert shown_line(" 10%\r 50%\r100%\r") == "100%"
    assert shown_line("a\tb\x07\x1b[2K\x1b[1;32mgreen\x1b[0m\x1b]0;title\x07\x1b") == "a\tb\x1b[1;32mgreen\x1b[0m"
    assert shown_line("dos\r") == "dos"


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        LineIndex(FileSource(pipe)).lines(0, 1)


def test_nobody_waits_any_more(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a\n" * 100)

    class After(Stop):
        """Set after some pieces."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 7

    index = LineIndex(FileSource(path))
    with pytest.raises(InvalidState):
        index.lines(0, 1, After())
    # What was not counted is counted for the next one.
    assert index.lines(-1, 1).first == 99


def test_the_index_of_a_log_is_kept_and_their_number_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_source, "_MOST_KEPT", 2)
    indices = Indices()
    first = indices.of(FileSource, tmp_path / "1")
    assert indices.of(FileSource, tmp_path / "1") is first
    assert indices.of(PrintedSource, tmp_path / "1") is not first
    indices.of(FileSource, tmp_path / "2")
    assert indices.of(FileSource, tmp_path / "1") is not first
