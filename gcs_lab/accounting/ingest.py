"""Bring a store up to date with its files, in the order that loses and doubles nothing."""

from __future__ import annotations

import contextlib
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.accounting import formats
from gcs_lab.accounting.ingest_blocks import store_blocks
from gcs_lab.accounting.ingest_match import (
    Shared,
    common_prefix,
    continued,
    has_in_common,
    stored_records,
    stored_rejects,
)
from gcs_lab.accounting.ingest_parts import Stretch, force_part, write_part
from gcs_lab.accounting.ingest_text import Changed, Text
from gcs_lab.accounting.manifest import Source
from gcs_lab.accounting.store_compaction import compact
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcs_lab.accounting.formats import Reader
    from gcs_lab.accounting.ingest_report import Report
    from gcs_lab.accounting.manifest import Manifest
    from gcs_lab.accounting.progress import Ingested

__all__ = ["SETTLED", "Ingest", "changed_files", "identities"]

#: Seconds after which a last line without a newline is taken as it is, though its file may still grow.
SETTLED = 60.0
#: Files that are kept open while others are read, so that rotation does not take them away.
_MOST_OPEN = 64


def _waits(path: Path, paths: Sequence[Path], compressed: bool, modified: float) -> bool:
    """Tell whether a torn last line of a file may still be being written."""
    return path == paths[-1] and not compressed and time.time() - modified < SETTLED


