"""Hosts that say back what they are told, in the place of cockpit and panel."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_server import LiveServer


class Echo:
    """A host that says back what it is told; `{"flood": n, "size": m}` makes it send n messages of m characters."""

    made: list[Echo]

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.send, self.closed = send, False

    def receive(self, message: Any) -> None:
        if "flood" in message:
            threading.Thread(target=self._flood, args=(message["flood"], message["size"])).start()
        elif "raise" in message:
            raise RuntimeError(message["raise"])
        elif "unsendable" in message:
            self.send({"kind": "answer", "id": 7, "value": float("nan")})
        else:
            self.send({"kind": "echo", "of": message})

    def _flood(self, count: int, size: int) -> None:
        for number in range(count):
            if self.closed:
                return
            self.send({"kind": "flood", "number": number, "filling": "x" * size})

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def echo(start_server: Callable[..., LiveServer]) -> Callable[..., tuple[LiveServer, list[Echo]]]:
    """Start a server whose faces are all echoes."""

    def start(limits: dict[str, Any] | None = None, **config: Any) -> tuple[LiveServer, list[Echo]]:
        server = start_server(GcsLabServer=config)
        made: list[Echo] = []

        def make(face: str, start: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> Echo:
            made.append(Echo(send))
            return made[-1]

        sessions = server.extension._sessions
        sessions.make_host = make
        for name, value in (limits or {}).items():
            object.__setattr__(sessions.limits, name, value)
        return server, made

    return start
