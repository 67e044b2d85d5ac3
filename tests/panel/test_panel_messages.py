"""After whatever happened: what a page put together from differences is what it would be told whole."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from in_memory_backend import task_row
from panel_lab import ME, submit_points

if TYPE_CHECKING:
    from panel_lab import Lab, Page

    from gcs_lab.cells.journal import JournalEntry


class _Morning:
    """Things that happen to jobs, in an order that a seed gives."""

    def __init__(self, lab: Lab, page: Page, seed: int) -> None:
        self.lab, self.page, self.luck = lab, page, random.Random(seed)
        self.tasks: dict[str, dict[str, Any]] = {}
        self.entries: dict[str, JournalEntry] = {}

    def step(self) -> None:
        getattr(
            self, self.luck.choice(("come", "come", "turn", "turn", "leave", "submit", "write", "end", "look_away"))
        )()
        self.lab.status.tasks = list(self.tasks.values())
        self.lab.now()

    def some(self, of: dict[str, Any]) -> str:
        return self.luck.choice(sorted(of)) if of else ""

    def come(self) -> None:
        job_id = str(self.luck.randrange(1, 40))
        letters = self.luck.choice(("r", "qw", "hqw", "Eqw", "s"))
        self.tasks[job_id] = task_row(job_id, ME, letters, submission_time=datetime.now(UTC))

    def turn(self) -> None:
        if job_id := self.some(self.tasks):
            self.tasks[job_id] = {**self.tasks[job_id], **task_row(job_id, ME, self.luck.choice(("r", "qw", "s")))}

    def leave(self) -> None:
        self.tasks.pop(self.some(self.tasks), None)

    def submit(self) -> None:
        job_id = str(self.luck.randrange(40, 80))
        if job_id not in self.entries:
            self.entries[job_id] = self.lab.submit(job_id, notebook="/n.ipynb", cell=f"c{job_id}")
            if self.luck.random() < 0.7:
                self.tasks[job_id] = task_row(job_id, ME, "qw", submission_time=datetime.now(UTC))

    def write(self) -> None:
        if job_id := self.some(self.entries):
            self.lab.say(self.entries[job_id], "started", host="h")
            self.lab.say(self.entries[job_id], "progress", n=self.luck.randrange(9), total=9)

    def end(self) -> None:
        if job_id := self.some(self.entries):
            self.lab.journal.update(self.entries[job_id].folder, state="DONE", finished=time.time())
            self.tasks.pop(job_id, None)

    def look_away(self) -> None:
        self.page.say("visible", visible=False)
        self.come()
        self.page.say("visible", visible=True)


@pytest.mark.parametrize("seed", range(4))
def test_differences_make_the_whole(lab: Lab, seed: int) -> None:
    page = lab.page()
    morning = _Morning(lab, page, seed)
    for _ in range(40):
        morning.step()
    told = len(page.told("panel"))

    def is_still() -> bool:
        nonlocal told
        before, told = told, len(page.told("panel"))
        return before == told

    _until_still(is_still)
    put_together = page.whole()
    page.say("hello", protocol=1)
    page.wait(lambda: page.told("panel")[-1]["whole"] and len(page.told("panel")) > told, "the whole")
    assert page.whole() == put_together
    keys = [job["job_id"] for message in page.told("ended") for job in message["jobs"]]
    assert len(page.messages) > 10
    assert all(keys.count(key) == 1 for key in morning.entries if key in keys), keys


def _until_still(is_still: Any) -> None:
    until = time.monotonic() + 15
    quiet = 0
    while quiet < 6:
        assert time.monotonic() < until, "the panel does not come to rest"
        time.sleep(0.05)
        quiet = quiet + 1 if is_still() else 0


def test_ten_thousand_tasks_of_a_sweep_are_a_row_of_counts(lab: Lab) -> None:
    lab.system.jobs.supports_everything()
    sweep = submit_points(lab.cluster, "y = x", "x=range(1, 10001)", name="wide")
    lab.status.tasks = [
        *(task_row(sweep.id, ME, "r", name="wide", task=n, tasks=str(n)) for n in range(1, 301)),
        task_row(sweep.id, ME, "qw", name="wide", tasks="301-10000:1", task_count=9_700),
    ]
    page = lab.page()
    row = page.wait(lambda: (r := page.row("1")) and r["tasks"]["running"] == 300 and r, "its counts")
    assert (row["tasks"]["pending"], row["tasks"]["total"]) == (9_700, 10_000)
    assert page.panel["mine"]["pending"] == 9_700
    assert max(page.sizes) < 3_000
