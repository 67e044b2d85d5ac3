"""Read what ``qstat -xml`` prints: jobs, and with ``-f`` queue instances (8.1.9 and 9.x alike; qstat.xsd)."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET  # the scheduler's own output, from a program that we started
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.errors import DrmCommunication, Internal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JobRow", "QueueRow", "elements", "local_time", "parse_jobs", "parse_queues"]


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row of qstat. An array job has one for its waiting tasks and one for each running one.

    ``prio`` is the normalized priority (0 to 1); times are aware (UTC); ``tasks`` is as qstat prints it.
    """

    job_id: str
    letters: str
    name: str
    owner: str
    priority: float | None
    slots: int | None
    queue: str | None
    host: str | None
    submission_time: datetime | None
    start_time: datetime | None
    tasks: str | None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue instance of ``qstat -f``. ``state`` is "" when it is open, else its letters."""

    queue: str
    host: str
    slots_used: int
    slots_total: int
    load_avg: float | None
    arch: str | None
    state: str


def elements(document: bytes, *tags: str) -> Iterator[ET.Element]:
    """Yield the elements of `document` called `tags` as they end, and forget them afterwards.

    Raises
    ------
    Internal
        If it is not well-formed.
    DrmCommunication
        If it says that the qmaster could not be reached (8.1.9 prints that as XML, too).
    """
    if not document.strip():
        return
    try:
        for _, element in ET.iterparse(io.BytesIO(document), events=("end",)):  # noqa: S314
            if element.tag in tags:
                yield element
                element.clear()
            elif element.tag == "communication_error":
                raise DrmCommunication(
                    f"the Grid Engine master does not answer: {''.join(element.itertext()).strip()}"
                )
    except ET.ParseError as error:
        start = document[:80].decode("utf-8", "replace")
        raise Internal(
            f"qstat printed what is not XML ({error}): {start!r}. Report this with the version."
        ) from error


def local_time(text: str | None) -> datetime | None:
    """Return a time as qstat prints it (ISO, this machine's zone; 9.x with microseconds), in UTC."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _job(element: ET.Element, instance: str | None) -> JobRow:
    queue, _, host = (element.findtext("queue_name") or instance or "").partition("@")
    slots = _number(element.findtext("slots"))
    return JobRow(
        job_id=element.findtext("JB_job_number") or "",
        letters=element.findtext("state") or "",
        name=element.findtext("JB_name") or "",
        owner=element.findtext("JB_owner") or "",
        priority=_number(element.findtext("JAT_prio")),
        slots=None if slots is None else int(slots),
        queue=queue or None,
        host=host or None,
        submission_time=local_time(
            # 9.x calls it by the other name.
            element.findtext("JB_submission_time") or element.findtext("JAT_submission_time")
        ),
        start_time=local_time(element.findtext("JAT_start_time")),
        tasks=element.findtext("tasks"),
    )


def parse_jobs(document: bytes) -> list[JobRow]:
    """Return the jobs in the output of ``qstat -xml``. Raises as :func:`elements`."""
    return [_job(element, None) for element in elements(document, "job_list")]


def parse_queues(document: bytes) -> list[QueueRow]:
    """Return the queue instances in the output of ``qstat -f -xml``. Raises as :func:`elements`."""
    rows = []
    for element in elements(document, "Queue-List"):
        queue, _, host = (element.findtext("name") or "").partition("@")
        load = element.findtext("load_avg")
        arch = element.findtext("arch")
        rows.append(
            QueueRow(
                queue=queue,
                host=host,
                slots_used=int(element.findtext("slots_used") or 0),
                slots_total=int(element.findtext("slots_total") or 0),
                load_avg=_number(load),
                arch=None if arch in (None, "-NA-", "") else arch,
                state=element.findtext("state") or "",
            )
        )
    return rows
