"""One record of accounting: the classic line of 45 fields (sge_accounting(5)) and the JSON line of OCS 9.x."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

__all__ = ["FIELDS", "AccountingRecord", "parse_record"]

_ORDER = """
qname hostname group owner job_name job_number account priority submission_time start_time end_time failed
exit_status ru_wallclock ru_utime ru_stime ru_maxrss ru_ixrss ru_ismrss ru_idrss ru_isrss ru_minflt ru_majflt
ru_nswap ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw project department granted_pe
slots task_number cpu mem io category iow pe_taskid maxvmem arid ar_submission_time
"""
#: The 45 fields of a classic record, in order.
FIELDS = tuple(_ORDER.split())
_CATEGORY = FIELDS.index("category")
_AFTER = len(FIELDS) - _CATEGORY - 1


@dataclass(frozen=True)
class AccountingRecord:
    """How a job ended. Times are aware (UTC), durations are seconds, memory is bytes; None: not told.

    ``start_time`` is None for a job that never began. ``category`` carries the requests as qsub got them. ``raw`` is
    the record, each value as text.
    """

    job_id: str
    task: int
    name: str
    owner: str
    queue: str | None
    host: str | None
    failed: int
    exit_status: int
    submission_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    wallclock: float | None
    cpu: float | None
    max_vmem: int | None
    max_rss: int | None
    slots: int | None
    category: str
    deleted_by: str | None
    raw: dict[str, str]

    @property
    def id(self) -> str:
        """The id of the job or task: ``"5"``, ``"5.3"``."""
        return f"{self.job_id}.{self.task}" if self.task else self.job_id

    def requests(self) -> dict[str, str]:
        """Return the resources that the job asked for (``-l`` in its category)."""
        words = self.category.split()
        wanted = [after for word, after in pairwise(words) if word == "-l"]
        pairs = [pair.partition("=") for part in wanted for pair in part.split(",")]
        return {name: value for name, equals, value in pairs if equals}


def _when(value: Any, unit: float) -> datetime | None:
    seconds = float(value or 0) / unit
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def _name(value: Any) -> str | None:
    return None if value in (None, "", "NONE", "UNKNOWN") else str(value)


def _positive(value: Any) -> int | None:
    number = int(float(value or 0))
    return number if number > 0 else None


def _classic(line: str) -> dict[str, str] | None:
    """Split a classic line; only ``category`` may have a ``:`` of its own, so it is what is left in the middle."""
    left = line.split(":", _CATEGORY)
    if len(left) != _CATEGORY + 1:
        return None
    right = left[-1].rsplit(":", _AFTER)
    return dict(zip(FIELDS, left[:-1] + right, strict=True)) if len(right) == _AFTER + 1 else None


def _json(line: str) -> dict[str, Any] | None:
    record = json.loads(line)
    usage = record.pop("usage", {})
    record |= usage.get("rusage", {})
    # 9.0.0 to 9.0.5 called it "usage".
    record |= usage.get("eusage") or usage.get("usage") or {}
    return dict(record)


def parse_record(line: str) -> AccountingRecord | None:
    """Return the record in `line`; None for a comment or a line that is none."""
    line = line.strip()
    try:
        if not line or line.startswith("#"):
            return None
        modern = line.startswith("{")
        values = _json(line) if modern else _classic(line)
        return None if values is None else _record(values, 1e6 if modern else 1.0)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _record(values: dict[str, Any], unit: float) -> AccountingRecord:
    wallclock = values.get("wallclock", values.get("ru_wallclock"))
    return AccountingRecord(
        job_id=str(values["job_number"]),
        task=int(values.get("task_number") or 0),
        name=str(values.get("job_name") or ""),
        owner=str(values.get("owner") or ""),
        queue=_name(values.get("qname")),
        host=_name(values.get("hostname")),
        failed=int(values["failed"]),
        exit_status=int(values["exit_status"]),
        submission_time=_when(values.get("submission_time"), unit),
        start_time=_when(values.get("start_time"), unit),
        end_time=_when(values.get("end_time"), unit),
        wallclock=None if wallclock is None else float(wallclock),
        cpu=float(values.get("cpu") or 0),
        max_vmem=_positive(values.get("maxvmem")),
        # ru_maxrss is the kernel's figure in KiB of one process; maxrss (9.x) is bytes of all of the job's.
        max_rss=_positive(values.get("maxrss")) or 1024 * (_positive(values.get("ru_maxrss")) or 0) or None,
        slots=_positive(values.get("slots")),
        category=str(values.get("category") or ""),
        deleted_by=_name(values.get("deleted_by")),
        raw={name: str(value) for name, value in values.items()},
    )
