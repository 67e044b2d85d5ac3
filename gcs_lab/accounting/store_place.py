"""The folder of a store: who may write to it, and what is swept out."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.user_paths import cache_path, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcs_lab.accounting.manifest import Manifest

__all__ = ["Place", "store_folder"]

_LOCK = "lock"
#: Seconds between two looks at a lock that another process holds.
_POLL = 0.05
#: What a file system without locks answers: NFS without its lock daemon, some FUSE ones.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


def store_folder(identity: str) -> Path:
    """Return the folder of the user's cache for the cluster (or files) of this `identity`. Makes only the cache."""
    # Where that cannot be made, a Place finds another.
    with suppress(OSError):
        private_folder(cache_path())
    word = re.sub(r"[^A-Za-z0-9.-]+", "-", identity).strip("-.")[-40:]
    digest = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:12]
    return cache_path() / "accounting" / (f"{word}-{digest}" if word else digest)


class Place:
    """The folder of a store, with a lock (``flock``) that one process at a time holds while it writes.

    The system lets go of it when that process dies, however it does. On NFS the lock holds between hosts where the
    server has locks (NFSv4, or lockd); where there are none, and where the folder cannot be written, the store lives
    in a temporary folder of this process, and :attr:`note` says so.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.note = ""
        try:
            private_folder(folder)
            with self._locked(wait=lambda: None):
                pass
        except OSError as error:
            self._move(folder, error)

    def _move(self, folder: Path, error: OSError) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gcs-lab-accounting-"))
        weakref.finalize(self, _remove, self.folder, os.getpid())
        reason = "its file system has no locks" if error.errno in _NO_LOCKS else (error.strerror or str(error))
        self.note = (
            f"{folder} cannot keep the records ({reason}): they are read again by each process, into {self.folder}. "
            "Set GCS_LAB_HOME to a folder that you can write to."
        )

    @contextmanager
    def writing(self, wait: Callable[[], object]) -> Iterator[bool]:
        """Hold the lock; while another process has it, `wait` is called, and True gives up (yields False)."""
        with self._locked(wait) as held:
            yield held

    @contextmanager
    def _locked(self, wait: Callable[[], object]) -> Iterator[bool]:
        if not self.folder.is_dir():
            private_folder(self.folder)  # somebody emptied the cache
        descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            held = _try_lock(descriptor)
            while not held and not wait():
                time.sleep(_POLL)
                held = _try_lock(descriptor)
            yield held
        finally:
            os.close(descriptor)

    def sweep(self, manifest: Manifest) -> None:
        """Remove what the list of contents does not name; only the holder of the lock may do that."""
        named = {part.name for part in manifest.parts} | {name for name, _ in manifest.retired}
        for file in self.folder.glob("*.parquet"):
            if file.name.partition(".")[0] not in named:
                file.unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Return the names and sizes of the files of the store."""
        with os.scandir(self.folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.name.endswith(".parquet")}


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path, pid: int) -> None:
    # A forked child has a copy of this, and must leave the folder to its parent.
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
