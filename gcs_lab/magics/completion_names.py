"""Names that completion finds in the notebook and on this machine: variables, jobs, folders, programs."""

from __future__ import annotations

import os
import re
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.cell_source import read_cell
from gcs_lab.cells.placeholder import is_placeholder
from gcs_lab.magics.completion_words import Answer, Word, fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gcs_lab.cells.journal import JournalEntry

__all__ = [
    "assigned_names",
    "job_words",
    "module_names",
    "no_file",
    "notebook_file",
    "paths",
    "pythons",
    "upstream_variables",
    "variables",
]

_MOST_ENTRIES = 2000
_MOST_MODULES = 3000
_ASSIGNED = re.compile(r"^[ \t]*([^\W\d]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


def variables(namespace: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[Word]:
    """Return the notebook's variables with their types; modules, and what IPython put there, are none."""
    found = []
    for name, value in list(namespace.items()):
        own = not (name in hidden and hidden[name] is value)
        if own and not name.startswith("_") and not isinstance(value, ModuleType):
            found.append(Word(name, type(value).__name__))
    return sorted(found, key=lambda word: word.text)


def upstream_variables(namespace: Mapping[str, Any]) -> list[Word]:
    """Return the variables that stand for a job: placeholders of values to come, and sweeps."""
    return [
        Word(name, "value to come" if is_placeholder(value) else type(value).__name__.lower())
        for name, value in list(namespace.items())
        if not name.startswith("_") and (is_placeholder(value) or hasattr(type(value), "upstream"))
    ]


def assigned_names(cell: str) -> list[Word]:
    """Return the names that a cell assigns; where it cannot be parsed yet, those that its lines seem to."""
    try:
        found = read_cell(cell)
        names = [*found.leaves, *found.changes]
    except (SyntaxError, ValueError):
        names = _ASSIGNED.findall(cell)
    return [Word(name, "assigned in the cell") for name in dict.fromkeys(names) if not name.startswith("_")]


def job_words(entries: Iterable[JournalEntry]) -> list[Word]:
    """Return the names, then the ids, of jobs; those whose end is not known come first."""
    ordered = sorted(entries, key=lambda entry: bool(entry.finished))
    names: dict[str, Word] = {}
    ids: dict[str, Word] = {}
    for entry in ordered:
        state = entry.state.lower() if entry.finished else "not ended"
        kind = f"{entry.kind} " if entry.kind != "cell" else ""
        names.setdefault(entry.name, Word(entry.name, f"{kind}{entry.job_id}, {state}"))
        ids.setdefault(entry.job_id, Word(entry.job_id, f"{kind}{entry.name}, {state}"))
    return [*names.values(), *ids.values()]


def paths(value: str, begin: int = 0, *, fits: Callable[[os.DirEntry[str]], bool] = lambda _: True) -> Answer:
    """Answer for a path with the folders, and the files that fit, in the folder so far; its last part is replaced."""
    folder, slash, last = value.rpartition("/")
    place = Path(f"{folder}/" if slash else ".").expanduser()
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in islice(entries, _MOST_ENTRIES):
                if entry.name.startswith(".") and not last.startswith("."):
                    continue
                if entry.is_dir():
                    found.append(Word(f"{entry.name}/", "folder"))
                elif fits(entry):
                    found.append(Word(entry.name, "file"))
    except OSError:
        return Answer(begin)
    return Answer(begin + len(folder) + len(slash), fitting(sorted(found, key=lambda w: w.text), last))


def no_file(entry: os.DirEntry[str]) -> bool:  # noqa: ARG001
    """Take folders only."""
    return False


def notebook_file(entry: os.DirEntry[str]) -> bool:
    """Take notebooks only."""
    return entry.name.endswith(".ipynb")


def pythons() -> list[Word]:
    """Return the Pythons on the path, and the notebook's own."""
    found = {sys.executable: Word(sys.executable, "the notebook's")}
    for folder in os.get_exec_path():
        try:
            names = [entry for entry in os.listdir(folder) if re.fullmatch(r"python3(\.\d+)?|pypy3?", entry)]  # noqa: PTH208
        except OSError:
            continue
        for name in sorted(names):
            found.setdefault(f"{folder}/{name}", Word(f"{folder}/{name}", "on the path"))
    return list(found.values())


def module_names() -> list[str]:
    """Return environment modules in the folders of ``MODULEPATH`` (``module avail``); not all if they are many."""
    found: set[str] = set()
    for root in filter(None, os.environ.get("MODULEPATH", "").split(":")):
        for folder, inner, files in os.walk(root):
            inner[:] = [name for name in inner if not name.startswith(".")]
            for name in files:
                if not name.startswith(".") and not name.endswith("~"):
                    found.add(os.path.relpath(os.path.join(folder, name), root).removesuffix(".lua"))  # noqa: PTH118
            if len(found) > _MOST_MODULES:
                return sorted(found)
    return sorted(found)
