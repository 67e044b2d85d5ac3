"""A panel's host over a cluster, with what it sends put together as a page does."""

from __future__ import annotations

import getpass
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from in_memory_backend import InMemorySystem

from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.cells.submission import submit_cell
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.sweep_submission import add_points, submit_sweep
from gcs_lab.cluster import Cluster
from gcs_lab.panel import PanelHost
from gcs_lab.user_paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from in_memory_backend import InMemoryStatus

    from gcs_lab.cells.sweep import Sweep

ME = getpass.getuser()
_KINDS = {
    "RUNNING": "running",
    "SUSPENDED": "suspended",
    "QUEUED": "pending",
    "REQUEUED": "pending",
    "QUEUED_HELD": "held",
    "REQUEUED_HELD": "held",
    "FAILED": "error",
}


class Page:
    """What a page was told: the messages, and the panel that they make."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.panel: dict[str, Any] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self._news = threading.Condition()
        self._next_id = 100
        self.wrong: AssertionError | None = None
        self.host = PanelHost(cluster, self._take, **options)

    def _take(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, allow_nan=False)
        told = json.loads(text)
        with self._news:
            self.messages.append(told)
            self.sizes.append(len(text))
            if told["kind"] == "panel":
                if told["whole"]:
                    self.jobs = {}
                self.jobs |= told["jobs"]
                self.panel = told
                try:
                    self._check()
                except AssertionError as wrong:
                    # A host swallows what its listener raises.
                    self.wrong = self.wrong or wrong
            self._news.notify_all()

    def _check(self) -> None:
        """Hold that all rows are there, and that the counts are theirs, if there are no more than are shown."""
        assert {*self.panel["live"], *self.panel["recent"]} <= self.jobs.keys()
        counts = dict.fromkeys(("running", "suspended", "pending", "held", "error"), 0)
        for row in self.live():
            for kind, number in (row["tasks"] or {_KINDS[row["state"]]: 1}).items():
                if kind in counts:
                    counts[kind] += number
        if not self.panel["more"]:
            assert self.panel["mine"] == counts, self.live()

    def whole(self) -> dict[str, Any]:
        """Return what the page knows, in the shape of a message that tells it whole."""
        shown = [*self.panel["live"], *self.panel["recent"]]
        moving = {"whole": True, "time": 0.0, "now": 0.0, "health": {}}
        return {**self.panel, **moving, "jobs": {key: self.jobs[key] for key in shown}}

    def say(self, kind: str, **parts: Any) -> None:
        self.host.receive({"kind": kind, **parts})

    def act(self, action: str, job_id: str) -> dict[str, Any]:
        self._next_id += 1
        number = self._next_id
        self.say("act", id=number, action=action, job_id=job_id)
        return self.wait(lambda: next((m for m in self.messages if m.get("id") == number), None), action, 40)

    def wait(self, fits: Callable[[], Any], what: str = "it", seconds: float = 15.0) -> Any:
        """Return the first true answer of `fits`, which is asked with every message."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not (answer := fits()):
                if self.wrong is not None:
                    raise self.wrong
                left = deadline - time.monotonic()
                assert left > 0, f"{what} was not told; the last was {self.messages[-2:]}"
                self._news.wait(left)
            return answer

    def live(self) -> list[dict[str, Any]]:
        return [self.jobs[key] for key in self.panel.get("live", [])]

    def recent(self) -> list[dict[str, Any]]:
        return [self.jobs[key] for key in self.panel.get("recent", [])]

    def row(self, job_id: str, where: str = "live") -> dict[str, Any] | None:
        return next((row for row in getattr(self, where)() if row["job_id"] == job_id), None)

    def wait_row(self, job_id: str, where: str = "live", seconds: float = 15.0, **parts: Any) -> dict[str, Any]:
        """Return the row of a job when it is in that list and has these parts."""

        def there() -> dict[str, Any] | None:
            row = self.row(job_id, where)
            return row if row is not None and all(row[name] == value for name, value in parts.items()) else None

        told: dict[str, Any] = self.wait(there, f"job {job_id} ({where}) with {parts}", seconds)
        return told

    def told(self, kind: str) -> list[dict[str, Any]]:
        with self._news:
            return [message for message in self.messages if message["kind"] == kind]


class Lab:
    """A cluster in memory whose answers a test changes, and a journal with job folders."""

    def __init__(self, name: str, folder: Path) -> None:
        self.system = InMemorySystem(name)
        self.cluster = Cluster(self.system)
        self.folder = private_folder(folder)
        self.pages: list[Page] = []
        self.status.tasks = []

    @property
    def status(self) -> InMemoryStatus:
        assert self.system.status is not None
        return self.system.status

    @property
    def journal(self) -> Journal:
        return Journal()

    def page(self, *, hello: bool = True, **options: Any) -> Page:
        page = Page(self.cluster, **options)
        self.pages.append(page)
        if hello:
            page.say("hello", protocol=1)
            page.wait(lambda: page.panel.get("time"), "the first snapshot")
        return page

    def now(self) -> None:
        """Let the cluster be asked, and all who look be told."""
        self.cluster.status.poller.fresh()

    def submit(self, job_id: str, name: str = "fit", **others: Any) -> JournalEntry:
        """Write what a kernel writes when it submits a cell."""
        folder = private_folder(self.folder / f"{name}-{job_id}-{len(list(self.folder.iterdir()))}")
        entry = JournalEntry(folder=str(folder), cluster=self.cluster.name, job_id=job_id, name=name, **others)
        self.journal.add(entry)
        return entry

    def say(self, entry: JournalEntry, kind: str, **body: Any) -> None:
        """Write what a runner writes."""
        with (Path(entry.folder) / "events.jsonl").open("a") as log:
            size = log.tell()
            log.write(json.dumps({"type": kind, "seq": size, "t": time.time(), **body}) + "\n")

    def close(self) -> None:
        for page in self.pages:
            page.host.close()
        self.cluster.close()
        for page in self.pages:
            if page.wrong is not None:
                raise page.wrong


def submit_cell_source(
    cluster: Cluster, source: str, notebook: str = "/w/n.ipynb", cell: str = "c", **options: Any
) -> str:
    """Submit a cell as a kernel does that is killed right after it; return the job's id."""
    plan = plan_cell(_request(source, CellOptions(**options), notebook=notebook, cell=cell))
    return submit_cell(plan, cluster, Journal()).id


def submit_points(cluster: Cluster, source: str, over: str, **options: Any) -> Sweep:
    """Submit a sweep as a kernel does that is killed right after it."""
    asked = CellOptions(over=[over], **options)
    points = asked_points(asked, {})
    plan = plan_cell(_request(source, asked, parameters=points.names))
    add_points(plan, points)
    return submit_sweep(plan, cluster, Journal())


def _request(source: str, options: CellOptions, **others: Any) -> CellRequest:
    return CellRequest(
        source=source,
        filename="<cell>",
        display_name="Cell In[1]",
        display_source=source,
        namespace={},
        options=options,
        **others,
    )
