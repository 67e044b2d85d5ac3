"""Read ``qstat -j ID,ID -xml`` into the details of the ``status`` area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_details_facts import facts_of, queues_of
from gcs_lab.backends.gridengine.job_details_paths import OutputPaths
from gcs_lab.backends.gridengine.job_details_xml import (
    error_reason_of,
    jobs_in,
    resources_of,
    task_range_of,
    time_of,
    usage_of,
)
from gcs_lab.backends.gridengine.schedd_messages import Topic, parse_messages
from gcs_lab.status.protocol import JobDetails, TaskDetails

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

    from gcs_lab.backends.gridengine.qstat_xml import JobRow

__all__ = ["read_details"]

#: Tasks that are told of one job.
_MOST_TASKS = 1000
#: Of what holds for the whole cluster ("queue … dropped because it is full") there may be a line a queue instance.
_MOST_MESSAGES = 100
#: Names of the usage so far (UA_name) and what they are called here, with what makes them bytes and seconds.
_USAGE = {
    "wallclock": ("wallclock", 1.0),
    "cpu": ("cpu", 1.0),
    "io": ("io", float(1 << 30)),  # GB, in 9.x too (ptf.cc)
    "vmem": ("vmem", 1.0),
    "maxvmem": ("max_vmem", 1.0),
    "maxrss": ("max_rss", 1.0),
}
#: These are 0 where they are not known yet; `qstat -j` prints N/A.
_UNKNOWN_AS_ZERO = {"vmem", "max_vmem", "max_rss"}


def read_details(document: bytes, rows: Mapping[str, Sequence[JobRow]]) -> dict[str, JobDetails]:
    """Return the jobs in such a document, by id.

    Parameters
    ----------
    document
        What qstat printed.
    rows
        The rows of ``qstat`` of the same jobs, by id: 8.1.9 tells only there where a task runs, and its letters.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    messages = parse_messages(document)
    everywhere = [said.text for said in messages.everywhere if said.topic is not Topic.KNOWN_OTHERWISE]
    found = {}
    for job in jobs_in(document):
        job_id = job.findtext("JB_job_number") or ""
        if job_id:
            own = [said.text for said in messages.by_job.get(job_id, ())]
            mine = rows.get(job_id, ())
            waits = any(row.start_time is None for row in mine)
            said = tuple((own + (everywhere if waits else []))[:_MOST_MESSAGES])
            found[job_id] = _details(job, job_id, mine, said)
    return found


def _details(job: ET.Element, job_id: str, rows: Sequence[JobRow], messages: tuple[str, ...]) -> JobDetails:
    facts = facts_of(job)
    tasks = task_range_of(job)
    paths = OutputPaths.of(job)
    environment = job.findtext("JB_pe") or ""
    slots = facts.get("pe_range", "")
    return JobDetails(
        job_id=job_id,
        name=job.findtext("JB_job_name") or "",
        owner=job.findtext("JB_owner") or "",
        facts=facts,
        submission_time=time_of(job.findtext("JB_submission_time")),
        command=job.findtext("JB_script_file") or "",
        arguments=tuple(entry.findtext("ST_name") or "" for entry in job.iterfind("JB_job_args/*")),
        working_directory=paths.working_directory,
        project=job.findtext("JB_project") or None,
        queues=queues_of(job),
        parallel_environment=f"{environment} {slots}".strip() if environment else None,
        requests=resources_of(job, "hard"),
        soft_requests=resources_of(job, "soft"),
        posix_priority=int(facts.get("priority") or 0),
        waits_for=_waits_for(job),
        task_range=None if tasks is None else _range_text(tasks.begin, tasks.end, tasks.step),
        max_parallel=int(job.findtext("JB_ja_task_concurrency") or 0) or None,
        tasks=_tasks(job, rows, paths, array=tasks is not None),
        messages=messages,
    )


def _range_text(first: int, last: int, step: int) -> str:
    return f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"


def _waits_for(job: ET.Element) -> tuple[str, ...]:
    lists = ("JB_jid_predecessor_list", "JB_ja_ad_predecessor_list")
    numbers = [e.text or "" for tag in lists for e in job.iterfind(f"{tag}/*/JRE_job_number")]
    return tuple(dict.fromkeys(number for number in numbers if number not in ("", "0")))


def _tasks(job: ET.Element, rows: Sequence[JobRow], paths: OutputPaths, *, array: bool) -> tuple[TaskDetails, ...]:
    """Return the tasks that have started or are in error state."""
    by_task = {int(row.tasks): row for row in rows if row.tasks is not None and row.tasks.isdecimal()}
    single = rows[0] if rows and not array else None
    tasks = []
    for element in job.iterfind("JB_ja_tasks/*"):
        index = int(element.findtext("JAT_task_number") or 1)
        row = by_task.get(index) if array else single
        started = time_of(element.findtext("JAT_start_time"))
        message = error_reason_of(element) or ""
        if started is None and not message:
            continue  # it only waits
        host = None if row is None else row.host
        stdout, stderr = paths.of_task(index if array else None, host)
        tasks.append(
            TaskDetails(
                task=index if array else None,
                letters="" if row is None else row.letters,
                queue=None if row is None else row.queue,
                host=host,
                start_time=started,
                usage=_usage(element),
                stdout_path=stdout,
                stderr_path=stderr,
                message=message,
            )
        )
        if len(tasks) == _MOST_TASKS:
            break
    return tuple(tasks)


def _usage(element: ET.Element) -> dict[str, float]:
    usage = {}
    for name, value in usage_of(element).items():
        if name in _USAGE:
            called, factor = _USAGE[name]
            if value or called not in _UNKNOWN_AS_ZERO:
                usage[called] = value * factor
    return usage
