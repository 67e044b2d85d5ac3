"""The WebSocket: lines that break and are taken up again, pages that do not read, and beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

if TYPE_CHECKING:
    from live_server import LiveServer


def test_after_a_break_all_that_was_missed_comes_once_and_in_order(echo: Any) -> None:
    server, made = echo()
    line = server.line()
    assert (line.started["resumed"], line.started["heard"]) == (False, 0)
    line.open(1)
    for number in range(20):
        line.send(op="say", channel=1, message={"number": number})
    for _ in range(8):
        line.told(1, "echo")
    line.send(op="seen", seq=5)
    line.break_off()
    session = line.started["session"]
    wait_for(lambda: made[0].closed or _session(server, session).line is None, "that the break is seen")
    made[0].send({"kind": "meanwhile"})
    # Eight had come, five were confirmed; the page goes on after the eighth.
    again = server.line(session, 8)
    # Of what it said itself it hears how much has come: an `open` and 20 words.
    assert again.started == {**line.started, "resumed": True, "heard": 21}
    assert [again.told(1, "echo")["of"]["number"] for _ in range(12)] == list(range(8, 20))
    assert again.told(1, "meanwhile")
    again.send(op="say", channel=1, message={"and": "on"})
    assert again.told(1, "echo")["of"] == {"and": "on"}
    assert len(made) == 1
    again.close()
    wait_for(lambda: made[0].closed, "that the host is closed with the page")


def _session(server: LiveServer, session: str) -> Any:
    return server.extension._sessions._sessions[session]


def test_a_new_line_takes_over_from_one_that_is_not_known_to_be_dead(echo: Any) -> None:
    server, made = echo()
    first = server.line()
    first.open(1)
    first.send(op="say", channel=1, message={"a": 1})
    first.told(1, "echo")
    second = server.line(first.started["session"], first.seen)
    assert second.started["resumed"] is True
    assert first.close_code()[0] == 4001
    second.send(op="say", channel=1, message={"a": 2})
    assert second.told(1, "echo")["of"] == {"a": 2}
    first.close()
    second.send(op="say", channel=1, message={"a": 3})
    assert second.told(1, "echo")["of"] == {"a": 3}
    assert len(made) == 1


@pytest.mark.parametrize("seen", [0, 99], ids=["less than was confirmed", "more than was told"])
def test_a_page_that_cannot_go_on_begins_anew(echo: Any, seen: int) -> None:
    server, made = echo()
    line = server.line()
    line.open(1)
    for _ in range(3):
        line.send(op="say", channel=1, message={})
        line.told(1, "echo")
    line.send(op="seen", seq=2)
    line.send(op="say", channel=1, message={})
    line.told(1, "echo")
    line.break_off()
    again = server.line(line.started["session"], seen)
    assert again.started["resumed"] is False
    assert again.started["session"] != line.started["session"]
    wait_for(lambda: made[0].closed, "that the old host is closed")
    assert len(server.extension._sessions) == 1


def test_a_session_ends_when_nobody_comes_back(echo: Any) -> None:
    server, made = echo(resume_seconds=0.05)
    line = server.line()
    line.open(1)
    line.send(op="say", channel=1, message={})
    line.told(1, "echo")
    line.break_off()
    wait_for(lambda: made[0].closed, "that the host is closed")
    assert len(server.extension._sessions) == 0
    assert server.line(line.started["session"], line.seen).started["resumed"] is False


def test_a_page_that_does_not_read_does_not_fill_the_memory(echo: Any) -> None:
    server, made = echo({"kept_bytes": 3_000_000})
    line = server.line()
    session = _session(server, line.started["session"])
    line.open(1)
    line.send(op="say", channel=1, message={"flood": 400, "size": 50_000})
    wait_for(lambda: made and made[0].closed, "that the host is closed")
    assert session.outbox._bytes == 0
    assert line.close_code()[0] == 4002
    again = server.line(line.started["session"], line.seen)
    assert again.started["resumed"] is False
    again.open(1)
    again.send(op="say", channel=1, message={"a": 1})
    assert again.told(1, "echo")["of"] == {"a": 1}


def test_a_flood_that_is_read_and_confirmed_comes_whole(echo: Any) -> None:
    server, _ = echo({"kept_messages": 1000})
    line = server.line()
    line.open(1)
    line.send(op="say", channel=1, message={"flood": 900, "size": 100})
    numbers = []
    for _ in range(9):
        numbers += [line.told(1, "flood")["number"] for _ in range(100)]
        line.send(op="seen", seq=line.seen)
    line.send(op="say", channel=1, message={"flood": 900, "size": 100})
    numbers += [line.told(1, "flood")["number"] for _ in range(900)]
    assert numbers == [*range(900), *range(900)]


def test_there_are_no_more_sessions_than_there_may_be(echo: Any) -> None:
    server, _ = echo({"sessions": 2})
    first, second = server.line(), server.line()
    third = server.line(start=False)
    third.send(op="start", protocol=1, version="", session=None, seen=0)
    code, reason = third.close_code()
    assert code == 4429
    assert "2 pages" in reason
    # One whose line broke makes room.
    first.break_off()
    wait_for(lambda: _session(server, first.started["session"]).line is None, "that the break is seen")
    assert server.line().started["session"]
    assert server.line(first.started["session"], 0, start=False)
    second.send(op="seen", seq=0)


# -- beats ---------------------------------------------------------------------------------------------------------


def test_a_page_that_answers_beats_stays_and_a_silent_one_goes(echo: Any) -> None:
    server, made = echo(beat_seconds=0.3)
    line = server.line()
    assert line.started["beat"] == 0.3
    line.open(1)
    line.send(op="say", channel=1, message={})
    line.told(1, "echo")
    for _ in range(3):
        beat = line.wait(lambda m: m["op"] == "beat")
        assert (beat["seq"], beat["heard"]) == (1, 2)
        line.send(op="seen", seq=1)
    code, _ = line.close_code()
    assert code == 4408
    # Only the line: the page may have slept.
    assert not made[0].closed
    assert server.line(line.started["session"], 1).started["resumed"] is True
