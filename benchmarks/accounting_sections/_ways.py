"""Ways of reading a classic file, one for each run of this script: ``_ways.py WAY FILE FOLDER``.

It prints the seconds on the wall and of CPU that the way took, without the import of its libraries, and the peak
memory of the process in MB, with them.
"""

from __future__ import annotations

import importlib
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.classic_fields import FIELDS, field_schema

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a grouped answer sums: the figures of ``qacct -o``.
SUMS = ("ru_wallclock", "ru_utime", "ru_stime", "cpu", "mem", "io", "iow")
_COLUMNS = ("ru_wallclock", "ru_utime", "ru_stime", "cpu", "memory", "io", "io_wait")
WAYS: dict[str, tuple[str, Callable[[Path, Path], object]]] = {}


def way(*modules: str) -> Callable[[Callable[[Path, Path], object]], Callable[[Path, Path], object]]:
    """Name a way by its function; `modules` are imported before the clock starts."""

    def named(function: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
        WAYS[function.__name__] = (" ".join(modules), function)
        return function

    return named


@way("polars", "gcs_lab.accounting.store")
def stored(path: Path, folder: Path) -> object:
    from gcs_lab.accounting.store import Store

    store = Store(folder, lambda: [path])
    try:
        return store.refresh()
    finally:
        store.close()


@way("polars", "gcs_lab.accounting.store")
def store_grouped(path: Path, folder: Path) -> object:
    import polars as pl

    from gcs_lab.accounting.store import Store

    store = Store(folder, lambda: [path])
    lazy = store.scan(["owner", *_COLUMNS])
    found = lazy.group_by("owner").agg(pl.col(_COLUMNS).sum()).collect()
    clock.stop()
    store.close()
    return found


@way("polars", "gcs_lab.accounting.classic")
def reader(path: Path, _folder: Path) -> object:
    import os

    from gcs_lab.accounting.classic import ClassicReader
    from gcs_lab.accounting.source_file import line_spans

    count = 0
    with path.open("rb") as file:
        for start, end in line_spans(file.fileno(), 0, path.stat().st_size, 8 << 20):
            count += len(ClassicReader().read(os.pread(file.fileno(), end - start, start), start).records)
    return count


@way("polars", "gcs_lab.accounting.classic_scan")
def scan_grouped(path: Path, _folder: Path) -> object:
    import polars as pl

    from gcs_lab.accounting.classic_scan import scan_direct

    lazy = scan_direct(path, ["owner", *_COLUMNS])
    assert lazy is not None
    return lazy.group_by("owner").agg(pl.col(_COLUMNS).sum()).collect()


@way("polars")
def polars_read(path: Path, _folder: Path) -> object:
    import polars as pl

    return pl.read_csv(
        path, separator=":", has_header=False, comment_prefix="#", quote_char=None, schema=field_schema(FIELDS)
    ).height


@way("polars")
def polars_scan(path: Path, _folder: Path) -> object:
    import polars as pl

    lazy = pl.scan_csv(
        path, separator=":", has_header=False, comment_prefix="#", quote_char=None, schema=field_schema(FIELDS)
    )
    return lazy.group_by("owner").agg(pl.col(SUMS).sum()).collect()


def _comments(path: Path) -> int:
    """Return how many lines of comment the file begins with."""
    with path.open("rb") as file:
        return sum(line.startswith(b"#") for line in file.read(10_000).split(b"\n"))


def _duckdb_source(path: Path) -> str:
    kinds = {
        "Categorical": "VARCHAR",
        "String": "VARCHAR",
        "Float64": "DOUBLE",
        "Int64": "BIGINT",
        "Int32": "INTEGER",
    }
    columns = ", ".join(f"'{name}': '{kinds[str(type_)]}'" for name, type_ in field_schema(FIELDS).items())
    options = f"delim=':', header=false, auto_detect=false, skip={_comments(path)}, quote='', escape=''"
    return f"read_csv('{path}', {options}, columns={{{columns}}})"


@way("duckdb")
def duckdb_table(path: Path, _folder: Path) -> object:
    import duckdb

    return duckdb.sql(f"create table accounting as select * from {_duckdb_source(path)}")


@way("duckdb")
def duckdb_grouped(path: Path, _folder: Path) -> object:
    import duckdb

    sums = ", ".join(f"sum({name})" for name in SUMS)
    return duckdb.sql(f"select owner, {sums} from {_duckdb_source(path)} group by owner").fetchall()


@way("pandas")
def pandas_read(path: Path, _folder: Path) -> object:
    import pandas as pd

    kinds = {"Categorical": "category", "String": "str", "Float64": "float64", "Int64": "int64", "Int32": "int32"}
    types = {name: kinds[str(type_)] for name, type_ in field_schema(FIELDS).items()}
    return len(pd.read_csv(path, sep=":", header=None, names=list(FIELDS), comment="#", quoting=3, dtype=types))


def _arrow_read(path: Path, names: list[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    kinds = {"Categorical": pa.dictionary(pa.int32(), pa.string()), "String": pa.string(), "Float64": pa.float64()}
    types = {name: kinds.get(str(type_), pa.int64()) for name, type_ in field_schema(FIELDS).items()}
    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=list(FIELDS), skip_rows=_comments(path)),
        parse_options=csv.ParseOptions(delimiter=":", quote_char=False),
        convert_options=csv.ConvertOptions(column_types=types, include_columns=names),
    )


@way("pyarrow.csv")
def pyarrow_read(path: Path, _folder: Path) -> object:
    return _arrow_read(path, list(FIELDS))


@way("pyarrow.csv", "pyarrow.compute")
def pyarrow_grouped(path: Path, _folder: Path) -> object:
    # Each block has its own dictionary of owners.
    table = _arrow_read(path, ["owner", *SUMS]).unify_dictionaries()
    return table.group_by("owner").aggregate([(name, "sum") for name in SUMS])


class Clock:
    """Seconds on the wall and of CPU since it was made, until it is stopped."""

    def __init__(self) -> None:
        self._begin = time.perf_counter(), time.process_time()
        self.spent: tuple[float, float] | None = None

    def stop(self) -> None:
        if self.spent is None:
            self.spent = time.perf_counter() - self._begin[0], time.process_time() - self._begin[1]


if __name__ == "__main__":
    name, path, folder = sys.argv[1:]
    modules, function = WAYS[name]
    for module in modules.split():
        importlib.import_module(module)
    clock = Clock()
    function(Path(path), Path(folder))
    clock.stop()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print("%.4f %.4f" % (clock.spent or (0, 0)), int(peak[1]) / 1024 if peak else 0)
