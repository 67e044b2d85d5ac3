"""The fields of a classic record, which every relative of Sun Grid Engine writes with ``:`` between them.

====== ==================================== ======================================================================
fields written by                           known from
====== ==================================== ======================================================================
43     Sun Grid Engine 6.0 and 6.1          ``accounting(5)`` of 6.1: it ends with ``maxvmem`` (no reservations yet)
45     6.2, Son of Grid Engine 8.1.9, OCS   ``sge_accounting(5)`` of 8.1.9; recorded from 8.1.9; the embedded cluster
       with ``old_accounting=true``
52     Univa Grid Engine 8.2                public parsers of such files; times are milliseconds, see below
54     Univa Grid Engine 8.3 to 8.5         the same
55     Univa Grid Engine 8.6                the same
====== ==================================== ======================================================================

Only the 45 fields of 8.1.9 have been seen as a system wrote them; the others are tested with made-up lines. Univa's
times are milliseconds since 1970 from 8.2 on; that is told by their size, line by line. Its ``ru_wallclock`` is
seconds or milliseconds, whichever agrees with end minus start. It writes the byte 0xFF where a command line or a
folder has a ``:``; nobody else escapes anything. What 8.1.9 itself writes has few colons to escape: its qsub refuses
them in the names of jobs and accounts, and ``-l h_rt=1:00:00`` is ``-l h_rt=3600`` in the category (both tried).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = [
    "ALL_FIELDS",
    "BESIDE",
    "CATEGORY",
    "ESSENTIAL",
    "FIELDS",
    "LARGEST_MEMORY",
    "LATEST_SECOND",
    "LEAST_MILLISECOND",
    "MEMORY",
    "NUMBERS",
    "TIMES",
    "WHOLE_NUMBERS",
    "WIDTHS",
    "field_schema",
]

_ORDER = """
qname hostname group owner job_name job_number account priority submission_time start_time end_time failed
exit_status ru_wallclock ru_utime ru_stime ru_maxrss ru_ixrss ru_ismrss ru_idrss ru_isrss ru_minflt ru_majflt
ru_nswap ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw project department granted_pe
slots task_number cpu mem io category iow pe_taskid maxvmem arid ar_submission_time
"""
_UNIVA = "job_class qdel_info maxrss maxpss submit_host cwd submit_cmd wallclock ioops bound_cores"
#: The 45 fields of ``sge_accounting(5)``, in order.
FIELDS = tuple(_ORDER.split())
#: Those, and what Univa Grid Engine added.
ALL_FIELDS = (*FIELDS, *_UNIVA.split())
#: How many fields a line may have.
WIDTHS = (43, 45, 52, 54, 55)
CATEGORY = FIELDS.index("category")
TIMES = ("submission_time", "start_time", "end_time")
#: What makes a line a record; another figure that cannot be read is left out, and its text is kept in ``more``.
ESSENTIAL = ("job_number", *TIMES, "failed", "exit_status", "slots", "task_number")
_NARROW = frozenset({"failed", "exit_status", "slots", "task_number"})
WHOLE_NUMBERS = frozenset({*ESSENTIAL, "priority", "arid", "ar_submission_time"})
_FIGURES = frozenset(name for name in FIELDS if name.startswith("ru_")) | {
    "cpu", "mem", "io", "iow", "maxvmem", "maxrss", "maxpss", "wallclock", "ioops",
}  # fmt: skip
NUMBERS = WHOLE_NUMBERS | _FIGURES
_WORDS = frozenset({"job_name", "category", "pe_taskid", "cwd", "submit_cmd", "bound_cores"})
#: Bytes that become whole numbers. Systems that miscounted wrote 2**64 and the like.
MEMORY = ("maxvmem", "maxrss")
LARGEST_MEMORY = 2.0**63
#: The last second of the year 9999, the largest that Python's and pandas' times can say.
LATEST_SECOND = 253_402_300_799
#: A time of this size or more is milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
LEAST_MILLISECOND = 100_000_000_000
#: Column of a frame of fields that Python made: JSON of what its line says beside its fields.
BESIDE = "said_beside"


@cache
def field_schema(fields: Sequence[str] = ALL_FIELDS) -> pl.Schema:
    """Return the polars types of the raw `fields`, whole numbers and figures as they stand in the file."""
    import polars as pl

    def of(name: str) -> pl.DataType:
        if name in WHOLE_NUMBERS:
            return pl.Int32() if name in _NARROW else pl.Int64()
        if name in _FIGURES:
            return pl.Float64()
        return pl.String() if name in _WORDS else pl.Categorical()

    return pl.Schema({name: of(name) for name in fields})
