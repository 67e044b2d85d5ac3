"""The questions that the ``accounting`` area answers by figures: sums, waits, efficiency, failures, slots in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice, ChoiceWords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    import pandas as pd

    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.accounting.store import Store

__all__ = ["Questions"]


class Questions:
    """What :class:`~gcs_lab.accounting.area.Accounting` answers from a store; it says what holds for all of them."""

    backend: AccountingBackend

    @property
    def store(self) -> Store:
        """Where the records are kept."""
        raise NotImplementedError

    def summary(
        self, by: str | Sequence[str] = (), *, in_turn: bool = False, **choice: Unpack[ChoiceWords]
    ) -> pd.DataFrame:
        """Return what was used, one row a group: qacct's sums with qacct's arithmetic, and beside them our own.

        Parameters
        ----------
        by
            Columns of text (``"owner"``, ``"queue"``, ``"project"`` …), ``"slots"``, ``"queue_instance"``, or a time
            (of the end, UTC): ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"year"``. Empty: one row of totals.
        in_turn
            Add up one record after the other, in the order of the files. A sum that lies half way between two of the
            digits that qacct prints is rounded by the errors of its additions; in turn they are the same, and so are
            all digits. It takes longer, and nothing is remembered.
        choice
            As for :meth:`records`.

        Returns
        -------
        pandas.DataFrame
            `by`, then ``records``, ``jobs`` (jobs and tasks: a rerun counts once), ``failed`` (failed or exit
            status other than 0), ``slot_seconds``, ``wait_mean`` (s), then what qacct prints under WALLCLOCK UTIME
            STIME CPU (s) MEMORY (GiB s) IO (GiB) IOW (s), as ``wallclock utime stime cpu memory io io_wait``. qacct
            multiplies nothing by slots. Sorted by the groups, as qacct sorts them.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.summary import summarise

        return frame_from(summarise(self.store, by, Choice.of(choice), in_turn=in_turn))

    def waits(
        self,
        by: str | Sequence[str] = (),
        *,
        quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99),
        **choice: Unpack[ChoiceWords],
    ) -> pd.DataFrame:
        """Return how long jobs waited from submission to start, in seconds: jobs, mean, max and quantiles.

        Parameters
        ----------
        by
            As for :meth:`summary`; times are those of the submission, and there are ``"hour_of_day"`` (0 to 23),
            ``"weekday"`` (1 is Monday) and ``"hour_of_week"`` (0 is Monday 0:00, UTC). Empty: all.
        quantiles
            Shares from 0 to 1; 0.5 becomes the column ``q50``. Jobs that never started are not counted.
        choice
            As for :meth:`records`.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.waits import waits

        return frame_from(waits(self.store, by, quantiles, Choice.of(choice)))

    def wait_distribution(
        self, by: str | Sequence[str] = (), *, edges: Sequence[float] | None = None, **choice: Unpack[ChoiceWords]
    ) -> pd.DataFrame:
        """Return how many jobs waited how long: a row for each group and bin, ``from``, ``to`` (s), jobs, share.

        `edges` are the bins' bounds in seconds; None: 0, 1, 10 s, 1, 5, 15 min, 1, 4, 12 h, 1, 3, 7 days.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.waits import distribution

        return frame_from(distribution(self.store, by, edges, Choice.of(choice)))

    def efficiency(self, by: str | Sequence[str] = ("owner",), **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Return what was used of what was kept from others, a row a group.

        ``cpu_efficiency`` is CPU seconds by slot seconds; ``memory_used`` and ``time_used`` are max_vmem by the
        memory asked for (h_vmem, else s_vmem, else mem_free …, times slots) and wallclock by h_rt (else s_rt), of
        the jobs that asked for it, weighted by slot seconds; ``slot_seconds_idle`` is what was kept and not computed
        with; ``memory_idle`` is byte seconds asked for and never touched. The most wasteful is first.
        """
        from gcs_lab.accounting.efficiency import efficiency
        from gcs_lab.accounting.frames import frame_from

        return frame_from(efficiency(self.store, by, Choice.of(choice)))

    def failures(self, by: str | Sequence[str] = ("reason",), **choice: Unpack[ChoiceWords]) -> pd.DataFrame:
        """Return what failed, and why in words.

        Parameters
        ----------
        by
            ``"reason"``: how often each cause was. Else as for :meth:`summary` (``"host"``, ``"owner"`` …): records,
            failed, ``rate``, ``others``, ``reason`` (the most frequent) and ``unlikely``. ``others`` is the rate of
            all the others together; of a host it is what others have, in the queues that it serves. ``unlikely`` is
            the probability that at least one of all groups has so many or more at that rate, so that a bad node
            stands out: it is first. Jobs of one array or user fail together; how many count as one is found from how
            much the groups differ (:mod:`gcs_lab.accounting.chance`).
        choice
            As for :meth:`records`.
        """
        from gcs_lab.accounting.failures import failures
        from gcs_lab.accounting.frames import frame_from

        return frame_from(failures(self.store, by, Choice.of(choice)))

    def utilisation(
        self,
        freq: str = "1h",
        by: str | None = None,
        *,
        capacity: float | None = None,
        peak: bool = False,
        **choice: Unpack[ChoiceWords],
    ) -> pd.DataFrame:
        """Return the slots in use over time, exact from the jobs' starts and ends.

        Parameters
        ----------
        freq
            Width of a bin: ``"15m"``, ``"1h"``, ``"1d"``, ``"1w"``.
        by
            A column of text to split by; None: all together.
        capacity
            Slots that there are; None: what the system says that it has now, if it says so.
        peak
            Whether to find the most slots in use at once in each bin, too; that takes longer.
        choice
            As for :meth:`records`; `since` and `until` (or `before`) bound the bins, and every job that ran within
            them counts for the time that it did, whenever it started or ended.

        Returns
        -------
        pandas.DataFrame
            ``time`` (begin of the bin), `by`, ``slots`` (mean in use), ``running`` (mean of jobs), ``slot_seconds``
            (within the bin: their sum is that of all jobs' slots times run time); with a capacity ``capacity`` and
            ``share``, with `peak` ``slots_max``. A job runs from start to end, also while it
            is suspended. Processes of parallel jobs with records of their own are left out.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.utilisation import utilisation

        slots = self.backend.capacity() if capacity is None else capacity
        return frame_from(utilisation(self.store, freq, by, slots, Choice.of(choice), peak=peak))

    def top(
        self, n: int = 10, by: str = "owner", measure: str = "slot_seconds", **choice: Unpack[ChoiceWords]
    ) -> pd.DataFrame:
        """Return the `n` groups with most of a measure, its share of all, and the rest of :meth:`summary`.

        `by` may be ``"job_id"``; `measure` is a column of :meth:`summary`.
        """
        from gcs_lab.accounting.frames import frame_from
        from gcs_lab.accounting.top import top

        return frame_from(top(self.store, n, by, measure, Choice.of(choice)))

    def compare(
        self,
        first: Any,
        second: Any,
        by: str | Sequence[str] = (),
        *,
        measures: Sequence[str] = ("jobs", "slot_seconds", "cpu", "failed", "wait_mean"),
        **choice: Unpack[ChoiceWords],
    ) -> pd.DataFrame:
        """Return two periods side by side: for each measure of :meth:`summary` both, difference and ratio.

        A period is ``"2026-10"`` (a month), ``"2026-10-05"`` (a day), or a pair of times from and to, the second not
        included. It holds what ended in it.
        """
        from gcs_lab.accounting.compare import compare
        from gcs_lab.accounting.frames import frame_from

        return frame_from(compare(self.store, first, second, by, measures=measures, words=choice))
