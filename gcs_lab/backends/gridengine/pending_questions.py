"""Ask a cell why jobs wait: a few commands for all jobs that are asked for at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.job_details_xml import parse_details
from gcs_lab.backends.gridengine.pending_analysis import Evidence, in_scheduling_order, is_free_to_start, reasons_of
from gcs_lab.backends.gridengine.pending_xml import parse_pending_jobs
from gcs_lab.backends.gridengine.qquota_xml import parse_quotas
from gcs_lab.backends.gridengine.qstat_xml import JobRow, parse_queues
from gcs_lab.backends.gridengine.schedd_messages import Topic, parse_messages, parse_verdicts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from gcs_lab.backends.gridengine.job_rows import JobRows
    from gcs_lab.backends.gridengine.pending_xml import PendingJob
    from gcs_lab.backends.gridengine.qstat_xml import QueueRow
    from gcs_lab.backends.gridengine.schedd_messages import Messages, Said
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.jobs.protocol import ReservationsBackend
    from gcs_lab.vocabulary import PendingReason

__all__ = ["PendingQuestions"]

#: For so many kinds of jobs the scheduler is asked to try: each try costs it as much as a pass for one job.
_MOST_TRIES = 20


class PendingQuestions:
    """Answers why jobs wait.

    One ``qstat`` for the rows of all jobs (their order is the scheduler's), one ``qstat -j`` for those that wait,
    with the scheduler's messages. Only for held ones: who holds them (``qstat -s hu|ho|hs``). Only for those that
    nothing but the cluster keeps back: the queues (``qstat -f``), what the empty cluster could give
    (``qalter -w v``), and, as far as the scheduler's messages do not tell, what it could give now (``qalter -w p``);
    for one of each kind of jobs that ask for the same. Only if a quota is the reason: ``qquota``.

    Parameters
    ----------
    cell
        The cell.
    rows
        Asks its qstat.
    reservations
        Knows when the reservations begin that jobs ask for.
    user
        Whose jobs ``qalter`` may be asked about.
    """

    def __init__(self, cell: SgeCell, rows: JobRows, reservations: ReservationsBackend, user: str) -> None:
        self._cell, self._rows, self._reservations, self._user = cell, rows, reservations, user

    def of(self, jobs: Collection[str]) -> dict[str, list[PendingReason]]:
        """Return the reasons of those of `jobs` (and array jobs as a whole) that are in the queue.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        everything: dict[str, list[JobRow]] = {}
        for row in self._rows.of_all():
            everything.setdefault(row.job_id, []).append(row)
        present = {job: everything[job] for job in jobs if job in everything}
        waiting = {job: rows for job, rows in present.items() if not all(row.start_time for row in rows)}
        found: dict[str, list[PendingReason]] = {job: [] for job in present}
        if not waiting:
            return found
        document = run_command(self._cell, ["qstat", "-j", ",".join(waiting), "-xml"]).stdout
        wants, messages = parse_pending_jobs(document), parse_messages(document)
        errors = parse_details(document) if any("E" in r.letters for rows in waiting.values() for r in rows) else {}
        involved = {*waiting, *(other for wanted in wants.values() for other in wanted.all_before)}
        held = self._held_by({job for job in involved if any("h" in row.letters for row in everything.get(job, ()))})
        free = {
            job: wants[job] for job, rows in waiting.items() if job in wants and is_free_to_start(wants[job], rows)
        }
        queues, now, empty = self._try(free, messages)
        said = [one for job in free for one in [*messages.by_job.get(job, ()), *now.get(job, ())]]
        quotas = self._quotas() if any(one.topic is Topic.QUOTA for one in said) else {}
        begins = self._begins({wanted.reservation for wanted in free.values() if wanted.reservation is not None})
        others = in_scheduling_order(everything)
        for job, rows in waiting.items():
            if job not in wants:
                # It left the queue between the two questions.
                del found[job]
                continue
            found[job] = reasons_of(
                Evidence(
                    wants[job],
                    rows,
                    others,
                    queues,
                    self._user,
                    held=held,
                    error=errors[job].error_reason if job in errors else None,
                    messages=messages.by_job.get(job, ()),
                    everywhere=messages.everywhere,
                    verdict_now=now.get(job),
                    verdict_empty=empty.get(job),
                    quotas=quotas,
                    reservation_begins=begins.get(wants[job].reservation or ""),
                )
            )
        return found

    def _held_by(self, jobs: set[str]) -> dict[str, str]:
        """Return the letters of those who hold jobs, by job (``{"5": "uo"}``)."""
        if not jobs:
            return {}
        with ThreadPoolExecutor(3) as pool:
            found = dict(zip("uos", pool.map(lambda who: self._rows.of(jobs, held_by=who), "uos"), strict=True))
        return {job: "".join(who for who, some in found.items() if job in some) for job in jobs}

    def _try(
        self, free: Mapping[str, PendingJob], messages: Messages
    ) -> tuple[list[QueueRow], dict[str, list[Said]], dict[str, list[Said]]]:
        """Return the queues, and what the cluster could give to jobs now, and if it were empty."""
        if not free:
            return [], {}, {}
        kinds: dict[tuple[object, ...], list[str]] = {}
        for job, wanted in free.items():
            if wanted.owner == self._user:
                kinds.setdefault(wanted.alike, []).append(job)
        alike = {some[0]: some for some in list(kinds.values())[:_MOST_TRIES]}
        by_job = messages.by_job
        silent = [job for job in alike if not by_job.get(job) or any(one.topic is Topic.QUOTA for one in by_job[job])]
        with ThreadPoolExecutor(3) as pool:
            queues = pool.submit(ask, self._cell, ["qstat", "-f", "-xml"])
            now = pool.submit(self._verdicts, "p", silent)
            empty = pool.submit(self._verdicts, "v", list(alike))
            return (
                parse_queues(queues.result().stdout),
                _for_all_alike(now.result(), alike),
                _for_all_alike(empty.result(), alike),
            )

    def _verdicts(self, how: str, jobs: list[str]) -> dict[str, list[Said]]:
        if not jobs:
            return {}
        # Its exit status is 1 where a job cannot run.
        return parse_verdicts(run_command(self._cell, ["qalter", "-w", how, ",".join(jobs)]).said, jobs)

    def _begins(self, reservation_ids: set[str]) -> dict[str, datetime | None]:
        if not reservation_ids:
            return {}
        known = self._reservations.info(reservation_ids)
        return {reservation_id: info.reserved_start_time for reservation_id, info in known.items()}

    def _quotas(self) -> dict[str, str]:
        return parse_quotas(ask(self._cell, ["qquota", "-xml"]).stdout)


def _for_all_alike(verdicts: Mapping[str, list[Said]], alike: Mapping[str, list[str]]) -> dict[str, list[Said]]:
    return {job: said for first, said in verdicts.items() for job in alike[first]}
