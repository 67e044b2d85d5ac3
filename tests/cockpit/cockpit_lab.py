"""A cockpit's host over a cluster in memory, with what it sends recorded in the place of the browser."""

from __future__ import annotations

import getpass
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from in_memory_backend import InMemorySystem

from gcs_lab.cluster import Cluster
from gcs_lab.cockpit import CockpitHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from in_memory_backend import InMemoryStatus


ME = getpass.getuser()


class Page:
    """What a browser was told, and a way to say something to the host."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.sizes: list[tuple[str, int]] = []
        self._news = threading.Condition()
        self._next_id = 1000
        self.host = CockpitHost(cluster, self._take, **options)

    def _take(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, allow_nan=False)
        with self._news:
            self.messages.append(json.loads(text))
            self.sizes.append((message["kind"], len(text)))
            self._news.notify_all()

    def say(self, kind: str, **parts: Any) -> None:
        self.host.receive({"kind": kind, **parts})

    def ask(self, kind: str, answer: str | None = None, **parts: Any) -> dict[str, Any]:
        """Say something with an id, and return the answer to it."""
        self._next_id += 1
        number = self._next_id
        self.say(kind, id=number, **parts)
        return self.wait(lambda m: m.get("id") == number and m["kind"] in {answer or kind, "trouble"})

    def view(self, view: str = "jobs", **parts: Any) -> dict[str, Any]:
        asked = {
            "sort": [],
            "first": 0,
            "count": 50,
            "columns": ["job_id", "owner", "letters"] if view == "jobs" else ["slots"],
            "expanded": [],
            "anew": False,
        }
        return self.ask("view", "rows", view=view, **{**asked, **parts})

    def wait(self, fits: Callable[[dict[str, Any]], bool], seconds: float = 10.0, after: int = 0) -> dict[str, Any]:
        """Return the first message from number `after` on that fits, when it is there."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.messages[after:]:
                    if fits(message):
                        return message
                left = deadline - time.monotonic()
                assert left > 0, f"it was not told; what was: {[m['kind'] for m in self.messages[after:]]}"
                self._news.wait(left)

    def told(self, kind: str) -> list[dict[str, Any]]:
        with self._news:
            return [message for message in self.messages if message["kind"] == kind]


class Lab:
    """A cluster in memory whose answers a test changes."""

    def __init__(self, name: str) -> None:
        self.system = InMemorySystem(name)
        self.cluster = Cluster(self.system)
        self.pages: list[Page] = []

    @property
    def status(self) -> InMemoryStatus:
        assert self.system.status is not None
        return self.system.status

    def page(self, hello: bool = True, **options: Any) -> Page:
        page = Page(self.cluster, **options)
        self.pages.append(page)
        if hello:
            page.say("hello", protocol=1)
            page.wait(lambda m: m["kind"] == "overview" and m["sequence"] > 0)
        return page

    def now(self) -> None:
        """Let the cluster be asked, and all who look be told."""
        self.cluster.status.poller.fresh()

    def close(self) -> None:
        for page in self.pages:
            page.host.close()
        self.cluster.close()
