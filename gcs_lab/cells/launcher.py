"""What stands before a job's command: environment modules and conda, prepared by ``start.sh`` on the job's host."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.job_folder import jobs_folder
from gcs_lab.cells.runner.private_file import write_all, write_whole
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cells.conda import CondaEnvironment

__all__ = ["EXIT_NOT_PREPARED", "launcher"]

#: ``EX_CONFIG``: what ``start.sh`` ends with when a module or an environment cannot be had.
EXIT_NOT_PREPARED = 78


def launcher(modules: Sequence[str], conda: CondaEnvironment | None) -> list[str]:
    """Return the argument list that is put before a job's command; empty if there is nothing to prepare.

    It is ``/bin/bash start.sh …``; names of modules and folders are arguments of their own and never part of shell
    code. The script stands once in the folder of the job folders, which the cluster's hosts see. Where the notebook
    knows of environment modules (``MODULESHOME``) and of the user's own (``MODULEPATH``), the job is told.

    Parameters
    ----------
    modules
        What ``module load`` is called with, in order (environment-modules or Lmod).
    conda
        The environment that is activated after that.

    Raises
    ------
    InvalidArgument
        If a name cannot be that of a module.
    OSError
        If the script cannot be written.
    """
    if not modules and conda is None:
        return []
    words: list[str] = []
    if modules:
        for name in modules:
            _check_module(name)
        if home := os.environ.get("MODULESHOME"):
            words += ["--init", str(Path(home) / "init" / "bash")]
        for folder in filter(None, os.environ.get("MODULEPATH", "").split(os.pathsep)):
            words += ["--module-path", folder]
        for name in modules:
            words += ["--module", name]
    if conda is not None:
        words += ["--conda", conda.folder, conda.program]
    return ["/bin/bash", str(_script()), *words, "--"]


def _check_module(name: str) -> None:
    if not name or name.startswith("-") or any(c.isspace() or not c.isprintable() for c in name):
        raise InvalidArgument(
            f"--module {name!r}: that is no name of a module. Expected one as `module avail` lists them, for example "
            "--module gcc/13. Nothing was sent."
        )


def _script() -> Path:
    """Return the script, written once for each content."""
    content = _source()
    path = jobs_folder() / f".start-{hashlib.sha256(content).hexdigest()[:16]}.sh"
    if not path.exists():
        write_whole(str(path), lambda descriptor: write_all(descriptor, content))
    return path


@cache
def _source() -> bytes:
    return Path(__file__).with_name("start.sh").read_bytes()
