"""From the scheduler's answers to the words of DRMAA2."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.arch_words import architecture_of, operating_system_of
from gcs_lab.vocabulary import (
    ArrayStatus,
    Event,
    JobEvent,
    JobInfo,
    JobState,
    JobStatus,
    MachineInfo,
    SlotInfo,
    TaskRange,
    Version,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["array_status", "job_event", "job_info", "job_status", "machine_info", "moment"]


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since the epoch as an aware time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def job_status(told: dict[str, Any] | None) -> JobStatus:
    """Return the short answer about a job; None: the scheduler knows no such job."""
    if told is None:
        return JobStatus(JobState.UNDETERMINED, annotation="the embedded cluster knows no such job")
    return JobStatus(
        JobState(told["state"]),
        told["sub_state"],
        queue_name=told["queue"],
        machine_name=told["host"],
        slots=told["slots"],
        annotation=told["annotation"],
    )


def array_status(told: dict[str, Any]) -> ArrayStatus:
    """Return the states of all tasks of an array."""
    return ArrayStatus(
        TaskRange(*told["tasks"]),
        tuple((JobState(state), letters) for state, letters in told["palette"]),
        zlib.decompress(base64.b64decode(told["codes"])),
        {int(index): str(text) for index, text in told["annotations"]},
    )


def job_info(told: dict[str, Any]) -> JobInfo:
    """Return all that is known of a job."""
    outcome = told["outcome"]
    return JobInfo(
        job_id=str(told["job_id"]),
        job_state=JobState(told["state"]),
        job_sub_state=told["sub_state"],
        exit_status=outcome.get("exit_status"),
        terminating_signal=outcome.get("terminating_signal"),
        annotation=told["annotation"],
        allocated_machines=[SlotInfo(host, slots) for host, slots in told["machines"]],
        submission_machine=told["submission_host"],
        job_owner=told["owner"],
        slots=told["slots"],
        queue_name=told["queue"],
        wallclock_time=outcome.get("wallclock"),
        cpu_time=outcome.get("cpu"),
        submission_time=moment(told["submitted"]),
        dispatch_time=moment(told["dispatched"]),
        finish_time=moment(told["finished"]),
        job_name=told["name"],
        max_vmem=outcome.get("max_vmem") or None,
        max_rss=outcome.get("max_rss") or None,
        failed=outcome.get("failed"),
        deleted_by=told["deleted_by"],
        resource_requests=dict(told["requests"]),
        raw={name: str(value) for name, value in outcome.items()}
        | {name: told[name] for name in ("account", "granted_pe")},
    )


def job_event(told: Sequence[Any]) -> JobEvent:
    """Return what happened to a job, to a task, or to all tasks of an array."""
    job_id, task_id, event, state, letters, when = told
    return JobEvent(
        Event(event),
        f"{job_id}.{task_id}" if task_id else str(job_id),
        JobState(state),
        str(letters),
        datetime.fromtimestamp(when, UTC),
    )


def machine_info(told: dict[str, Any]) -> MachineInfo:
    """Return a virtual host."""
    arch = told["arch"]
    major, _, minor = str(told["os_version"]).partition(".")
    return MachineInfo(
        name=told["name"],
        available=told["available"],
        sockets=told["sockets"],
        cores_per_socket=told["cores_per_socket"],
        threads_per_core=told["threads_per_core"],
        load=told["load"],
        phys_memory=told["phys_memory"],
        virt_memory=told["virt_memory"],
        machine_os=operating_system_of(arch),
        machine_os_version=Version(major, minor),
        machine_arch=architecture_of(arch),
        raw={"arch": arch},
    )
