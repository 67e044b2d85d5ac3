"""The cluster in a few figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from gcs_lab.status.queue_rows import closed_instances
from gcs_lab.status.state_kinds import KINDS, codes_and_values, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import Health, Snapshot

__all__ = ["Overview", "OwnerShare", "overview_of", "owner_shares", "tasks_by_state"]

_MOST_OWNERS = 12


@dataclass(frozen=True)
class OwnerShare:
    """What one user has: slots in use, tasks that run (or are suspended) and that wait (pending, held, in error)."""

    owner: str
    slots: int
    running: int
    waiting: int


@dataclass(frozen=True)
class Overview:
    """The cluster at one moment.

    Of ``slots_total`` there are ``slots_used``, ``slots_closed`` that are not used and in queue instances that take
    no job, and ``slots_free``. ``tasks`` counts the tasks that have not ended by what they do: running, suspended,
    pending, held, error; a job that is no array is one task. ``owners`` are all users with jobs, those with the most
    slots first. ``stale_since`` is as in :class:`~gcs_lab.status.snapshot.Health`.
    """

    cluster: str
    system: str
    time: float
    jobs: int
    tasks: Mapping[str, int]
    slots_used: int
    slots_free: int
    slots_closed: int
    slots_total: int
    hosts_up: int
    hosts_down: int
    owners: tuple[OwnerShare, ...] = field(repr=False)
    stale_since: float = 0.0
    error: str = ""

    def _lines(self) -> Iterator[tuple[str, str]]:
        slots = f"{self.slots_used:,} of {self.slots_total:,} used, {self.slots_free:,} free"
        yield "slots", slots + (f", {self.slots_closed:,} closed" if self.slots_closed else "")
        yield "hosts", f"{self.hosts_up:,} up" + (f", {self.hosts_down:,} down" if self.hosts_down else "")
        counts = [f"{count:,} {kind}" for kind, count in self.tasks.items() if count]
        tasks = sum(self.tasks.values())
        yield "jobs", f"{self.jobs:,}" + (f" with {tasks:,} tasks" if tasks != self.jobs else "")
        yield "tasks", ", ".join(counts) or "none"
        shown = [f"{one.owner} {one.slots:,} (+{one.waiting:,} waiting)" for one in self.owners[:_MOST_OWNERS]]
        more = len(self.owners) - _MOST_OWNERS
        if shown:
            yield "owners", ", ".join(shown) + (f", {more:,} more" if more > 0 else "")
        if self.stale_since:
            yield "stale", f"since {_clock(self.stale_since)}: {self.error}"

    def __repr__(self) -> str:
        head = f"{self.system or self.cluster} at {_clock(self.time)}"
        return "\n".join([head, *(f"  {name + ':':<8}{text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
            for name, text in self._lines()
        )
        head = escape(f"{self.system or self.cluster} at {_clock(self.time)}")
        caption = f'<caption style="text-align:left;white-space:nowrap">{head}</caption>'
        return f"<table>{caption}<tbody>{rows}</tbody></table>"


def overview_of(snapshot: Snapshot, system: str = "", health: Health | None = None) -> Overview:
    """Return the figures of a snapshot.

    Parameters
    ----------
    snapshot
        The snapshot.
    system
        Name of the system, for people.
    health
        How it stands with the answers.
    """
    import numpy as np

    instances = snapshot.queue_instances
    used = np.asarray(instances["slots_used"].fill_null(0), np.int64)
    total = np.asarray(instances["slots_total"].fill_null(0), np.int64)
    left = np.maximum(total - used, 0)
    closed = closed_instances(instances)
    down = sum("u" in (state or "") for state in snapshot.hosts["state"].to_pylist())
    counts = np.bincount(kinds_of(snapshot.tasks), _task_counts(snapshot.tasks), len(KINDS))
    return Overview(
        cluster=snapshot.cluster,
        system=system,
        time=snapshot.time,
        jobs=snapshot.jobs.num_rows,
        tasks=dict(zip(KINDS, counts.astype(int).tolist(), strict=True)),
        slots_used=int(used.sum()),
        slots_free=int(left[~closed].sum()),
        slots_closed=int(left[closed].sum()),
        slots_total=int(total.sum()),
        hosts_up=snapshot.hosts.num_rows - down,
        hosts_down=down,
        owners=tuple(owner_shares(snapshot.tasks)),
        stale_since=health.stale_since if health else 0.0,
        error=health.error if health else "",
    )


def owner_shares(tasks: pa.Table) -> list[OwnerShare]:
    """Return what each owner of ``TASK_COLUMNS`` rows has: the most slots first, then the most waiting tasks."""
    import numpy as np

    codes, names = codes_and_values(tasks["owner"])
    kinds, counts = kinds_of(tasks), _task_counts(tasks)
    on_hosts = kinds <= KINDS.index("suspended")
    slots = np.asarray(tasks["slots"].fill_null(0), np.float64)
    # One place more, for rows without an owner (code -1).
    width = len(names) + 1
    sums = [
        np.bincount(codes + 1, weights, width).astype(int)
        for weights in (slots * on_hosts, counts * on_hosts, counts * ~on_hosts)
    ]
    shares = [
        OwnerShare(name, *(int(some[place]) for some in sums)) for place, name in enumerate(["", *names]) if name
    ]
    there = [one for one in shares if one.running or one.waiting]
    return sorted(there, key=lambda one: (-one.slots, -one.waiting, one.owner))


def tasks_by_state(tasks: pa.Table) -> dict[str, int]:
    """Return the number of tasks in each DRMAA2 state that some are in; those in error state are ``ERROR``."""
    import numpy as np

    codes, names = codes_and_values(tasks["state"])
    counts = _task_counts(tasks)
    in_error = kinds_of(tasks) == KINDS.index("error")
    # The place after the last name is that of null, code -1.
    sums = np.bincount(codes[~in_error] % (len(names) + 1), counts[~in_error], len(names) + 1).astype(int).tolist()
    found = dict(zip(names, sums, strict=False))
    found["UNDETERMINED"] = found.get("UNDETERMINED", 0) + sums[-1]
    found["ERROR"] = int(counts[in_error].sum())
    return {name: count for name, count in found.items() if count}


def _task_counts(tasks: pa.Table) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(tasks["task_count"].fill_null(1), np.float64)


def _clock(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
