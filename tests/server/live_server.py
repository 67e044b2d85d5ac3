"""A Jupyter server with this extension, in a thread of the test process; and ways to speak to it as a page does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import jupyter_core.paths
import requests
import websocket
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "lab"
#: Lines that a test made; they are closed after it.
LINES: list[Line] = []


class LiveServer:
    """A server that runs until :meth:`stop`; any number may run at once.

    Parameters
    ----------
    root
        Folder that it shows.
    base_url
        As behind JupyterHub.
    config
        By class and trait: ``{"GcsLabServer": {"beat_seconds": 0.1}}``.
    """

    def __init__(self, root: Path, base_url: str = "/", config: dict[str, Any] | None = None) -> None:
        self.root, self.base_url = root, base_url
        self._config = config or {}
        self._ready: Any = threading.Event()
        self._failure: BaseException | None = None
        self._stop_asked: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="live-server")
        self._thread.start()
        assert self._ready.wait(30), "the Jupyter server did not start"
        if self._failure is not None:
            raise self._failure

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        try:
            http = self._start()
        except BaseException as failure:
            self._failure = failure
            self._ready.set()
            return
        self._ready.set()
        await self._stop_asked.wait()
        http.stop()
        await self.app._cleanup()
        await http.close_all_connections()

    def _start(self) -> HTTPServer:
        config = Config(self._config)
        config.ServerApp.jpserver_extensions = {"gcs_lab": True}
        config.ServerApp.setdefault("allow_unauthenticated_access", False)
        config.IdentityProvider.token = TOKEN
        config.NotebookNotary.db_file = ":memory:"
        self.app = ServerApp(
            config=config, base_url=self.base_url, root_dir=str(self.root), open_browser=False, allow_root=True
        )
        # Signals belong to the main thread.
        self.app.init_signal = lambda: None  # type: ignore[method-assign]
        found = {name: getattr(jupyter_core.paths, name) for name in ("ENV_CONFIG_PATH", "SYSTEM_CONFIG_PATH")}
        try:
            for name in found:
                # Other extensions of this installation are not what is tested.
                setattr(jupyter_core.paths, name, [])
            self.app.initialize(argv=[], new_httpserver=False)
        finally:
            for name, paths in found.items():
                setattr(jupyter_core.paths, name, paths)
        self.app.start_app()
        http = HTTPServer(self.app.web_app, max_buffer_size=self.app.max_buffer_size)
        sockets = bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        http.add_sockets(sockets)
        return http

    def stop(self) -> None:
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop_asked.set)
            self._thread.join(20)
            assert not self._thread.is_alive(), "the Jupyter server does not end"

    @property
    def extension(self) -> Any:
        """The GcsLabServer."""
        return next(iter(self.app.extension_manager.extension_apps["gcs_lab"]))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{self.base_url}gcs-lab/{path}"

    # -- REST -------------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, *, token: bool = True, **options: Any) -> requests.Response:
        headers = {**({"Authorization": f"token {TOKEN}"} if token else {}), **options.pop("headers", {})}
        options.setdefault("allow_redirects", False)
        return requests.request(method, self.url(f"api/{path}"), headers=headers, timeout=60, **options)

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer; it has to be good."""
        answer = self.request("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.request("POST", path, params=query, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status: int, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Return the problem of a request that is refused."""
        answer = self.request(method, path, **options)
        assert answer.status_code == status, (answer.status_code, answer.text)
        problem = answer.json()
        assert set(problem) <= {"message", "type", "field"}
        assert problem["message"]
        assert problem["type"]
        return dict(problem)

    # -- the socket -------------------------------------------------------------------------------------------------

    def line(self, session: str | None = None, seen: int = 0, *, start: bool = True) -> Line:
        """Return a line with its answer to `start`."""
        line = Line(self)
        if start:
            line.start(session, seen)
        return line


class Line:
    """A page's WebSocket, as the front end uses it."""

    def __init__(self, server: LiveServer, **options: Any) -> None:
        options.setdefault("header", [f"Authorization: token {TOKEN}"])
        url = server.url("channels").replace("http://", "ws://")
        self.socket = websocket.create_connection(url, timeout=15, **options)
        self.seen = 0
        self.started: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        LINES.append(self)

    def start(self, session: str | None = None, seen: int = 0, **parts: Any) -> dict[str, Any]:
        self.send(**{"op": "start", "protocol": 1, "version": "test", "session": session, "seen": seen, **parts})
        self.started = json.loads(self.socket.recv())
        self.seen = seen if self.started["resumed"] else 0
        return self.started

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def open(self, channel: int, face: str = "cockpit", cluster: str = "embedded", **start: Any) -> None:
        self.send(op="open", channel=channel, face=face, start={"cluster": cluster, **start})

    def say(self, channel: int, kind: str, **parts: Any) -> None:
        self.send(op="say", channel=channel, message={"kind": kind, **parts})

    def next(self) -> dict[str, Any]:
        """Return the next message; its number has to be the next one."""
        text = self.socket.recv()
        assert text, "the line was closed"
        message: dict[str, Any] = json.loads(text)
        self.heard.append(message)
        if message["op"] in {"said", "failed"}:
            assert message["seq"] == self.seen + 1
            self.seen = message["seq"]
        return message

    def wait(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that fits; the others are passed over."""
        deadline = time.monotonic() + 15
        while True:
            message = self.next()
            if fits(message):
                return message
            assert time.monotonic() < deadline, f"it was not told: {[m['op'] for m in self.heard]}"

    def told(self, channel: int, kind: str) -> dict[str, Any]:
        """Return the next message of a kind that a host sends."""
        found = self.wait(lambda m: m["op"] == "said" and m["channel"] == channel and m["message"]["kind"] == kind)
        return dict(found["message"])

    def failed(self, channel: int) -> dict[str, Any]:
        return dict(self.wait(lambda m: m["op"] == "failed" and m["channel"] == channel)["error"])

    def close_code(self) -> tuple[int, str]:
        """Return code and reason with which the server closes the line."""
        while True:
            opcode, data = self.socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big"), data[2:].decode()

    def break_off(self) -> None:
        """End without a word, as a line that is cut."""
        self.socket.shutdown()

    def close(self) -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self.socket.close()
        # One that the server closed is still open here.
        self.socket.shutdown()
