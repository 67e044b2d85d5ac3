"""A past for a cluster of the user's own: a year of records of people who never were, beside its own records.

It is one more rotated file, ``accounting-YYYYMMDD``, in Grid Engine's own format, whose first line says what it is.
The cluster's own file is neither read nor written. Each job gets its slots in a simulation of the queues
(:mod:`gcs_lab.accounting.synthetic_slots`), as :func:`~gcs_lab.accounting.synthetic.write_site` does it for whole
sites; what is sent is that of :class:`~gcs_lab.workload.model.Model`, the same as is played live.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcs_lab.accounting.source_file import rotated_files
from gcs_lab.accounting.synthetic_records import HEADER, RecordWriter
from gcs_lab.accounting.synthetic_slots import Pool, Work
from gcs_lab.errors import InvalidArgument, OutOfResource
from gcs_lab.workload.history_rows import history_rows
from gcs_lab.workload.model import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from gcs_lab.accounting import Accounting
    from gcs_lab.accounting.synthetic_jobs import Rows
    from gcs_lab.workload.model import Model
    from gcs_lab.workload.stage import Stage

__all__ = ["MARK", "History", "remove_history", "write_history"]

#: How the first line of such a file begins; by it these files are found again, and no other one is ever removed.
MARK = b"# Invented records: made by gcs-lab demo populate --history"
#: Job numbers end here, as if the cluster's counter had begun anew after it (sge_conf(5) ``MAX_JOB_ID``): the numbers
#: of a private cluster, which count from 1, do not get there.
_LAST_NUMBER = 9_999_999
#: They are made in memory: about 1.8 GB for so many.
_MOST_RECORDS = 2_000_000
_LONGEST_DAYS = 3660


class History(NamedTuple):
    """What was written: the file, how many records, and the first and the last end (seconds since the epoch)."""

    file: Path
    records: int
    first: float
    last: float


def write_history(
    records_file: Path, accounting: Accounting, stage: Stage, model: Model, *, days: int, now: float | None = None
) -> History:
    """Write the past of a cluster; one that was written before is replaced.

    Parameters
    ----------
    records_file
        To which the cluster appends; the new file stands beside it.
    accounting
        The cluster's: its store forgets an earlier past.
    stage
        Queues, hosts and slots.
    model
        Who sent what.
    days
        How many, up to this moment.
    now
        Seconds since the epoch; None: this moment.

    Raises
    ------
    InvalidArgument
        If the days are none, or the past would have more than two million records.
    OutOfResource
        If it cannot be written; what was there before is still there then.
    """
    if not 1 <= days <= _LONGEST_DAYS:
        raise InvalidArgument(f"a past of {days} days: expected 1 to {_LONGEST_DAYS}.")
    last = time.time() if now is None else now
    # The model's days are those of this machine's local time.
    offset = time.localtime(last).tm_gmtoff
    begin = int(last) - days * DAY
    habits, rows = history_rows(model, stage, begin=begin + offset, seconds=days * DAY, most=_MOST_RECORDS)
    rows["submitted"] = rows["submitted"] - offset
    rows["key"] = rows["key"] - offset
    ended = _simulated(rows, stage, int(last))
    ended["job"] = ended["job"] + (_LAST_NUMBER - int(ended["job"].max(initial=0)))
    random = np.random.default_rng([model.seed, 5])
    frame = RecordWriter(habits, stage.hosts, random, stage.queues).frame(ended)
    name = f"{records_file.name}-{time.strftime('%Y%m%d', time.localtime(last - 1))}"
    said = f" {days}d, {len(model.people)} people, seed {model.seed}, {time.time_ns()}\n"
    with _alone(records_file):
        file = _put(records_file, name, MARK + said.encode() + HEADER, frame)
    # The store has read the earlier one.
    accounting.store.forget(MARK)
    ends = ended["start"] + ended["wall"]
    return History(file, len(ends), float(ends.min(initial=int(last))), float(ends.max(initial=begin)))


def remove_history(records_file: Path, accounting: Accounting) -> int:
    """Remove the past that was written; return how many files that were. Real records stay where they are."""
    with _alone(records_file):
        files = _histories(records_file)
        for file in files:
            file.unlink(missing_ok=True)
    # Also where nothing is left to remove: something may have been killed before it came here.
    accounting.store.forget(MARK)
    return len(files)


def _histories(records_file: Path) -> list[Path]:
    found = []
    for path in rotated_files(records_file):
        if path == records_file:
            continue
        with path.open("rb") as file:
            if file.read(len(MARK)) == MARK:
                found.append(path)
    return found


@contextlib.contextmanager
def _alone(records_file: Path) -> Iterator[None]:
    """Wait until no other process writes or removes a past here: each looks for the files of the other."""
    lock = os.open(records_file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _put(records_file: Path, name: str, head: bytes, frame: pl.DataFrame) -> Path:
    """Write a file whole or not at all, under a name that nothing else has; remove the earlier ones."""
    old = _histories(records_file)
    # Names that no reader of rotated files looks at; the others are what a process left that was killed.
    hidden = f".{records_file.name}-"
    beside = records_file.with_name(f"{hidden}{os.getpid()}.new")
    for rest in records_file.parent.glob(f"{hidden}*.new"):
        rest.unlink(missing_ok=True)
    # A file of the site's own rotation of today may be there: then a name beside it that is read as well.
    names = [name, *(f"{name}_{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))]
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(head)
            frame.write_csv(target, separator=":", include_header=False, quote_style="never", float_precision=6)
            target.flush()
            os.fsync(target.fileno())
        file = next(file for file in map(records_file.with_name, names) if file in old or not file.exists())
        beside.replace(file)
    except OSError as error:
        raise OutOfResource(
            f"the past could not be written beside {records_file}: {error}. What was there is unchanged."
        ) from error
    finally:
        # Also after Ctrl-C.
        beside.unlink(missing_ok=True)
    for path in old:
        if path != file:
            path.unlink(missing_ok=True)
    return file


def _simulated(rows: Rows, stage: Stage, until: int) -> Rows:
    """Return the rows that ended before `until`, in that order, with host, start and end as load made them."""
    parts = []
    for number in range(len(stage.queues)):
        mine = {name: column[rows["queue"] == number] for name, column in rows.items()}
        size = len(mine["job"])
        if not size:
            continue
        lists = {name: mine[name].tolist() for name in ("submitted", "slots", "wall", "key", "delay", "breaks")}
        work = Work(**lists, again=[0] * size, host=[0] * size, start=[-1] * size, broken=[0] * size)
        pool = Pool(range(len(stage.hosts)), stage.slots_of_host)
        ended = pool.run(work, 0, until)
        for name in ("host", "start", "broken", "wall"):
            mine[name] = np.array(getattr(work, name), np.int64)
        parts.append({name: column[ended] for name, column in mine.items()})
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else rows
    order = np.argsort(merged["start"] + merged["wall"], kind="stable")
    return {name: column[order] for name, column in merged.items()}
