"""Opening records: the store of a system, and files without a system."""

from __future__ import annotations

import glob
import hashlib
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument, nearest

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.accounting.store import Store

__all__ = ["RecordFiles", "open_accounting", "readable", "store_of"]

#: What a folder's files of accounting begin with.
_RECORDS = "accounting"
_OTHER = {"reporting": "reporting", "monitoring": "monitoring", "share_tree": "share"}


def store_of(backend: AccountingBackend, folder: Path | None) -> Store:
    """Return the store of a system's records, in `folder`, or in the user's cache.

    Raises
    ------
    DeniedByDrms
        If there are files and none of them may be read. Of some, the store's notes tell.
    """
    from gcs_lab.accounting.store import Store, store_folder

    refusals = []
    files = backend.record_files()
    for path in files:
        try:
            readable(path)
        except GcsError as refusal:
            refusals.append(refusal)
        else:
            break
    if files and len(refusals) == len(files):
        raise refusals[-1]
    return Store(folder or store_folder(backend.identity), backend.record_files, qacct=backend.qacct)


def open_accounting(*paths: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> Accounting:
    """Return the accounting of files, without a cluster: copies, archives, those of another site.

    Parameters
    ----------
    paths
        Files of any format that is known (the 45-field file and its relatives, ``accounting.jsonl``, ``sacct -P``,
        ``qacct -j``), plain or compressed; patterns (``"accounting*"``); folders, of which all files that begin with
        ``accounting`` are meant. Files that appear later are taken up. Files whose names begin with ``reporting``,
        ``monitoring`` or ``share`` are those of :meth:`Accounting.reporting` and its like.
    folder
        Where the store is kept; None: in the user's cache.

    Raises
    ------
    InvalidArgument
        If there is no such file, or one that is named is of no known format; DeniedByDrms: it may not be read.
    """
    from gcs_lab.accounting.area import Accounting

    if not paths:
        raise InvalidArgument('nothing to open; expected files or folders: gcs_lab.open_accounting("accounting").')
    files = RecordFiles([Path(path).expanduser().absolute() for path in paths])
    files.check()
    # As it was named: two names of the same files share a store only where they are written alike.
    shown = ", ".join(str(path) for path in paths)
    return Accounting(files, system=shown, folder=None if folder is None else Path(folder))


class RecordFiles:
    """Files of records as a system of their own.

    Parameters
    ----------
    paths
        Absolute: files, folders or patterns.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        named = "\0".join(sorted(str(path) for path in self._paths))
        self.identity = f"files {hashlib.sha256(named.encode()).hexdigest()[:32]}"

    def check(self) -> None:
        """See that there is something to read, and that it may be read. Raises as :func:`open_accounting`."""
        for path in self._paths:
            if _is_pattern(path):
                if not glob.glob(str(path)):  # noqa: PTH207 - Path.glob takes no absolute pattern
                    raise InvalidArgument(
                        f"no file is called {path}. Expected files of accounting, or a folder of them."
                    )
            elif not path.exists():
                there = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
                near = nearest(path.name, there)
                hint = f" Did you mean {' or '.join(near)}?" if near else ""
                raise InvalidArgument(
                    f"there is no {path}. Expected a file of accounting, or a folder of them.{hint}"
                )
            elif not path.is_dir():
                readable(path)
                if not path.name.startswith(tuple(_OTHER.values())):
                    _known(path)
        for path in self.record_files():
            readable(path)

    def record_files(self) -> Sequence[Path]:
        """Return the files, rotated ones first."""
        others = tuple(_OTHER.values())
        return [path for path in self._files(_RECORDS) if not path.name.startswith(others)]

    def other_files(self, kind: str) -> Sequence[Path]:
        """Return the files of another `kind`: those whose names begin with it (``share`` of the share tree)."""
        return [path for path in self._files(_OTHER[kind]) if path.name.startswith(_OTHER[kind])]

    def qacct(self, since: float | None) -> bytes | None:  # noqa: ARG002 - the protocol's
        """Return None: files answer no command."""
        return None

    def capacity(self) -> int | None:
        """Return None: files do not tell."""
        return None

    def _files(self, begins: str) -> list[Path]:
        from gcs_lab.accounting.source_file import rotated_files

        found: dict[Path, None] = {}
        for path in self._paths:
            if path.is_dir():
                bases = {one.name.split(".jsonl")[0] for one in path.iterdir() if one.name.startswith(begins)}
                names = [name for name in (f"{begins}", f"{begins}.jsonl") if bases]
                for name in names:
                    found |= dict.fromkeys(rotated_files(path / name))
                # Those that no rotation names: accounting.old, accounting_2025.
                known = {one for one in found if one.parent == path}
                rest = sorted(one for one in path.iterdir() if one.name.startswith(begins) and one not in known)
                found = dict.fromkeys([*(one for one in rest if one.is_file()), *found])
            elif _is_pattern(path):
                found |= dict.fromkeys(Path(one) for one in sorted(glob.glob(str(path))))  # noqa: PTH207
            else:
                found[path] = None
        return list(found)


def _is_pattern(path: Path) -> bool:
    return not path.exists() and glob.has_magic(str(path))


def readable(path: Path) -> None:
    """See that a file of records may be read. One that was renamed since it was listed is no matter.

    Raises
    ------
    DeniedByDrms
        If it may not: whose it is, and what to do; InvalidArgument: it is a pipe or a device.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InvalidArgument(
                f"{path} is a pipe or a device. Expected a file of accounting, or a folder of them."
            )
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return
    except PermissionError:
        raise DeniedByDrms(
            f"{path} may not be read by you{_whose(path)}. Ask its owner for the right to read it (for everybody: "
            f"chmod o+r), or for a copy; `qacct -j` prints the records that you may see, and "
            "gcs_lab.open_accounting reads what it printed."
        ) from None
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be read: {error.strerror}. Expected a file of accounting.") from None


def _known(path: Path) -> None:
    """See that a file is of a format of accounting, if there is anything in it yet.

    Raises
    ------
    InvalidArgument
        If it is of none, or damaged.
    """
    from gcs_lab.accounting.formats import HEAD, reader_for
    from gcs_lab.accounting.source_file import open_source

    try:
        with open_source(path) as file:
            head = file.read(HEAD)
    except (OSError, EOFError) as error:
        raise InvalidArgument(f"{path} cannot be read: {error}. Expected a file of accounting.") from None
    if head.strip():
        reader_for(head, path.name)


def _whose(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ": a folder above it is closed"
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = f"uid {status.st_uid}"
    return f": it is {owner}'s, with mode {stat.S_IMODE(status.st_mode):04o}"
