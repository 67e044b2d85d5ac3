"""Cells as jobs: sweeps, the cache, completion; each section beside its goals and, where there is one, a peer.

Run it with ``make benchmark`` or ``python benchmarks/cells.py [SECTION …]``. Each section is a module of
``cell_sections`` whose ``run()`` returns rows: what was measured, its value, the unit, the goal (empty for a peer). A
section runs in a process and a home of its own.
"""

from __future__ import annotations

import argparse
import importlib
import operator
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RELATIONS = {"<=": operator.le, ">=": operator.ge}


def show(what: str, value: float, unit: str, goal: str) -> None:
    """Print one line of the table; `goal` is ``"<= 0.5"`` in the same unit, or empty for a peer or a ratio."""
    verdict = ""
    if goal:
        relation, _, bound = goal.partition(" ")
        verdict = "reached" if RELATIONS[relation](value, float(bound)) else "MISSED"
    print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal:<13} {verdict}".rstrip(), flush=True)


def run_section(package: str, name: str) -> None:
    """Run one section here, and print its rows."""
    home = tempfile.mkdtemp(prefix="gb-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    os.environ.pop("GCS_LAB_CLUSTER", None)
    try:
        for row in importlib.import_module(f"{package}.{name}").run():
            show(*row)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main(script: str = __file__, package: str = "cell_sections", description: str | None = __doc__) -> None:
    """Print the table of the sections in `package`, beside `script`."""
    files = Path(script).with_name(package).glob("*.py")
    sections = sorted(path.stem for path in files if not path.stem.startswith("_"))
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"which of {', '.join(sections)}; none: all")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.sections) - set(sections)
    if unknown:
        parser.error(f"no section is called {', '.join(sorted(unknown))}; there is: {', '.join(sections)}")
    for name in options.sections or sections:
        if options.here:
            run_section(package, name)
        else:
            print(f"{name}:", flush=True)
            subprocess.run([sys.executable, script, "--here", name], check=True)


if __name__ == "__main__":
    main()
