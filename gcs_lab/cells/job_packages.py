"""Whether a job's Python has the packages that the values of a cell need, in versions that understand each other.

What is pickled by one version of a package is not always understood by another. So another Python than the notebook's
is asked, once, for the versions of the packages that the values' types come from.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import site
import subprocess
import sys
import sysconfig
import time
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.interpreter import version_text
from gcs_lab.errors import NotPicklable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcs_lab.cells.interpreter import Interpreter, Version

__all__ = ["check_packages", "module_path", "packages_of"]

_PROBE_SECONDS = 30
_FRESH_SECONDS = 60.0
_PROBE = """
import importlib.util, json, sys
from importlib import metadata
asked = json.loads(sys.argv[1])
sys.path[:] = asked["first"] + sys.path + asked["last"]
found = {}
for name, distribution in asked["names"].items():
    try:
        there = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        there = False
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        version = ""
    found[name] = version if there else None
json.dump(found, sys.stdout)
"""
#: Packages whose values hold NumPy arrays.
_ON_NUMPY = {"pandas", "scipy", "sklearn", "xarray", "statsmodels", "skimage"}
_DEEPEST = 4
_MOST_LOOKED_AT = 50

_answers: dict[tuple[object, ...], tuple[float, dict[str, str | None]]] = {}


def check_packages(
    python: Interpreter, values: Mapping[str, Any], modules: Mapping[str, str], outputs: Sequence[str], source: str
) -> list[str]:
    """Return warnings about values that may not survive the way to `python` or back.

    Parameters
    ----------
    python
        The job's Python; the notebook's own is not asked.
    values
        What would be pickled, by name.
    modules
        Names that are bound to modules; the job imports these.
    outputs
        Names that come back.
    source
        The cell, as plain Python.

    Raises
    ------
    NotPicklable
        If a package is not there, or its version cannot understand what would be sent.
    """
    if python.is_ours:
        return []
    needed = packages_of(values)
    code = any(isinstance(value, (FunctionType, type)) for value in _all_of(values.values(), 0))
    needed_modules = {module.partition(".")[0]: [name] for name, module in modules.items()}
    names = sorted({*needed, *needed_modules, *(["cloudpickle"] if code else [])})
    there = _ask(python, names)
    if there is None:
        return [f"{python.path} could not be asked for its packages: whether the values can be rebuilt is not known."]
    _refuse_missing(python, {**needed_modules, **needed}, there)
    warnings = []
    for name in names:
        if name in needed or name == "cloudpickle":
            warnings += _compare(python, name, needed.get(name, []), there[name] or "", bool(outputs))
    return [*warnings, *_defined_there(python, outputs, source)]


def module_path(version: Version | None) -> list[str]:
    """Return what of ``sys.path`` a job looks for modules in, after its own: all of it for an equal Python.

    For another version the notebook's standard library and installed packages are left out: compiled for this one,
    they would only hide that something is missing.
    """
    everything = [entry for entry in sys.path if entry]
    if version == (sys.version_info.major, sys.version_info.minor):
        return everything
    ours = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    ours |= {str(Path(folder) / "lib-dynload") for folder in ours}
    return [entry for entry in everything if entry not in ours and not re.search(r"/python\d+\.zip\Z", entry)]


def packages_of(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the packages outside the standard library that the types of `values` come from, with who needs each.

    Containers and attributes are looked into, four levels deep and 50 members wide.
    """
    found: dict[str, list[str]] = {}
    for name, value in values.items():
        for part in _all_of([value], 0):
            kind = part if isinstance(part, (type, FunctionType)) else type(part)
            packages = {str(getattr(kind, "__module__", "") or "").partition(".")[0]}
            if packages & _ON_NUMPY:
                packages.add("numpy")
            if "pandas" in packages and "pyarrow" in str(getattr(part, "dtypes", "")):
                packages.add("pyarrow")
            for package in packages - {"", "builtins", "__main__"} - sys.stdlib_module_names:
                who = f"{name}, of type {kind.__module__}.{getattr(kind, '__qualname__', '?')}"
                if who not in found.setdefault(package, []):
                    found[package].append(who)
    return found


