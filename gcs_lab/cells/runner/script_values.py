# ruff: noqa: PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""Values as a script in another language takes them: the text of an environment variable, or a file."""

from __future__ import annotations

import json
import os
import sys

from .private_file import write_all, write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LONGEST_VARIABLE", "SUFFIXES", "place_value", "suffix_of"]

#: Bytes that a variable may have. Linux takes 128 KiB for one (``MAX_ARG_STRLEN``) and shares 2 MiB among all.
LONGEST_VARIABLE = 100_000
#: What tables can be written as.
SUFFIXES = (".csv", ".tsv", ".parquet", ".feather", ".json")
_TABLE_DIMENSIONS = 2


def suffix_of(name: str, value: Any, wanted: str = "") -> str:
    """Return the suffix of the file that `value` becomes; empty: it is the text of the variable itself.

    Parameters
    ----------
    name
        The variable.
    value
        Its value.
    wanted
        The suffix that the user asked for (``".parquet"``); empty: what suits it best.

    Raises
    ------
    TypeError
        If a script cannot take such a value; the message says what would do.
    """
    kind = f"{type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
    if _is_table(value):
        if wanted and wanted not in SUFFIXES:
            raise TypeError(f"{name}{wanted}: a table ({kind}) can be sent as {', '.join(SUFFIXES)}.")
        return wanted or ".csv"
    if isinstance(value, (str, bytes)) and wanted:
        return wanted
    if isinstance(value, bytes):
        raise TypeError(f"{name} is of type bytes: send it as a file (--in {name}.bin), or decode it to text.")
    is_scalar = _scalar_text(value) is not None
    if wanted and (is_scalar or wanted != ".json"):
        kinds = "text itself: leave the suffix out" if is_scalar else f"JSON: --in {name}, or --in {name}.json"
        raise TypeError(f"{name}{wanted}: {name} is of type {kind}, which is sent as {kinds}.")
    if not is_scalar:
        _json_text(name, value, kind)
    return wanted


def place_value(folder: str, name: str, value: Any, wanted: str = "") -> tuple[str, str]:
    """Return the variable's text and, if the value was written to a file in `folder`, that file's path.

    Raises
    ------
    TypeError
        As :func:`suffix_of`.
    OSError
        If the file cannot be written.
    """
    suffix = suffix_of(name, value, wanted)
    if suffix:
        return (_write(folder, name + suffix, value, suffix),) * 2
    text = _text(name, value)
    if "\0" in text:
        raise TypeError(
            f"{name} has a NUL character, which no variable can hold; send it as a file: --in {name}.txt."
        )
    content = text.encode("utf-8", "surrogateescape")
    if len(content) <= LONGEST_VARIABLE:
        return text, ""
    path = os.path.join(folder, name + (".json" if _scalar_text(value) is None else ".txt"))
    _write_bytes(path, content)
    return path, path


def _text(name: str, value: Any) -> str:
    text = _scalar_text(value)
    return _json_text(name, value, type(value).__qualname__) if text is None else text


def _scalar_text(value: Any) -> str | None:
    """Return the text of a scalar; None if it is none."""
    import datetime as dt

    if value is None or value is getattr(sys.modules.get("pandas"), "NaT", ...):
        return ""
    if _is_numpy(value):
        return _numpy_text(value) if not value.shape else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        # An enumeration that is a number goes as that.
        return repr(int(value) if isinstance(value, int) else float(value))
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    is_path = isinstance(value, os.PathLike)
    is_text = isinstance(value, str) or type(value).__module__ == "decimal"
    return os.fsdecode(value) if is_path else str(value) if is_text else None


def _numpy_text(value: Any) -> str | None:
    if value.dtype.kind == "b":
        return "true" if value else "false"
    return str(value) if value.dtype.kind in "iufUM" else None


def _json_text(name: str, value: Any, kind: str) -> str:
    """Return a list or dict as JSON text."""
    if _is_numpy(value):
        value = value.tolist()
    if not isinstance(value, (list, tuple, dict)):
        raise TypeError(
            f"{name} is of type {kind}, which a script cannot take. Send text, numbers, paths, dates, lists or dicts "
            "(as JSON), tables (DataFrame, Series, Arrow table, two-dimensional array), or write it to a file and "
            "send its path."
        )
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_json_part)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} is of type {kind} and cannot be written as JSON: {error}. Send what can be, or its parts."
        ) from None


def _json_part(part: Any) -> Any:
    if _is_numpy(part):
        return part.tolist()
    text = _scalar_text(part)
    if text is None:
        raise TypeError(f"it has a {type(part).__qualname__} in it")
    return text


def _is_numpy(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.generic, numpy.ndarray))


def _is_table(value: Any) -> bool:
    if _is_numpy(value):
        return bool(value.ndim == _TABLE_DIMENSIONS)
    names = {
        "pandas": ("DataFrame", "Series"),
        "pyarrow": ("Table", "RecordBatch"),
        "polars": ("DataFrame", "Series"),
    }
    return any(
        isinstance(value, getattr(sys.modules[module], kind, ()))
        for module, kinds in names.items()
        if module in sys.modules
        for kind in kinds
    )


def _write(folder: str, filename: str, value: Any, suffix: str) -> str:
    path = os.path.join(folder, filename)
    if _is_table(value):
        _write_table(path, value, suffix)
    elif isinstance(value, bytes):
        _write_bytes(path, value)
    else:
        _write_bytes(path, _text(filename, value).encode("utf-8", "surrogateescape"))
    return path


def _write_bytes(path: str, content: bytes) -> None:
    write_whole(path, lambda descriptor: write_all(descriptor, content))


def _write_table(path: str, value: Any, suffix: str) -> None:
    """Write a table with the names of its columns; an index that only counts the rows is left out of text files."""
    import pandas as pd

    frame = value
    if _is_numpy(value):
        frame = pd.DataFrame(value, columns=[f"c{number}" for number in range(value.shape[1])])
    elif not isinstance(value, (pd.DataFrame, pd.Series)):
        frame = value.to_pandas()
    if isinstance(frame, pd.Series):
        frame = frame.to_frame(frame.name if frame.name is not None else "value")
    counted = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    with_rows = frame if counted else frame.reset_index()

    def fill(descriptor: int) -> None:
        with open(descriptor, "wb", closefd=False) as file:
            if suffix in (".csv", ".tsv"):
                with_rows.to_csv(file, index=False, sep="\t" if suffix == ".tsv" else ",")
            elif suffix == ".json":
                with_rows.to_json(file, orient="records")
            elif suffix == ".feather":
                with_rows.to_feather(file)
            else:
                frame.to_parquet(file)

    write_whole(path, fill)
