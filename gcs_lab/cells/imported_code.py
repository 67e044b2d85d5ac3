"""What the modules are that a cell's job imports: packages by their version, the user's own by their content."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.file_digest import file_digest
from gcs_lab.errors import NotPicklable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["ImportedCode", "imported_code", "imports_in", "versions_there"]

#: More files than this are no package of a user's own that is worth being read at each submission.
_MOST_FILES = 5_000
_CODE_SUFFIXES = {".py", ".so"}
_PROBE_SECONDS = 30
_FRESH_SECONDS = 60.0
_PROBE = """
import json, platform, sys
try:
    from importlib import metadata
    versions = {d.metadata["Name"]: d.version for d in metadata.distributions()}
except ImportError:
    versions = {}
json.dump({"python": platform.python_version(), "versions": versions}, sys.stdout)
"""

_tops: tuple[tuple[object, ...], dict[str, list[str]]] = ((), {})
_answers: dict[tuple[object, ...], tuple[float, str, dict[str, str]]] = {}


@dataclass
class ImportedCode:
    """``packages`` are versions by distribution; ``files`` digests of the user's own modules by their path."""

    packages: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def imported_code(
    modules: Iterable[str], folders: Sequence[str], there: Mapping[str, str] | None = None
) -> ImportedCode:
    """Return what `modules`, and the user's own modules that these import, are.

    The standard library is left out: it is told by the version of Python. So is what cannot be found here.

    Parameters
    ----------
    modules
        Full names of modules.
    folders
        Where the job looks for modules first.
    there
        Versions by distribution in the job's Python, if that is another one than this.

    Raises
    ------
    NotPicklable
        If one of the user's own packages cannot be read, or has more than 5,000 files.
    """
    found = ImportedCode()
    left, seen = [*modules], set[str]()
    while left:
        top = left.pop().partition(".")[0]
        if top in seen or not top or top == "__main__" or top in sys.stdlib_module_names:
            continue
        seen.add(top)
        installed = [name for name in _distributions().get(top, []) if not _is_editable(name)]
        for name in installed:
            found.packages[name] = (there or {}).get(_same_name(name)) or _version(name)
        if not installed:
            left += _own_module(top, folders, found)
    return found


def imports_in(source: str) -> set[str]:
    """Return the full names of the modules that Python code imports, wherever in it; relative ones are left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def versions_there(launcher: Sequence[str], python: str) -> tuple[str, dict[str, str]]:
    """Return version and packages (by distribution, names as :pep:`503` writes them) of another Python.

    It is asked at most once a minute.

    Raises
    ------
    NotPicklable
        If it does not answer.
    """
    try:
        changed = Path(python).stat().st_mtime
    except OSError:  # it is found only after the launcher has loaded its modules
        changed = 0.0
    key = (*launcher, python, changed)
    asked, version, versions = _answers.get(key, (0.0, "", {}))
    if asked and time.monotonic() - asked < _FRESH_SECONDS:
        return version, versions
    try:
        said = subprocess.run(
            [*launcher, python, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        answer = json.loads(said.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NotPicklable(f"{python} could not be asked for its version and packages: {error}") from error
    version = str(answer["python"])
    versions = {_same_name(str(name)): str(value) for name, value in answer["versions"].items()}
    _answers[key] = (time.monotonic(), version, versions)
    return version, versions


def _distributions() -> dict[str, list[str]]:
    """Return the distributions that top-level names come from; read again when something was installed."""
    global _tops  # noqa: PLW0603
    state: list[object] = []
    for entry in sys.path:
        try:
            state.append((entry, Path(entry or ".").stat().st_mtime_ns))
        except OSError:
            continue
    if _tops[0] != tuple(state):
        found = {top: list(dict.fromkeys(names)) for top, names in metadata.packages_distributions().items()}
        _tops = (tuple(state), found)
    return _tops[1]


def _is_editable(name: str) -> bool:
    """Tell whether a distribution is installed in place: then its version says nothing of its code (PEP 610)."""
    try:
        said = json.loads(metadata.distribution(name).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return bool(said.get("dir_info", {}).get("editable"))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not here"


def _same_name(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _own_module(top: str, folders: Sequence[str], found: ImportedCode) -> list[str]:
    """Put the files of a user's own module into `found`, and return what they import."""
    spec = _spec(top, folders)
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        files = _package_files(top, [Path(place) for place in spec.submodule_search_locations])
    elif spec.has_location and spec.origin:
        files = [Path(spec.origin)]
    else:  # built into the interpreter
        return []
    imported: set[str] = set()
    for file in files:
        try:
            found.files[str(file)] = file_digest(file)
            if file.suffix == ".py":
                imported |= imports_in(file.read_text(encoding="utf-8", errors="surrogateescape"))
        except SyntaxError:
            continue  # the job will say so, if it imports it
        except OSError as error:
            raise NotPicklable(f"{file}, which the cell imports, cannot be read: {error.strerror}") from error
    return sorted(imported)


def _spec(top: str, folders: Sequence[str]) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(top, [*folders]) or importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def _package_files(top: str, places: list[Path]) -> list[Path]:
    files: list[Path] = []
    for place in places:
        for file in place.rglob("*"):
            if file.suffix in _CODE_SUFFIXES and "__pycache__" not in file.parts:
                files.append(file)
            if len(files) > _MOST_FILES:
                raise NotPicklable(
                    f"the package {top} in {place} has more than {_MOST_FILES:,} files, and no version that could "
                    "stand for them"
                )
    return sorted(files)
