"""Where gcs_lab keeps what it must remember: folders of the user, mode 0700.

``GCS_LAB_HOME`` moves all of them under one folder (tests and classrooms do that).
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "cache_path", "is_on_network", "private_folder", "runtime_folder", "state_folder"]


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


#: File systems that several hosts mount; types as the kernel names them, after "fuse." has been taken off.
_NETWORK = {
    "nfs",
    "nfs4",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "glusterfs",
    "afs",
    "cifs",
    "smb3",
    "pvfs2",
    "sshfs",
    "9p",
}


def is_on_network(path: Path) -> bool:
    """Tell whether `path` is on a file system that other hosts may write to at the same time."""
    import psutil

    kinds = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    path = path.resolve()
    kind = next((kinds[str(folder)] for folder in (path, *path.parents) if str(folder) in kinds), "")
    return kind.removeprefix("fuse.") in _NETWORK


def _home(kind: str) -> Path | None:
    home = os.environ.get("GCS_LAB_HOME")
    return Path(home).expanduser().absolute() / kind if home else None


def state_folder() -> Path:
    """Folder of what must survive a reboot: journal, job folders, the embedded cluster's database."""
    import platformdirs

    return private_folder(_home("state") or Path(platformdirs.user_state_path("gcs-lab")))


def cache_path() -> Path:
    """Where :func:`cache_folder` is, or would be: for what can do without it."""
    import platformdirs

    return _home("cache") or Path(platformdirs.user_cache_path("gcs-lab"))


def cache_folder() -> Path:
    """Folder of what can be made again."""
    return private_folder(cache_path())


def runtime_folder() -> Path:
    """Folder of sockets and locks; short, because a unix socket's path may have 107 bytes at most."""
    home = _home("run")
    if home is None:
        base = os.environ.get("XDG_RUNTIME_DIR")
        home = Path(base) / "gcs-lab" if base and Path(base).is_dir() else state_folder() / "run"
    return private_folder(home)
