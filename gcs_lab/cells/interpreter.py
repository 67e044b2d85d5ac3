"""The Python that a job runs with: found, asked for its version, and compared with the notebook's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from gcs_lab.errors import InvalidArgument

__all__ = ["OLDEST", "Version", "find_interpreter", "version_text"]

Version = tuple[int, int]

#: The oldest Python that the runner runs with.
OLDEST: Version = (3, 9)

_PROBE = "import sys; print(*sys.version_info[:2])"
_PROBE_SECONDS = 20


def find_interpreter(python: str | None) -> tuple[str, Version]:
    """Return the path and version of the Python that `python` names; None: the notebook's own.

    Raises
    ------
    InvalidArgument
        If there is no such program here, or it is no Python, or one that is too old.
    """
    if python is None:
        return sys.executable, (sys.version_info.major, sys.version_info.minor)
    found = shutil.which(str(Path(python).expanduser()))
    if found is None:
        raise InvalidArgument(
            f"--python {python}: there is no such program here. Give the path of a Python {version_text(OLDEST)} or "
            "newer that the cluster's hosts have too. Nothing was sent."
        )
    path = str(Path(found).absolute())
    version = _version(path, Path(path).stat().st_mtime)
    if version is None or version < OLDEST:
        what = "is no Python" if version is None else f"is Python {version_text(version)}"
        raise InvalidArgument(
            f"--python {python}: it {what}; a job needs Python {version_text(OLDEST)} or newer. Nothing was sent."
        )
    return path, version


def version_text(version: Version) -> str:
    """Return ``"3.11"``."""
    return f"{version[0]}.{version[1]}"


@cache
def _version(path: str, _changed: float) -> Version | None:
    """Ask a program for its Python version; None if it is no Python. Asked once, until the file changes."""
    try:
        answer = subprocess.run(
            [path, "-E", "-s", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        major, minor = map(int, answer.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor
