"""The ``jobs`` area's protocol, answered by the scheduler."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.submission import SUPPORTED_ATTRIBUTES, submit_request
from gcs_lab.backends.embedded.wire import rebuild_error
from gcs_lab.jobs.protocol import Catalogue, Complex
from gcs_lab.vocabulary import Capability, JobInfo, JobState, JobStatus, SlotInfo

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.backends.embedded.client import Client
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.protocol import JobAction
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["EmbeddedJobs", "moment"]

#: What the scheduler honours of the standard's optional things; reservations and the like it does not have.
_CAPABILITIES = frozenset({Capability.JT_ACCOUNTINGID, Capability.JT_MAXSLOTS})


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since the epoch as an aware time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class EmbeddedJobs:
    """Jobs of the embedded cluster; methods as in :class:`~gcs_lab.jobs.JobsBackend`.

    Parameters
    ----------
    client
        Asks the scheduler.
    system
        Name for messages.
    """

    supported_attributes = SUPPORTED_ATTRIBUTES
    # An answer takes a fraction of a millisecond, for all jobs at once.
    poll_floor = 0.05

    def __init__(self, client: Client, system: str) -> None:
        self._client = client
        self.system = system

    def submit(self, template: JobTemplate) -> str:
        """Submit one job and return its id; it is durable then. Raises GcsError if there is no job."""
        return str(self._client.ask("submit", **submit_request(template).to_wire()))

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids`; return what went wrong, by id."""
        return self._control(action.value, job_ids)

    def clear_error(self, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Let jobs in error state (``Eqw``) wait again, as ``qmod -cj`` does; return what went wrong, by id."""
        return self._control("clear", job_ids)

    def _control(self, action: str, job_ids: Collection[str]) -> dict[str, GcsError]:
        # The token makes a question that is asked again, of a scheduler that died, harmless.
        failures = self._client.ask("control", action=action, ids=list(job_ids), token=secrets.token_hex(16))
        return {job_id: rebuild_error(told) for job_id, told in failures.items()}

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the state of every one of `job_ids`; an unknown one is ``UNDETERMINED`` and says so."""
        told = self._client.ask("status", ids=list(job_ids))
        return {job_id: _status(told.get(job_id)) for job_id in job_ids}

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return all that is known of each of `job_ids`; an unknown one is left out."""
        return {job_id: _info(told) for job_id, told in self._client.ask("info", ids=list(job_ids)).items()}

    def job_ids(self) -> list[str]:
        """Return the ids of the jobs that have not ended, oldest first."""
        return [str(job_id) for job_id in self._client.ask("job_ids")]

    def catalogue(self) -> Catalogue:
        """Return the queues, parallel environments and complexes of ``cluster.toml``."""
        told = self._client.ask("catalogue")
        return Catalogue(
            queues=tuple(told["queues"]),
            parallel_environments=tuple(told["parallel_environments"]),
            complexes=tuple(Complex(**entry) for entry in told["complexes"]),
        )

    def supports(self, capability: Capability) -> bool:
        """Tell whether the standard's optional ability is there."""
        return capability in _CAPABILITIES


def _status(told: dict[str, Any] | None) -> JobStatus:
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


def _info(told: dict[str, Any]) -> JobInfo:
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
        raw={name: str(value) for name, value in outcome.items()} | {"account": told["account"]},
    )
