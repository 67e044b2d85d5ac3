"""Files and folders that are copied before a job starts and after it has ended (DRMAA2 ``stageInFiles``).

A copy is made under another name beside its destination and then renamed: what stands under the final name is whole.
Missing folders on the way to a destination are made. A file goes into a destination that is a folder (or ends with
``/``) under its own name. A folder becomes the destination; what is in it already stays, unless the copy has
something of the same name. So a job that runs again copies the same to the same place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (dataclass fields are inspected at run time)
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Copy", "remove_partial", "stage"]


@dataclass(frozen=True)
class Copy:
    """One copy: absolute paths; ``temporary`` is the name under which it is made, the run's own.

    ``into_folder``: the destination was written with a ``/`` at its end.
    """

    source: Path
    destination: Path
    temporary: str
    into_folder: bool = False


class _Unfit(Exception):
    """A copy that cannot be made, with the reason in words."""


def stage(copies: Iterable[Copy], *, go_on: bool) -> list[str]:
    """Make the copies; return what went wrong, a sentence each. With `go_on` all are tried, else up to the first."""
    faults = []
    for copy in copies:
        try:
            _make(copy)
        except (OSError, _Unfit) as error:
            remove_partial([copy])
            faults.append(f"cannot copy {str(copy.source)!r} to {str(copy.destination)!r}: {_why(error)}")
            if not go_on:
                break
    return faults


def remove_partial(copies: Iterable[Copy]) -> None:
    """Remove what a copy that was cut short has left behind."""
    for copy in copies:
        for folder in (copy.destination.parent, copy.destination):
            _remove(folder / copy.temporary)


def _why(error: Exception) -> str:
    if isinstance(error, shutil.Error):
        # copytree collects what went wrong; the first entry says enough: source, destination, reason.
        first = error.args[0][0]
        return f"{first[0]!r}: {first[2]}" if isinstance(first, tuple) else str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error)


def _make(copy: Copy) -> None:
    source = copy.source
    if not source.exists():
        raise _Unfit("there is no such file or folder")
    target = copy.destination
    if not source.is_dir() and (copy.into_folder or target.is_dir()):
        target /= source.name
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / copy.temporary
    _remove(temporary)
    if source.is_dir():
        inside = target.parent.resolve()
        if inside == source.resolve() or source.resolve() in inside.parents:
            raise _Unfit("the destination lies inside of the folder that is copied")
        shutil.copytree(source, temporary, symlinks=True)
        _put_folder(temporary, target)
    else:
        shutil.copy2(source, temporary)
        temporary.replace(target)


def _put_folder(folder: Path, target: Path) -> None:
    """Rename `folder` to `target`; if that is a folder already, what is in the one goes into the other."""
    if not target.is_dir() or target.is_symlink():
        with contextlib.suppress(OSError):
            folder.rename(target)
            return
    if not target.is_dir():
        raise _Unfit("the destination is a file, and a folder is to be copied there")
    for entry in sorted(folder.iterdir()):
        there = target / entry.name
        if entry.is_dir() and not entry.is_symlink():
            _put_folder(entry, there)
        else:
            entry.replace(there)
    _remove(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108  (a link itself, not what it names)
