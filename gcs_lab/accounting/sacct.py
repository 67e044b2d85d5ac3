"""Read what ``sacct -P`` printed (Slurm): a line of names, then a line for each job and each of its steps."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.batch import Batch, Reject
from gcs_lab.accounting.record_frame import no_records
from gcs_lab.accounting.sacct_jobs import TIMES, job_records
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["SacctReader"]

#: Text that is looked at together; its lines take some ten times as much memory.
_PIECE = 4 << 20
#: Between fields once they are known; then a name may hold a ``|``.
_APART = "\x1f"
#: Columns in which a user may write a ``|``, and the one that is likelier first.
_FREE = ("JobName", "SubmitLine", "WorkDir", "Comment", "AdminComment", "SystemComment", "Extra", "Constraints")
#: What a value looks like; by this a line with a ``|`` of its own is set right.
_TIME = r"(\d{4}-\d\d-\d\dT[\d:.]+|\d{9,12}|Unknown|None|)"
_DURATION = r"((\d+-)?[\d:.]+|Partition_Limit|UNLIMITED|INVALID|)"
_SHAPES = {
    **dict.fromkeys((*TIMES, "Eligible"), _TIME),
    **dict.fromkeys(("Elapsed", "TotalCPU", "UserCPU", "SystemCPU", "CPUTime", "Timelimit"), _DURATION),
    **dict.fromkeys(
        ("AllocCPUS", "NCPUS", "ReqCPUS", "NNodes", "ElapsedRaw", "CPUTimeRAW", "TimelimitRaw"), r"-?\d*"
    ),
    "ExitCode": r"(\d+:\d+|)",
    "State": r"[A-Z_]+\+?( by \S+)?",
    "JobIDRaw": r"\d+(\.\S+)?",
}
_ID = r"^\d+(?:_(?:\d+|\[[^\]]*\]))?(?:\+\d+)?(?:\.[\w+]+)?$"
_ENDED = re.compile(r"\b(PENDING|RUNNING|SUSPENDED|CONFIGURING|COMPLETING|RESIZING|STAGE_OUT|SIGNALING|STOPPED)\b")


class SacctReader:
    """Reads a dump of ``sacct -P``, or ``-p``: any columns in any order, with or without its steps.

    A job's steps (``123.batch``, ``123.0``) follow its own line and are folded into its record: of memory the
    largest, of input and output the sum, of CPU time the sum where the job's own line has none. Blocks must therefore
    end where a job begins (:meth:`cut`). Jobs that had not ended are rejects: they have no record yet.

    Parameters
    ----------
    header
        The dump's first line.

    Raises
    ------
    InvalidArgument
        If the header does not name a job's number.
    """

    name = "sacct -P of Slurm"

    def __init__(self, header: bytes | str) -> None:
        line = header.decode("utf-8", "replace") if isinstance(header, bytes) else header
        self._header = line.strip("\r\n\ufeff ")
        self._columns = self._header.split("|")
        if "JobID" not in self._columns and "JobIDRaw" not in self._columns:
            raise InvalidArgument(
                f"The first line of a dump of sacct names its columns, one of them JobID; found {line[:200]!r}. "
                "Make it with: sacct -P --format=ALL"
            )
        # Two columns of one name: the second is the same once more.
        first = [bool(c) and self._columns.index(c) == i for i, c in enumerate(self._columns)]
        self._names = [c if first[i] else f"_column{i}" for i, c in enumerate(self._columns)]
        self._id = self._columns.index("JobID" if "JobID" in self._columns else "JobIDRaw")
        self._shapes = [re.compile(_SHAPES.get(column, r".*") + r"\Z") for column in self._columns]
        self._shapes[self._id] = re.compile(_ID)

    def cut(self, block: bytes) -> int:
        """Return how many bytes of `block` hold whole jobs: the last job in it may have steps that are yet to come.

        0 if it holds but one; then more must be read. What follows is to be read with the next block.
        """
        end = block.rfind(b"\n") + 1
        while end > 0:
            start = block.rfind(b"\n", 0, end - 1) + 1
            fields = block[start:end].split(b"|", self._id + 1)
            if len(fields) > self._id and b"." not in fields[self._id] and fields[self._id][:1].isdigit():
                return start
            end = start
        return 0

    def read(self, block: bytes, offset: int) -> Batch:
        """Return the records in `block`, whole lines that begin at `offset` of the file. It never raises."""
        frames: list[pl.DataFrame] = []
        rejects: list[Reject] = []
        number = 0
        for piece in self._pieces(block):
            batch = self._read(piece, offset)
            frames.append(batch.records)
            rejects += [reject._replace(line=reject.line + number) for reject in batch.rejects]
            number += batch.lines
            offset += len(piece)
        return Batch(pl.concat(frames) if frames else no_records(), rejects, number)

    def _pieces(self, block: bytes) -> Iterator[bytes]:
        start, size = 0, _PIECE
        while len(block) - start > size:
            piece = block[start : block.rfind(b"\n", start, start + size) + 1]
            length = self.cut(piece)
            if length:
                yield piece[:length]
                start, size = start + length, _PIECE
            else:
                size *= 2
        if start < len(block):
            yield block[start:]

    def _read(self, block: bytes, offset: int) -> Batch:
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        rejects: list[Reject] = []
        numbers: list[int] = []
        rows: list[str] = []
        offsets: list[int] = []
        begin = offset
        wanted = len(self._columns) - 1
        for number, raw in enumerate(lines):
            offsets.append(begin)
            begin += len(raw) + 1
            text = raw.decode("utf-8", "replace").rstrip("\r").replace(_APART, " ")
            if not text.strip() or text.startswith("#") or text.strip("\ufeff ") == self._header:
                continue
            if "\0" in text:
                rejects.append(Reject.of(raw, offsets[-1], number, "expected text, found binary data"))
                continue
            if text.count("|") != wanted:
                mended = self._mended(text)
                if mended is None:
                    found = text.count("|") + 1
                    why = f"expected {wanted + 1} columns as the first line names them, found {found}"
                    rejects.append(Reject.of(raw, offsets[-1], number, why))
                    continue
                text = mended
            else:
                text = text.replace("|", _APART)
            rows.append(text)
            numbers.append(number)
        records = self._records(rows, numbers, rejects, lines, offsets)
        return Batch(records, sorted(rejects, key=lambda reject: reject.line), len(lines))

    def _mended(self, text: str) -> str | None:
        """Return the line, set apart by _APART; None if no free column explains how many fields it has."""
        fields = text.split("|")
        more = len(fields) - len(self._columns)
        if more <= 0:
            return None
        for name in _FREE:
            if name not in self._columns:
                continue
            at = self._columns.index(name)
            merged = [*fields[:at], "|".join(fields[at : at + more + 1]), *fields[at + more + 1 :]]
            if all(shape.match(field) for shape, field in zip(self._shapes, merged, strict=True)):
                return _APART.join(merged)
        return None

    def _records(
        self,
        rows: list[str],
        numbers: list[int],
        rejects: list[Reject],
        lines: Sequence[bytes],
        offsets: Sequence[int],
    ) -> pl.DataFrame:
        if not rows:
            return no_records()
        frame = pl.read_csv(
            io.BytesIO("\n".join(rows).encode("utf-8", "replace")),
            separator=_APART,
            quote_char=None,
            has_header=False,
            new_columns=self._names,
            schema_overrides=[pl.String] * len(self._names),
        )
        frame = frame.fill_null("").with_columns(pl.Series("_line", numbers, dtype=pl.Int64))
        number = pl.col(self._names[self._id])
        frame = frame.with_columns(
            number.alias("JobID"),
            (~number.str.contains(_ID)).alias("_bad"),
            number.str.contains(".", literal=True).alias("_step"),
        )
        state = pl.col("State") if "State" in frame.columns else pl.lit("")
        frame = frame.with_columns(state.str.contains(_ENDED.pattern).alias("_live"))

        def reject(rows: pl.DataFrame, reason: str) -> None:
            rejects.extend(Reject.of(lines[line], offsets[line], line, reason) for line in rows["_line"])

        reject(frame.filter("_bad"), "expected the number of a job, such as 123, 123_4 or 123.batch")
        frame = frame.filter(~pl.col("_bad")).with_columns((~pl.col("_step")).cum_sum().alias("_job"))
        base = pl.col("JobID").str.extract(r"^([^.]*)")
        orphan = pl.col("_step") & ((pl.col("_job") == 0) | (base != base.first().over("_job")))
        frame = frame.with_columns(orphan.alias("_orphan"))
        reject(frame.filter("_orphan"), "a step whose job's line does not stand before it")
        frame = frame.filter(~pl.col("_orphan"))
        live = pl.col("_live") & ~pl.col("_step")
        frame = frame.with_columns(live.any().over("_job").alias("_not_ended"))
        reject(frame.filter(live), "the job had not ended when sacct was asked")
        return job_records(frame.filter(~pl.col("_not_ended")))
