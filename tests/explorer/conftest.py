"""A synthetic site with three things planted in it, and an explorer's host with its messages."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gcs_lab.accounting import open_accounting
from gcs_lab.accounting.synthetic import SiteFacts, write_site
from gcs_lab.explorer.host import ExplorerHost
from gcs_lab.explorer.shown import HeldRecords, Shown
from gcs_lab.explorer.state import ExplorerState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gcs_lab.accounting.area import Accounting


class Site(NamedTuple):
    path: Path
    facts: SiteFacts
    accounting: Accounting

    def shown(self, **state: Any) -> Shown:
        return Shown(self.accounting, ExplorerState(**state), HeldRecords(self.accounting))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("explored")
    facts = write_site(folder / "accounting", records=60_000, users=60, hosts=16)
    accounting = open_accounting(folder / "accounting", folder=folder / "store")
    accounting.refresh()
    yield Site(folder / "accounting", facts, accounting)
    accounting.close()


class Browser:
    """What a browser would say to a host, and what it was told."""

    def __init__(self, accounting: Accounting, **options: Any) -> None:
        self._changed = threading.Condition()
        self.told: list[dict[str, Any]] = []
        self.sequence = 0
        self.host = ExplorerHost(accounting, self._take, **options)

    def _take(self, message: dict[str, Any]) -> None:
        # As it travels: what is no JSON fails here.
        message = json.loads(json.dumps(message, allow_nan=False))
        with self._changed:
            self.told.append(message)
            self._changed.notify_all()

    def say(self, kind: str, **parts: Any) -> None:
        self.host.receive({"kind": kind, **parts})

    def hello(self) -> dict[str, Any]:
        self.say("hello", protocol=1)
        self.wait(lambda m: m["kind"] == "findings")
        return self.wait(lambda m: m["kind"] == "welcome")

    def show(self, **state: Any) -> dict[str, Any]:
        """Ask for a state, and return the figures that answer it."""
        self.sequence += 1
        number = self.sequence
        self.say("state", sequence=number, state=ExplorerState(**state).to_json())
        return self.wait(lambda m: m["kind"] == "figures" and m["sequence"] == number)

    def view(self, number: int = 1, **parts: Any) -> dict[str, Any]:
        asked = {"sort": [], "first": 0, "count": 20, "columns": ["job_id", "owner"], "expanded": [], "anew": True}
        self.say("view", view="records", id=number, **{**asked, **parts})
        return self.wait(lambda m: m["kind"] == "rows" and m["id"] == number)

    def wait(self, fits: Callable[[dict[str, Any]], Any], seconds: float = 30.0) -> dict[str, Any]:
        """Return the last message that fits, waiting for one."""
        with self._changed:
            found = self._changed.wait_for(lambda: any(map(fits, self.told)), seconds)
            assert found, [str(message)[:200] for message in self.told[-5:]]
            return next(message for message in reversed(self.told) if fits(message))


@pytest.fixture
def browse() -> Iterator[Callable[..., Browser]]:
    made: list[Browser] = []

    def browse(accounting: Accounting, **options: Any) -> Browser:
        made.append(Browser(accounting, **options))
        return made[-1]

    yield browse
    for one in made:
        one.host.close()
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("gcs-lab-explorer")]
    assert not left
