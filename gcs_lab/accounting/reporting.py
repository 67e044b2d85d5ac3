"""Read ``reporting`` (SGE, and OCS with ``old_reporting=true``) and ``reporting.jsonl`` (OCS 9.x) as frames."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.json_lines import JsonLinesReader
from gcs_lab.accounting.record_lines import Piece, Rejects, pieces
from gcs_lab.accounting.reporting_kinds import KINDS, NAMES, Kind, kind_schema
from gcs_lab.accounting.reporting_values import is_whole, typed
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gcs_lab.accounting.batch import Batch

__all__ = ["read_reporting"]

_TEXT = re.compile(rb"\s*(\d{1,18}):(\w+):")
#: The writer puts these two first, always.
_ACCT = re.compile(rb'\{"time":(\d{1,18}),"type":"acct",')
_SECONDS, _MICROS = 1_000_000, 1


def read_reporting(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Return the records of reporting files, a frame for each kind of record that is in them, and ``rejects``.

    Every frame begins with ``time``, when the record was written. Times are UTC; ``posix_priority`` is qsub -p (the
    file says 1024 for 0); ``mem`` and ``io`` of the share tree (GiB s and GiB) are byte s and bytes. ``task`` is null
    for a job that is no array, and while it has no tasks yet. What a record lists has one row each: load values and
    online usage as ``variable``, ``value`` (as it was written) and ``number`` (K, M, G applied: bytes), consumables
    as ``variable``, ``used`` and ``capacity``. ``acct`` has the columns of a record of accounting; those written at
    midnight for a job that still runs have the exit status -1. ``job_log``'s ``state`` is letters in the text and a
    number (the bits of JAT_status) in JSON.

    Parameters
    ----------
    paths
        The files, the oldest first; plain or compressed, text or JSON.

    Returns
    -------
    dict of polars.DataFrame
        By kind: ``new_job job_log acct online_usage queue queue_consumable host host_consumable sharelog new_ar
        ar_attribute ar_log ar_acct``, and ``rejects``: file, line, offset, reason and text of lines that are none.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    rejects = Rejects()
    found: dict[str, list[pl.DataFrame]] = {}
    for piece in pieces(paths, rejects):
        for name, frame in _frames(piece):
            found.setdefault(name, []).append(frame)
    frames = {name: pl.concat(found[name]) for name in (*KINDS, "acct") if name in found}
    return {**frames, "rejects": rejects.frame()}


def _frames(piece: Piece) -> list[tuple[str, pl.DataFrame]]:
    """Return the frames that are in a piece, by kind."""
    texts: dict[str, list[int]] = {}
    objects: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    acct: tuple[list[int], list[int]] = [], []
    for i, line in enumerate(piece.lines):
        if line.startswith(b"{"):
            if _ACCT.match(line):
                acct[1].append(i)
            elif (found := _object(piece, i)) is not None:
                objects.setdefault(NAMES[found["type"]], []).append((i, found))
            continue
        match = _TEXT.match(line)
        kind = NAMES.get(match[2].decode()) if match else None
        if kind is None:
            why = (
                "expected time:type:…" if match is None else f"expected a type of record, found {match[2].decode()!r}"
            )
            piece.reject(i, why)
        elif kind == "acct":
            acct[0].append(i)
        else:
            texts.setdefault(kind, []).append(i)
    frames = [(kind, _of_text(piece, kind, indices)) for kind, indices in texts.items()]
    frames += [(kind, _of_objects(piece, kind, rows)) for kind, rows in objects.items()]
    frames += [("acct", _accounting(piece, acct[n], json_lines=bool(n))) for n in (0, 1) if acct[n]]
    return [(kind, frame) for kind, frame in frames if len(frame)]


def _object(piece: Piece, index: int) -> dict[str, Any] | None:
    try:
        found = json.loads(piece.lines[index].decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        piece.reject(index, f"expected a JSON object: {error}")
        return None
    if not isinstance(found, dict) or found.get("type") not in KINDS:
        kind = found.get("type") if isinstance(found, dict) else None
        piece.reject(index, f"expected a JSON object with the type of a record, found {str(kind)[:40]!r}")
        return None
    return found


def _of_text(piece: Piece, name: str, indices: list[int]) -> pl.DataFrame:
    kind = KINDS[name]
    count = len(kind.fields) + bool(kind.lists)
    lines = pl.Series("line", [piece.lines[i].decode("utf-8", "replace") for i in indices], dtype=pl.String)
    split = lines.str.splitn(":", count + 2).struct.unnest()
    last = pl.col(f"field_{count + 1}")
    if name == "sharelog":  # its lines end with a ":" of their own
        last = last.str.strip_suffix(":")
    raw = split.select(
        pl.Series("index", indices, dtype=pl.Int64),
        pl.col("field_0").str.strip_chars().alias("time"),
        *(
            (last if i == count - 1 else pl.col(f"field_{i + 2}")).alias(f"f{i}" if i < len(kind.fields) else "list")
            for i in range(count)
        ),
    )
    return _kept(piece, name, raw, _SECONDS)


def _of_objects(piece: Piece, name: str, rows: list[tuple[int, dict[str, Any]]]) -> pl.DataFrame:
    kind = KINDS[name]
    schema = {"index": pl.Int64, "time": pl.String, **{f"f{i}": pl.String for i in range(len(kind.fields))}}
    values = [
        (i, _text(found.get("time")), *(_text(_get(found, f.source)) for f in kind.fields)) for i, found in rows
    ]
    raw = pl.DataFrame(values, schema=schema, orient="row")
    if kind.lists:
        lists = [_listed(kind, found.get(kind.list_source)) for _, found in rows]
        raw = raw.with_columns(pl.Series("list", lists, dtype=pl.String))
    return _kept(piece, name, raw, _MICROS)


def _get(found: dict[str, Any], source: str) -> Any:
    # The classic writer says NONE or nothing, this one leaves it out.
    return found.get(source, "") if source else ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return ",".join(f"{name}={_text(one)}" for name, one in value.items())
    return "" if value is None else str(value)


def _listed(kind: Kind, values: Any) -> str:
    if not isinstance(values, dict):
        return ""
    if kind.lists == "values":
        return _text(values)
    used = {name: value for name, value in values.items() if isinstance(value, dict)}
    return ",".join(f"{n}={_text(v.get('utilization'))}={_text(v.get('capacity'))}" for n, v in used.items())


def _kept(piece: Piece, name: str, raw: pl.DataFrame, micros: int) -> pl.DataFrame:
    """Return the good rows of a raw frame, typed; the others are rejects."""
    whole = is_whole(name, raw)
    if not whole.all():
        for index in raw["index"].filter(~whole):
            piece.reject(index, f"expected a record of type {name}; it is cut off, or a number is none")
        raw = raw.filter(whole)
    return typed(name, raw, micros) if len(raw) else pl.DataFrame(schema=kind_schema(name))


def _accounting(piece: Piece, indices: list[int], *, json_lines: bool) -> pl.DataFrame:
    """Return the records of accounting, with the time at which each was written."""
    form = _ACCT if json_lines else _TEXT
    matches = [(i, match) for i in indices if (match := form.match(piece.lines[i]))]
    start = b"{" if json_lines else b""
    lines = [start + piece.lines[i][match.end() :] for i, match in matches]
    reader = JsonLinesReader() if json_lines else ClassicReader()
    batch: Batch = reader.read(b"\n".join([*lines, b""]), 0)
    bad = {reject.line: reject.reason for reject in batch.rejects}
    for line, reason in bad.items():
        piece.reject(matches[line][0], reason)
    times = [int(match[1]) for n, (_, match) in enumerate(matches) if n not in bad]
    unit = _MICROS if json_lines else _SECONDS
    written = pl.Series("time", times, dtype=pl.Int64)
    # A comment or an empty rest is neither record nor reject; there is none in a file that the system wrote.
    if len(written) != len(batch.records):
        written = pl.repeat(None, len(batch.records), dtype=pl.Int64, eager=True).alias("time")
    stamped = written.to_frame().select((pl.col("time") * unit).cast(pl.Datetime("us", "UTC")))
    return stamped.hstack(batch.records.select(record_schema().names()))
