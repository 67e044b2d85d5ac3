"""What goes over the wire, in bytes of JSON, at 100,000 jobs and 500 hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from patience import wait_for

from gcs_lab.models.columns import default_columns
from gcs_lab.status import Poll
from gcs_lab.status.keys import named_keys, task_keys
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from cockpit_lab import Lab, Page

JOBS, HOSTS, RUNNING = 100_000, 500, 4_000


def big_poll(turn: int) -> Poll:
    """Return a poll of a large cluster; with each turn 1,000 jobs are others, and all loads."""
    number = np.arange(1, JOBS + 1)
    running = (number + turn * 500) % JOBS < RUNNING
    hosts = [f"node{n:04}" for n in range(HOSTS)]
    columns: dict[str, Any] = {
        "job_id": pa.array(number.astype(str)),
        "name": pa.array([f"analysis_{n % 977}" for n in number]),
        "owner": [f"user{n % 60:02}" for n in number],
        "letters": np.where(running, "r", "qw"),
        "state": np.where(running, "RUNNING", "QUEUED"),
        "task_count": np.ones(JOBS, np.int32),
        "slots": (number % 4 + 1).astype(np.int32),
        "queue": pa.array(np.where(running, "all.q", None), pa.string()),
        "host": pa.array(
            [hosts[n % HOSTS] if r else None for n, r in zip(number, running, strict=True)], pa.string()
        ),
        "priority": np.linspace(1, 0, JOBS),
        "submission_time": pa.array((1_790_000_000 + number) * 1_000_000, pa.timestamp("us", tz="UTC")),
    }
    fields = []
    for field in schema("tasks"):
        values = columns.get(field.name)
        array = pa.nulls(JOBS) if values is None else values if isinstance(values, pa.Array) else pa.array(values)
        fields.append(array.cast(field.type))
    tasks = pa.table(fields, schema=schema("tasks"))
    key = task_keys(tasks["job_id"], tasks["task"].combine_chunks(), pa.array(np.zeros(JOBS, bool)))
    tasks = tasks.set_column(0, "key", key)
    load = [float((n + turn) % 16) for n in range(HOSTS)]
    instances = pa.Table.from_pylist(
        [{"queue": "all.q", "host": host, "slots_used": 8, "slots_total": 16, "load_avg": load[n], "state": ""}
         for n, host in enumerate(hosts)], schema=schema("queue_instances"))  # fmt: skip
    table = pa.Table.from_pylist(
        [{"host": host, "cores": 16, "slots_used": 8, "slots_total": 16, "load_avg": 1.0 if n % 50 else load[n],
          "state": ""} for n, host in enumerate(hosts)], schema=schema("hosts"))  # fmt: skip
    return Poll(
        tasks,
        instances.set_column(0, "key", named_keys(instances["queue"], instances["host"])),
        table.set_column(0, "key", named_keys(table["host"])),
    )


@pytest.fixture
def big(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    lab.status.poll_floor = 0.2
    lab.turn = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(lab.status, "poll", lambda: big_poll(lab.turn))  # type: ignore[attr-defined]
    monkeypatch.setenv("GCS_LAB_RECORDER", "off")
    return lab


def sizes_after(page: Page, first: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for kind, size in page.sizes[first:]:
        found.setdefault(kind, []).append(size)
    return found


def test_bytes_do_not_grow_with_the_queue(big):
    page = big.page(hello=False)
    page.say("hello", protocol=1)
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == JOBS, seconds=60)
    rows = page.view(columns=default_columns("jobs"), sort=[["priority", "descending"]])
    assert (rows["total"], len(rows["rows"])) == (JOBS, 50)
    first = sizes_after(page, 0)
    # First paint: who and what (once, and again when there are names to complete), the strip, a window of 50 rows.
    assert sum(map(sum, first.values())) < 80_000, first
    assert max(first["rows"]) < 15_000, first

    page.say("map", open=True)
    page.wait(lambda m: m["kind"] == "map")
    assert sizes_after(page, 0)["map"][0] < 160 * HOSTS

    # Each refresh: at most 50 rows, and the hosts that differ.
    mark = len(page.sizes)
    big.turn += 1
    big.now()
    page.wait(lambda m: m["kind"] == "overview" and m["sequence"] > 1, seconds=60, after=mark)
    wait_for(lambda: "map" in sizes_after(page, mark))
    refresh = sizes_after(page, mark)
    assert sum(refresh.get("rows", [])) < 25_000, refresh
    assert sum(refresh["overview"]) / len(refresh["overview"]) < 3_000, refresh
    assert sum(refresh["map"]) < 60_000, refresh


def test_an_idle_cluster_sends_a_small_strip_and_nothing_else(lab: Lab, each_look_is_told: None):
    page = lab.page()
    page.view()
    page.say("map", open=True)
    page.wait(lambda m: m["kind"] == "map")
    page.say("charts", names=["running", "owners", "waiting"])
    page.wait(lambda m: m["kind"] == "chart" and m["name"] == "waiting")
    wait_for(lab.cluster.status.poller.recorder.times)
    look(lab, page)
    mark = len(page.sizes)
    for _ in range(3):
        look(lab, page)
    idle = sizes_after(page, mark)
    assert set(idle) == {"overview"}, idle
    assert max(idle["overview"]) < 2_000


def look(lab: Lab, page: Page) -> None:
    """Let the cluster be asked once more, and wait until the page was told."""
    count = len(page.told("overview"))
    lab.now()
    wait_for(lambda: len(page.told("overview")) > count)


def test_a_filter_on_a_large_queue_sends_one_window(big):
    page = big.page(hello=False)
    page.say("hello", protocol=1)
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == JOBS, seconds=60)
    page.view(columns=default_columns("jobs"))
    mark = len(page.sizes)
    page.say("filter", text="owner:user07 state:qw", mine=False)
    rows = page.wait(lambda m: m["kind"] == "rows" and m["matching"] < JOBS, seconds=60)
    assert rows["matching"] > 1_000
    assert sum(sizes_after(page, mark)["rows"]) < 25_000
    assert len(json.dumps(rows)) < 25_000
