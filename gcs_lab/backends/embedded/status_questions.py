"""The questions of the ``status`` area: rows of jobs, queue instances, hosts, and all that is known of a job."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.detail_reports import details_report
from gcs_lab.backends.embedded.reports import hosts_report, queue_instances_report
from gcs_lab.backends.embedded.task_rows import columns_of
from gcs_lab.backends.embedded.usage_samples import UsageSamples

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["JOBS_AT_ONCE", "StatusQuestions"]

#: Jobs in one answer: between two of them, some 30 ms each, the scheduler does its other work.
JOBS_AT_ONCE = 2_000


class StatusQuestions:
    """Answers what the status area asks.

    Parameters
    ----------
    scheduler
        Who knows.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._usage = UsageSamples(scheduler)
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "task_rows": self._task_rows,
            "usage": lambda asked: self._usage.since(asked["number"]),
            "queue_instances": lambda _: queue_instances_report(scheduler),
            "hosts": lambda _: hosts_report(scheduler),
            "complexes": self._complexes,
            "job_details": lambda asked: details_report(asked["ids"], scheduler),
        }

    def _task_rows(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the rows of some jobs, and where the next question goes on.

        Who asks first (or has missed too much) lists all jobs, in the order of their ids, in several answers: each is
        asked for with ``after``. From then on only the jobs are told of that ``changed`` since ``number``: what was
        known of these is to be forgotten, ``rows`` has those that have not ended.
        """
        log, jobs = self._scheduler.row_log, self._scheduler.jobs
        after = asked.get("after")
        if asked.get("epoch") == log.epoch and after is not None:
            return self._listing(asked["number"], after)
        if not log.knows(asked.get("epoch"), asked.get("number")):
            return self._listing(log.number, None)
        changed, number = log.since(asked["number"], JOBS_AT_ONCE)
        return {
            "epoch": log.epoch,
            "number": number,
            "changed": changed,
            "rows": columns_of(jobs[job_id] for job_id in changed if job_id in jobs),
            "more": number < log.number,
        }

    def _listing(self, number: int, after: int | None) -> dict[str, Any]:
        jobs = self._scheduler.jobs
        ids = iter(jobs) if after is None else (job_id for job_id in jobs if job_id > after)
        chosen = list(itertools.islice(ids, JOBS_AT_ONCE))
        return {
            "epoch": self._scheduler.row_log.epoch,
            # What changes while all are listed is asked for at the end.
            "number": number,
            "first": after is None,
            "after": chosen[-1] if len(chosen) == JOBS_AT_ONCE else None,
            "rows": columns_of(jobs[job_id] for job_id in chosen),
            "more": True,
        }

    def _complexes(self, _: dict[str, Any]) -> dict[str, list[Any]]:
        known = list(self._scheduler.layout.complexes_by_name.values())
        return {
            "name": [each.name for each in known],
            "shortcut": [each.shortcut for each in known],
            "type": [each.type for each in known],
            "relation": [each.relation for each in known],
            "requestable": ["YES" if each.requestable else "NO" for each in known],
            "consumable": [each.consumable for each in known],
            # As the standard ones of Grid Engine: nothing is consumed unasked, and nothing makes a job urgent.
            "default": ["0" if each.consumable != "NO" else "NONE" for each in known],
            "urgency": [0.0] * len(known),
        }
