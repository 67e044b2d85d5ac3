"""The records of a cluster, kept as Parquet: read once, and from then on only what was appended."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.classic_scan import scan_direct
from gcs_lab.accounting.ingest import Ingest, changed_files, identities
from gcs_lab.accounting.ingest_parts import reject_schema
from gcs_lab.accounting.ingest_qacct import ingest_qacct, qacct_source
from gcs_lab.accounting.ingest_report import Report
from gcs_lab.accounting.manifest import Manifest, load_manifest
from gcs_lab.accounting.manifest import stamp as manifest_stamp
from gcs_lab.accounting.progress_face import progress_face
from gcs_lab.accounting.store_direct import Background, remainder
from gcs_lab.accounting.store_grouped import Question, Remembered
from gcs_lab.accounting.store_place import Place, store_folder
from gcs_lab.accounting.store_raw import raw_lines
from gcs_lab.accounting.store_repair import broken_parts, repair
from gcs_lab.accounting.tables import record_schema
from gcs_lab.errors import InvalidArgument, OutOfResource, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from gcs_lab.accounting.manifest import Part
    from gcs_lab.accounting.progress import Ingested, Progress, Totals
    from gcs_lab.accounting.store_grouped import Aggregation, Reach

__all__ = ["Store", "store_folder"]

_Window = tuple[float | None, float | None]
_ALWAYS: _Window = (None, None)
#: Seconds before qacct is asked again: on years of records it takes as many itself.
ASK_AGAIN = 30.0
#: How often files are read that are rotated each time meanwhile.
_MOST_TURNS = 5
#: The process that used a store, and a child that it forked.
_PROCESSES: set[int] = set()


class Store:
    """The records of `files`, kept in `folder`.

    All methods may be called from several threads, and several processes may have a store in one folder: one of them
    writes at a time, and the others wait for it where they need what it is reading.

    Parameters
    ----------
    folder
        Where the store lives; see :func:`store_folder`. Where it cannot be written, the store lives in a temporary
        folder of this process, and :attr:`notes` says so.
    files
        Asked at each refresh: rotated files first, the growing one last. Plain or compressed.
    qacct
        Asked where `files` gives none: text of ``qacct -j`` of records that ended at a time or later.
    """

    def __init__(
        self,
        folder: Path,
        files: Callable[[], Sequence[Path]],
        *,
        qacct: Callable[[float | None], bytes | None] | None = None,
    ) -> None:
        self._files = files
        self._qacct = qacct
        self._place = Place(folder)
        self._remembered = Remembered(self._place.folder)
        self._manifest = Manifest()
        self._stamp: tuple[int, ...] | None = None
        self._whole = False
        self._file_notes: list[str] = []
        self._asked: float | None = None
        self._background: Background | None = None
        # One refresh at a time; the other is held only while the list of contents is looked at.
        self._refreshing = threading.RLock()
        self._mutex = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the store lives."""
        return self._place.folder

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know: where the store lives if not in its folder, files that could not be read."""
        return (*([self._place.note] if self._place.note else []), *self._file_notes)

    def refresh(
        self, progress: Callable[[Progress], None] | None = None, stop: threading.Event | None = None
    ) -> Ingested:
        """Read what came since, and keep it. Cheap when nothing did: one ``stat`` a file.

        `progress` is called from this thread a few times a second; None: somebody who looks (a notebook, a terminal)
        sees a bar where it takes long. `stop` (and KeyboardInterrupt) end it between two
        blocks: what was read stays, and the next one goes on from there.

        Raises
        ------
        OutOfResource
            If the disk is full; what was stored before is still there.
        """
        self._stop_background()
        self._whole = False  # who asks for it may know that something is missing
        return self._refresh(progress, stop)

    def _refresh(self, progress: Callable[[Progress], None] | None, stop: threading.Event | None) -> Ingested:
        with self._refreshing:
            paths = list(self._files())
            report = Report(progress, stop)
            manifest = self._current()
            self._check(manifest)
            changed, self._file_notes = changed_files(manifest, paths)
            # Records are asked of qacct only where no file ever gave any: they would be there twice.
            ask = self._qacct if not paths and len(manifest.sources) == (qacct_source(manifest) is not None) else None
            now = time.monotonic()
            if ask is not None and self._asked is not None and now - self._asked < ASK_AGAIN:
                ask = None
            if not changed and self._whole and ask is None:
                return report.ingested(complete=True, notes=self.notes)
            with self._place.writing(lambda: report.wait("another process is reading the records")) as held:
                if not held:
                    return report.ingested(complete=False, notes=self.notes)
                ingested = self._write(paths, ask, report)
                self._asked = now if ask is not None else self._asked
                return ingested

    def _check(self, manifest: Manifest) -> None:
        """Look once whether every part is there."""
        if not self._whole:
            self._whole = not broken_parts(manifest, self._place.sizes())

    def _write(
        self, paths: Sequence[Path], ask: Callable[[float | None], bytes | None] | None, report: Report
    ) -> Ingested:
        """Bring the store up to date; the lock is held."""
        manifest = self._current().copy()
        self._place.sweep(manifest)
        notes = []
        broken = broken_parts(manifest, self._place.sizes())
        asked = qacct_source(manifest) if paths else None
        try:
            if broken:
                notes.append(repair(manifest, broken))
            if asked is not None:
                # Now there are files: they hold the same records.
                manifest.replace_parts(manifest.parts_of(asked.id), [])
                del manifest.sources[asked.id]
            if broken or asked is not None:
                manifest.commit(self.folder)
            self._whole = True
            if ask is not None:
                ingested = ingest_qacct(self.folder, manifest, ask, report)
            else:
                ingested = self._read(paths, manifest, report)
        except (OSError, pl.exceptions.PolarsError) as error:
            with contextlib.suppress(OSError):
                self._place.sweep(self._current())
            if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
                raise OutOfResource(
                    f"The records could not be stored: no space is left where {self.folder} is. What was stored "
                    "before is still there. Make room, or set GCS_LAB_HOME to a folder on a larger disk; reading "
                    "goes on where it stopped."
                ) from error
            raise
        self._file_notes = [*notes, *ingested.notes]
        return ingested._replace(notes=self.notes)

    def _read(self, paths: Sequence[Path], manifest: Manifest, report: Report) -> Ingested:
        """Read what is new in `paths`; again where they were rotated between being listed and being opened."""
        for _ in range(_MOST_TURNS):
            before = identities(paths)
            run = Ingest(self.folder, manifest, report)
            ingested = run.run(paths)
            paths = list(self._files())
            if not ingested.complete or (identities(paths) == before and not run.rotated):
                break
        return ingested

    def _current(self) -> Manifest:
        """Return the list of contents as it is on the disk."""
        _refuse_forks()
        with self._mutex:
            now = manifest_stamp(self.folder)
            if now != self._stamp or now is None:
                self._manifest, self._stamp = load_manifest(self.folder), now
            return self._manifest

    def scan(
        self, columns: Collection[str] | None = None, *, ended: _Window = _ALWAYS, refresh: bool = True
    ) -> pl.LazyFrame:
        """Return all records, lazily: the columns of RECORD_COLUMNS, or those of them that are named.

        Everything is in it that the files hold now (`refresh` False: that the store holds now, without a look at the
        files). Much that is not stored yet is read straight from a plain classic file when the frame is collected,
        while a thread stores it. `ended` (seconds since the epoch; None: open) only *skips* parts of the store that
        cannot hold a record that ended then: the caller still filters. Rows of one file are in its
        order. Collect it soon: what it reads may be put together with other parts, and is removed an hour after that.

        Raises
        ------
        InvalidArgument
            If a column is not one of RECORD_COLUMNS.
        """
        names = _columns(columns)
        manifest, direct = self._up_to_date(names) if refresh else (self._current(), [])
        stored = self._frame(_within(manifest.parts, ended), names)
        return pl.concat([stored, *direct]) if direct else stored

    def _up_to_date(self, columns: Sequence[str]) -> tuple[Manifest, list[pl.LazyFrame]]:
        """Return what is stored, and frames of what is missing there: a thread stores that meanwhile."""
        manifest = self._current()
        self._check(manifest)
        missing = remainder(manifest, list(self._files())) if self._whole else None
        frames = [scan_direct(one.path, columns, one.start, one.end) for one in missing or ()]
        # None of a frame: the file was compressed since it was looked at.
        if missing is None or any(frame is None for frame in frames):
            with progress_face() as shown:
                self._stop_background()
                self._refresh(shown, None)
            return self._current(), []
        if self._background is None or not self._background.running:
            length = sum(one.end - one.start for one in missing)
            self._background = Background(lambda stop: self._refresh(None, stop), length)
        return manifest, [frame.select(columns) for frame in frames if frame is not None]

    def _stop_background(self) -> None:
        if self._background is not None:
            self._background.stop()
            self._background = None

    def _frame(self, parts: Iterable[Part], columns: Sequence[str]) -> pl.LazyFrame:
        files = [self.folder / f"{part.name}.parquet" for part in parts if part.size]
        if not files:
            return pl.DataFrame(schema=record_schema()).lazy().select(columns)
        return pl.scan_parquet(files, glob=False).select(columns)

    def grouped(
        self,
        by: Mapping[str, pl.Expr] | Sequence[str],
        aggregations: Mapping[str, Aggregation],
        where: pl.Expr | None = None,
        *,
        ended: _Window = _ALWAYS,
        keep: bool = True,
        refresh: bool = True,
    ) -> pl.DataFrame:
        """Return sums, counts, minima and maxima by group, remembering them for all that is stored.

        Parameters
        ----------
        by
            Names of columns, or named expressions over RECORD_COLUMNS
            (``{"day": pl.col("end_time").dt.truncate("1d")}``). Empty: one row for everything, also when there is no
            record at all (sums 0, minima null).
        aggregations
            Name of the column: what it holds, ``Aggregation("sum", pl.col("cpu"))``. Kinds: sum, count (not null),
            len (all rows), min, max. Means are sums over counts.
        where
            Which records, as an expression over RECORD_COLUMNS.
        ended
            As of :meth:`scan`.
        keep
            False for a question that will not come again (a window that ends "now"): it is not remembered.
        refresh
            As of :meth:`scan`.

        Returns
        -------
        pl.DataFrame
            The columns of `by`, then the aggregations; sorted by the groups. What is remembered is keyed by the
            expressions themselves (their serialised form), so the same question must be built in the same way.
        """
        groups = by if hasattr(by, "items") else {name: pl.col(name) for name in by}
        question = Question(dict(groups), dict(aggregations), where)  # type: ignore[arg-type]
        names = _columns(question.columns()) or ["end_time"]
        manifest, direct = self._up_to_date(names) if refresh else (self._current(), [])
        parts = _within(manifest.parts, ended)
        if not keep:
            return question.sorted(question.partial(pl.concat([self._frame(parts, names), *direct])))
        whole = [part for part in parts if not part.torn]
        torn = [part for part in parts if part.torn and part.records]

        def beyond(reach: Reach) -> pl.LazyFrame | None:
            return self._beyond(reach, whole, names)

        answer = self._remembered.answer(question, manifest, beyond, extra=ended)
        rest = [*([self._frame(torn, names)] if torn else []), *direct]
        if rest:
            answer = question.merged([answer, question.partial(pl.concat(rest))])
        return question.sorted(answer)

    def _beyond(self, reach: Reach, parts: Sequence[Part], columns: Sequence[str]) -> pl.LazyFrame | None:
        """Return the records of `parts` that are beyond a reach; None where a part's lines have no known places."""
        after = [part for part in parts if part.begin >= reach.get(part.source, (0, part.begin))[1]]
        frames = [self._frame(after, columns)]
        for part in parts:
            offset = reach.get(part.source, (0, part.begin))[1]
            if part.size and part.begin < offset < part.end:
                file = pl.scan_parquet(self.folder / f"{part.name}.parquet", glob=False)
                if file.select(pl.col("_offset").null_count()).collect().item():
                    return None
                frames.append(file.filter(pl.col("_offset") >= offset).select(columns))
        return pl.concat(frames) if len(frames) > 1 else frames[0]

    def rejects(self) -> pl.DataFrame:
        """Return the lines that are no records: file, line (from 1), offset, reason, text; at most 10,000 a file."""
        manifest = self._current()
        names = {seen.source: path for path, seen in manifest.seen.items()}
        frames = [pl.DataFrame(schema={"file": pl.String(), **reject_schema()})]
        parts_of = manifest.parts_by_source()
        for source in manifest.sources.values():
            parts = parts_of.get(source.id, [])
            lines = source.lines - sum(part.lines for part in parts if not part.torn)
            file = pl.lit(names.get(source.id, source.path)).alias("file")
            for part in parts:
                if part.kept:
                    one = pl.read_parquet(self.folder / f"{part.name}.rejects.parquet")
                    numbered = one.select(file, pl.col("line") + lines + 1, "offset", "reason", "text")
                    frames.append(numbered)
                lines += part.lines
        return pl.concat(frames)

    def raw(self, job_id: str, task: int | None = None) -> list[str]:
        """Return the raw lines of a job (of one task), as far as the files that they came from are still there."""
        return raw_lines(self.folder, self._current(), list(self._files()), job_id, task)

    def forget(self, head: bytes) -> None:
        """Take out what was read of files that begin with `head`; one that is still there is read again."""
        self._stop_background()
        with self._refreshing, self._place.writing(lambda: None):
            manifest = self._current().copy()
            gone = {source.id for source in manifest.sources.values() if source.head.startswith(head)}
            manifest.replace_parts([part for part in manifest.parts if part.source in gone], [])
            manifest.sources = {number: one for number, one in manifest.sources.items() if number not in gone}
            manifest.seen = {path: seen for path, seen in manifest.seen.items() if seen.source not in gone}
            manifest.commit(self.folder)

    def totals(self) -> Totals:
        """Return what the store holds, from its list of contents; no record is read."""
        return self._current().totals()

    @property
    def span(self) -> tuple[float | None, float | None]:
        """First and last end of a job, in seconds since the epoch."""
        totals = self.totals()
        return totals.first_end, totals.last_end

    def close(self) -> None:
        """Stop what is being stored in the background, and let go of memory. The store can be used again."""
        self._stop_background()
        self._remembered.forget()


def _refuse_forks() -> None:
    """Refuse a process that was forked from one that had used a store: the threads of polars are not in it.

    Without this it would wait for ever.
    """
    _PROCESSES.add(os.getpid())
    if len(_PROCESSES) > 1:
        raise UnsupportedOperation(
            "This process was forked from one that had read records of accounting before, and the library that reads "
            "them (polars) does not outlive that. Expected a process of its own: "
            "multiprocessing.get_context('spawn'). Or ask in the parent, and hand over the answer."
        )


def _columns(columns: Collection[str] | None) -> list[str]:
    schema = record_schema()
    if columns is None:
        return list(schema)
    unknown = [name for name in columns if name not in schema]
    if unknown:
        raise InvalidArgument(f"A record has no column {', '.join(unknown)}; it has {', '.join(schema)}.")
    return list(columns)


def _within(parts: Sequence[Part], ended: _Window) -> list[Part]:
    """Return the parts that can hold a record that ended in a window; those whose ends are not known among them."""
    since, until = ended
    return [
        part
        for part in parts
        if not (
            part.first_end is not None
            and part.last_end is not None
            and ((since is not None and part.last_end < since) or (until is not None and part.first_end > until))
        )
    ]
