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
SECTIONS = sorted(
    path.stem for path in Path(__file__).with_name("cell_sections").glob("*.py") if not path.stem.startswith("_")
)


def show(what: str, value: float, unit: str, goal: str) -> None:
    """Print one line of the table; `goal` is ``"<= 0.5"`` in the same unit, or empty for a peer or a ratio."""
    verdict = ""
    if goal:
        relation, _, bound = goal.partition(" ")
        verdict = "reached" if RELATIONS[relation](value, float(bound)) else "MISSED"
    print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal:<13} {verdict}".rstrip(), flush=True)


def run_section(name: str) -> None:
    """Run one section here, and print its rows."""
    home = tempfile.mkdtemp(prefix="gb-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    os.environ.pop("GCS_LAB_CLUSTER", None)
    try:
        for row in importlib.import_module(f"cell_sections.{name}").run():
            show(*row)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"which of {', '.join(SECTIONS)}; none: all")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section is called {', '.join(sorted(unknown))}; there is: {', '.join(SECTIONS)}")
    for name in options.sections or SECTIONS:
        if options.here:
            run_section(name)
        else:
            print(f"{name}:", flush=True)
            subprocess.run([sys.executable, __file__, "--here", name], check=True)


if __name__ == "__main__":
    main()
