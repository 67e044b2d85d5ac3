"""Read what is new of one text, block after block: while one is parsed, the one before is written."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.accounting.batch import KEPT_TEXT, Batch, Reject
from gcs_lab.accounting.formats import SpanningReader
from gcs_lab.accounting.ingest_parts import (
    MOST_REJECTS,
    Stretch,
    force_part,
    offsets_of,
    reject_frame,
    with_places,
    write_part,
)
from gcs_lab.accounting.ingest_text import LONGEST_LINE, Block, tail_hash
from gcs_lab.accounting.manifest import HEAD, Part
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from gcs_lab.accounting.formats import Reader
    from gcs_lab.accounting.ingest_report import Report
    from gcs_lab.accounting.ingest_text import Text
    from gcs_lab.accounting.manifest import Manifest

__all__ = ["store_blocks"]

#: Seconds of work that a killed process may lose.
_COMMIT_EVERY = 1.0
#: Blocks that wait to be written: more would cost memory, fewer would make the parser wait.
_MOST_WAITING = 1


class _Written(NamedTuple):
    part: Future[Part]
    tail: int


class _Run:
    """The state of one call of :func:`store_blocks`."""

    def __init__(self, folder: Path, manifest: Manifest, text: Text, source: int, report: Report) -> None:
        self.folder, self.manifest, self.text, self.source, self.report = folder, manifest, text, source, report
        # First to be written, then to be forced to the disk, each by one thread: so they stay in order.
        self.writing: deque[_Written] = deque()
        self.forcing: deque[_Written] = deque()
        self.kept = sum(part.kept for part in manifest.parts_of(source))
        self.committed = time.monotonic()
        self.dirty = False

    def push(self, most: int, force: ThreadPoolExecutor) -> None:
        """Let no more than `most` parts wait to be written, and enter those that are on the disk."""
        while len(self.writing) > most:
            written = self.writing.popleft()
            part = force.submit(force_part, self.folder, written.part.result())
            self.forcing.append(written._replace(part=part))
        while self.forcing and (not most or self.forcing[0].part.done()):
            self._enter_one()

    def _enter_one(self) -> None:
        written = self.forcing.popleft()
        part = written.part.result()
        source = self.manifest.sources[self.source]
        if part.begin != source.offset:
            return  # the one before it failed: a gap would be lost records
        self.manifest.parts.append(part)
        if part.torn:
            source = replace(source, torn=(part.end - part.begin, written.tail))
        else:
            source = source.reached(part.end, source.lines + part.lines, written.tail)
            if len(source.head) < HEAD:
                source = replace(source, head=self.text.look[: min(HEAD, part.end)])
        self.manifest.sources[self.source] = source
        self.dirty = True
        self.report.advance(self.text, part.end - part.begin, part.records, part.rejects)
        if time.monotonic() - self.committed >= _COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        """Make what was entered so far the truth."""
        if self.dirty:
            self.manifest.commit(self.folder)
            self.committed, self.dirty = time.monotonic(), False

    def save(self, force: ThreadPoolExecutor) -> None:
        """Keep what can be kept."""
        try:
            self.push(0, force)
        finally:
            self.commit()


def store_blocks(
    folder: Path,
    manifest: Manifest,
    text: Text,
    reader: Reader,
    *,
    source: int,
    report: Report,
    waits: bool,
) -> int | None:
    """Store `text` from where `source` was left.

    Parameters
    ----------
    waits
        Whether a last line without its newline may still be being written: it is left out then.

    Returns
    -------
    int or None
        Length of the last line that was left out; None if the run was told to stop before the end.
    """
    run = _Run(folder, manifest, text, source, report)
    started = manifest.sources[source].offset
    tail = text.read_at(max(0, started - HEAD), min(HEAD, started)) if started else b""
    torn = 0
    with (
        ThreadPoolExecutor(1, thread_name_prefix="gcs_lab-write") as writer,
        ThreadPoolExecutor(1, thread_name_prefix="gcs_lab-force") as force,
    ):
        try:
            for block in _blocks(text, started, reader):
                if report.stopped:
                    run.save(force)
                    return None
                if block.kind == "torn" and waits:
                    torn = len(block.data)
                    break
                batch = _batch(block, reader)
                tail = block.data[-HEAD:] if len(block.data) >= HEAD else (tail + block.data)[-HEAD:]
                if block.kind == "long":
                    tail = text.read_at(max(0, block.end - HEAD), min(HEAD, block.end))
                kept = batch.rejects[: max(0, MOST_REJECTS - run.kept)]
                run.kept += len(kept)
                stretch = Stretch(source, block.offset, block.end, block.kind in {"torn", "broken"})
                job = writer.submit(_write, folder, stretch, manifest.number(), block, batch, kept=kept)
                run.writing.append(_Written(job, tail_hash(block.data if stretch.torn else tail)))
                del batch, block, job
                run.push(_MOST_WAITING, force)
            run.push(0, force)
        except BaseException:
            run.save(force)
            raise
    report.finished(text, started)
    return torn


def _blocks(text: Text, start: int, reader: Reader) -> Iterator[Block]:
    if not isinstance(reader, SpanningReader):
        yield from text.blocks(start)
        return
    rest = b""
    for block in text.blocks(start):
        if block.kind in {"long", "broken"}:
            if rest:
                yield Block(block.offset - len(rest), block.offset, rest, "whole")
            rest = b""
            yield block
            continue
        data = rest + block.data
        cut = reader.cut(data) if len(data) < LONGEST_LINE else len(data)
        if cut:
            yield Block(block.end - len(data), block.end - len(data) + cut, data[:cut], "whole")
        rest = data[cut:]
    if rest:
        yield Block(block.end - len(rest), block.end, rest, "whole")


def _batch(block: Block, reader: Reader) -> Batch:
    if block.kind in {"whole", "torn"}:
        return reader.read(block.data, block.offset)
    import polars as pl

    shown = block.data[:KEPT_TEXT].decode(errors="replace")
    return Batch(pl.DataFrame(schema=record_schema()), [Reject(block.offset, 0, block.reason, shown)], 1)


def _write(folder: Path, stretch: Stretch, number: int, block: Block, batch: Batch, *, kept: list[Reject]) -> Part:
    """Write the part of a block; in the writer's thread."""
    frame = with_places(batch.records, stretch.source, offsets_of(block.data, batch, block.offset))
    rejects = reject_frame(kept)
    return write_part(folder, number, stretch, frame, rejects, lines=batch.lines, found=len(batch.rejects))
