# ruff: noqa: PTH118, PTH122, PTH123, PTH202
# Importing pathlib alone would add a tenth to the start of every job.
"""The values of a job's outputs: what was pickled, and what a script left in files."""

from __future__ import annotations

import os

from .payload import read_payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RESULTS", "load_result", "read_outputs"]

#: The folder, in a job folder, with copies of the files that a script was to leave.
RESULTS = "results"
#: A text file that is larger is not read: its path is the value.
LARGEST_TEXT = 10_000_000


def read_outputs(folder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values that the job of a folder left, and the header of its ``outputs.payload``.

    Files that a script left are read (:func:`load_result`); one that cannot be is in the header's ``skipped``.

    Raises
    ------
    FileNotFoundError
        If the job left nothing.
    Exception
        As :func:`read_payload`.
    """
    values, header = read_payload(os.path.join(folder, "outputs.payload"))
    for name, filename in (header.get("files") or {}).items():
        try:
            values[name] = load_result(os.path.join(folder, RESULTS, filename))
        except Exception as error:
            why = f"{filename} could not be read: {type(error).__name__}: {error}"
            header.setdefault("skipped", {})[name] = {"type": "file", "why": f"{why}; it is in {folder}/{RESULTS}"}
    return values, header


def load_result(path: str) -> Any:
    """Return what a file holds, by its suffix: a DataFrame, an object (``.json``), text, or the path itself.

    Raises
    ------
    Exception
        Whatever reading it raises.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in (".csv", ".tsv"):
        import pandas as pd

        return pd.read_csv(path, sep="\t" if suffix == ".tsv" else ",")
    if suffix in (".parquet", ".feather"):
        import pandas as pd

        return pd.read_parquet(path) if suffix == ".parquet" else pd.read_feather(path)
    if suffix == ".json":
        import json

        with open(path, encoding="utf-8") as file:
            return json.load(file)
    if suffix in (".txt", ".log") and os.path.getsize(path) <= LARGEST_TEXT:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    from pathlib import Path

    return Path(path)
