"""How much of JupyterLab's extension goes over the network, gzipped: at the start, later, and with the figures."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

EXTENSION = Path(__file__).resolve().parent.parent / "gcs_lab" / "labextension"
LIMIT_KB = 300
#: No other chunk has this name of a function of plotly's.
PLOTLY_MARK = b"setPlotConfig"


def main() -> None:
    """Print the sizes, and end with status 1 if all but plotly is larger than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=EXTENSION, help="a built extension")
    parser.add_argument("--limit", type=float, default=LIMIT_KB, help="kB of 1000 bytes, without plotly (300)")
    flags = parser.parse_args()
    entry = json.loads((flags.folder / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    ours = plotly = 0
    for path in sorted((flags.folder / "static").glob("*.js"), key=lambda path: -path.stat().st_size):
        content = path.read_bytes()
        size = len(gzip.compress(content, 9))
        is_plotly = PLOTLY_MARK in content
        ours, plotly = (ours, plotly + size) if is_plotly else (ours + size, plotly)
        note = " plotly" if is_plotly else " entry" if path.name in entry else ""
        print(f"{size / 1000:9.1f} kB of {len(content) / 1000:8.1f} kB  {path.name}{note}")
    print(f"{ours / 1000:9.1f} kB in all, gzipped, without plotly (at most {flags.limit:g} kB)")
    print(f"{(ours + plotly) / 1000:9.1f} kB with plotly, which is loaded when a figure is first shown")
    if not plotly:
        sys.exit(f"no chunk has {PLOTLY_MARK.decode()!r}: plotly cannot be told apart any more")
    if ours > flags.limit * 1000:
        sys.exit(f"the extension is larger than {flags.limit:g} kB")


if __name__ == "__main__":
    main()
