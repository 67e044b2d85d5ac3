"""The ``jobs`` area's protocol, answered by the scheduler."""

from __future__ import annotations

import dataclasses
import functools
import secrets
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.answers import array_status, job_event, job_info, job_status, machine_info
from gcs_lab.backends.embedded.reservations_backend import EmbeddedReservations
from gcs_lab.backends.embedded.submission import refusals, submit_request, supported_attributes
from gcs_lab.backends.embedded.submit_request import NAMES
from gcs_lab.backends.embedded.wire import rebuild_error
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.protocol import Catalogue, Complex, EventBatch
from gcs_lab.vocabulary import (
    ArrayStatus,
    Capability,
    JobInfo,
    JobStatus,
    MachineInfo,
    PendingReason,
    QueueInfo,
    ReasonKind,
    TaskRange,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gcs_lab.backends.embedded.client import Client
    from gcs_lab.backends.embedded.submit_request import SubmitRequest
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs import JobChanges
    from gcs_lab.jobs.protocol import JobAction, ReservationsBackend
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["EmbeddedJobs"]

#: What the scheduler honours of the standard's optional things, whatever ``cluster.toml`` says.
_CAPABILITIES = frozenset(
    {
        Capability.ADVANCE_RESERVATION,
        Capability.BULK_JOBS_MAXPARALLEL,
        Capability.CALLBACK,
        Capability.JT_ACCOUNTINGID,
        Capability.JT_DEADLINE,
        Capability.JT_MAXSLOTS,
        Capability.JT_STAGING,
        Capability.RESERVE_SLOTS,
        Capability.RT_DURATION,
        Capability.RT_MACHINEARCH,
        Capability.RT_MACHINEOS,
        Capability.RT_STARTNOW,
    }
)
#: What the cluster can do is asked again after so long.
ABILITIES_SECONDS = 5.0
#: Jobs of one chunk have all but this many entries of their requests in common.
_MOST_DIFFERENCES = 8
_ENTRIES = tuple(name for name in NAMES if name != "submitter")


class EmbeddedJobs:
    """Jobs of the embedded cluster; methods as in :class:`~gcs_lab.jobs.JobsBackend`.

    Parameters
    ----------
    client
        Asks the scheduler.
    system
        Name for messages.
    """

    # An answer takes a fraction of a millisecond, for all jobs at once.
    poll_floor = 0.05

    def __init__(self, client: Client, system: str) -> None:
        self._client = client
        self.system = system
        self.reservations: ReservationsBackend | None = EmbeddedReservations(client)
        self._abilities: tuple[float, bool] | None = None

    @property
    def supported_attributes(self) -> frozenset[str]:
        """Attributes that are honoured; those of mail if ``cluster.toml`` says how it is sent."""
        return supported_attributes(mail=self._sends_mail())

    @property
    def refusals(self) -> Mapping[str, str]:
        """For attributes that are not honoured: what to use instead."""
        return refusals(mail=self._sends_mail())

    def _sends_mail(self) -> bool:
        # It changes only when the scheduler is started anew, which checks each submission itself.
        now = time.monotonic()
        if self._abilities is None or now > self._abilities[0]:
            self._abilities = (now + ABILITIES_SECONDS, bool(self._client.ask("abilities")["mail"]))
        return self._abilities[1]

    # --- submission ---

    def submit(self, template: JobTemplate, token: str | None = None) -> str:
        """Submit one job and return its id; it is durable then. Raises GcsError if there is no job."""
        request = submit_request(template, self._category, token=token)
        return str(self._client.ask("submit", **request.to_wire()))

    def submit_many(self, templates: Sequence[JobTemplate], tokens: Sequence[str] | None = None) -> list[str]:
        """Submit many jobs in one transaction, all or none, and return their ids, in order."""
        if tokens is not None and len(tokens) != len(templates):
            raise InvalidArgument(f"{len(tokens)} tokens for {len(templates)} templates; expected one for each.")
        if not templates:
            return []
        given = tokens if tokens is not None else [None] * len(templates)
        category = functools.cache(self._category)
        requests = [submit_request(each, category, token=token) for each, token in zip(templates, given, strict=True)]
        return [str(number) for number in self._client.ask("submit_many", chunks=_chunks(requests))]

    def submit_array(
        self, template: JobTemplate, tasks: TaskRange, max_parallel: int | None = None, token: str | None = None
    ) -> str:
        """Submit an array job and return its id; it costs the same for one task and for 100,000."""
        request = submit_request(template, self._category, token=token)
        wire = {**request.to_wire(), "tasks": [tasks.begin, tasks.end, tasks.step], "max_parallel": max_parallel}
        return str(self._client.ask("submit", **wire))

    def find_submissions(self, tokens: Collection[str]) -> dict[str, str]:
        """Return the ids of the jobs that were submitted with `tokens`, by token."""
        found: dict[str, str] = self._client.ask("find_submissions", tokens=list(tokens))
        return found

    def _category(self, name: str) -> str:
        """Return the options of a job category. Raises UnknownName if there is none of that name."""
        return str(self._client.ask("category", name=name))

    # --- control ---

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids`; return what went wrong, by id."""
        return self._act("control", job_ids, action=action.value)

    def alter(self, changes: JobChanges, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Change what jobs and whole arrays ask for, in one transaction; return what went wrong, by id.

        Of one that runs only name and priority can be altered; of an array some of whose tasks run, all but
        consumables and ``h_rt``.
        """
        return self._act("alter", job_ids, changes=dataclasses.asdict(changes))

    def _act(self, do: str, job_ids: Collection[str], **given: Any) -> dict[str, GcsError]:
        # The token makes a question that is asked again, of a scheduler that died, harmless.
        failures = self._client.ask(do, ids=list(job_ids), token=secrets.token_hex(16), **given)
        return {job_id: rebuild_error(told) for job_id, told in failures.items()}

    # --- questions ---

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the state of every one of `job_ids`; an unknown one is ``UNDETERMINED`` and says so."""
        told = self._client.ask("status", ids=list(job_ids))
        return {job_id: job_status(told.get(job_id)) for job_id in job_ids}

    def array_status(self, array_ids: Collection[str]) -> dict[str, ArrayStatus]:
        """Return the states of all tasks of array jobs, a byte each; what is no array is left out."""
        told = self._client.ask("array_status", ids=list(array_ids))
        return {array_id: array_status(found) for array_id, found in told.items()}

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return all that is known of each of `job_ids`; an unknown one is left out."""
        return {job_id: job_info(told) for job_id, told in self._client.ask("info", ids=list(job_ids)).items()}

    def pending_reasons(self, job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        """Return why jobs and array jobs have not started, as the scheduler sees it; unknown ones are left out."""
        told: dict[str, list[list[Any]]] = self._client.ask("pending_reasons", ids=list(job_ids))
        return {
            job_id: [PendingReason(ReasonKind(kind), *more) for kind, *more in reasons]
            for job_id, reasons in told.items()
        }

    def job_ids(self) -> list[str]:
        """Return the ids of the jobs that have not ended, oldest first."""
        return [str(number) for number in self._client.ask("job_ids")]

    def all_jobs(self) -> list[JobInfo]:
        """Return what is known of the jobs that have not ended; the waiting tasks of an array stand together."""
        return [job_info(told) for told in self._client.ask("all_jobs")]

    def queues(self) -> list[QueueInfo]:
        """Return the cluster queues."""
        told: list[dict[str, Any]] = self._client.ask("queues")
        return [QueueInfo(**{**queue, "machines": tuple(queue["machines"])}) for queue in told]

    def machines(self) -> list[MachineInfo]:
        """Return the virtual hosts; load and swap are those of this machine."""
        return [machine_info(told) for told in self._client.ask("machines")]

    def events(self, cursor: str | None) -> EventBatch:
        """Return what happened since `cursor`, from the scheduler's memory of the last changes."""
        told = self._client.ask("events", cursor=cursor)
        return EventBatch(told["cursor"], tuple(map(job_event, told["events"])), gap=told["gap"])

    def catalogue(self) -> Catalogue:
        """Return the names that ``cluster.toml`` gives."""
        told = self._client.ask("catalogue")
        return Catalogue(
            queues=tuple(told["queues"]),
            parallel_environments=tuple(told["parallel_environments"]),
            complexes=tuple(Complex(**entry) for entry in told["complexes"]),
            job_categories=tuple(told["job_categories"]),
            hosts=tuple(told["hosts"]),
            # A scheduler that an earlier version started, and that still has jobs, does not tell.
            pe_slots=dict(told.get("pe_slots", {})),
        )

    def supports(self, capability: Capability) -> bool:
        """Tell whether the standard's optional ability is there."""
        if capability is Capability.JT_EMAIL:
            return self._sends_mail()
        return capability in _CAPABILITIES


def _chunks(requests: Sequence[SubmitRequest]) -> list[dict[str, Any]]:
    """Return requests so that what is alike is sent once: what is ``common``, and what differs for ``each``."""
    chunks: list[dict[str, Any]] = []
    first: SubmitRequest | None = None
    for request in requests:
        differs: dict[str, Any] = {}
        if first is not None:
            differs = {
                name: getattr(request, name) for name in _ENTRIES if getattr(request, name) != getattr(first, name)
            }
            if request.submitter != first.submitter:
                differs["submitter"] = dataclasses.asdict(request.submitter)
        if first is None or len(differs) > _MOST_DIFFERENCES:
            first = request
            chunks.append({"common": request.to_wire(), "each": [{}]})
        else:
            chunks[-1]["each"].append(differs)
    return chunks
