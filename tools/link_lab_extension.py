"""Let JupyterLab load the extension from this checkout.

An editable installation copies the built extension into the environment, where it stays as old as the installation. A
link in its place is always what `npm run build` made last. (`jupyter labextension develop` does the same, but is
deprecated, and what came instead of it is not in every JupyterLab that we work with.)
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

BUILT = Path(__file__).resolve().parent.parent / "gcs_lab" / "labextension"


def main() -> None:
    """Replace what the environment of this Python has by a link."""
    if not (BUILT / "package.json").is_file():
        sys.exit(f"{BUILT} is not built: `npm run build` in labextension/, or make it anew with `make clean lab`.")
    place = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "gcs-lab"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    # Put there in one step: a JupyterLab may be running.
    fresh = place.with_name(f".gcs-lab-{os.getpid()}")
    fresh.symlink_to(BUILT, target_is_directory=True)
    fresh.replace(place)


if __name__ == "__main__":
    main()
