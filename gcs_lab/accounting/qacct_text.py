"""Read what ``qacct -j`` printed: SGE 6.2 and 8.1.9, OCS 9.x."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.batch import Batch, Reject
from gcs_lab.accounting.qacct_values import first_number, integral, scaled, time_of
from gcs_lab.accounting.record_frame import as_more, no_records, record_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["QacctTextReader"]

_LINE = b"=" * 62
#: Text that is looked at together; its lines take some ten times as much memory.
_PIECE = 4 << 20
_WORDS = {
    "qname": "queue", "hostname": "host", "group": "group", "owner": "owner", "project": "project",
    "department": "department", "jobname": "name", "pe_taskid": "pe_task", "account": "account",
    "granted_pe": "parallel_environment", "submit_cmd_line": "command", "deleted_by": "deleted_by",
    "category": "category",
}  # fmt: skip
_TIMES = {
    "qsub_time": "submission_time", "start_time": "start_time", "end_time": "end_time",
    "ar_sub_time": "reservation_submission_time",
}  # fmt: skip
_COUNTS = {
    "jobnumber": "job_id", "taskid": "task", "arid": "reservation_id", "priority": "nice", "slots": "slots",
    "failed": "failed", "exit_status": "exit_status",
}  # fmt: skip
#: Whole numbers in the file, which 8.1.9 prints in K, M and so on with three digits.
_ROUNDED = ("ru_maxrss", "ru_ixrss", "ru_ismrss", "ru_idrss", "ru_isrss")
_FIGURES = (
    "ru_wallclock", "ru_utime", "ru_stime", "ru_minflt", "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock",
    "ru_msgsnd", "ru_msgrcv", "ru_nsignals", "ru_nvcsw", "ru_nivcsw", "wallclock", "cpu", "iow", "maxvmem", "maxrss",
)  # fmt: skip
_KNOWN = (*_WORDS, *_TIMES, *_COUNTS, *_ROUNDED, *_FIGURES, "mem", "io")


class QacctTextReader:
    """Reads the records in the text of ``qacct -j``, and nothing of the sums that follow them.

    A record spans lines: a block must end where one ends (:meth:`cut`).
    Figures have the three digits that ``qacct`` prints. Times are local and become UTC by this process' zone: in the
    hour that comes twice when summer time ends, they may be an hour early. Lines that no version is known to print
    (an epilog's own values, 9.x) go to the column ``more``.
    """

    name = "text of qacct -j"

    def cut(self, block: bytes) -> int:
        """Return how many bytes of `block` hold whole records; 0 if it holds but the beginning of one."""
        return block.rfind(b"\n" + _LINE + b"\n") + 1

    def read(self, block: bytes, offset: int) -> Batch:
        """Return the records in `block`, whole records that begin at `offset` of the file. It never raises."""
        frames: list[pl.DataFrame] = []
        rejects: list[Reject] = []
        number = 0
        for piece in _pieces(block):
            lines = piece.split(b"\n")
            if not lines[-1]:
                lines.pop()
            records, bad = _records(lines)
            frames.append(records)
            if bad:
                begins = list(accumulate((len(line) + 1 for line in lines), initial=offset))
                rejects += [Reject.of(lines[i], begins[i], number + i, why) for i, why in sorted(bad.items())]
            offset += len(piece)
            number += len(lines)
        return Batch(pl.concat(frames) if frames else no_records(), rejects, number)


def _pieces(block: bytes) -> Iterator[bytes]:
    start = 0
    while len(block) - start > _PIECE:
        cut = block.rfind(b"\n" + _LINE + b"\n", start, start + _PIECE) + 1
        if cut <= start:
            cut = block.find(b"\n" + _LINE + b"\n", start + 1) + 1
        if cut <= start:
            break
        yield block[start:cut]
        start = cut
    if start < len(block):
        yield block[start:]


def _records(lines: list[bytes]) -> tuple[pl.DataFrame, dict[int, str]]:
    """Return the records in `lines`, and the lines that are in none, with the reason."""
    text = b"\n".join(lines).decode("utf-8", "replace")
    frame = pl.DataFrame({"line": text.split("\n")}).with_row_index("at")
    line = pl.col("line").str.strip_chars_end()
    frame = frame.with_columns(line).with_columns(
        line.str.contains(r"^={20,}$").alias("rule"),
        (pl.col("line") == "Total System Usage").alias("sums"),
        pl.col("line").str.contains("\0", literal=True).alias("binary"),
    )
    # The sums are four lines: a title, the columns' names, a rule, the figures.
    sums = pl.any_horizontal(pl.col("sums").shift(n, fill_value=False) for n in range(4))
    frame = frame.filter(~sums).with_columns(pl.col("rule").cum_sum().alias("record"))
    bad = dict.fromkeys(frame.filter("binary")["at"].to_list(), "expected text, found binary data")
    frame = frame.filter(~pl.col("rule") & ~pl.col("binary") & (pl.col("line") != ""))
    parts = pl.col("line").str.splitn(" ", 2).struct
    frame = _with_whole_commands(
        frame.with_columns(
            parts.field("field_0").alias("key"),
            parts.field("field_1").fill_null("").str.strip_chars_start().alias("value"),
        )
    )
    is_first = pl.struct("record", "key").is_first_distinct()
    frame = frame.with_columns((pl.col("key").is_in(_KNOWN) & is_first).alias("known"))
    job = frame.filter("known", pl.col("key") == "jobnumber", pl.col("value").str.contains(r"^\d+$"))["record"]
    inside = pl.col("record").is_in(job.implode()) & (pl.col("record") > 0)
    outside = frame.filter(~inside).filter(~pl.col("line").str.starts_with("#"))
    bad |= dict.fromkeys(outside["at"].to_list(), "expected a line of a record of qacct -j, with a jobnumber")
    frame = frame.filter(inside)
    if not len(frame):
        return no_records(), bad
    table = frame.filter("known").pivot("key", index="record", values="value", maintain_order=True)
    return _typed(
        table.join(_others(frame.filter(~pl.col("known"))), on="record", how="left", maintain_order="left")
    ), bad


def _with_whole_commands(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with the lines of a command that holds newlines made one: those up to ``start_time``."""
    begin = pl.col("at").filter(pl.col("key") == "submit_cmd_line").first()
    end = pl.col("at").filter((pl.col("key") == "start_time") & (pl.col("at") > begin)).first()
    spans = (
        frame.group_by("record")
        .agg(begin.alias("begin"), end.alias("end"))
        .filter(pl.col("end") > pl.col("begin") + 1)
    )
    if not len(spans):
        return frame
    frame = frame.join(spans, on="record", how="left", maintain_order="left")
    within = (pl.col("at") > pl.col("begin")) & (pl.col("at") < pl.col("end"))
    rests = frame.filter(within).group_by("record").agg(pl.col("line").str.join("\n").alias("rest"))
    frame = frame.filter(~within.fill_null(value=False)).join(rests, on="record", how="left", maintain_order="left")
    longer = (pl.col("key") == "submit_cmd_line") & pl.col("rest").is_not_null()
    whole = pl.when(longer).then(pl.concat_str("value", "rest", separator="\n")).otherwise(pl.col("value"))
    return frame.with_columns(whole.alias("value")).drop("begin", "end", "rest")


def _others(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of each record that have no column, as ``more``; figures of 0 were not measured."""
    found: dict[int, dict[str, object]] = {}
    for record, key, value in frame.select("record", "key", "value").iter_rows():
        figure = _figure(value)
        if figure != 0:
            found.setdefault(record, {}).setdefault(key, value if figure is None else figure)
    more = [as_more(values) for values in found.values()]
    return pl.DataFrame(
        {"record": list(found), "more": more}, schema={"record": frame.schema["record"], "more": pl.String}
    )


def _figure(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _typed(table: pl.DataFrame) -> pl.DataFrame:
    table = table.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in _KNOWN if name not in table.columns
    )
    times = [time_of(table[name]).alias(column) for name, column in _TIMES.items()]
    vmem, rss, largest = scaled("maxvmem"), scaled("maxrss"), scaled("ru_maxrss").round()
    reservation = first_number("arid")
    return record_frame(
        table.select(
            *(pl.col(name).alias(column) for name, column in _WORDS.items()),
            *(
                first_number(name).alias(column)
                for name, column in _COUNTS.items()
                if name not in {"jobnumber", "arid"}
            ),
            *(scaled(name) for name in _FIGURES if name not in {"wallclock", "iow", "maxvmem", "maxrss"}),
            *(scaled(name).round() for name in _ROUNDED),
            *times,
            pl.col("jobnumber").alias("job_id"),
            pl.when(reservation > 0).then(reservation).alias("reservation_id"),
            pl.coalesce(scaled("wallclock"), scaled("ru_wallclock")).alias("wallclock"),
            scaled("iow").alias("io_wait"),
            integral("mem").alias("memory"),
            integral("io"),
            pl.when(vmem > 0).then(vmem).alias("max_vmem"),
            pl.coalesce(pl.when(rss > 0).then(rss), pl.when(largest > 0).then(largest * 1024)).alias("max_rss"),
            pl.col("more"),
        )
    )
