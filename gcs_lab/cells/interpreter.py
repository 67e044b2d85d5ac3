"""The Python that a job runs with: found, asked for its version, and compared with the notebook's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.conda import CondaEnvironment, find_conda
from gcs_lab.cells.launcher import EXIT_NOT_PREPARED, launcher
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OLDEST", "Interpreter", "Version", "find_interpreter", "job_interpreter", "version_text"]

Version = tuple[int, int]

#: The oldest Python that the runner runs with.
OLDEST: Version = (3, 9)

_PROBE = "import sys; print(*sys.version_info[:2])"
_PROBE_SECONDS = 20


@dataclass(frozen=True)
class Interpreter:
    """A job's Python.

    ``path`` is a path, or a bare name that is looked up on the job's host once its modules are loaded; ``version`` is
    None if it could not be asked here; ``launcher`` stands before it on the command line; ``warnings`` are sentences
    for the user.
    """

    path: str
    version: Version | None
    launcher: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Whether it is the notebook's own Python, with nothing put before it."""
        return self.path == sys.executable and not self.launcher


def job_interpreter(python: str | None, conda: str | None = None, modules: Sequence[str] = ()) -> Interpreter:
    """Return the Python of a job with these ``--python``, ``--conda`` and ``--module`` flags.

    On the job's host the modules are loaded first, then the conda environment is activated. The Python is that of
    ``--python``, else the environment's, else the notebook's. A bare name (``--python python3.12``) is looked up in
    the environment, or on the job's host if modules are loaded there.

    Raises
    ------
    InvalidArgument
        If there is no such environment or program here, or it is no Python, or one that is too old.
    """
    environment = find_conda(conda) if conda else None
    before = launcher(modules, environment)
    wanted = _in_environment(python, environment)
    if not modules:
        path, version = find_interpreter(wanted)
        return Interpreter(path, version, before)
    return _after_modules(wanted or sys.executable, before, modules)


def _in_environment(python: str | None, environment: CondaEnvironment | None) -> str | None:
    if environment is None:
        return python
    if python is None:
        if not Path(environment.python).exists():
            raise InvalidArgument(
                f"--conda {environment.folder}: the environment has no Python, and a job needs one. Install it there "
                "(conda install python), or name another with --python PATH. Nothing was sent."
            )
        return environment.python
    its_own = Path(environment.folder) / "bin" / python
    return str(its_own) if os.sep not in python and its_own.exists() else python


def _after_modules(python: str, before: list[str], modules: Sequence[str]) -> Interpreter:
    """Return a Python that is looked up when modules are loaded: they are loaded here to ask it for its version."""
    path = python
    if os.sep in python:
        path = find_path(python)
    version, said = _asked_after(before, path)
    if version is not None:
        _check_version(python, version)
        return Interpreter(path, version, before)
    if os.sep in path and (version := _version(path, Path(path).stat().st_mtime)) is not None:
        _check_version(python, version)
    told = f"--module {' '.join(modules)} could not be tried here ({said}); the job's host may do better."
    if version is None:
        told += f" Whether {python} is there, and which version it has, could not be asked."
    return Interpreter(path, version, before, [told])


def find_interpreter(python: str | None) -> tuple[str, Version]:
    """Return the path and version of the Python that `python` names; None: the notebook's own.

    Raises
    ------
    InvalidArgument
        If there is no such program here, or it is no Python, or one that is too old.
    """
    if python is None:
        return sys.executable, (sys.version_info.major, sys.version_info.minor)
    path = find_path(python)
    version = _version(path, Path(path).stat().st_mtime)
    _check_version(python, version, "" if version else _ask([path], first=True)[2])
    assert version is not None  # noqa: S101  (it was refused)
    return path, version


def find_path(python: str) -> str:
    """Return the absolute path of a program.

    Raises
    ------
    InvalidArgument
        If there is no such program here.
    """
    found = shutil.which(str(Path(python).expanduser()))
    if found is None:
        raise InvalidArgument(
            f"--python {python}: there is no such program here. Give the path of a Python {version_text(OLDEST)} or "
            "newer that the cluster's hosts have too. Nothing was sent."
        )
    return str(Path(found).absolute())


def _check_version(python: str, version: Version | None, said: str = "") -> None:
    if version is None or version < OLDEST:
        # pyenv has programs of names that it does not run, and says why.
        why = f" (asked for its version it said: {said})" if said and not said.startswith(("File ", "Trace")) else ""
        what = f"is no Python{why}" if version is None else f"is Python {version_text(version)}"
        raise InvalidArgument(
            f"--python {python}: it {what}; a job needs Python {version_text(OLDEST)} or newer. Nothing was sent."
        )


def version_text(version: Version) -> str:
    """Return ``"3.11"``."""
    return f"{version[0]}.{version[1]}"


@cache
def _version(path: str, _changed: float) -> Version | None:
    """Ask a program for its Python version; None if it is no Python. Asked once, until the file changes."""
    return _ask([path])[0]


def _asked_after(before: list[str], path: str) -> tuple[Version | None, str]:
    """Ask a Python for its version with modules loaded here; return also why there is no answer."""
    version, status, said = _ask([*before, path])
    if version is None and status != EXIT_NOT_PREPARED:
        said = said or f"{path} is no Python there"
    return version, said.removeprefix("gcs_lab: ")


def _ask(command: list[str], *, first: bool = False) -> tuple[Version | None, int | None, str]:
    """Return version, exit status and the last line (or the `first`) that was said on standard error."""
    try:
        answer = subprocess.run(
            [*command, "-E", "-s", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return None, None, str(error)
    lines = answer.stderr.strip().splitlines() or [""]
    said = lines[0] if first else lines[-1]
    try:
        major, minor = map(int, answer.stdout.split())
    except ValueError:
        return None, answer.returncode, said
    return ((major, minor), 0, "") if answer.returncode == 0 else (None, answer.returncode, said)
