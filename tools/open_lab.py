"""``make lab``: start a cluster, then become JupyterLab with the tour open."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine import start_cluster

ROOT = Path(__file__).resolve().parent.parent
TOUR = "notebooks/0-tour.ipynb"


def main() -> None:
    """Replace this process by JupyterLab, which prints its own address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto", choices=["auto", "embedded", "gridengine"])
    parser.add_argument("options", nargs="*", help="options for JupyterLab, after --")
    flags = parser.parse_args()
    choice = start_cluster(flags.engine)
    print("It goes on when JupyterLab ends, with the jobs on it; `make stop` stops it.", flush=True)
    runtime = ROOT / ".make" / "jupyter"
    runtime.mkdir(parents=True, exist_ok=True)
    environment = os.environ | choice.environment() | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "-m", "jupyterlab", *_options(flags.options)], environment)  # noqa: S606


def _options(given: list[str]) -> list[str]:
    options = [
        f"--LabApp.default_url=/lab/tree/{TOUR}",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    # A text browser would take over the terminal where there is no screen.
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        options.append("--no-browser")
    if os.geteuid() == 0:
        options.append("--allow-root")
    return options + given


if __name__ == "__main__":
    main()
