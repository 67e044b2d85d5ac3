"""The jobs of a notebook and what they wait for, as a graph: which jobs are shown, and what is known of them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import JournalEntry
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["MOST_SHOWN", "Edge", "JobGraph", "Node", "graph_of"]

#: Jobs that a graph shows unless all are asked for.
MOST_SHOWN = 50


@dataclass(frozen=True)
class Edge:
    """A dependency: ``names`` are the values that travel along it; ``by_task``: each task waits for the same one."""

    earlier: str
    later: str
    names: tuple[str, ...] = ()
    by_task: bool = False


@dataclass(frozen=True)
class Node:
    """A job: ``state`` is a JobState's name, ``counts`` those of a sweep's tasks where they are known."""

    key: str
    name: str
    job_id: str
    cluster: str
    state: str
    message: str = ""
    tasks: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    elsewhere: bool = False


@dataclass(frozen=True)
class JobGraph:
    """Nodes in the order of their submission, edges between them, and what must be said of it.

    ``left_out`` and each of ``silent`` are sentences without a full stop: how many jobs are not shown, and which
    cluster did not say the states of now.
    """

    nodes: list[Node]
    edges: list[Edge]
    left_out: str = ""
    silent: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """All that must be said of it besides its nodes and edges."""
        return [*self.silent, *filter(None, [self.left_out])]


def graph_of(
    entries: Iterable[JournalEntry],
    mine: set[str],
    states: Callable[[list[JournalEntry]], Mapping[str, tuple[str, Mapping[str, int]]]],
    *,
    everything: bool,
) -> JobGraph:
    """Return the graph of a notebook's jobs.

    Jobs of others that they wait for, or that wait for them, are there too. Of more than 50 jobs those without a
    dependency are left out, then the older ones.

    Parameters
    ----------
    entries
        The whole journal.
    mine
        Folders of this notebook's jobs.
    states
        Asks for the states, and the counts of sweeps' tasks, of entries that have not ended, by folder.
    everything
        Show all jobs of the journal.
    """
    by_folder = {entry.folder: entry for entry in sorted(entries, key=lambda entry: entry.submitted)}
    edges = [edge for entry in by_folder.values() for edge in _edges(entry)]
    shown = set(by_folder) if everything else _with_relatives(mine & by_folder.keys(), edges)
    left_out = ""
    if len(shown) > MOST_SHOWN and not everything:
        kept = _fewer(shown, edges, by_folder)
        left_out = f"{len(kept)} of {len(shown):,} jobs; --all shows every one"
        shown = kept
    _add_strangers(by_folder, shown, edges := _named(edges, shown, by_folder))
    unfinished = [entry for folder, entry in by_folder.items() if folder in shown and not entry.finished]
    live = states(unfinished)
    nodes = [_node(entry, mine, live) for folder, entry in by_folder.items() if folder in shown]
    places = {folder: place for place, folder in enumerate(by_folder)}
    edges.sort(key=lambda edge: (places.get(edge.later, 0), places.get(edge.earlier, 0)))
    return JobGraph(nodes, [edge for edge in edges if {edge.earlier, edge.later} <= shown], left_out)


def _edges(entry: JournalEntry) -> list[Edge]:
    try:
        return [Edge(str(folder), entry.folder) for folder in json.loads(entry.after)]
    except ValueError:
        return []


def _with_relatives(folders: set[str], edges: list[Edge]) -> set[str]:
    """Return `folders` with all that they depend on and all that depends on them, near and far."""
    found = set(folders)
    for one, other in (("later", "earlier"), ("earlier", "later")):
        towards: dict[str, list[str]] = {}
        for edge in edges:
            towards.setdefault(getattr(edge, one), []).append(getattr(edge, other))
        left = list(folders)
        while left:
            for folder in towards.get(left.pop(), ()):
                if folder not in found:
                    found.add(folder)
                    left.append(folder)
    return found


def _fewer(shown: set[str], edges: list[Edge], by_folder: Mapping[str, JournalEntry]) -> set[str]:
    connected = {
        folder for edge in edges if {edge.earlier, edge.later} <= shown for folder in (edge.earlier, edge.later)
    }
    newest = [folder for folder in reversed(list(by_folder)) if folder in (connected or shown)]
    return set(newest[:MOST_SHOWN])


def _named(edges: list[Edge], shown: set[str], by_folder: Mapping[str, JournalEntry]) -> list[Edge]:
    """Return the edges between jobs that are shown, with the names that travel, read from the later jobs' folders."""
    found = []
    for folder in shown:
        known = [edge for edge in edges if edge.later == folder]
        try:
            spec = JobFolder(Path(folder)).read_spec()
        except (OSError, ValueError, GcsError):
            found += known
            continue
        cluster = by_folder[folder].cluster
        named: dict[str, list[str]] = {_key(one, cluster): [] for one in spec.get("after") or ()}
        each = spec.get("after_each")
        by_task = _key(each, cluster) if each else ""
        if by_task:
            named.setdefault(by_task, [])
        for name, one in (spec.get("from_jobs") or {}).items():
            named.setdefault(_key(one, cluster), []).append(name)
        named |= {edge.earlier: [] for edge in known if edge.earlier not in named}
        found += [Edge(key, folder, tuple(names), key == by_task) for key, names in named.items()]
    return found


def _key(upstream: Mapping[str, Any], cluster: str) -> str:
    return str(upstream.get("folder") or f"{cluster}:{upstream.get('job_id')}:{upstream.get('name')}")


def _add_strangers(by_folder: dict[str, JournalEntry], shown: set[str], edges: list[Edge]) -> None:
    """Add the jobs that no notebook submitted, and those whose entry was cleaned away, that shown ones wait for."""
    for edge in edges:
        if edge.later not in shown or edge.earlier in by_folder:
            continue
        with contextlib.suppress(ValueError):
            cluster, job_id, name = edge.earlier.split(":", 2)
            if not edge.earlier.startswith("/"):
                entry = JournalEntry(
                    folder=edge.earlier, cluster=cluster, job_id=job_id, name=name or f"job {job_id}"
                )
                by_folder[edge.earlier] = entry
                shown.add(edge.earlier)


def _node(entry: JournalEntry, mine: set[str], live: Mapping[str, tuple[str, Mapping[str, int]]]) -> Node:
    state, counts = live.get(entry.folder, (entry.state, {}))
    return Node(
        entry.folder, entry.name, entry.job_id, entry.cluster, state, entry.message, entry.tasks, counts,
        entry.folder not in mine,
    )  # fmt: skip
