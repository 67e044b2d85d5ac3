# ruff: noqa: PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""The end of a sweep's task as one line of a file that its tasks on this host share (docs/event-log.md)."""

from __future__ import annotations

import json
import os

from .event_writer import say
from .private_file import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["append_end", "plain_results"]

_LONGEST_TEXT = 200
_LONGEST_ERROR = 300
_MOST_BYTES = 4096
_MOST_NAMES = 100


def append_end(folder: str, end: Mapping[str, Any]) -> bool:
    """Append `end` to ``ends-<host>.jsonl`` in the sweep's folder with one write; return whether it is there.

    One file a host, because appends from several hosts to one file are not kept apart by NFS. Empty keys are left
    out. The line begins with a newline too, so that one that was cut short can only hurt itself.
    """
    kept = {name: value for name, value in end.items() if value not in (None, "", {})}
    line = b"\n" + json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    path = os.path.join(folder, f"ends-{os.uname().nodename}.jsonl")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            write_all(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        # The task's own log says the same; it is looked at when the scheduler says that the task has ended.
        say(f"the end of task {end.get('task')} could not be written to {path}: {error}")
        return False
    return True


def plain_results(values: Mapping[str, object], names: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return of `values` those that are plain and small, and the types of the others that can be loaded (`names`).

    Plain are None, booleans, numbers, text of up to 200 characters, and scalars and 0-d arrays of numpy as Python's.
    """
    results: dict[str, Any] = {}
    types: dict[str, str] = {}
    room = _MOST_BYTES
    for name in list(names)[:_MOST_NAMES]:
        value = values[name]
        if isinstance(value, _NO_RESULTS):
            continue
        plain, is_plain = _plain(value)
        size = len(name) + (4 * len(plain) if isinstance(plain, str) else 24)
        if is_plain and size <= room:
            results[name] = plain
            room -= size
        else:
            kind = type(value)
            module = kind.__module__.partition(".")[0]
            types[name] = kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
    return results, types


def short_error(ename: str, evalue: str) -> str:
    """Return an error as one line of up to 300 characters."""
    said = evalue.strip().splitlines()
    return (f"{ename}: {said[0]}" if said else ename)[:_LONGEST_ERROR]


_NO_RESULTS = (type, type(short_error), type(os))


def _plain(value: Any) -> tuple[Any, bool]:
    kind = type(value)
    if kind.__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
        kind = type(value)
    if kind is int:
        # What 64 bits do not hold is no number in a table.
        return value, value.bit_length() <= 63  # noqa: PLR2004
    if kind is str:
        return value, len(value) <= _LONGEST_TEXT
    return value, value is None or kind in (bool, float)
