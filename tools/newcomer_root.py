"""The first five minutes of somebody who has only the README, in a clean root (tools/clean_root.py)."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

from dockerfile import Build

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from clean_root import Steps

__all__ = ["first_minutes"]

USER = "newcomer"
#: What README asks for, beside Python.
NEEDED = "git make python3-venv"
#: A line of `make tour` about a cell that ran as a job.
_RESULT = re.compile(r"\[\d+\] %%gcs run")
_LAB = "http://127.0.0.1:18731"


def first_minutes(flags: argparse.Namespace, steps: Steps, origin: Path, machine: Mapping[str, str]) -> None:
    """Do what README says, and tell when the first cell's result was there."""
    _commit(origin)
    build = Build(flags.folder, origin, machine=machine)
    with steps.step(f"sudo apt-get install {NEEDED}"):
        apt = f"apt-get -qq update && apt-get -qq install --yes {NEEDED} >/dev/null"
        build.environment["DEBIAN_FRONTEND"] = "noninteractive"
        build.run(["/bin/sh", "-c", apt], steps.output)
    build.run(["useradd", "--create-home", "--shell=/bin/bash", USER], steps.output)
    # git clones from nobody else's folder.
    source = f"/{origin.relative_to(flags.folder)}"
    build.run(["chown", "--recursive", f"{USER}:", source], steps.output)
    home = f"/home/{USER}"
    build.environment |= {"HOME": home, "USER": USER, "LANG": "C.UTF-8"}
    build.user, build.folder = USER, home
    began = time.monotonic()
    first = 0.0

    def note(line: str) -> None:
        nonlocal first
        if not first and _RESULT.search(line):
            first = time.monotonic() - began
        steps.output(line)

    with steps.step("git clone", USER):
        build.run(["git", "clone", "--quiet", "--no-local", source, "gcs_lab"], note)
    build.folder = f"{home}/gcs_lab"
    with steps.step("make tour", USER):
        build.run(["make", "tour"], note)
    with steps.step("make lab, to the result of a cell typed there", USER):
        lab = f'make lab LAB_ARGS="--no-browser --port={_LAB.rpartition(":")[2]} --IdentityProvider.token=x"'
        cell = f".venv/bin/python tools/started_course.py --server={_LAB} --token=x"
        build.run(["/bin/sh", "-c", f"{lab} & {cell}"], note)
    print(f"first result of a cell: {first:.0f} s after `git clone` began, with 2 commands (git clone, make tour)")


def _commit(folder: Path) -> None:
    """Make a repository of a copy, for `git clone` to have something to clone."""
    for words in (
        ["init", "--quiet"],
        ["add", "--all", "--force"],
        ["-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--message=as it is here"],
    ):
        subprocess.run(["git", "-C", folder, *words], check=True)