def changed_files(manifest: Manifest, paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return the files that hold something new, by ``stat`` alone, and sentences on those that cannot be seen."""
    changed, notes = [], []
    for path in paths:
        seen = manifest.seen.get(str(path))
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # rotated away since it was listed: it is found under its new name next time
        except OSError as error:
            notes.append(f"{path} could not be looked at ({error.strerror}); its records are not there.")
            continue
        if not stat.S_ISREG(status.st_mode):
            notes.append(f"{path} is no file (a folder, a pipe or a device); expected a file of accounting.")
            continue
        now = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        same = seen is not None and now == seen[:5]
        if same and seen is not None and seen.torn:
            same = _waits(path, paths, False, status.st_mtime)
        if not same:
            changed.append(path)
    return changed, notes


def identities(paths: Sequence[Path]) -> list[tuple[Path, int, int] | None]:
    """Return what changes when files are rotated by renaming or compressed, but not when one grows."""
    found: list[tuple[Path, int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((path, status.st_dev, status.st_ino))
    return found


class Ingest:
    """One run over the files of a store; its process alone writes to `folder` meanwhile.

    `manifest` is changed and committed on the way: at each moment what is committed is whole.
    """

    def __init__(self, folder: Path, manifest: Manifest, report: Report) -> None:
        self._folder = folder
        self._manifest = manifest
        self._report = report
        self._claimed: set[int] = set()
        self._notes: list[str] = []
        #: Whether a file changed its name, or was cut off, while it was read: it is to be looked for again.
        self.rotated = False

    def run(self, paths: Sequence[Path]) -> Ingested:
        """Read what is new in `paths`.

        Raises
        ------
        OSError, polars.exceptions.PolarsError
            If the store cannot be written.
        """
        before = self._manifest.copy()
        changed, self._notes = changed_files(self._manifest, paths)
        listed = {str(path) for path in paths}
        gone = self._manifest.seen.keys() - listed
        for path in gone:
            del self._manifest.seen[path]
        names = {str(path) for path in changed}
        self._claimed = {seen.source for path, seen in self._manifest.seen.items() if path not in names}
        many = len(changed) > _MOST_OPEN
        texts = self._opened(changed)
        complete = True
        try:
            pairs = self._in_turn(texts, close=many)
            self._report.begin(pairs)
            for text, _ in pairs:
                waits = _waits(text.path, paths, text.compressed, text.status.st_mtime)
                try:
                    complete = self._take(text, waits=waits)
                except Changed:
                    self.rotated = True
                if many:
                    text.close()
                if not complete:
                    break
        finally:
            for text in texts:
                text.close()
        if self._manifest != before:
            compact(self._folder, self._manifest)
            self._manifest.commit(self._folder)
        return self._report.ingested(complete=complete, notes=self._notes)

    def _sources(self) -> Iterable[Source]:
        return self._manifest.sources.values()

    def _in_turn(self, texts: Sequence[Text], *, close: bool) -> list[tuple[Text, Source | None]]:
        """Return the texts in the order in which they are read, each with the source that it goes on.

        First those that go on where they were: what they hold is then known when the others are compared. Those come
        in the order of the files.
        """
        known: list[tuple[Text, Source | None]] = []
        new: list[tuple[Text, Source | None]] = []
        for text in texts:
            try:
                source = continued(text, self._sources())
                (new if source is None else known).append((text, source))
            except Changed:
                self.rotated = True
            if close:
                text.close()
        known.sort(key=lambda pair: (pair[0].compressed, -(pair[0].size or 0)))
        return known + new

    def _opened(self, paths: Sequence[Path]) -> list[Text]:
        texts: list[Text] = []
        for path in paths:
            try:
                text = Text(path)
                if len(texts) >= _MOST_OPEN:
                    text.close()
                texts.append(text)
            except (FileNotFoundError, Changed):
                self.rotated = True
            except OSError as error:
                self._notes.append(f"{path} cannot be read ({error.strerror or error}); its records are not there.")
        return texts

    def _take(self, text: Text, *, waits: bool) -> bool:
        """Store what is new in one file. Returns False if it was told to stop before the end."""
        if not text.look:
            self._manifest.seen[str(text.path)] = text.seen(0, 0)
            return True
        try:
            reader = formats.reader_for(text.look, text.path.name)
        except GcsError as error:
            # Not marked as seen: the note is there as long as the file is.
            self._notes.append(f"{text.path} was left out. {error}")
            return True
        source = continued(text, self._sources()) or self._related(text, reader)
        if source is None:
            return True
        if isinstance(reader, formats.SpanningReader) and source.offset:
            source = self._cut(Shared(source, 0, 0), text)
        self._drop_copies(text, source)
        source = replace(self._drop_torn(source), path=str(text.path))
        self._manifest.sources[source.id] = source
        self._claimed.add(source.id)
        torn = store_blocks(
            self._folder, self._manifest, text, reader, source=source.id, report=self._report, waits=waits
        )
        if torn is None:
            return False
        if not any(part.records or part.rejects for part in self._manifest.parts_of(source.id)):
            # Nothing but comments: any other file may begin like that.
            self._remove(source.id)
            source = replace(source, id=0)
        self._manifest.seen[str(text.path)] = text.seen(source.id, torn)
        return True

    def _related(self, text: Text, reader: Reader) -> Source | None:
        """Return what to read `text` into: a branch, a source that was rewritten, a new one; None: nothing is new."""
        parts = self._manifest.parts_by_source()
        shared = [
            found
            for source in self._sources()
            if (found := common_prefix(text, source, parts.get(source.id, []), self._folder, reader))
        ]
        nearest = max(shared, key=lambda found: found.offset, default=None)
        if nearest is not None and self._is_copy(text, nearest, reader):
            self._manifest.seen[str(text.path)] = text.seen(nearest.source.id, 0)
            return None
        alike = {found.source.id for found in shared}
        shared += [
            Shared(source, 0, 0)
            for source in self._sources()
            if source.id not in alike and source.path == str(text.path)
        ]
        rewritten = [
            found
            for found in shared
            if found.source.id not in self._claimed
            and has_in_common(text, found.offset, reader, self._folder, self._manifest.parts_of(found.source.id))
        ]
        if rewritten:
            return self._replaced(rewritten, text)
        if nearest is not None and _has_records(text, nearest.offset):
            return self._new(text, nearest.offset, nearest.lines)
        return self._new(text, 0, 0)

    def _replaced(self, rewritten: Sequence[Shared], text: Text) -> Source:
        """Take out what a rewritten file held of all sources that it went into, and return the one to go on with."""
        going_on = max(rewritten, key=lambda found: (found.source.begin <= found.offset, found.offset))
        for found in rewritten:
            if found.source.id != going_on.source.id:
                cut = self._cut(found, text)
                self._manifest.sources[cut.id] = cut
                if not self._manifest.parts_of(cut.id):
                    self._remove(cut.id)
        return self._cut(going_on, text)

    def _is_copy(self, text: Text, shared: Shared, reader: Reader) -> bool:
        """Tell whether `text` holds nothing beyond what is shared, or a piece of the next line of that source."""
        source, offset, _ = shared
        block = next(iter(text.blocks(offset)), None)
        if block is None or block.kind == "broken":
            return _has_records(text, offset)  # a file that is just being compressed ends early, too
        if block.kind in {"whole", "long"} or block.end > source.offset + (source.torn[0] if source.torn else 0):
            return False
        # A copy that is just being made, or a file that was cut off within a line. Only bytes can tell.
        for path in [path for path, seen in self._manifest.seen.items() if seen.source == source.id]:
            with contextlib.suppress(OSError), Text(Path(path)) as other:
                if continued(other, [source]) is not None:
                    return other.read_at(offset, len(block.data)) == block.data
        return has_in_common(text, offset, reader, self._folder, self._manifest.parts_of(source.id))

    def _new(self, text: Text, offset: int, lines: int) -> Source:
        head = text.head[:offset]
        tail = text.tail(offset) or 0
        return Source(
            self._manifest.number(), str(text.path), offset, offset, head, lines, ((offset, tail),) if offset else ()
        )

    def _cut(self, shared: Shared, text: Text) -> Source:
        """Take out what is stored of a source from a place in its text on."""
        source, offset, lines = shared
        source = self._drop_torn(source)
        parts = self._manifest.parts_of(source.id)
        before = sum(part.records for part in parts)
        gone = [part for part in parts if part.end > offset]
        kept = []
        if gone and gone[0].begin < offset:
            part = gone[0]
            lines_before = source.lines - sum(part.lines for part in gone)
            records = stored_records(self._folder, [part], 0, offset)
            if records["_offset"].null_count():
                offset, lines = (
                    part.begin,
                    lines_before,
                )  # where its lines begin is not known: all of it is read again
            else:
                rejects = stored_rejects(self._folder, [part], 0, offset)
                stretch = Stretch(source.id, part.begin, offset)
                number = self._manifest.number()
                part = write_part(self._folder, number, stretch, records, rejects, lines=lines - lines_before)
                kept.append(force_part(self._folder, part))
        self._manifest.replace_parts(gone, kept)
        points = tuple(point for point in source.checkpoints if point[0] < offset)
        tail = text.tail(offset) or 0
        source = replace(
            source,
            begin=min(source.begin, offset),
            offset=offset,
            head=source.head[:offset],
            lines=lines,
            checkpoints=(*points, (offset, tail)),
            epoch=source.epoch + 1,
        )
        self._report.dropped(before - sum(part.records for part in self._manifest.parts_of(source.id)))
        return source

    def _drop_torn(self, source: Source) -> Source:
        """Take out the last line of a source that had no newline: it is read again, with what came behind it."""
        torn = [part for part in self._manifest.parts_of(source.id) if part.torn]
        if torn:
            self._manifest.replace_parts(torn, [])
        return replace(source, torn=None)

    def _drop_copies(self, text: Text, source: Source) -> None:
        """Take out the last lines, without newlines, of other sources that `text` holds whole.

        A copy that was read while it was being made was another text then; now it goes on like its original.
        """
        for other in [other for other in self._sources() if other.torn is not None and other.id != source.id]:
            if continued(text, [other]) is not None:
                self._manifest.sources[other.id] = self._drop_torn(other)
                if not self._manifest.parts_of(other.id):
                    self._remove(other.id)

    def _remove(self, source: int) -> None:
        self._manifest.replace_parts(self._manifest.parts_of(source), [])
        del self._manifest.sources[source]


def _has_records(text: Text, offset: int) -> bool:
    """Tell whether there is more than comments before `offset`."""
    lines = text.look[:offset].splitlines()
    return offset > len(text.look) or any(line.strip() and not line.startswith(b"#") for line in lines)
