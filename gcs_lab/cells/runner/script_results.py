# ruff: noqa: PTH103, PTH105, PTH112, PTH113, PTH116, PTH118, PTH120, PTH122, PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""What a script leaves: the files that ``--out`` names, and the lines that it writes to ``$GCS_LAB_OUT``."""

from __future__ import annotations

import os
import sys

from .payload import write_payload
from .private_file import remove_file
from .result_files import RESULTS
from .script_paths import expanded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .channel import Channel
    from .displays import Displays

__all__ = ["ScriptResults"]

#: Where the script writes ``NAME=value`` lines.
VALUES = "values.txt"
#: Suffixes of images, with their MIME types.
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}
_LARGEST_IMAGE = 20_000_000


class ScriptResults:
    """Collects what a script was to leave.

    Parameters
    ----------
    folder
        Where the job's files are.
    cwd
        The folder that the script runs in.
    files
        Paths of the files by name, relative to `cwd`; they may have variables of the environment in them.
    names
        What the script is to write to ``$GCS_LAB_OUT``.
    environment
        The script's.
    """

    def __init__(
        self, folder: str, cwd: str, files: Mapping[str, str], names: list[str], environment: Mapping[str, str]
    ) -> None:
        self.values_file = os.path.join(folder, VALUES)
        self.values: dict[str, Any] = {}
        #: Files that were there at the end, by name: what their copies are called.
        self.copied: dict[str, str] = {}
        self._folder, self._cwd = folder, cwd
        self._paths = {name: os.path.normpath(expanded(path, environment)) for name, path in files.items()}
        self._sources = {name: os.path.join(cwd, path) for name, path in self._paths.items()}
        self._names = names
        self._before = {name: _identity(path) for name, path in self._sources.items()}

    def prepare(self) -> None:
        """Make the file of ``$GCS_LAB_OUT`` anew, so that nothing of an earlier try counts.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        os.close(os.open(self.values_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))

    def collect(self, channel: Channel, displays: Displays, *, strict: bool) -> None:
        """Copy the files, read the lines, write ``outputs.payload``, show images, and tell what is there.

        Raises
        ------
        FileNotFoundError
            If `strict` and something that was asked for is not there.
        OSError
            If something cannot be read or written.
        """
        self.values = values = self._values()
        self.copied = files = {
            name: self._copied(name) for name, path in self._sources.items() if os.path.isfile(path)
        }
        missing = [name for name in (*self._paths, *self._names) if name not in values and name not in files]
        extra = {"missing": missing, "files": files}
        path = os.path.join(self._folder, "outputs.payload")
        write_payload(path, values, {}, extra=extra)
        size = os.stat(path).st_size + sum(os.stat(self._copy_of(name)).st_size for name in files)
        channel.event(
            {"type": "outputs", "names": [*values, *files], "missing": missing, "skipped": {}, "bytes": size}
        )
        for name in files:
            self._tell_of(name, displays)
        if strict and missing:
            raise FileNotFoundError(self._missing_text(missing))

    def _missing_text(self, missing: list[str]) -> str:
        files = [self._paths[name] for name in missing if name in self._paths]
        names = [name for name in missing if name not in self._paths]
        told = []
        if files:
            folders = [path for path in files if os.path.isdir(os.path.join(self._cwd, path))]
            told.append(f"it was to leave the file{'s' * (len(files) > 1)} {', '.join(files)} in {self._cwd}")
            told += [f"{path} is a folder, and --out takes files" for path in folders]
        if names:
            told.append(f"it was to write {', '.join(f'{name}=…' for name in names)} to the file $GCS_LAB_OUT")
        return f"{'; '.join(told)}. It ended well without. Mend the script, or the names in --out."

    def _copy_of(self, name: str) -> str:
        return os.path.join(self._folder, RESULTS, self._filename(name))

    def _filename(self, name: str) -> str:
        # Two files of the same name in two folders have two names in the notebook.
        return name + os.path.splitext(self._paths[name])[1]

    def _copied(self, name: str) -> str:
        import shutil

        copy = self._copy_of(name)
        os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
        shutil.copyfile(self._sources[name], f"{copy}.part")
        os.replace(f"{copy}.part", copy)
        return self._filename(name)

    def _tell_of(self, name: str, displays: Displays) -> None:
        path = self._paths[name]
        if self._before[name] is not None and self._before[name] == _identity(self._sources[name]):
            sys.stderr.write(f"gcs: {path} was there before the script began, and the script has not changed it.\n")
        mime = IMAGES.get(os.path.splitext(path)[1].lower())
        if mime is None:
            return
        if os.stat(self._copy_of(name)).st_size > _LARGEST_IMAGE:
            sys.stderr.write(f"gcs: {path} is not shown: it has more than {_LARGEST_IMAGE // 1_000_000} MB.\n")
            return
        with open(self._copy_of(name), "rb") as file:
            content = file.read()
        import base64

        part = content.decode("utf-8", "replace") if mime.endswith("xml") else base64.b64encode(content).decode()
        displays.send("display", {mime: part, "text/plain": path}, {}, display_id=None)

    def _values(self) -> dict[str, Any]:
        """Return what ``NAME=value`` lines say: JSON where it is JSON, else text; the last line of a name counts."""
        found: dict[str, Any] = {}
        surplus = []
        with open(self.values_file, encoding="utf-8", errors="replace") as file:
            for line in file:
                name, equals, text = line.rstrip("\r\n").partition("=")
                name = name.strip()
                if equals and name in self._names:
                    found[name] = _value(text)
                elif line.strip():
                    surplus.append(name[:80])
        if not found and not surplus:
            # One file less for each of a sweep's tasks.
            remove_file(self.values_file)
        if surplus:
            asked = f"--out names {', '.join(self._names) or 'none'}"
            sys.stderr.write(f"gcs: $GCS_LAB_OUT has what was not asked for ({asked}): {', '.join(surplus[:10])}\n")
        return found


def _value(text: str) -> Any:
    import json

    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(text: str) -> Any:
    # NaN and Infinity are words to JSON, and numbers to everybody else.
    return float(text)


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
