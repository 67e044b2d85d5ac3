"""What is in a store: its parts, the files that they came from, and how far each was read.

One JSON file, swapped by ``rename(2)``: whatever happens, a process sees the old list or the new one, whole. Files of
the store that it does not name are rubbish that a killed process left.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from gcs_lab.accounting.progress import Totals

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEAD", "Manifest", "Part", "Seen", "Source", "load_manifest"]

#: Counts up when parts are laid out in another way: an older store is read again from the files.
VERSION = 2
NAME = "manifest.json"
#: Bytes of the beginning of a file that are remembered, and of the piece before a checkpoint that is hashed.
HEAD = 2048
#: Places at which a file is compared with what was read of it; older ones are thinned out beyond that.
_MOST_CHECKPOINTS = 256
#: Seconds that a part stays after it was replaced: someone may still be reading it.
GRACE = 3600.0


class Part(NamedTuple):
    """Records of one stretch of one file, ``<name>.parquet``, and rejects, ``<name>.rejects.parquet``; never changed.

    ``begin`` and ``end`` are bytes of the uncompressed text; ``lines`` counts all lines in it. ``rejects`` were
    found, ``kept`` of them are in the file. ``first_end`` and ``last_end`` are the smallest and largest
    ``end_time`` in seconds. ``size`` is that of the Parquet file in bytes (0: no record, no file). ``torn``: a last
    line without its newline; it is taken out again when the file grows.
    """

    name: str
    source: int
    begin: int
    end: int
    lines: int
    records: int
    rejects: int
    kept: int
    first_end: float | None
    last_end: float | None
    size: int
    torn: bool = False


class Seen(NamedTuple):
    """A file as it was when it was last read to its end: while this is the same, nothing is new.

    ``torn`` is the length of a last line that waits for its rest.
    """

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int
    source: int
    torn: int


@dataclass(frozen=True, slots=True)
class Source:
    """One text that grows, under whatever names: ``accounting``, later ``accounting.0``, later ``accounting.0.gz``.

    ``begin`` is above 0 where the text is that of another source up to there. ``offset`` is the end of the last whole
    line read; ``checkpoints`` are pairs of an offset and the hash of the (at most HEAD) bytes before it. ``epoch``
    counts how often records were taken out again. ``torn`` is the length and the hash of what was read beyond
    ``offset``: a last line without a newline, in a part of its own.
    """

    id: int
    path: str
    begin: int = 0
    offset: int = 0
    head: bytes = b""
    lines: int = 0
    checkpoints: tuple[tuple[int, int], ...] = ()
    epoch: int = 0
    torn: tuple[int, int] | None = None

    def reached(self, offset: int, lines: int, tail_hash: int) -> Source:
        """Return it as read up to `offset`."""
        points = (*self.checkpoints, (offset, tail_hash))
        if len(points) > _MOST_CHECKPOINTS:
            # The one whose neighbours are nearest to each other: no stretch between two becomes long.
            gone = min(range(1, len(points) - 1), key=lambda i: points[i + 1][0] - points[i - 1][0])
            points = points[:gone] + points[gone + 1 :]
        return replace(self, offset=offset, lines=lines, checkpoints=points)


@dataclass
class Manifest:
    """The list of contents.

    ``token`` tells this store from one that was made anew in the same folder; ``generation`` counts commits;
    ``retired`` are names of parts and when they were replaced.
    """

    token: str = field(default_factory=lambda: secrets.token_hex(8))
    generation: int = 0
    next_number: int = 1
    sources: dict[int, Source] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    retired: list[tuple[str, float]] = field(default_factory=list)

    def copy(self) -> Manifest:
        """Return one that can be changed without changing this."""
        return Manifest(
            self.token,
            self.generation,
            self.next_number,
            dict(self.sources),
            list(self.parts),
            dict(self.seen),
            list(self.retired),
        )

    def number(self) -> int:
        """Return a number that was never given before in this store."""
        self.next_number += 1
        return self.next_number - 1

    def parts_of(self, source: int) -> list[Part]:
        """Return the parts of a source, in the order of its text."""
        return sorted((part for part in self.parts if part.source == source), key=lambda part: part.begin)

    def parts_by_source(self) -> dict[int, list[Part]]:
        """Return the parts of each source that has any, in the order of its text."""
        found: dict[int, list[Part]] = {}
        for part in sorted(self.parts, key=lambda part: part.begin):
            found.setdefault(part.source, []).append(part)
        return found

    def replace_parts(self, old: list[Part], new: list[Part]) -> None:
        """Put `new` in the place of `old`, whose files stay for those who are reading them."""
        gone = {part.name for part in old}
        place = next((i for i, part in enumerate(self.parts) if part.name in gone), len(self.parts))
        kept = [part for part in self.parts[place:] if part.name not in gone]
        self.parts[place:] = [*new, *kept]
        now = time.time()
        self.retired += [(name, now) for name in sorted(gone)]

    def totals(self) -> Totals:
        """Return the sums over all parts."""
        ends = [part.first_end for part in self.parts if part.first_end is not None]
        lasts = [part.last_end for part in self.parts if part.last_end is not None]
        return Totals(
            sum(part.records for part in self.parts),
            sum(part.rejects for part in self.parts),
            sum(source.offset - source.begin for source in self.sources.values()),
            len(self.sources),
            min(ends, default=None),
            max(lasts, default=None),
        )

    def commit(self, folder: Path) -> None:
        """Make this the truth: written beside, forced to the disk, put in place.

        Raises
        ------
        OSError
            If it cannot be written; what was there before stays then.
        """
        now = time.time()
        self.retired = [(name, when) for name, when in self.retired if now - when < GRACE]
        self.generation += 1
        beside = folder / f"{NAME}.new"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(self._plain(), separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / NAME)
        sync_folder(folder)

    def _plain(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "token": self.token,
            "generation": self.generation,
            "next_number": self.next_number,
            "sources": [
                asdict(source) | {"head": base64.b64encode(source.head).decode()} for source in self.sources.values()
            ],
            "parts": self.parts,
            "seen": self.seen,
            "retired": self.retired,
        }


def sync_folder(folder: Path) -> None:
    """Force names that were made in `folder` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_manifest(folder: Path) -> Manifest:
    """Return the list of contents of `folder`; an empty one where there is none, or one that cannot be used.

    That one is unusable if another version of gcs_lab laid it out, or if it is damaged: the store is made again then.
    """
    try:
        plain = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if plain["version"] != VERSION:
            return Manifest()
        return _manifest(plain)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return Manifest()


def _manifest(plain: dict[str, Any]) -> Manifest:
    sources = {}
    for made in plain["sources"]:
        made["head"] = base64.b64decode(made["head"])
        made["checkpoints"] = tuple((at, digest) for at, digest in made["checkpoints"])
        made["torn"] = tuple(made["torn"]) if made["torn"] else None
        sources[made["id"]] = Source(**made)
    return Manifest(
        plain["token"],
        plain["generation"],
        plain["next_number"],
        sources,
        [Part(*part) for part in plain["parts"]],
        {path: Seen(*seen) for path, seen in plain["seen"].items()},
        [(name, when) for name, when in plain["retired"]],
    )


def stamp(folder: Path) -> tuple[int, ...] | None:
    """Return what changes when another list is put in place; None where there is none."""
    try:
        status = (folder / NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
