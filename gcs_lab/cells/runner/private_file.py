# ruff: noqa: PTH105, PTH108
# Importing pathlib alone would add a tenth to the start of every job.
"""Files of this user alone (mode 0600) that are there whole or not at all."""

from __future__ import annotations

import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["remove_file", "write_all", "write_whole"]


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`, in as many calls as it takes."""
    position = os.write(descriptor, data)
    while position < len(data):
        position += os.write(descriptor, memoryview(data)[position:])


def remove_file(path: str) -> None:
    """Delete a file, if it is there and can be."""
    try:
        os.unlink(path)
    except OSError:
        return


def write_whole(path: str, write: Callable[[int], object]) -> None:
    """Have `write` fill a descriptor of a temporary file beside `path`, and rename it; it is not synced to the disk.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    temporary = f"{path}.{os.getpid()}-{threading.get_ident()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            write(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        remove_file(temporary)
        raise
