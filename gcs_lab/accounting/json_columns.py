"""The fields of a JSON record of OCS 9.x, and the columns that they become.

Source: ``sge_write_rusage`` in OCS ``source/daemons/qmaster/sge_rusage.cc``, and recordings of 9.2.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.record_frame import record_frame

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COUNTS", "EUSAGE", "FIELDS", "REQUIRED", "RUSAGE", "WORDS", "arrow_schema", "flat_schema", "json_records"]

#: Fields that hold whole numbers; times are microseconds since the epoch.
COUNTS = (
    "job_number", "task_number", "start_time", "end_time", "slots", "arid", "priority", "submission_time",
    "ar_submission_time", "failed", "exit_status",
)  # fmt: skip
#: Fields that hold words; one that has no value is left out by the system.
WORDS = (
    "owner", "group", "account", "qname", "hostname", "project", "department", "granted_pe", "job_name",
    "submit_cmd_line", "pe_taskid", "category", "deleted_by",
)  # fmt: skip
RUSAGE = (
    "ru_wallclock", "ru_utime", "ru_stime", "ru_maxrss", "ru_ixrss", "ru_ismrss", "ru_idrss", "ru_isrss", "ru_minflt",
    "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock", "ru_msgsnd", "ru_msgrcv", "ru_nsignals", "ru_nvcsw",
    "ru_nivcsw",
)  # fmt: skip
#: ``ioops`` came with 9.1, ``maxpss`` is there where execd_params has ENABLE_MEM_DETAILS.
EUSAGE = ("wallclock", "cpu", "mem", "io", "ioops", "iow", "maxvmem", "maxrss", "maxpss")
#: All fields, without the objects that they stand in.
FIELDS = (*COUNTS, *WORDS, *RUSAGE, *EUSAGE)
#: Every version writes these; an object without them is no record.
REQUIRED = ("job_number", "failed", "exit_status")

#: Of the system's integrals in GiB and GiB s to bytes and byte s.
GIB = 2**30
_COLUMNS = {
    "job_number": "job_id", "task_number": "task", "pe_taskid": "pe_task", "job_name": "name", "qname": "queue",
    "hostname": "host", "granted_pe": "parallel_environment", "priority": "nice", "mem": "memory",
    "iow": "io_wait", "arid": "reservation_id", "ar_submission_time": "reservation_submission_time",
    "submit_cmd_line": "command",
}  # fmt: skip
_SAME = tuple(
    name for name in FIELDS if name not in _COLUMNS and name not in {"maxvmem", "maxrss", "maxpss", "ioops", "io"}
)


@cache
def arrow_schema() -> pa.Schema:
    """Return what a line holds, for pyarrow; ``usage`` in ``usage`` is the ``eusage`` of 9.0.0 to 9.0.5."""
    import pyarrow as pa

    eusage = pa.struct([(name, pa.float64()) for name in EUSAGE])
    usage = pa.struct(
        [("rusage", pa.struct([(name, pa.float64()) for name in RUSAGE])), ("eusage", eusage), ("usage", eusage)]
    )
    counts = [(name, pa.int64()) for name in COUNTS]
    return pa.schema([*counts, *((name, pa.string()) for name in WORDS), ("usage", usage)])


@cache
def flat_schema() -> pl.Schema:
    """Return the columns of a flat frame: each of FIELDS, and ``extra``: a JSON object of all others."""
    types: dict[str, pl.DataType] = dict.fromkeys(COUNTS, pl.Int64())
    types |= dict.fromkeys(WORDS, pl.String())
    types |= dict.fromkeys((*RUSAGE, *EUSAGE), pl.Float64())
    return pl.Schema(types | {"extra": pl.String()})


def json_records(flat: pl.DataFrame) -> pl.DataFrame:
    """Return the records in a flat frame.

    ``mem`` and ``io`` are GiB s and GiB, as in the classic file; ``maxvmem`` and ``maxrss`` are bytes, ``ru_maxrss``
    is KiB. ``ioops`` and ``maxpss`` go to ``more`` where they were measured.
    """
    renamed = [pl.col(name).alias(column) for name, column in _COLUMNS.items() if name not in {"mem", "priority"}]
    priority = pl.col("priority")
    frame = flat.select(
        *(pl.col(name) for name in _SAME),
        *renamed,
        # A queue's nice value below 0 is written as an unsigned number.
        pl.when(priority >= 1 << 31).then(priority - (1 << 32)).otherwise(priority).alias("nice"),
        (pl.col("mem") * GIB).alias("memory"),
        (pl.col("io") * GIB).alias("io"),
        measured(pl.col("maxvmem")).alias("max_vmem"),
        pl.coalesce(measured(pl.col("maxrss")), measured(pl.col("ru_maxrss")) * 1024).alias("max_rss"),
        _more().alias("more"),
    )
    # Where nothing was requested, the category is "-"; a reservation's number 0 is none.
    return record_frame(
        frame.with_columns(
            pl.when(pl.col("category") != "-").then(pl.col("category")).alias("category"),
            pl.when(pl.col("reservation_id") > 0).then(pl.col("reservation_id")).alias("reservation_id"),
            pl.coalesce("wallclock", "ru_wallclock").alias("wallclock"),
        )
    )


def measured(value: pl.Expr) -> pl.Expr:
    """Return null where `value` is 0: nothing was measured."""
    return pl.when((value > 0) & value.is_finite()).then(value)


def _more() -> pl.Expr:
    """Return what has no column of its own, as the text of a JSON object."""
    members = pl.concat_str(
        *(pl.concat_str(pl.lit(f'"{name}":'), measured(pl.col(name))) for name in ("ioops", "maxpss")),
        pl.col("extra").str.strip_prefix("{").str.strip_suffix("}"),
        separator=",",
        ignore_nulls=True,
    )
    return pl.when(members != "").then(pl.concat_str(pl.lit("{"), members, pl.lit("}")))
