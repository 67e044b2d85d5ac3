# ruff: noqa: B905, PTH123, RUF007
# Python 3.9 has neither zip's strict nor pairwise.
# Importing pathlib alone would add a tenth to the start of every job.
"""The file of a sweep's points: a task reads its own, and nothing else of it (docs/event-log.md)."""

from __future__ import annotations

import json
import math
import os
import pickle
import struct
import sys

from .private_file import write_all, write_whole
from .trust import check_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Sequence
    from typing import Any

__all__ = ["POINTS", "pickled_point_value", "places_on_axes", "read_point", "read_points", "write_points"]

POINTS = "points.bin"
_MAGIC = b"GCSPTS1\n"
_LENGTH = struct.Struct("<Q")
_GATHERED = 1 << 22


def pickled_point_value(value: object) -> bytes:
    """Return one value as a pickle that stands alone; code of the notebook travels with it.

    Raises
    ------
    Exception
        Whatever the value raises when it is pickled.
    """
    try:
        data = pickle.dumps(value, protocol=5)
    except MemoryError:
        raise
    except Exception:
        data = b""
    if data and b"__main__" not in data:
        return data
    import cloudpickle

    code: bytes = cloudpickle.dumps(value, protocol=5)
    return code


def places_on_axes(task: int, counts: Sequence[int], *, side_by_side: bool) -> list[int]:
    """Return the place on each axis of task `task` (1, 2 …): of the product the last axis runs fastest."""
    rest = task - 1
    if side_by_side:
        return [rest] * len(counts)
    places = []
    for count in reversed(counts):
        rest, place = divmod(rest, count)
        places.append(place)
    return places[::-1]


def write_points(path: str, axes: Sequence[tuple[Sequence[str], Sequence[bytes]]], *, side_by_side: bool) -> None:
    """Write the file: magic, length of the header, the header (JSON), and of each axis its offsets and its pickles.

    Parameters
    ----------
    path
        The file.
    axes
        The names that an axis binds, and its values: :func:`pickled_point_value`; of several names, of a tuple.
    side_by_side
        Whether the axes are walked together instead of combined.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    header: dict[str, Any] = {"zip": side_by_side, "python": list(sys.version_info[:2]), "axes": []}
    at = 0
    for names, pickles in axes:
        header["axes"].append({"names": list(names), "count": len(pickles), "at": at})
        at += _LENGTH.size * (len(pickles) + 1) + sum(map(len, pickles))
    text = json.dumps(header, separators=(",", ":")).encode()

    def write(descriptor: int) -> None:
        write_all(descriptor, _MAGIC + _LENGTH.pack(len(text)) + text)
        for _, pickles in axes:
            _write_axis(descriptor, pickles)

    write_whole(path, write)


def _write_axis(descriptor: int, pickles: Sequence[bytes]) -> None:
    offsets, offset = [0], 0
    for data in pickles:
        offset += len(data)
        offsets.append(offset)
    gathered = bytearray(struct.pack(f"<{len(offsets)}Q", *offsets))
    for data in pickles:
        gathered += data
        if len(gathered) > _GATHERED:
            write_all(descriptor, gathered)
            gathered.clear()
    write_all(descriptor, gathered)


def read_point(path: str, task: int) -> dict[str, Any]:
    """Return the parameters of task `task` by name.

    Raises
    ------
    PermissionError
        If another user could have written the file.
    ValueError
        If it is no such file, or is cut short, or has no such point.
    Exception
        Whatever a value raises when it is rebuilt.
    """
    point: dict[str, Any] = {}
    with open(check_trusted(path), "rb") as file:
        header, base = _read_header(file, path)
        counts = [axis["count"] for axis in header["axes"]]
        total = counts[0] if header["zip"] else math.prod(counts)
        if not 1 <= task <= total:
            raise ValueError(f"{path} has no point {task}: it has {total}")
        for axis, place in zip(header["axes"], places_on_axes(task, counts, side_by_side=header["zip"])):
            table = base + axis["at"]
            file.seek(table + _LENGTH.size * place)
            start, end = struct.unpack("<2Q", _read(file, 2 * _LENGTH.size, path))
            file.seek(table + _LENGTH.size * (axis["count"] + 1) + start)
            value = pickle.loads(_read(file, end - start, path))
            point.update(zip(axis["names"], value) if len(axis["names"]) > 1 else [(axis["names"][0], value)])
    return point


def read_points(path: str) -> tuple[list[tuple[tuple[str, ...], list[bytes]]], bool]:
    """Return what :func:`write_points` was given: the axes, and whether they are walked side by side.

    Raises
    ------
    PermissionError
        If another user could have written the file.
    ValueError
        If it is no such file, or is cut short.
    """
    axes = []
    with open(check_trusted(path), "rb") as file:
        header, base = _read_header(file, path)
        for axis in header["axes"]:
            count = axis["count"]
            file.seek(base + axis["at"])
            offsets = struct.unpack(f"<{count + 1}Q", _read(file, _LENGTH.size * (count + 1), path))
            data = _read(file, offsets[-1], path)
            pickles = [data[start:end] for start, end in zip(offsets, offsets[1:])]
            axes.append((tuple(axis["names"]), pickles))
    return axes, bool(header["zip"])


def _read_header(file: io.BufferedReader, path: str) -> tuple[dict[str, Any], int]:
    head = file.read(len(_MAGIC) + _LENGTH.size)
    if head[: len(_MAGIC)] != _MAGIC or len(head) < len(_MAGIC) + _LENGTH.size:
        raise ValueError(f"{path} is no file of points of version 1: it begins with {head[:8]!r}")
    (length,) = _LENGTH.unpack(head[len(_MAGIC) :])
    header: dict[str, Any] = json.loads(_read(file, length, path))
    return header, len(head) + length


def _read(file: io.BufferedReader, size: int, path: str) -> bytes:
    if size > os.fstat(file.fileno()).st_size or len(data := file.read(size)) < size:
        raise ValueError(f"{path} is cut short")
    return data
