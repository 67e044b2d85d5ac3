"""Run a script that was written for Univa's `drmaa2`: its import becomes ours, and it has less to wait for.

Usage: run_example.py SCRIPT [as-module]. With `as-module` the import is `from gcs_lab import drmaa2`. The time that
the script sleeps, and that its jobs do, is divided by SHORTER (environment).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

SHORTER = float(os.environ.get("SHORTER", "1"))


def translated(text: str, *, as_module: bool) -> str:
    """Return the script with only its import changed."""
    if as_module:
        names = re.findall(r"^\s*from drmaa2 import (\w+)$", text, flags=re.MULTILINE)
        text = re.sub(r"^(\s*)from drmaa2 import \w+$", r"\1from gcs_lab import drmaa2", text, flags=re.MULTILINE)
        return re.sub(rf"(?<![\w.'\"])({'|'.join(names)})(?=[(.:])", r"drmaa2.\1", text)
    return re.sub(r"^(\s*)from drmaa2 import", r"\1from gcs_lab.drmaa2 import", text, flags=re.MULTILINE)


def shortened(text: str) -> str:
    """Return the script with shorter sleeps, its jobs' and its own."""
    text = re.sub(r"'args': \['(\d+)'\]", lambda match: f"'args': ['{float(match[1]) / SHORTER:g}']", text)
    return re.sub(r"time\.sleep\((\d+)\)", lambda match: f"time.sleep({float(match[1]) / SHORTER:g})", text)


def main() -> None:
    """Run the script that was named."""
    script = Path(sys.argv[1])
    text = shortened(translated(script.read_text(), as_module="as-module" in sys.argv))
    exec(compile(text, str(script), "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
