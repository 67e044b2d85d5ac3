"""Log tails: what is new, what was rewritten or replaced, and what is not to be read."""

from __future__ import annotations

import os
import socket

import pytest

from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cockpit.log_tail import TAIL_BYTES, FileText, FolderText, LogTail


class Shown:
    """What a browser shows of a log."""

    def __init__(self, tail: LogTail) -> None:
        self.tail, self.text, self.offset, self.wholes = tail, "", 0, 0

    def look(self) -> dict:
        answer = self.tail.answer(self.offset)
        self.text = answer["text"] if answer["whole"] else self.text + answer["text"]
        self.wholes += answer["whole"]
        self.offset = answer["offset"]
        return answer


@pytest.fixture
def log(tmp_path):
    return tmp_path / "job.o5"


def shown(path) -> Shown:
    return Shown(LogTail(FileText(str(path), "node1")))


def test_what_is_appended_is_sent_alone(log):
    log.write_text("one\n")
    page = shown(log)
    page.look()
    with log.open("a") as file:
        file.write("two\nthr")
        file.flush()
        assert page.look()["text"] == "two\nthr"
        file.write("ee\n")
    assert page.look() == {"text": "ee\n", "offset": page.offset, "whole": False, "note": ""}
    assert page.look()["text"] == ""
    assert (page.text, page.wholes) == ("one\ntwo\nthree\n", 1)


def test_a_line_that_is_rewritten_is_shown_as_it_is_now(log):
    log.write_text("start\n10%")
    page = shown(log)
    page.look()
    with log.open("a") as file:
        file.write("\r20%\r30%")
    assert page.look()["whole"]
    assert page.text == "start\n30%"


def test_colours_and_control_characters_are_left_out(log):
    log.write_bytes(b"\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07bell\x00\n")
    page = shown(log)
    page.look()
    assert page.text == "red bell\n"


def test_a_character_that_is_written_in_two_halves_is_shown_when_it_is_whole(log):
    log.write_bytes("ä".encode()[:1])
    page = shown(log)
    assert page.look()["text"] == ""
    with log.open("ab") as file:
        file.write("ä".encode()[1:])
    assert page.look()["text"] == "ä"
    assert "�" not in page.text


def test_of_a_long_file_the_end_is_shown_from_a_whole_line_on(log):
    line = b"x" * 99 + b"\n"
    log.write_bytes(line * 10_000)
    page = shown(log)
    answer = page.look()
    assert len(page.text) <= TAIL_BYTES
    assert page.text.startswith("x" * 99 + "\n")
    assert "left out" in answer["note"]
    with log.open("ab") as file:
        file.write(line * 2)
    assert len(page.look()["text"]) == 200


def test_a_tail_that_grew_long_is_cut_again(log):
    log.write_bytes(b"")
    page = shown(log)
    with log.open("ab") as file:
        for number in range(60):
            file.write((f"{number:04}" * 24 + "\n").encode() * 50)
            file.flush()
            page.look()
    assert page.text.endswith("0059" * 24 + "\n")
    assert len(page.text) <= 2 * TAIL_BYTES


def test_a_file_that_is_cut_short_or_replaced_is_begun_anew(log):
    log.write_text("old text that is long\n")
    page = shown(log)
    page.look()
    log.write_text("new\n")
    answer = page.look()
    assert (page.text, answer["whole"]) == ("new\n", True)
    assert "cut short" in answer["note"]
    other = log.with_name("other")
    other.write_text("new\nand other\n")
    other.replace(log)
    assert page.look()["whole"]
    assert page.text == "new\nand other\n"


def test_a_page_that_forgot_what_it_had_is_sent_all(log):
    log.write_text("one\n")
    page = shown(log)
    page.look()
    page.offset = 0
    assert page.look()["whole"]
    assert page.text == "one\n"


def test_a_file_that_is_not_there_names_the_host_and_is_read_when_it_comes(log):
    page = shown(log)
    answer = page.look()
    assert "not there" in answer["note"]
    assert "node1" in answer["note"]
    log.write_text("now\n")
    page.look()
    assert page.text == "now\n"


def test_pipes_devices_sockets_and_folders_are_not_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        for odd in (pipe, path, tmp_path, "/dev/zero"):
            answer = shown(odd).look()
            assert answer["text"] == ""
            assert "no regular file" in answer["note"]
    assert "goes to /dev/null" in shown("/dev/null").look()["note"]


def test_a_file_that_may_not_be_read_says_so(log, monkeypatch):
    log.write_text("secret\n")

    # Root, who runs these tests at times, may read everything.
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gcs_lab.cockpit.log_tail.os.open", refuse)
    assert "may not be read" in shown(log).look()["note"]


def test_the_log_of_a_cells_job_comes_from_its_folder(tmp_path):
    folder = JobFolder(tmp_path)
    page = Shown(LogTail(FolderText(folder, "stdout")))
    assert "not begun" in page.look()["note"]
    events = ['{"type": "started", "seq": 0, "t": 1.0}']
    events += [f'{{"type": "stream", "seq": {n}, "t": 1.0, "name": "{name}", "text": "{name} {n}\\n"}}'
               for n, name in enumerate(("stdout", "stderr", "stdout"), 1)]  # fmt: skip
    folder.events.write_text("\n".join(events) + "\n")
    assert EventLog(folder.events).read()
    page.look()
    assert page.text == "stdout 1\nstdout 3\n"
    with folder.events.open("a") as file:
        file.write('{"type": "stream", "seq": 4, "t": 1.0, "name": "stdout", "text": "more"}\n')
    assert page.look()["text"] == "more"
