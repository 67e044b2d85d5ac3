"""Some columns of a classic file, straight from it: the first answer, before anything is stored."""

from __future__ import annotations

import os
import weakref
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from polars.io.plugins import register_io_source

from gcs_lab.accounting.classic import (
    ClassicReader,
    as_records,
    count_lines,
    guess_width,
    has_plain_shape,
    lenient,
)
from gcs_lab.accounting.classic_columns import all_plain, fields_for
from gcs_lab.accounting.classic_fields import ALL_FIELDS, ESSENTIAL
from gcs_lab.accounting.ingest_text import LONGEST_LINE
from gcs_lab.accounting.source_file import compression, line_spans
from gcs_lab.accounting.tables import RECORD_COLUMNS, record_schema
from gcs_lab.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import polars as pl

__all__ = ["scan_direct"]

#: Measured: from here on, larger blocks only cost page faults.
_BLOCK = 8 << 20
#: polars has threads of its own; the second of ours reads the file and checks while they parse.
_THREADS = 2


def scan_direct(
    path: Path, columns: Collection[str] | None = None, start: int = 0, end: int | None = None
) -> pl.LazyFrame | None:
    """Return the records in bytes `start` to `end` of a classic file, lazily; None where the file is compressed.

    The rows are those of :class:`gcs_lab.accounting.classic.ClassicReader`, all of them, in the order of the file:
    only the fields that are needed are parsed, with those that make a line a record; a block in which any line is
    not plain is read by that class. The file is opened now, so that a rotation does no harm, and read as far as `end`
    when the frame is collected. A line of more than LONGEST_LINE is no record, as for the store.

    Parameters
    ----------
    path
        A file of the classic format (:func:`gcs_lab.accounting.formats.reader_for` tells).
    columns
        Names of RECORD_COLUMNS; None: all.
    start, end
        Bytes; the beginning of a line and the end of one. None: the size that the file has now.

    Raises
    ------
    OSError
        If the file cannot be opened.
    TryLater
        When it is collected, if the file was cut off meanwhile.
    """
    if compression(path) is not None:
        return None
    wanted = tuple(column.name for column in RECORD_COLUMNS if columns is None or column.name in columns)
    file = _Opened(path)
    limit = os.fstat(file.descriptor).st_size if end is None else end
    schema = record_schema()

    def source(
        projection: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        names = wanted if projection is None else tuple(projection)
        for block in _blocks(file, names, start, limit):
            frame = block if predicate is None else block.filter(predicate)
            if rows is not None:
                frame = frame.head(rows)
                rows -= len(frame)
            yield frame
            if rows == 0:
                break

    return register_io_source(source, schema={name: schema[name] for name in wanted})


class _Opened:
    """A file that is open as long as a frame needs it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.descriptor)


def _blocks(file: _Opened, columns: tuple[str, ...], start: int, end: int) -> Iterator[pl.DataFrame]:
    ahead: deque[Future[pl.DataFrame]] = deque()
    workers = ThreadPoolExecutor(_THREADS, thread_name_prefix="gcs_lab-scan")
    try:
        for begin, stop in line_spans(file.descriptor, start, end, _BLOCK):
            if stop - begin > LONGEST_LINE:
                continue
            ahead.append(workers.submit(_read, file, begin, stop, columns))
            if len(ahead) > _THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        workers.shutdown(wait=True, cancel_futures=True)


def _read(file: _Opened, start: int, end: int, columns: tuple[str, ...]) -> pl.DataFrame:
    block = os.pread(file.descriptor, end - start, start)
    if len(block) < end - start:
        raise TryLater(
            f"{file.path} was cut off while it was read: {end:,} bytes were expected, and it ends after "
            f"{start + len(block):,}. Ask again; what is stored is read from the store then."
        )
    width = guess_width(block)
    needed = {*fields_for(columns, width), *ESSENTIAL}
    fields = ALL_FIELDS[:width]
    needed.add(fields[-1])  # if it is there, no line has too few
    raw = lenient(block, width).select(name for name in fields if name in needed).collect()
    shaped = has_plain_shape(block, len(raw), count_lines(block), width)
    if shaped and all_plain(raw):
        return as_records(raw, width, columns)
    return ClassicReader().read(block, start).records.select(columns)
