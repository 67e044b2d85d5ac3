"""A synthetic site: a year of accounting of a cluster that never was, to learn with, to test and to measure.

:func:`write_site` writes the classic file of Grid Engine 8.1.9. People have habits (`synthetic_habits`), days and
weeks have their rhythm, holidays and a rush (`synthetic_year`), and each job gets its slots in a simulation of the
queues (`synthetic_slots`), so that waits come from load. What was planted is told by what it returns.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcs_lab.accounting.synthetic_habits import QUEUES, Habits, habits_of
from gcs_lab.accounting.synthetic_jobs import BREAKING_PART, Rows, draw
from gcs_lab.accounting.synthetic_records import BREAKS, HEADER, RecordWriter
from gcs_lab.accounting.synthetic_slots import Pool, Work
from gcs_lab.accounting.synthetic_year import DAY, SiteFacts, Year, year_of
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Sequence
    from typing import BinaryIO

    import polars as pl

__all__ = ["PLANTS", "SiteFacts", "write_site"]

#: What can be planted.
PLANTS = ("failing_node", "memory_waster", "deadline_rush")
#: When the records end, where nothing else is said: 2026-11-01, midnight UTC.
_END = 1793491200
#: So many records are made at a time: that bounds memory.
_PIECE = 250_000
_LEAST_HOSTS = 8


class _Site(NamedTuple):
    facts: SiteFacts
    habits: Habits
    year: Year
    hosts_of: dict[str, range]
    random: np.random.Generator


def write_site(
    path: str | os.PathLike[str],
    *,
    records: int = 1_000_000,
    users: int = 200,
    days: int = 365,
    hosts: int = 120,
    slots: int = 16,
    seed: int = 1,
    end: int | None = None,
    plant: Collection[str] = PLANTS,
) -> SiteFacts:
    """Write the accounting file of a synthetic site: about 330 bytes a record, in the order of their ends.

    Run times are chosen such that the queues are 50 to 76 % busy on average; where `records` are too few for the
    `hosts`, the site is idle, and nobody waits. The same arguments write the same bytes, with the same versions of
    numpy and polars. Memory does not grow with `records`. A parallel job has one record, as with
    ``accounting_summary TRUE`` in ``sge_pe(5)``.

    Parameters
    ----------
    path
        The file; replaced if it is there.
    records
        How many: tasks of arrays and second runs count.
    users, hosts
        How many people, and hosts (at least 8, named ``node001`` ...).
    days
        Days in which jobs are sent. The last of them end later.
    slots
        Slots of each host.
    seed
        Another one makes another site.
    end
        When the last jobs are sent, seconds since the epoch; None: 2026-11-01.
    plant
        Of :data:`PLANTS`: a node that breaks 30 % of what starts there, after 60 % of the time; a user who asks for
        64 GiB and uses 2; a rush of two weeks.

    Raises
    ------
    InvalidArgument
        If these numbers make no site, or something unknown is to be planted.
    OSError
        If the file cannot be written.
    """
    site = _site(records=records, users=users, days=days, hosts=hosts, slots=slots, seed=seed, end=end, plant=plant)
    writer = RecordWriter(site.habits, site.facts.hosts, site.random)
    # One piece is written while the next one is made.
    with Path(path).open("wb") as file, ThreadPoolExecutor(1) as pool:
        file.write(HEADER)
        written: Future[None] | None = None
        for rows in _pieces(site, records):
            frame = writer.frame(rows)
            if written is not None:
                written.result()
            written = pool.submit(_write, frame, file)
        if written is not None:
            written.result()
    return site.facts


def _write(frame: pl.DataFrame, file: BinaryIO) -> None:
    frame.write_csv(file, separator=":", include_header=False, quote_style="never", float_precision=6)


def _site(
    *,
    records: int,
    users: int,
    days: int,
    hosts: int,
    slots: int,
    seed: int,
    end: int | None,
    plant: Collection[str],
) -> _Site:
    unknown = sorted(set(plant) - set(PLANTS))
    if unknown:
        raise InvalidArgument(f"plant: {', '.join(unknown)} is unknown; expected some of {', '.join(PLANTS)}.")
    for name, value, least in (
        *(("records", records, 1), ("users", users, 1), ("days", days, 1)),
        *(("hosts", hosts, _LEAST_HOSTS), ("slots", slots, 1)),
    ):
        if value < least:
            raise InvalidArgument(f"{name}={value}: a synthetic site has at least {least}.")
    random = np.random.default_rng(seed)
    last = (_END if end is None else int(end)) // DAY * DAY
    begin = last - days * DAY
    names = tuple(f"node{number:03d}" for number in range(1, hosts + 1))
    hosts_of = _share_hosts(hosts)
    capacity = {queue: slots * len(numbers) for queue, numbers in hosts_of.items()}
    habits = habits_of(random, users, slots, capacity["mpi.q"])
    year = year_of(random, habits, begin=begin, days=days, records=records, capacity=capacity, plant=plant)
    failing = "failing_node" in plant
    facts = SiteFacts(
        records=records,
        users=users,
        hosts=names,
        begin=begin,
        end=last,
        slots=slots * hosts,
        slots_of_host=slots,
        queue_slots=capacity,
        failing_node=names[len(hosts_of["all.q"]) * 4 // 9] if failing else "",
        failing_since=begin + int(days * 0.6) * DAY if failing else 0,
        failing_part=BREAKING_PART if failing else 0.0,
        failing_status=BREAKS if failing else 0,
        memory_waster=habits.users[year.waster] if year.waster >= 0 else "",
        rush_begin=year.rush[0],
        rush_end=year.rush[1],
        rush_users=tuple(habits.users[user] for user in year.rush_users),
    )
    return _Site(facts, habits, year, hosts_of, random)


def _share_hosts(hosts: int) -> dict[str, range]:
    """Return the numbers of the hosts of each queue; all.q has what the others leave."""
    others = {queue: max(1, round(part * hosts)) for queue, part in QUEUES.items() if queue != "all.q"}
    result, first = {"all.q": range(hosts - sum(others.values()))}, hosts - sum(others.values())
    for queue, count in others.items():
        result[queue] = range(first, first + count)
        first += count
    return result


def _pieces(site: _Site, records: int) -> Iterator[Rows]:
    """Yield records that ended, in that order, a piece at a time."""
    year, facts = site.year, site.facts
    bad = facts.hosts.index(facts.failing_node) if facts.failing_node else -1
    pools = {
        queue: Pool(numbers, facts.slots_of_host, whole=queue == "mpi.q", bad=(bad, facts.failing_since))
        for queue, numbers in site.hosts_of.items()
    }
    waiting: dict[str, Rows] = {}
    first_job = 1
    for hours, count in _windows(year, records):
        rows = draw(site.random, site.habits, year, hours=hours, count=count, first_job=first_job)
        first_job = int(rows["job"].max()) + 1
        until = None if hours[1] == len(year.hours) else year.begin + hours[1] * 3600
        ended = []
        for number, queue in enumerate(QUEUES):
            new = {name: column[rows["queue"] == number] for name, column in rows.items()}
            done, waiting[queue] = _advance(pools[queue], waiting.get(queue), new, until)
            ended.append(done)
        piece = {name: np.concatenate([part[name] for part in ended]) for name in ended[0]}
        order = np.argsort(piece["start"] + piece["wall"], kind="stable")
        yield {name: column[order] for name, column in piece.items()}


def _windows(year: Year, records: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield spans of hours and the records that are sent in each; together `records`."""
    steps = np.cumsum(year.load)
    pieces = -(-records // _PIECE)
    bounds = np.searchsorted(steps, steps[-1] * np.arange(1, pieces + 1) / pieces, side="left") + 1
    begin, sent = 0, 0
    for end in sorted({min(int(bound), len(steps)) for bound in bounds[:-1]} | {len(steps)}):
        # What a span has of the whole load, in whole records.
        upto = round(records * float(steps[end - 1] / steps[-1]))
        if upto > sent:
            yield (begin, end), upto - sent
            begin, sent = end, upto


def _advance(pool: Pool, known: Rows | None, new: Rows, until: int | None) -> tuple[Rows, Rows]:
    """Let a queue work; return the rows that ended, in order, and those that did not."""
    begun = 0 if known is None else len(known["job"])
    fresh = len(new["job"])
    more = {"host": np.zeros(fresh, np.int64), "start": np.full(fresh, -1), "broken": np.zeros(fresh, np.int64)}
    new = {**new, **more}
    rows = new if known is None else {name: np.concatenate([known[name], column]) for name, column in new.items()}
    lists: dict[str, list[int]] = {name: rows[name].tolist() for name in (*_FIXED, *_CHANGED)}
    ended = pool.run(Work(**lists), begun, until)
    for name in _CHANGED:
        rows[name] = np.array(lists[name], np.int64)
    left = np.ones(len(rows["job"]), bool)
    left[ended] = False
    kept: Sequence[int] = np.flatnonzero(left).tolist()
    pool.renumber({old: number for number, old in enumerate(kept)})
    return {name: column[ended] for name, column in rows.items()}, {
        name: column[left] for name, column in rows.items()
    }


_FIXED = ("slots", "delay", "again", "breaks")
_CHANGED = ("submitted", "wall", "key", "host", "start", "broken")
