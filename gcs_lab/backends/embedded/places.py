"""Where the embedded cluster keeps its files, and where its socket is."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gcs_lab.errors import UntrustedFile
from gcs_lab.user_paths import private_folder, runtime_folder, state_folder

__all__ = ["Places", "check_private"]

#: ``sun_path`` of ``unix(7)`` holds 108 bytes with its ending zero.
SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class Places:
    """The files of one embedded cluster; the one class that knows their names."""

    folder: Path
    socket: Path

    @classmethod
    def of_user(cls) -> Places:
        """Return the places of this user (under ``GCS_LAB_HOME``, if that is set); folders are made.

        Raises
        ------
        UntrustedFile
            If the folder for the socket could be written by somebody else.
        OSError
            If a folder cannot be made.
        """
        folder = private_folder(state_folder() / "embedded")
        return cls(folder, _socket_path(runtime_folder(), folder))

    @property
    def database(self) -> Path:
        """SQLite database of jobs."""
        return self.folder / "jobs.sqlite"

    @property
    def lock(self) -> Path:
        """File that the one scheduler holds locked; it says where the scheduler listens."""
        return self.folder / "scheduler.lock"

    @property
    def log(self) -> Path:
        """What the scheduler and the shepherds had to say."""
        return self.folder / "scheduler.log"

    @property
    def spool(self) -> Path:
        """Folder with one folder a run of a job."""
        return self.folder / "spool"

    @property
    def accounting(self) -> Path:
        """Accounting in Grid Engine's file format."""
        return self.folder / "accounting"

    @property
    def configuration(self) -> Path:
        """Hosts, queues and parallel environments."""
        return self.folder / "cluster.toml"

    def run_folder(self, job_id: int, task_id: int, run: int) -> Path:
        """Spool folder of one run of a job."""
        return self.spool / f"{job_id}.{task_id}.{run}"


def _socket_path(runtime: Path, folder: Path) -> Path:
    path = runtime / "embedded.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    short = Path(tempfile.gettempdir()) / f"gcs-lab-{os.geteuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    check_private(short)
    return short / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}.sock"


def check_private(folder: Path) -> None:
    """Make sure that `folder` is a real folder of this user that nobody else may enter.

    Raises
    ------
    UntrustedFile
        If it is not.
    """
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
        return
    raise UntrustedFile(
        f"{folder} is to hold the socket of your scheduler, but it belongs to uid {found.st_uid} with mode "
        f"{stat.filemode(found.st_mode)}. It must be a folder of yours with mode drwx------: remove it, or set "
        "GCS_LAB_HOME to a short path."
    )
