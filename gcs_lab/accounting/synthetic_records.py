"""The records of synthetic jobs in the classic format of 45 fields (``sge_accounting(5)``), as 8.1.9 writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.accounting.synthetic_habits import QUEUES, suffixes
from gcs_lab.accounting.synthetic_jobs import (
    DELETED,
    KILLED_MEMORY,
    KILLED_TIME,
    NEVER_STARTED,
    RERUN,
    SUFFIXES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from gcs_lab.accounting.synthetic_habits import Habits
    from gcs_lab.accounting.synthetic_jobs import Rows

__all__ = ["BREAKS", "HEADER", "RecordWriter"]

HEADER = b"# Version: 8.1.9\n# \n# DO NOT MODIFY THIS FILE MANUALLY!\n# \n"
#: The exit status of jobs that the failing node breaks: EBADMSG, which nothing else in the file has.
BREAKS = 74
_GIB = float(1 << 30)
#: How an outcome is told: (failed, exit status). Those of the real system are in ``sge_status(5)``.
_TOLD = {
    KILLED_TIME: (37, 137),
    KILLED_MEMORY: (100, 137),
    DELETED: (100, 137),
    RERUN: (25, 99),
    NEVER_STARTED: (26, 0),
}
_FATAL = 128


class RecordWriter:
    """Makes frames of 45 columns, one row a record, of rows that have ended.

    Parameters
    ----------
    habits
        The site's.
    hosts
        Names of the hosts.
    random
        Where chance comes from: of what the records say of CPU, faults and switches.
    queues
        Names of the queues, by the numbers that the habits have.
    """

    def __init__(
        self,
        habits: Habits,
        hosts: tuple[str, ...],
        random: np.random.Generator,
        queues: Sequence[str] = tuple(QUEUES),
    ) -> None:
        import polars as pl

        self._habits = habits
        self._random = random
        families = range(len(habits.user))
        user = habits.user
        styles = [suffixes(style, random, SUFFIXES) for style in range(5)]
        self._texts = {
            "queue": pl.Series([queues[queue] for queue in habits.queue]),
            "group": pl.Series([habits.user_group[user[family]] for family in families]),
            "owner": pl.Series([habits.users[user[family]] for family in families]),
            "stem": pl.Series(habits.stem),
            "project": pl.Series([habits.user_project[user[family]] for family in families]),
            "environment": pl.Series([habits.environment(family) for family in families]),
            "category": pl.Series([habits.category(family) for family in families]),
        }
        self._hosts = pl.Series(hosts)
        self._suffixes = pl.Series([suffix for style in styles for suffix in style])

    def frame(self, rows: Rows) -> pl.DataFrame:
        """Return the records of `rows`, which have ``host``, ``start`` and ``broken`` too, in the same order."""
        import polars as pl

        habits, random = self._habits, self._random
        family, wall, count = rows["family"], rows["wall"].astype(float), len(rows["family"])
        failed, status = _endings(rows)
        began = np.where(rows["outcome"] == NEVER_STARTED, 0, rows["start"])
        busy = habits.efficiency[family] * np.exp(random.normal(0, 0.08, count))
        cpu = np.minimum(busy, 1.02) * wall * rows["slots"]
        system = cpu * random.uniform(0.01, 0.08, count)
        # The peak is reached after a while.
        virtual = rows["memory"] * rows["slots"] * np.where(wall > 0, np.minimum(1, 0.2 + wall / 120), 0)
        resident = virtual * random.uniform(0.55, 0.9, count) / 1024
        faults = (resident * random.uniform(0.3, 0.6, count)).astype(np.int64)
        numbers = {name: self._texts[name].gather(family) for name in self._texts}
        suffix = self._suffixes.gather(habits.style[family] * SUFFIXES + rows["suffix"])
        columns = pl.DataFrame(
            {
                **numbers,
                "suffix": suffix,
                "host": self._hosts.gather(rows["host"]),
                "job": rows["job"],
                "task": rows["task"],
                "slots": rows["slots"],
                "submitted": rows["submitted"],
                "start": began,
                "end": np.where(began > 0, began + rows["wall"], 0),
                "failed": failed,
                "status": status,
                "wall": rows["wall"],
                "utime": cpu - system,
                "stime": system,
                "maxrss": np.floor(resident),
                "faults": faults,
                "major": random.integers(0, 90, count),
                "in": np.floor(random.exponential(4000, count)),
                "out": (random.exponential(9000, count)).astype(np.int64),
                "voluntary": (wall * random.uniform(2, 30, count)).astype(np.int64),
                "forced": (wall * random.uniform(0.5, 9, count)).astype(np.int64),
                "cpu": cpu,
                "mem": cpu * virtual / _GIB * 0.7,
                "io": random.exponential(0.4, count) * np.minimum(wall, 600) / 600,
                "iow": random.exponential(2.0, count) * np.minimum(wall, 600) / 600,
                "maxvmem": np.floor(virtual),
            }
        )
        return columns.select(_order())


def _endings(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``failed`` and ``exit_status`` of each row."""
    outcome = np.where(rows["broken"] > 0, BREAKS, rows["outcome"])
    failed = np.where((outcome > _FATAL) & (outcome < 255), 100, 0)  # noqa: PLR2004
    status = outcome.copy()
    for code, (why, exit_status) in _TOLD.items():
        failed = np.where(outcome == code, why, failed)
        status = np.where(outcome == code, exit_status, status)
    return failed, status


def _order() -> list[pl.Expr]:
    """Return the 45 fields in their order; those that are the same in all records are written here."""
    import polars as pl

    fixed = {
        "account": pl.lit("sge"),
        "pe_taskid": pl.lit("NONE"),
        "name": pl.concat_str("stem", "suffix"),
        "department": pl.col("group"),
    }
    order = """
    queue host group owner name job account 0 submitted start end failed status wall utime stime maxrss 0 0 0 0 faults
    major 0 in out 0 0 0 voluntary forced project department environment slots task cpu mem io category iow pe_taskid
    maxvmem 0 0
    """
    fields = [pl.lit(0) if name == "0" else fixed.get(name, pl.col(name)) for name in order.split()]
    return [field.alias(str(place)) for place, field in enumerate(fields)]
