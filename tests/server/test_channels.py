"""The WebSocket: channels and their hosts, what is refused, and the end of the server."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from live_server import TOKEN, Line
from patience import wait_for

from gcs_lab.backends.embedded import service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from live_server import LiveServer


@pytest.fixture
def line(server: LiveServer) -> Iterator[Line]:
    made = server.line()
    yield made
    made.close()


# -- hosts ---------------------------------------------------------------------------------------------------------


def test_hosts_of_all_faces_answer_over_one_line(line: Line) -> None:
    line.open(1, "cockpit", mine=True, filter="state:r")
    line.say(1, "hello", protocol=1)
    line.open(2, "explorer")
    line.say(2, "hello", protocol=1)
    line.open(3, "panel")
    line.say(3, "hello", protocol=1)
    wanted = {(1, "overview"), (2, "welcome"), (3, "panel")}
    while wanted:
        message = line.next()
        assert message["op"] == "said", message
        wanted.discard((message["channel"], message["message"]["kind"]))
    overview = next(m["message"] for m in line.heard if m.get("message", {}).get("kind") == "overview")
    assert (overview["mine"], overview["filter"]) == (True, "state:r")


def test_ten_cockpits_are_one_poll(server: LiveServer, line: Line) -> None:
    for channel in range(10):
        line.open(channel)
        line.say(channel, "hello", protocol=1)
    waiting = set(range(10))
    while waiting:
        message = line.next()
        if message["message"]["kind"] == "overview" and message["message"]["sequence"]:
            waiting.discard(message["channel"])
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("gcs_lab-status") == 1
    followed = server.extension._clusters.connected("embedded").status.poller._followings
    assert len(followed) >= 10
    for channel in range(10):
        line.send(op="close", channel=channel)
    line.close()
    wait_for(lambda: not followed, "that nobody follows")


def test_what_cannot_be_opened_is_told(line: Line) -> None:
    line.open(1, "nonsense")
    error = line.failed(1)
    assert error["type"] == "UnknownName"
    assert "cockpit" in error["message"]
    line.open(2, cluster="elsewhere")
    error = line.failed(2)
    assert error["type"] == "ClusterNotFound"
    assert "embedded" in error["message"]
    line.open(3, filter="state:")
    assert line.failed(3)["type"] == "FilterError"
    # What was said to a channel before it failed, and after, is no fault of the page.
    line.say(3, "hello", protocol=1)
    line.open(4)
    line.say(4, "hello", protocol=1)
    assert line.told(4, "welcome")["cluster"] == "embedded"
    line.say(99, "hello", protocol=1)
    assert "open it first" in line.failed(99)["message"]
    line.open(4)
    assert "twice" in line.failed(4)["message"]


def test_what_is_no_message_of_the_face_is_told_by_its_host(line: Line) -> None:
    line.open(1)
    line.send(op="say", channel=1, message=[1, 2])
    assert line.told(1, "trouble")["message"]


def test_a_fault_of_a_host_closes_its_channel_alone(echo: Any) -> None:
    server, made = echo()
    line = server.line()
    line.open(1)
    line.open(2)
    line.send(op="say", channel=1, message={"raise": "a fault"})
    error = line.failed(1)
    assert error["type"] == "Internal"
    assert "a fault" in error["message"]
    line.send(op="say", channel=2, message={"unsendable": 1})
    trouble = line.told(2, "trouble")
    assert trouble["id"] == 7
    line.send(op="say", channel=2, message={"a": 1})
    assert line.told(2, "echo")["of"] == {"a": 1}
    wait_for(lambda: sorted(host.closed for host in made) == [False, True], "that one host is closed")


def test_no_more_channels_than_a_page_may_have(echo: Any) -> None:
    server, made = echo({"channels": 3})
    line = server.line()
    for channel in range(4):
        line.open(channel)
    assert line.failed(3)["type"] == "TryLater"
    line.send(op="close", channel=0)
    line.open(5)
    line.send(op="say", channel=5, message={"a": 1})
    assert line.told(5, "echo")["of"] == {"a": 1}
    wait_for(lambda: sum(host.closed for host in made) == 1, "that the closed channel's host is closed")


def test_what_is_said_before_the_host_is_there_comes_in_order(echo: Any) -> None:
    server, _ = echo()
    may = threading.Event()
    make = server.extension._sessions.make_host

    def slow(*args: Any) -> Any:
        assert may.wait(10)
        return make(*args)

    server.extension._sessions.make_host = slow
    line = server.line()
    line.open(1)
    for number in range(50):
        line.send(op="say", channel=1, message={"number": number})
    line.open(2)
    for number in range(250):
        line.send(op="say", channel=2, message={"number": number})
    assert "before the channel was open" in line.failed(2)["message"]
    may.set()
    assert [line.told(1, "echo")["of"]["number"] for _ in range(50)] == list(range(50))


# -- what is no word -----------------------------------------------------------------------------------------------

_START = {"op": "start", "protocol": 1, "version": "", "session": None, "seen": 0}


@pytest.mark.parametrize(
    "words",
    [
        "no JSON",
        "[]",
        "NaN",
        "[" * 100_000,
        '{"op": "dance"}',
        '{"op": ["start"]}',
        '{"op": "seen", "seq": 0}',
        json.dumps({**_START, "seen": -1}),
        json.dumps({**_START, "session": 5}),
        json.dumps({**_START, "version": None}),
    ],
)
def test_what_is_no_first_word_closes_the_line(server: LiveServer, words: str) -> None:
    line = server.line(start=False)
    line.socket.send(words)
    code, reason = line.close_code()
    assert code == 4400
    assert reason


@pytest.mark.parametrize(
    "message",
    [
        _START,
        {"op": "open", "channel": 1.5, "face": "panel", "start": {"cluster": "embedded"}},
        {"op": "open", "channel": True, "face": "panel", "start": {"cluster": "embedded"}},
        {"op": "open", "channel": 2**60, "face": "panel", "start": {"cluster": "embedded"}},
        {"op": "open", "channel": 1, "face": None, "start": {"cluster": "embedded"}},
        {"op": "open", "channel": 1, "face": "panel", "start": {}},
        {"op": "open", "channel": 1, "face": "panel", "start": {"cluster": "embedded", "mine": 1}},
        {"op": "open", "channel": 1, "face": "panel", "start": {"cluster": "embedded", "filter": "x" * 20_000}},
        {"op": "say", "channel": 1},
        {"op": "seen", "seq": 12},
        {"op": "close"},
    ],
)
def test_what_is_no_word_closes_the_line_and_leaves_nothing_in_the_log(
    server: LiveServer, line: Line, message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    line.send(**message)
    code, reason = line.close_code()
    assert code == 4400
    assert reason
    assert not [record for record in caplog.records if record.exc_info]
    # The next line has what it had.
    assert server.line(line.started["session"], 0).started["resumed"] is True


def test_too_long_a_message_closes_the_line_and_the_session_goes_on(server: LiveServer, line: Line) -> None:
    # The server does not read to its end: the code may come, or a reset.
    with contextlib.suppress(OSError):
        line.socket.send(json.dumps({"op": "say", "channel": 1, "message": "x" * 5_000_000}))
        assert line.close_code()[0] == 1009
    assert server.line(line.started["session"], 0).started["resumed"] is True


def test_another_protocol_is_told_the_versions(server: LiveServer) -> None:
    line = server.line(start=False)
    started = line.start(protocol=2)
    assert started["protocol"] == 1
    assert started["version"]
    assert started["resumed"] is False
    assert line.close_code()[0] == 4426


# -- the end -------------------------------------------------------------------------------------------------------


def test_all_ends_with_the_server(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    line = server.line()
    line.open(1)
    line.say(1, "hello", protocol=1)
    line.told(1, "welcome")
    lost = server.line()
    lost.open(1)
    lost.say(1, "hello", protocol=1)
    lost.told(1, "welcome")
    lost.break_off()
    server.stop()
    assert len(server.extension._sessions) == 0
    # `start_server` looks for threads that are left.
    assert line.close_code()[0] == 1001


#: They would take seconds to start.
_OTHERS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim")


def test_a_server_that_is_interrupted_ends_and_leaves_the_cluster(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCS_LAB_HOME", str(short_folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": short_folder,
        "ServerApp.jpserver_extensions": str({"gcs_lab": True} | dict.fromkeys(_OTHERS, False)),
        "IdentityProvider.token": TOKEN,
    }
    argv = [sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = wait_for(lambda: _line_at(port), "that the server listens")
        line.start()
        for channel, face in enumerate(("panel", "cockpit", "explorer")):
            line.open(channel, face)
            line.say(channel, "hello", protocol=1)
        line.told(1, "welcome")
        process.send_signal(signal.SIGTERM)
        assert line.close_code()[0] == 1001
        _, log = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log, log
    try:
        assert service.status().pid is not None
    finally:
        service.stop()


class _Address:
    """A server that is another process."""

    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/gcs-lab/{path}"


def _line_at(port: int) -> Line | None:
    try:
        return Line(cast("LiveServer", _Address(port)))
    except OSError:
        return None
