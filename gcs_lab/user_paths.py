"""Where gcs_lab keeps what it must remember: folders of the user, mode 0700.

``GCS_LAB_HOME`` moves all of them under one folder (tests and classrooms do that).
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "private_folder", "runtime_folder", "state_folder"]


def private_folder(path: Path) -> Path:
    """Create `path` (with parents) for this user alone, and return it.

    Raises
    ------
    PermissionError
        If it is there and belongs to someone else.
    OSError
        If it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(
            f"{path} belongs to uid {status.st_uid}, not to you. Remove it, or point GCS_LAB_HOME elsewhere."
        )
    if status.st_mode & 0o077:
        path.chmod(0o700)
    return path


def _home(kind: str) -> Path | None:
    home = os.environ.get("GCS_LAB_HOME")
    return Path(home).expanduser().absolute() / kind if home else None


def state_folder() -> Path:
    """Folder of what must survive a reboot: journal, job folders, the embedded cluster's database."""
    import platformdirs

    return private_folder(_home("state") or Path(platformdirs.user_state_path("gcs-lab")))


def cache_folder() -> Path:
    """Folder of what can be made again."""
    import platformdirs

    return private_folder(_home("cache") or Path(platformdirs.user_cache_path("gcs-lab")))


def runtime_folder() -> Path:
    """Folder of sockets and locks; short, because a unix socket's path may have 107 bytes at most."""
    home = _home("run")
    if home is None:
        base = os.environ.get("XDG_RUNTIME_DIR")
        home = Path(base) / "gcs-lab" if base and Path(base).is_dir() else state_folder() / "run"
    return private_folder(home)
