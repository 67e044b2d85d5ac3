"""From the lines of ``sacct -P``, a job and its steps, to records.

What Slurm calls by other names: ``Account``, which shares and limits hang on, is the project; ``WCKey``, a word of
the user's own, is the account (qsub -A); ``Partition`` is the queue. All of its columns that are no record's are in
``more``, under Slurm's names; among them ``State`` and ``QOS``.
"""

from __future__ import annotations

import polars as pl

from gcs_lab.accounting.record_frame import record_frame
from gcs_lab.accounting.sacct_values import (
    bytes_of,
    exit_status_of,
    failed_of,
    first_host,
    more_of,
    seconds_of,
    time_of,
)

__all__ = ["TIMES", "job_records"]

TIMES = {"Submit": "submission_time", "Start": "start_time", "End": "end_time"}
_WORDS = {
    "JobName": "name", "User": "owner", "Group": "group", "WCKey": "account", "Account": "project",
    "Partition": "queue", "SubmitLine": "command",
}  # fmt: skip
#: What the record says already, or what is only another spelling of it.
_SAID = {
    *_WORDS, *TIMES, "JobID", "ExitCode", "Elapsed", "ElapsedRaw", "TotalCPU", "UserCPU", "SystemCPU", "MaxRSS",
    "MaxVMSize", "AllocCPUS", "NCPUS", "Reservation", "TRESUsageInTot", "TRESUsageOutTot", "CPUTime", "CPUTimeRAW",
}  # fmt: skip
#: Of a step; the largest, and the sum, are the job's.
_DISK = r"fs/disk=(\d+)"


def job_records(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the records of `frame`: columns of text, under sacct's names, and two more.

    ``_job`` numbers the jobs, in their order; a step has its job's number. ``_step`` says which rows are steps.
    """
    frame = frame.with_columns(pl.lit("").alias(name) for name in _NEEDED if name not in frame.columns)
    jobs = frame.filter(~pl.col("_step")).join(_of_steps(frame), on="_job", how="left", maintain_order="left")
    jobs = jobs.with_columns(time_of(jobs[name]).alias(f"_{name}") for name in TIMES)
    more = [name for name in frame.columns if name not in _SAID and not name.startswith("_") and name]
    state = pl.col("State").str.extract(r"^(\w+)")
    number = pl.col("JobID").str.extract_groups(r"^(\d+)(?:_(\d+|\[.*\]))?(\+\d+)?").struct
    task = number.field("2").cast(pl.Int64, strict=False)
    wallclock = pl.coalesce(pl.col("ElapsedRaw").cast(pl.Float64, strict=False), seconds_of("Elapsed"))
    own, of_steps = exit_status_of("ExitCode"), pl.col("_exit")
    records = jobs.select(
        # A component of a heterogeneous job (123+1) has resources, and so a record, of its own.
        pl.concat_str(number.field("1"), number.field("3").fill_null("")).alias("job_id"),
        task.alias("task"),
        *(pl.col(name).alias(column) for name, column in _WORDS.items()),
        first_host("NodeList").alias("host"),
        _count("AllocCPUS", "NCPUS", "ReqCPUS").alias("slots"),
        *(pl.col(f"_{name}").alias(column) for name, column in TIMES.items()),
        failed_of(state, pl.col("_Start").is_not_null()).alias("failed"),
        # A job that was ended from outside often has 0:0, and its steps the signal.
        pl.when((own == 0) & (state != "COMPLETED"))
        .then(pl.coalesce(of_steps, own))
        .otherwise(own)
        .alias("exit_status"),
        wallclock.alias("wallclock"),
        wallclock.alias("ru_wallclock"),
        pl.coalesce(_more_than_0(seconds_of("TotalCPU")), pl.col("_cpu"), seconds_of("TotalCPU")).alias("cpu"),
        seconds_of("UserCPU").alias("ru_utime"),
        seconds_of("SystemCPU").alias("ru_stime"),
        pl.col("_io").alias("io"),
        pl.max_horizontal(bytes_of("MaxVMSize"), pl.col("_vmem")).alias("max_vmem"),
        pl.max_horizontal(bytes_of("MaxRSS"), pl.col("_rss")).alias("max_rss"),
        _category().alias("category"),
        pl.col("Reservation").alias("reservation_id"),
        pl.col("State").str.extract(r"^CANCELLED by (\S+)").alias("deleted_by"),
        more_of(more).alias("more"),
    )
    return record_frame(records, first_task=0)


#: Columns that are asked for whatever the dump has.
_NEEDED = (
    *_WORDS, *TIMES, "JobID", "State", "ExitCode", "Elapsed", "ElapsedRaw", "TotalCPU", "UserCPU", "SystemCPU",
    "MaxRSS", "MaxVMSize", "AllocCPUS", "NCPUS", "ReqCPUS", "NodeList", "Reservation", "TRESUsageInTot",
    "TRESUsageOutTot", "TimelimitRaw", "Timelimit", "ReqMem",
)  # fmt: skip


def _of_steps(frame: pl.DataFrame) -> pl.DataFrame:
    steps = frame.filter("_step")
    io = [pl.col(name).str.extract(_DISK).cast(pl.Float64) for name in ("TRESUsageInTot", "TRESUsageOutTot")]
    return steps.group_by("_job").agg(
        bytes_of("MaxRSS").max().alias("_rss"),
        bytes_of("MaxVMSize").max().alias("_vmem"),
        seconds_of("TotalCPU").sum().alias("_cpu"),
        exit_status_of("ExitCode").max().alias("_exit"),
        # A sum of nothing is 0; where the dump has no such columns it is not known.
        pl.when(pl.any_horizontal(v.is_not_null() for v in io).any()).then(pl.sum_horizontal(io).sum()).alias("_io"),
    )


def _count(*names: str) -> pl.Expr:
    return pl.coalesce(pl.col(name).cast(pl.Int64, strict=False) for name in names)


def _more_than_0(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def _category() -> pl.Expr:
    """Return the requests as Grid Engine would write them: ``-l h_rt=3600,mem=4G``, time in seconds."""
    minutes = pl.col("TimelimitRaw").cast(pl.Int64, strict=False) * 60
    limit = pl.coalesce(minutes, seconds_of("Timelimit").cast(pl.Int64, strict=False))
    words = pl.concat_str(
        pl.concat_str(pl.lit("h_rt="), limit),
        pl.when(~pl.col("ReqMem").is_in(["", "0", "0n", "0c"])).then(pl.concat_str(pl.lit("mem="), pl.col("ReqMem"))),
        separator=",",
        ignore_nulls=True,
    )
    return pl.when(words != "").then(pl.concat_str(pl.lit("-l "), words))
