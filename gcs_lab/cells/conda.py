"""Conda environments: found by name or folder, with the program that activates them (conda, mamba, micromamba)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from gcs_lab.errors import InvalidArgument, UnknownName

__all__ = ["CondaEnvironment", "conda_environments", "find_conda"]

_LIST_SECONDS = 30
_FRESH_SECONDS = 60.0
_listed: dict[str, tuple[float, list[str]]] = {}


@dataclass(frozen=True)
class CondaEnvironment:
    """An environment: its folder, and the program that activates it (empty: it is activated by hand)."""

    folder: str
    program: str = ""

    @property
    def python(self) -> str:
        """Its Python."""
        return str(Path(self.folder) / "bin" / "python")


def find_conda(wanted: str) -> CondaEnvironment:
    """Return the environment that `wanted` names: a folder, or a name as ``conda env list`` shows it.

    Names are looked up in ``~/.conda/environments.txt`` first, where conda notes each environment that it makes, and
    then asked of ``conda`` (``CONDA_EXE``), ``mamba`` or ``micromamba`` (``MAMBA_EXE``), at most once a minute.

    Raises
    ------
    UnknownName
        If there is none of that name.
    InvalidArgument
        If several have it, or the folder is no environment.
    """
    program = _program()
    path = Path(wanted).expanduser()
    if os.sep in wanted:
        if not (path / "bin").is_dir() or not any((path / part).exists() for part in ("conda-meta", "bin/activate")):
            raise InvalidArgument(
                f"--conda {wanted}: that is no conda environment here: it has no conda-meta folder. Nothing was sent."
            )
        return CondaEnvironment(str(path.absolute()), program)
    known = conda_environments(ask=False)
    if wanted not in known:
        known = conda_environments()
    folders = known.get(wanted)
    if folders is None:
        raise UnknownName("conda environment", wanted, known, where="this machine")
    if len(folders) > 1:
        raise InvalidArgument(
            f"--conda {wanted}: {len(folders)} environments have that name: {', '.join(folders)}. Give the folder of "
            "the one you mean. Nothing was sent."
        )
    return CondaEnvironment(folders[0], program)


def conda_environments(*, ask: bool = True) -> dict[str, list[str]]:
    """Return the folders of the environments that are here, by name; with ``ask=False`` no program is run."""
    folders: dict[str, None] = {}
    try:
        noted = (Path.home() / ".conda" / "environments.txt").read_text().splitlines()
    except (OSError, RuntimeError):
        noted = []
    for folder in [*noted, os.environ.get("CONDA_PREFIX", ""), *(_ask(_program()) if ask else [])]:
        if folder and (Path(folder) / "bin").is_dir():
            folders[str(Path(folder))] = None
    by_name: dict[str, list[str]] = {}
    for folder in folders:
        path = Path(folder)
        is_root = (path / "condabin").is_dir() and path.parent.name != "envs"
        by_name.setdefault("base" if is_root else path.name, []).append(folder)
    return by_name


def _program() -> str:
    """Return the path of the program that activates environments; empty if there is none."""
    named = [os.environ.get("CONDA_EXE"), os.environ.get("MAMBA_EXE"), "conda", "micromamba", "mamba"]
    return next((found for word in named if word and (found := shutil.which(word))), "")


def _ask(program: str) -> list[str]:
    """Return the folders that ``PROGRAM env list --json`` knows; nothing if it does not answer."""
    if not program:
        return []
    asked, folders = _listed.get(program, (0.0, []))
    if time.monotonic() - asked < _FRESH_SECONDS and asked:
        return folders
    try:
        answer = subprocess.run(
            [program, "env", "list", "--json"], capture_output=True, text=True, timeout=_LIST_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        folders = [str(folder) for folder in json.loads(answer.stdout).get("envs", [])]
    except (OSError, subprocess.SubprocessError, ValueError, AttributeError):
        folders = []
    _listed[program] = (time.monotonic(), folders)
    return folders
