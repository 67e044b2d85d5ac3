# ruff: noqa: PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""Payload files: the values that travel (docs/event-log.md)."""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys

from .pickled import Pickled, pickle_values
from .private_file import write_all, write_whole
from .stand_ins import names_that_need
from .trust import check_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["read_payload", "write_payload", "write_pickled"]


MAGIC = b"GCSPAY1\n"
ALIGNMENT = 64
_SMALL = 1 << 16
_GATHERED = 1 << 22
_OWN_MAPPING = 1 << 20
_HUGE_PAGES = 1 << 22


def write_payload(
    path: str,
    values: Mapping[str, object],
    modules: Mapping[str, str],
    *,
    by_value: Sequence[str] = (),
    extra: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Write values to a payload file (mode 0600, whole or not at all) and return its header.

    Parameters
    ----------
    path
        The file; it is written under a temporary name beside it and renamed. It is not synced to the disk.
    values
        The values by name.
    modules
        Names that are bound to modules, with the module's name: modules travel by name.
    by_value
        Modules whose functions and classes travel as code, because the other side cannot import them.
    extra
        More keys for the header.

    Raises
    ------
    OSError
        If it cannot be written.
    Exception
        Whatever a value raises when it is pickled; nothing is left behind.
    """
    return write_pickled(path, list(values), pickle_values(values, by_value), modules, extra or {})


def write_pickled(
    path: str, names: list[str], pickled: Pickled, modules: Mapping[str, str], extra: Mapping[str, object]
) -> dict[str, Any]:
    """Write values that are pickled already; as :func:`write_payload`."""
    header: dict[str, Any] = {
        "names": names,
        "python": list(sys.version_info[:2]),
        "skipped": {},
        "modules": dict(modules),
        **extra,
    }
    blocks = [memoryview(pickled.data), *pickled.buffers]
    head = _lay_out(header, [block.nbytes for block in blocks])
    write_whole(path, lambda descriptor: _write_blocks(descriptor, head, blocks))
    return header


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def _lay_out(header: dict[str, Any], sizes: list[int]) -> bytes:
    """Put the blocks' places into `header`; return magic, length and header, padded to where the first block is."""
    base, fixed = 0, len(MAGIC) + 8
    while True:
        places, position = [], base
        for size in sizes:
            places.append([position, size])
            position = _aligned(position + size)
        header["pickle"], header["buffers"] = places[0], places[1:]
        text = json.dumps(header, separators=(",", ":")).encode()
        needed = _aligned(fixed + len(text))
        if needed <= base:
            # Blanks are white space to JSON, so they can be part of the header's length.
            text = text.ljust(base - fixed)
            return MAGIC + struct.pack("<Q", len(text)) + text
        base = needed


def _write_blocks(descriptor: int, head: bytes, blocks: list[memoryview]) -> None:
    # What is gathered always begins at a multiple of the alignment; large blocks are written from where they are.
    gathered = bytearray(head)
    for block in blocks:
        padding = bytes(_aligned(block.nbytes) - block.nbytes)
        if block.nbytes < _SMALL:
            gathered += block
            gathered += padding
        if block.nbytes >= _SMALL or len(gathered) > _GATHERED:
            write_all(descriptor, gathered)
            gathered.clear()
        if block.nbytes >= _SMALL:
            write_all(descriptor, block)
            write_all(descriptor, padding)
    write_all(descriptor, gathered)


def read_payload(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of a payload file and its header. Arrays come back writable.

    Raises
    ------
    PermissionError
        If another user could have written the file (:func:`check_trusted`).
    ValueError
        If it is no payload, or is cut short.
    ModuleNotFoundError
        If a module that the values need is not installed here; it says which and for which names.
    Exception
        Whatever a value raises when it is rebuilt.
    """
    with open(check_trusted(path), "rb", buffering=0) as file:
        header = _read_header(file, path)
        data = _read_block(file, header["pickle"], path)
        buffers = [_read_block(file, place, path) for place in header["buffers"]]
    try:
        values = pickle.loads(data, buffers=buffers)
    except ModuleNotFoundError as error:
        names = names_that_need(data, buffers) or header["names"]
        needed = ", ".join(f"`{name}`" for name in names)
        raise ModuleNotFoundError(
            f"the module {error.name!r} is not installed for {sys.executable}, and {needed} cannot be rebuilt "
            "without it. Install it there, name another Python for the job, or leave the value out.",
            name=error.name,
        ) from None
    return dict(values), header


def _read_header(file: io.FileIO, path: str) -> dict[str, Any]:
    head = file.read(len(MAGIC) + 8) or b""
    if head[: len(MAGIC)] != MAGIC or len(head) < len(MAGIC) + 8:
        raise ValueError(f"{path} is no payload of version 1: it begins with {head[:8]!r} instead of {MAGIC!r}.")
    (length,) = struct.unpack("<Q", head[len(MAGIC) :])
    if length > os.fstat(file.fileno()).st_size:
        raise ValueError(f"{path} is cut short: its header alone should have {length} bytes.")
    header: dict[str, Any] = json.loads(bytes(_read_block(file, [len(head), length], path)))
    return header


def _read_block(file: io.FileIO, place: Sequence[int], path: str) -> Any:
    """Read one block into memory of its own that may be written, so that an array keeps only its own alive."""
    offset, size = place
    block: Any = bytearray(size) if size < _OWN_MAPPING else _mapping(size)
    view = memoryview(block)
    file.seek(offset)
    while view:
        count = file.readinto(view)
        if not count:
            raise ValueError(f"{path} is cut short: {len(view)} of {size} bytes at {offset} are missing.")
        view = view[count:]
    return block


def _mapping(size: int) -> Any:
    import mmap

    block = mmap.mmap(-1, size)
    if size >= _HUGE_PAGES and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            block.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return block
    return block