def _all_of(values: Any, depth: int) -> Iterator[Any]:
    """Yield `values` and what they hold, as far as it is looked into."""
    for number, value in enumerate(values):
        if number == _MOST_LOOKED_AT:
            return
        yield value
        if depth == _DEEPEST or isinstance(value, (str, bytes, int, float, type, FunctionType)):
            continue
        if isinstance(value, dict):
            yield from _all_of([*value.keys()][:_MOST_LOOKED_AT], depth + 1)
            yield from _all_of(value.values(), depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            yield from _all_of(value, depth + 1)
        elif type(value).__module__ == "__main__" and isinstance(getattr(value, "__dict__", None), dict):
            yield from _all_of(vars(value).values(), depth + 1)


def _ask(python: Interpreter, names: list[str]) -> dict[str, str | None] | None:
    """Return the versions of packages there (empty: not known; None: not there); None if it does not answer."""
    if not names:
        return {}
    try:
        changed = Path(python.path).stat().st_mtime
    except OSError:
        changed = 0.0
    key = (python.path, changed, *python.launcher, *names)
    asked, answer = _answers.get(key, (0.0, {}))
    if asked and time.monotonic() - asked < _FRESH_SECONDS:
        return answer
    question = {
        "names": {name: _distribution(name) for name in names},
        "first": [str(Path.cwd())],
        "last": module_path(python.version),
    }
    try:
        said = subprocess.run(
            [*python.launcher, python.path, "-c", _PROBE, json.dumps(question)], capture_output=True, text=True,
            timeout=_PROBE_SECONDS, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        answer = json.loads(said.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    _answers[key] = (time.monotonic(), answer)
    return dict(answer)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _distribution(name: str) -> str:
    return next(iter(_distributions().get(name, [])), name)


def _here(name: str) -> str:
    try:
        return importlib.metadata.version(_distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return ""


def _refuse_missing(python: Interpreter, needed: Mapping[str, list[str]], there: Mapping[str, str | None]) -> None:
    missing = {name: who for name, who in needed.items() if there.get(name) is None}
    if missing:
        told = "\n".join(f"  {name}: needed for {'; '.join(who[:3])}" for name, who in missing.items())
        raise NotPicklable(
            f"{python.path} does not have what the cell's values need:\n{told}\nNothing was sent. Install "
            f"{', '.join(_distribution(name) for name in missing)} there, choose another Python, or leave them out."
        )


def _compare(python: Interpreter, name: str, who: list[str], there: str, comes_back: bool) -> list[str]:
    """Return what is to be said of one package's two versions."""
    here = _here(name)
    ours, theirs = _numbers(here), _numbers(there)
    if not ours or not theirs or ours[0] == theirs[0]:
        return []
    what = f"{name} is {here} here and {there} in {python.path}"
    affected = "; ".join(who[:3]) or "functions and classes of the notebook"
    if name == "numpy" and ours[0] > theirs[0]:
        raise NotPicklable(
            f"{what}, and NumPy {theirs[0]} cannot read arrays that NumPy {ours[0]} pickled. Nothing was sent. "
            f"Concerned: {affected}. Install NumPy {ours[0]} there, or choose another Python."
        )
    if name == "numpy":
        # Seen: NumPy 2.4 reads what 1.26 pickled, and 1.26 does not read what 2.4 pickled.
        told = f"{what}: arrays that come back pickled by NumPy {theirs[0]} cannot be read by NumPy {ours[0]}"
        return [f"{told}; leave them in a file."] if comes_back else []
    if name == "cloudpickle" and ours[0] > theirs[0]:
        raise NotPicklable(
            f"{what}: an older cloudpickle does not understand code that a newer one pickled. Nothing was sent. "
            f"Install cloudpickle {ours[0]} there, define the functions in the cell, or choose another Python."
        )
    way = "the way there"
    if comes_back:
        way += " or back"
    return [f"{what}; pickles do not always survive {way} between major versions. Concerned: {affected}."]


def _numbers(version: str) -> Version | tuple[()]:
    match = re.match(r"(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2] or 0)) if match else ()


def _defined_there(python: Interpreter, outputs: Sequence[str], source: str) -> list[str]:
    """Warn of functions and classes that the cell defines: bytecode of another Python cannot come back."""
    if python.version in (None, (sys.version_info.major, sys.version_info.minor)) or not outputs:
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = [node.name for node in ast.parse(source).body if isinstance(node, kinds) and node.name in outputs]
    if not defined:
        return []
    assert python.version is not None  # noqa: S101  (looked at above)
    there = version_text(python.version)
    return [
        f"{', '.join(defined)}: what the cell defines is made by Python {there} and cannot come back to this one."
    ]
