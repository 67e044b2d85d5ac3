"""Read what ``sge_share_mon`` printed of the share tree, and the ``sharelog`` records of reporting files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.qacct_values import time_of
from gcs_lab.accounting.record_lines import Piece, Rejects, pieces
from gcs_lab.accounting.reporting import read_reporting
from gcs_lab.accounting.reporting_kinds import KINDS, kind_schema
from gcs_lab.accounting.reporting_values import is_whole, typed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read_share_tree"]

_FIELDS = KINDS["sharelog"].fields
#: The columns of sge_share_mon in the order in which it prints all of them.
_NAMES = tuple(field.source for field in _FIELDS)
#: What may stand between columns (-d); a tab unless told otherwise.
_DELIMITERS = ("\t", ",", ";", "|", ":", " ")
_REPORTING = re.compile(rb"\d+:[a-z_]+:|\{")
_PAIR = re.compile(r"(?:^|(?<=[\t,;|: ]))(" + "|".join(re.escape(name) for name in _NAMES) + ")=")
_NUMBER = r"^\d+$"


def read_share_tree(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Return what is known of the share tree: ``nodes``, one row for each node and time, and ``rejects``.

    Files of ``sge_share_mon`` are read with and without a header (``-h``), with names (``-n``), with other columns
    (``-f``, if there are names or a header), with other delimiters (``-d``) and with formatted times (``-t``: local,
    as :func:`gcs_lab.accounting.local_times.from_local` says). Of ``reporting`` and ``reporting.jsonl`` the records
    ``sharelog`` are taken.

    Columns: ``time`` and ``curr_time`` (UTC), ``usage_time`` (until when usage was booked), ``node_name``,
    ``user_name``, ``project_name``, ``shares``, ``job_count``, ``level`` and ``total`` (fractions of 1, of the node's
    level and of the whole tree), ``long_target_share``, ``short_target_share``, ``actual_share`` (fractions of 1),
    ``usage`` (weighted), ``cpu`` (s), ``memory`` (byte s), ``io`` (bytes), and the same since the beginning:
    ``long_term_cpu``, ``long_term_memory``, ``long_term_io``. A column that was not printed is null.

    Parameters
    ----------
    paths
        The files, the oldest first; plain or compressed.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    rejects = Rejects()
    frames = [pl.DataFrame(schema=kind_schema("sharelog"))]
    others: list[pl.DataFrame] = []
    for path in paths:
        columns: tuple[str, ...] = ()
        for piece in pieces([path], rejects):
            if (
                not columns
                and _REPORTING.match(piece.lines[0])
                and not _PAIR.match(piece.lines[0].decode("utf-8", "replace"))
            ):
                found = read_reporting([path])
                others.append(found["rejects"])
                frames += [found["sharelog"]] if "sharelog" in found else []
                break
            columns = _read(piece, columns, frames)
    return {"nodes": pl.concat(frames), "rejects": pl.concat([rejects.frame(), *others])}


def _read(piece: Piece, columns: tuple[str, ...], frames: list[pl.DataFrame]) -> tuple[str, ...]:
    """Add the rows of a piece to `frames`; return the columns that its last header names."""
    rows: dict[tuple[str, ...], list[tuple[int, list[str]]]] = {}
    for index, raw in enumerate(piece.lines):
        line = raw.decode("utf-8", "replace")
        if header := _header(line):
            columns = header
        elif pairs := _pairs(line):
            rows.setdefault(tuple(pairs), []).append((index, list(pairs.values())))
        elif (values := _values(line, columns or _NAMES)) is not None:
            rows.setdefault(columns or _NAMES, []).append((index, values))
        else:
            wanted = len(columns or _NAMES)
            piece.reject(index, f"expected {wanted} columns of sge_share_mon; other columns (-f) need -h or -n")
    frames += [_frame(piece, names, found) for names, found in rows.items()]
    return columns or _NAMES


def _header(line: str) -> tuple[str, ...]:
    for delimiter in _DELIMITERS:
        names = line.rstrip(" ").removesuffix(delimiter).split(delimiter)
        if all(name in _NAMES for name in names) and len(set(names)) == len(names) > 1:
            return tuple(names)
    return ()


def _pairs(line: str) -> dict[str, str]:
    parts = _PAIR.split(line)
    if len(parts) == 1 or parts[0]:  # the parts are: what is before the first name, a name, its value, a name …
        return {}
    # Between two of them, and behind the last, stands the delimiter.
    return {
        name: value[:-1] if value[-1:] in _DELIMITERS else value
        for name, value in zip(parts[1::2], parts[2::2], strict=True)
    }


def _values(line: str, names: tuple[str, ...]) -> list[str] | None:
    for delimiter in _DELIMITERS:
        values = line.removesuffix(delimiter).split(delimiter)
        if len(values) == len(names):
            return values
    return None


def _frame(piece: Piece, names: tuple[str, ...], rows: list[tuple[int, list[str]]]) -> pl.DataFrame:
    given = pl.DataFrame([values for _, values in rows], schema=dict.fromkeys(names, pl.String), orient="row")
    for name in ("curr_time", "usage_time"):
        if name in names and not given[name].str.contains(_NUMBER).all():
            local = time_of(given[name]).dt.epoch("us").cast(pl.String)
            given = given.with_columns(local.zip_with(~given[name].str.contains(_NUMBER), given[name]).alias(name))
    absent = [field for field in _FIELDS if field.source not in names]
    raw = given.select(
        pl.Series("index", [index for index, _ in rows], dtype=pl.Int64),
        (pl.col("curr_time") if "curr_time" in names else pl.lit("0")).alias("time"),
        *(
            (pl.lit("0") if field in absent else pl.col(field.source)).alias(f"f{i}")
            for i, field in enumerate(_FIELDS)
        ),
    )
    whole = is_whole("sharelog", raw)
    for index in raw["index"].filter(~whole):
        piece.reject(index, "expected the columns of sge_share_mon; a number is none")
    frame = typed("sharelog", raw.filter(whole), 1_000_000)
    return frame.with_columns(pl.lit(None, dtype=frame.schema[field.column]).alias(field.column) for field in absent)
