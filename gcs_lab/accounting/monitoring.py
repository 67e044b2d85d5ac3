"""Read ``monitoring.jsonl`` (OCS 9.0.2 and later): how busy each thread of sge_qmaster was, interval by interval."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from gcs_lab.accounting.json_one_line import as_count, as_double
from gcs_lab.accounting.record_lines import Piece, Rejects, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read_monitoring"]

_TIMES = ("start_time", "end_time")
_COUNTS = ("requests_in", "answers_out", "runs")
_PERCENT = ("idle", "wait", "busy")
_LATEST = 253_402_300_799_000_000
#: A mean over nothing is no number, and the system's writer then writes nothing behind the colon.
_NO_VALUE = re.compile(rb'":(?=[,}])')
_DEEPEST = 8


def read_monitoring(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Return the records of monitoring files, a frame for each type of thread in them, and ``rejects``.

    Source: sge_monitoring(5) and ``sge_monitor.cc`` of OCS 9.x, schema version 1. Columns: ``time start_time
    end_time`` (UTC), ``name`` (``worker-01``), ``host``, ``duration`` (s), ``idle wait busy`` (percent of it),
    ``requests_in answers_out runs`` (counts), and then the type's extensions, numbers, nested names joined by ``_``
    (``queue_lengths_writer``).

    Parameters
    ----------
    paths
        The files, the oldest first; plain or compressed.

    Returns
    -------
    dict of polars.DataFrame
        By type of thread: ``event-master listener mirror timer reader scheduler worker``, and ``rejects``: file,
        line, offset, reason and text of lines that are none.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    rejects = Rejects()
    found: dict[str, list[pl.DataFrame]] = {}
    for piece in pieces(paths, rejects):
        rows: dict[str, list[dict[str, Any]]] = {}
        for index in range(len(piece.lines)):
            record = _record(piece, index)
            if record is not None:
                rows.setdefault(str(record.pop("type")), []).append(record)
        for name, records in rows.items():
            found.setdefault(name, []).append(_frame(records))
    frames = {name: pl.concat(parts, how="diagonal") for name, parts in sorted(found.items())}
    return {**frames, "rejects": rejects.frame()}


def _record(piece: Piece, index: int) -> dict[str, Any] | None:
    line = piece.lines[index]
    try:
        try:
            found = json.loads(line)
        except json.JSONDecodeError:
            found = json.loads(_NO_VALUE.sub(b'":null', line))
    except (ValueError, RecursionError) as error:
        piece.reject(index, f"expected a JSON object: {error}")
        return None
    data = found.get("data") if isinstance(found, dict) else None
    kind = found.get("type") if isinstance(found, dict) else None
    written = as_count(found.get("time")) if isinstance(found, dict) else None
    if not isinstance(data, dict) or not isinstance(kind, str) or not kind.endswith("-thread") or written is None:
        piece.reject(index, "expected an object with time, type (…-thread) and data")
        return None
    duration = as_double(data.get("duration"))
    record: dict[str, Any] = {"type": kind.removesuffix("-thread"), "time": written}
    record |= {name: as_count(data.get(name)) for name in _TIMES}
    record |= {"name": _word(data.get("name")), "host": _word(data.get("hostname"))}
    record["duration"] = None if duration is None else duration / 1e6
    record |= {name: as_double(data.get(name)) for name in (*_PERCENT, *_COUNTS)}
    extensions = data.get("extensions")
    for name, value in _flat(extensions, "", 0) if isinstance(extensions, dict) else ():
        record.setdefault(name, value)
    return record


def _word(value: Any) -> str | None:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and value else None


def _flat(values: dict[str, Any], before: str, depth: int) -> list[tuple[str, float]]:
    found = []
    for name, value in values.items():
        word = _word(before + name) or "_"
        if isinstance(value, dict) and depth < _DEEPEST:
            found += _flat(value, f"{word}_", depth + 1)
        elif (number := as_double(value)) is not None:
            found.append((word, number))
    return found


def _frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    names = dict.fromkeys(name for record in records for name in record)
    words: dict[str, type[pl.DataType]] = {"name": pl.String, "host": pl.String}
    words |= dict.fromkeys(("time", *_TIMES), pl.Int64)
    frame = pl.DataFrame(records, schema={name: words.get(name, pl.Float64) for name in names}, orient="row")
    time = [
        pl.when(pl.col(n).is_between(1, _LATEST)).then(pl.col(n)).cast(pl.Datetime("us", "UTC"))
        for n in ("time", *_TIMES)
    ]
    return frame.with_columns(
        *(value.alias(name) for name, value in zip(("time", *_TIMES), time, strict=True)),
        pl.col("name", "host").cast(pl.Categorical()),
        pl.col(_COUNTS).cast(pl.Int64, strict=False),
    )
