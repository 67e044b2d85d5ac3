"""Python with its packages, the user's folders, and what failed when Binder started this machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from gcs_lab._version import __version__
from gcs_lab.cells.job_folder import jobs_folder
from gcs_lab.cells.journal import Journal
from gcs_lab.doctor.finding import Finding, Level
from gcs_lab.jobs.requests import format_memory
from gcs_lab.user_paths import state_folder

__all__ = ["folders", "journal", "packages", "pip", "python", "start_notes", "version_line"]

DISTRIBUTION = "gcs-lab"
#: Named with their versions, for they are what questions are about; of the others only what is missing.
_TOLD = ("ipython", "ipykernel", "anywidget", "cloudpickle", "pandas", "pyarrow", "plotly")
#: What chooses for gcs_lab, from the environment.
_VARIABLES = ("GCS_LAB_CLUSTER", "GCS_LAB_HOME", "GCS_LAB_JOBS", "SGE_ROOT", "SGE_CELL")
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[.*?\])?\s*(?:>=\s*([\d.]+))?")
_LAB = re.compile(r"extra\s*==\s*['\"]lab['\"]")
#: Bytes. Below the first nothing can be written soon, below the second a year of records does not fit.
_FULL, _NEARLY_FULL = 50 * 2**20, 2**30


def pip() -> str:
    """Return the command that installs into the environment of this Python."""
    beside = Path(sys.executable).parent
    found = shutil.which("pip")
    return "pip install" if found and Path(found).parent == beside else f"{sys.executable} -m pip install"


def python() -> list[Finding]:
    """Return which Python asks, and the system that it runs on."""
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    text = f"{platform.python_version()} ({sys.executable}) on {name or platform.platform(terse=True)}"
    if not sys.platform.startswith("linux"):
        return [Finding("Python", Level.BROKEN, f"{text}: gcs_lab needs Linux")]
    return [Finding("Python", Level.GOOD, text)]


def packages() -> list[Finding]:
    """Return the packages that gcs_lab needs, then those that it is better with."""
    try:
        wanted = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        text = "gcs_lab is not installed here, only found on the path: no command, no extension of JupyterLab"
        return [Finding("packages", Level.BROKEN, text, f"{pip()} .   (in a checkout: make lab)")]
    lacking = _lacking([one for one in wanted if ";" not in one])
    told = ", ".join(f"{name} {version(name)}" for name in _TOLD if name not in lacking)
    if lacking:
        text = f"{', '.join(lacking.values())}; there are {told}"
        found = [Finding("packages", Level.BROKEN, text, f"{pip()} --upgrade {' '.join(lacking)}")]
    else:
        found = [Finding("packages", Level.GOOD, told)]
    extra = _lacking([one for one in wanted if _LAB.search(one)])
    if extra:
        text = f"not needed, but lessons, notebooks as jobs and JupyterLab use them: {', '.join(extra.values())}"
        found.append(Finding("packages", Level.NOTE, text, f"{pip()} {' '.join(extra)}"))
    return found


def _lacking(requirements: list[str]) -> dict[str, str]:
    """Return what is missing or too old, for people, by name; our own requirements are a name and a least version."""
    lacking: dict[str, str] = {}
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None:
            continue
        name, least = match[1], match[2]
        try:
            there = version(name)
        except PackageNotFoundError:
            lacking[name] = f"{name} is missing"
            continue
        if least and _numbers(there) < _numbers(least):
            lacking[name] = f"{name} {there} is older than {least}"
    return lacking


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text.partition("+")[0])]


def folders() -> list[Finding]:
    """Return whether the user's folders can be written, and how much more they take."""
    found: list[Finding] = []
    for about, find, variable in (
        ("state", state_folder, "GCS_LAB_HOME"),
        ("job folders", jobs_folder, "GCS_LAB_JOBS"),
    ):
        remedy = f"export {variable}=/a/folder/of/yours"
        try:
            path = find()
            found.append(_folder(about, path, remedy))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            found.append(Finding(about, Level.BROKEN, where + (error.strerror or str(error)), remedy))
    # The usual case in one line: the folders of jobs are within, and share what is wrong.
    return found if os.environ.get("GCS_LAB_JOBS") else found[:1]


def _folder(about: str, path: Path, remedy: str) -> Finding:
    free = shutil.disk_usage(path).free
    text = f"{path} ({format_memory(free)} free)"
    try:
        # A quota, a read-only mount: only writing tells.
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        return Finding(about, Level.BROKEN, f"{text} cannot be written: {error.strerror or error}", remedy)
    if free < _FULL:
        return Finding(about, Level.BROKEN, f"{text}: it is full", "%gcs clean")
    if free < _NEARLY_FULL:
        return Finding(about, Level.NOTE, f"{text}: it is nearly full", "%gcs clean")
    return Finding(about, Level.GOOD, text)


def journal() -> list[Finding]:
    """Return how many jobs are remembered."""
    book = Journal()
    entries = book.everything()
    live = sum(not entry.finished for entry in entries)
    text = f"{len(entries):,} jobs remembered, {live:,} of them not known to have ended" if entries else "no job yet"
    return [Finding("journal", Level.GOOD, text)]


def start_notes() -> list[Finding]:
    """Return the last line of what failed when this machine was started (``binder/start`` writes it)."""
    path = state_folder() / "start-failures.txt"
    try:
        lines = path.read_text(errors="replace").split("\n")
    except FileNotFoundError:
        return []
    told = [line.strip() for line in lines if line.strip()]
    if not told:
        return []
    return [Finding("start", Level.NOTE, f"at the start something failed: {told[-1]}", f"cat {path}")]


def version_line() -> str:
    """Return the version of gcs_lab, and what of the environment chooses for it."""
    chosen = [f"{name}={value}" for name in _VARIABLES if (value := os.environ.get(name))]
    return f"gcs_lab {__version__}" + (f" with {' '.join(chosen)}" if chosen else "")
