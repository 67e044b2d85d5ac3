"""Which text a file holds: one that was read before under this or another name, a branch of one, or a new one.

What is compared is content: the first bytes, and the bytes before the offset reached. So these are told apart:

* appended to; renamed (``accounting`` → ``accounting.0``); copied, and the original emptied (``copytruncate``);
  compressed after that: the text goes on, or is all read already;
* emptied, or begun anew: another text. What was read before stays in the store, as with a file that was deleted;
* cut off, or put back from an older copy, and then appended to: a *branch*. What was read after the cut stays too;
* rewritten (lines taken out, put in, or changed in length): what was read after the first difference is replaced.

What cannot be told: a change in the middle that keeps the length of every line, if the beginning and the bytes before
the checkpoints that are looked at are as before. And records that are in two files of different content (overlapping
dumps) are two records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from gcs_lab.accounting.ingest_parts import offsets_of, reject_frame, with_places
from gcs_lab.accounting.ingest_text import BLOCK
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gcs_lab.accounting.formats import Reader
    from gcs_lab.accounting.ingest_text import Text
    from gcs_lab.accounting.manifest import Part, Source

__all__ = ["Shared", "common_prefix", "continued", "has_in_common", "stored_records"]

#: What makes two records the same one, for the question whether a file was rewritten.
_SAME = ["job_id", "task", "pe_task", "owner", "host", "submission_time", "start_time", "end_time", "failed"]


class Shared(NamedTuple):
    """A text is that of `source` up to `offset`, where a line begins; `lines` are before it."""

    source: Source
    offset: int
    lines: int


def continued(text: Text, sources: Iterable[Source]) -> Source | None:
    """Return the source that `text` holds all of that was read of it; of several the one that was read farthest."""
    fitting = [source for source in sources if text.look.startswith(source.head)]
    for source in sorted(fitting, key=lambda source: -source.offset):
        if source.offset and text.tail(source.offset) != source.checkpoints[-1][1]:
            continue
        if source.torn is None or text.hash_of(source.offset, source.torn[0]) == source.torn[1]:
            return source
    return None


def common_prefix(text: Text, source: Source, parts: list[Part], folder: Path, reader: Reader) -> Shared | None:
    """Return how far `text` is that of `source`; None if not even the first line is."""
    same = _common(source.head, text.head)
    if len(same) < len(source.head):
        offset = same.rfind(b"\n") + 1
        return Shared(source, offset, same.count(b"\n", 0, offset)) if offset else None
    offset = same.rfind(b"\n") + 1
    lines, until = same.count(b"\n", 0, offset), source.offset
    whole = [part for part in parts if not part.torn]
    line_at = {}
    counted = source.lines - sum(part.lines for part in whole)
    for part in whole:
        counted += part.lines
        line_at[part.end] = counted
    # Up to the first checkpoint that differs, those before it are trusted.
    for at, expected in source.checkpoints:
        if text.tail(at) != expected:
            until = at
            break
        if at >= offset and at in line_at:
            offset, lines = at, line_at[at]
    return _compare_records(text, source, folder, reader, parts=whole, between=(offset, until, lines))


def _common(one: bytes, other: bytes) -> bytes:
    """Return the bytes with which both begin."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[:middle] == other[:middle]:
            least = middle
        else:
            most = middle - 1
    return one[:least]


def _compare_records(
    text: Text, source: Source, folder: Path, reader: Reader, *, parts: list[Part], between: tuple[int, int, int]
) -> Shared:
    """Return where the records of `text` begin to differ from those that are stored, from a checkpoint on."""
    begin, until, lines = between
    data = text.read_at(begin, until - begin)
    data = data[: data.rfind(b"\n") + 1]
    if not data:
        return Shared(source, begin, lines)
    batch = reader.read(data, begin)
    new = with_places(batch.records, source.id, offsets_of(data, batch, begin))
    old = stored_records(folder, parts, begin, begin + len(data))
    bad = {reject.offset: reject.text for reject in batch.rejects}
    old_bad = stored_rejects(folder, parts, begin, begin + len(data))
    differing = set(bad.items()) ^ set(zip(old_bad["offset"].to_list(), old_bad["text"].to_list(), strict=True))
    first_bad = min((at for at, _ in differing), default=begin + len(data))
    common = min(len(new), len(old))
    unequal = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(f"{name}:old")) for name in [*record_schema().names(), "_offset"]
    )
    beside = pl.concat(
        [new.head(common), old.head(common).rename({name: f"{name}:old" for name in old.columns})], how="horizontal"
    )
    places = beside.select(unequal.alias("unequal"), pl.min_horizontal("_offset", "_offset:old").alias("at"))
    first = places.filter("unequal")["at"].head(1).to_list()
    longer = new if len(new) > common else old
    first += longer["_offset"].slice(common, 1).to_list()
    ends = [at if at is not None else begin for at in first]
    offset = min([*ends, first_bad])
    return Shared(source, offset, lines + data.count(b"\n", 0, offset - begin))


def stored_records(folder: Path, parts: list[Part], begin: int, end: int | None = None) -> pl.DataFrame:
    """Return the records of a source's `parts` whose lines begin from `begin` on (and before `end`), in order."""
    wanted = [
        part
        for part in parts
        if part.size and part.end > begin and (end is None or part.begin < end) and not part.torn
    ]
    if not wanted:
        return with_places(pl.DataFrame(schema=record_schema()), 0, pl.Series(dtype=pl.Int64()))
    place = pl.col("_offset")
    inside = place.is_null() | ((place >= begin) & (place < end if end is not None else pl.lit(value=True)))
    files = [folder / f"{part.name}.parquet" for part in wanted]
    return pl.scan_parquet(files).filter(inside).collect()


def stored_rejects(folder: Path, parts: list[Part], begin: int, end: int) -> pl.DataFrame:
    """Return the rejects that were kept of a stretch of a source's text."""
    wanted = [part for part in parts if part.kept and part.end > begin and part.begin < end and not part.torn]
    if not wanted:
        return reject_frame(())
    files = [folder / f"{part.name}.rejects.parquet" for part in wanted]
    inside = (pl.col("offset") >= begin) & (pl.col("offset") < end)
    return pl.concat(pl.read_parquet(file) for file in files).filter(inside)


def has_in_common(text: Text, start: int, reader: Reader, folder: Path, parts: list[Part]) -> bool:
    """Tell whether the first block of `text` from `start` on has records that are stored from there on already."""
    block = next(iter(text.blocks(start, BLOCK)), None)
    if block is None or block.kind not in {"whole", "torn"}:
        return False
    records = reader.read(block.data, block.offset).records.select(_SAME)
    wanted = [part for part in parts if part.size and part.end > start]
    if not wanted or not len(records):
        return False
    files = [folder / f"{part.name}.parquet" for part in wanted]
    stored = pl.scan_parquet(files).filter(pl.col("_offset").is_null() | (pl.col("_offset") >= start)).select(_SAME)
    shared = stored.join(records.lazy().unique(), on=_SAME, how="semi", nulls_equal=True)
    return bool(shared.select(pl.len()).collect(engine="streaming").item())
