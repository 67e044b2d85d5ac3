"""The ``accounting`` area of a cluster: what it did, what it cost, what went wrong, what to ask for next time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice, ChoiceWords
from gcs_lab.accounting.lives import Lives
from gcs_lab.accounting.questions import Questions
from gcs_lab.errors import InvalidArgument, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from typing import Unpack

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from gcs_lab.accounting.advice import Advice
    from gcs_lab.accounting.one_job import JobRecords
    from gcs_lab.accounting.progress import Ingested, Progress, Totals
    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.accounting.store import Store
    from gcs_lab.accounting.wait_estimate import WaitEstimate

__all__ = ["Accounting"]


class Accounting(Questions):
    """All records of accounting of one system, read once, kept in columns, and asked.

    Every question looks for what was appended since the last one. The records' columns, with unit, source and
    meaning, are those of :meth:`columns`. The keywords that narrow a question are the same everywhere: they are the
    attributes of :class:`~gcs_lab.accounting.choice.Choice`, and qacct's filters are among them. Answers are pandas
    DataFrames: times UTC, durations seconds, memory bytes, missing is ``<NA>``.

    What all questions raise: InvalidArgument (UnknownName, FilterError), if a word says nothing, before anything is
    read; DeniedByDrms, if the records may not be read from here; OutOfResource, if the disk is full.

    Parameters
    ----------
    backend
        The system, or files: :func:`gcs_lab.open_accounting`.
    cluster
        Its name.
    system
        What runs it, for people.
    live
        Returns the tasks that have not ended, as the table of tasks of ``gcs_lab.status``; None: nobody tells.
    folder
        Where the store of records is kept; None: in the user's cache.
    """

    def __init__(
        self,
        backend: AccountingBackend,
        *,
        cluster: str = "",
        system: str = "",
        live: Callable[[], pa.Table] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.backend = backend
        self.cluster, self.system = cluster, system or cluster
        self._live, self._folder = live, folder
        self._guard = threading.Lock()
        self._opened: Store | None = None
        self._lives = Lives()

    def __repr__(self) -> str:
        return f"<Accounting of {self.system}>"

    @property
    def store(self) -> Store:
        """Where the records are kept; it is opened at the first question."""
        with self._guard:
            if self._opened is None:
                from gcs_lab.accounting.opening import store_of

                self._opened = store_of(self.backend, self._folder)
            return self._opened

    # -- the records ------------------------------------------------------------------------------------------

    def records(self, columns: Collection[str] | None = None, **choice: Unpack[ChoiceWords]) -> pl.LazyFrame:
        """Return the records that are meant, up to date, as a lazy polars frame: what all questions build on.

        Only the columns that are asked for are read. The order of the rows is not fixed.

        Parameters
        ----------
        columns
            Names out of :meth:`columns`, kept in that order; None: all of RECORD_COLUMNS and DERIVED_COLUMNS.
        choice
            Which records: the attributes of :class:`~gcs_lab.accounting.choice.Choice`.
        """
        from gcs_lab.accounting.truth import lazy_records

        return lazy_records(self.store, columns, Choice.of(choice))

    def frame(self, columns: Collection[str] | None = None, **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Return the records that are meant, one row each, the earliest end first.

        A frame holds all of its rows in memory: some 600 bytes a record with all columns, some 10 a column of
        numbers. Name the `columns` that you need where there are millions; from a million rows on, the columns are
        Arrow's (``ArrowDtype``), which takes half of that. For more than fits, :meth:`arrow` has a reader, and
        :meth:`records` computes without holding.

        Parameters
        ----------
        columns, choice
            As for :meth:`records`.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.truth import in_order

        return frame_from(in_order(self.store, columns, Choice.of(choice)).collect())

    def arrow(
        self, columns: Collection[str] | None = None, *, reader: bool = False, **choice: Unpack[ChoiceWords]
    ) -> pa.Table | pa.RecordBatchReader:
        """Return the records that are meant as a ``pyarrow.Table``, or, as a `reader`, batch by batch.

        A reader needs memory for a few batches only, whatever their number; its rows are in no order.
        """
        from gcs_lab.accounting.frames import reader_from, table_from
        from gcs_lab.accounting.truth import in_order

        if reader:
            return reader_from(self.records(columns, **choice))
        return table_from(in_order(self.store, columns, Choice.of(choice)).collect())

    def sql(self, query: str, **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Answer a ``select``; the table is ``records``, with the columns of :meth:`columns`.

        It is polars' SQL: select, where, group by, having, order by, limit, distinct, union, joins of subqueries,
        CTEs (``with``), case, window functions, and the functions of
        https://docs.pola.rs/py-polars/html/reference/sql. Names that are words of SQL stand in double quotes:
        ``"group"``.

        Raises
        ------
        InvalidArgument
            If the query cannot be read, or asks for something else than an answer.
        """
        from gcs_lab.accounting.sql import answer

        return answer(self, query, choice)

    def job(self, job: int | str, task: int | None = None) -> JobRecords:
        """Return all records of a job, or of a task (``"4711.3"``): shown as by ``qacct -j``, with why it failed.

        Raises
        ------
        UnknownName
            If there is no record of it (yet).
        """
        from gcs_lab.accounting.one_job import records_of_job

        return records_of_job(self, job, task)

    # -- what the records teach -------------------------------------------------------------------------------

    def families(self, *, by_owner: bool = True, **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Return the families of jobs alike by name, command and category: their jobs and what they used."""
        from gcs_lab.accounting.families import families
        from gcs_lab.accounting.frames import as_pandas

        return as_pandas(families(self.records(**choice), by_owner=by_owner))

    def advice(
        self,
        job_family: str | int | Mapping[str, Any],
        *,
        share: float = 0.95,
        margin: float = 0.2,
        **choice: Unpack[ChoiceWords],
    ) -> Advice:
        """Return what jobs like these should ask for: requested against used, and what would have been enough.

        Parameters
        ----------
        job_family
            A name or pattern (``"fit_*"``), a job's id ("jobs like that"), or a template.
        share
            Share of the jobs for which it is to be enough.
        margin
            What is put on top of that.
        choice
            As for :meth:`records`.
        """
        from gcs_lab.accounting.advice import advise

        return advise(self.records(**choice), job_family, share=share, margin=margin)

    def wait_estimate(self, template: Any = None, **choice: Unpack[ChoiceWords]) -> WaitEstimate:
        """Return how long a job like this would wait, with the error that held-out records show (docs/advice.md).

        Parameters
        ----------
        template
            A job template, or a mapping: queue, slots, parallel_environment, requests (h_rt and h_vmem are looked
            at), owner.
        choice
            Which records it is learned from, as for :meth:`records`; but what a template says, too (``owner="ann"``),
            is of the job: it waits for what everybody runs.

        Raises
        ------
        InvalidArgument
            If a value says nothing, or the keywords say something else than the template.
        """
        from gcs_lab.accounting.advice_template import read_template, with_words
        from gcs_lab.accounting.wait_estimate import estimate

        wanted, rest = with_words(read_template(template), choice)
        records = self.records(**rest)
        # What was learned is kept until there are other records.
        generation = (str(self.store.folder), self.store.totals().records, repr(sorted(rest.items())))
        return estimate(records, wanted, live=self._live_tasks(), key=generation)

    def timeline(self, **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Return jobs that ended and those that have not, on one time axis: pending to finished is one row."""
        from gcs_lab.accounting.frames import as_pandas
        from gcs_lab.accounting.timeline import timeline

        return as_pandas(timeline(self.store, Choice.of(choice), self._lives, self._live))

    def explore(self, **options: Any) -> Any:
        """Return the explorer: all of this to look at, live, in the cell (docs/explorer.md).

        Parameters
        ----------
        options
            As :func:`gcs_lab.widgets.explorer.explore` takes them.

        Raises
        ------
        UnsupportedOperation
            If no explorer is installed.
        """
        from importlib.metadata import entry_points

        # By name: the faces live on a higher floor.
        for point in entry_points(group="gcs_lab.faces", name="explorer"):
            return point.load()(self, **options)
        raise UnsupportedOperation(
            "no explorer is installed: the package's entry point gcs_lab.faces/explorer is missing. Install it again "
            "(`pip install --force-reinstall --no-deps gcs-lab`, in a checkout `make lab`)."
        )

    # -- other records ----------------------------------------------------------------------------------------

    def reporting(self, kind: str | None = None) -> Any:
        """Return the records of ``reporting`` by kind (``job_log``, ``host`` …), or those of one kind, as frames."""
        from gcs_lab.accounting.other_records import other_records
        from gcs_lab.accounting.reporting import read_reporting

        return other_records(self, "reporting", read_reporting, kind)

    def monitoring(self, kind: str | None = None) -> Any:
        """Return the records of ``monitoring.jsonl`` (9.0.2 and later) by kind of thread, or of one, as frames."""
        from gcs_lab.accounting.monitoring import read_monitoring
        from gcs_lab.accounting.other_records import other_records

        return other_records(self, "monitoring", read_monitoring, kind)

    def share_tree(self, kind: str | None = "nodes") -> Any:
        """Return what ``sge_share_mon`` wrote of the share tree, one row a node and time; None: with the rejects."""
        from gcs_lab.accounting.other_records import other_records
        from gcs_lab.accounting.share_tree import read_share_tree

        return other_records(self, "share_tree", read_share_tree, kind)

    # -- the store --------------------------------------------------------------------------------------------

    def refresh(
        self, progress: Callable[[Progress], None] | None = None, stop: threading.Event | None = None
    ) -> Ingested:
        """Read what was appended. Every question does so by itself; this one tells how far it has come.

        Parameters
        ----------
        progress
            Called now and then; None: where somebody looks (a notebook, a terminal), a bar shows it.
        stop
            Set it to stop; what was read is kept, and the next time goes on there.
        """
        if progress is not None:
            return self.store.refresh(progress, stop)
        from gcs_lab.accounting.progress_face import progress_face

        with progress_face() as shown:
            return self.store.refresh(shown, stop)

    def totals(self) -> Totals:
        """Return how many records, rejects, bytes and files there are, and the first and last end."""
        self.refresh()
        return self.store.totals()

    @property
    def notes(self) -> tuple[str, ...]:
        """What you should know, in sentences, such as which files could not be read."""
        notes, totals = self.store.notes, self.store.totals()
        if totals.rejects:
            notes = (*notes, f"Lines that are no records: {totals.rejects:,}; accounting.rejects() tells why.")
        if not totals.files and not self.backend.record_files():
            notes = (*notes, f"There is no file of accounting of {self.system or 'this system'} (yet).")
        return notes

    def rejects(self) -> pd.DataFrame:
        """Return the lines that are no records: file, line, offset, reason, and their beginning."""
        from gcs_lab.accounting.frames import frame_from

        self.refresh()
        return frame_from(self.store.rejects())

    def columns(self) -> pd.DataFrame:
        """Return the columns of a record: name, type, unit, field of sge_accounting(5), meaning, derived or not."""
        import pandas as pd

        from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS, Column

        frame = pd.DataFrame([*RECORD_COLUMNS, *DERIVED_COLUMNS], columns=list(Column._fields))
        frame["derived"] = [False] * len(RECORD_COLUMNS) + [True] * len(DERIVED_COLUMNS)
        return frame

    def close(self) -> None:
        """End what still reads in the background; the store stays."""
        with self._guard:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _live_tasks(self) -> pa.Table | None:
        return None if self._live is None else self._live()

    def __len__(self) -> int:
        raise InvalidArgument("how many records there are says accounting.totals().records.")
