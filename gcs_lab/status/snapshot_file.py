"""A snapshot as one file: Arrow IPC streams, one a table, one after the other.

A file is written under another name and renamed, and never changed after that: whoever has mapped it into memory
keeps what it read, even when the file is deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from gcs_lab.status.difference import TABLES
from gcs_lab.status.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

__all__ = ["facts_of", "read_snapshot", "read_tables", "write_snapshot", "write_tables", "write_whole"]

_ABOUT = b"gcs_lab.status"
_FACTS = ("cluster", "sequence", "time", "seconds", "commands")


def write_whole(path: Path, write: Callable[[Any], object]) -> None:
    """Have `write` fill a new file (binary, mode 0600) that is at `path` whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def write_tables(path: Path, about: Mapping[str, Any], tables: Mapping[str, pa.Table], *, compress: bool) -> int:
    """Write tables and what is said about them (JSON) to `path`, and return its size in bytes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="zstd" if compress else None)

    def write(file: Any) -> None:
        metadata = {_ABOUT: json.dumps({"about": dict(about), "tables": list(tables)}).encode()}
        for table in tables.values():
            told = table.replace_schema_metadata(metadata)
            metadata = {}
            with pa.ipc.new_stream(file, told.schema, options=options) as stream:
                stream.write_table(told)

    write_whole(path, write)
    return path.stat().st_size


def read_tables(path: Path) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """Return what :func:`write_tables` wrote; what is not compressed stays in the file, mapped into memory.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not whole, or another kind of file.
    """
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        first = pa.ipc.open_stream(source)
        try:
            told = json.loads((first.schema.metadata or {})[_ABOUT])
            names = told["tables"]
            tables = {names[0]: first.read_all().replace_schema_metadata(None)}
            for name in names[1:]:
                tables[name] = pa.ipc.open_stream(source).read_all().replace_schema_metadata(None)
            return dict(told["about"]), tables
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no snapshot of this gcs_lab: {error!r}") from error


def facts_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return what is known of a snapshot beside its tables, ready for JSON."""
    return {name: getattr(snapshot, name) for name in _FACTS}


def write_snapshot(path: Path, snapshot: Snapshot) -> int:
    """Write all tables of `snapshot` for others to map into memory; as :func:`write_tables`."""
    tables = {name: snapshot.table(name) for name in TABLES}
    return write_tables(path, facts_of(snapshot), tables, compress=False)


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot of :func:`write_snapshot`; as :func:`read_tables`."""
    about, tables = read_tables(path)
    try:
        return Snapshot(**{**about, "commands": tuple(about["commands"])}, **tables)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is no snapshot of this gcs_lab: {error!r}") from error
