"""Advance reservations as the ``jobs`` area asks for them, answered by the scheduler."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.reservation import ReservationWish
from gcs_lab.backends.embedded.wire import rebuild_error
from gcs_lab.vocabulary import ReservationInfo, SlotInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcs_lab.backends.embedded.client import Client
    from gcs_lab.errors import GcsError
    from gcs_lab.vocabulary import ReservationTemplate

__all__ = ["EmbeddedReservations"]

_REFUSALS = {
    "job_category": "A category is for jobs: name queue_name, parallel_environment and candidate_machines instead.",
    "native_specification": "Its options have attributes of their own: queue_name for -q, candidate_machines for "
    "-l hostname, parallel_environment with min_slots and max_slots for -pe.",
}


class EmbeddedReservations:
    """Reservations of the embedded cluster; methods as in :class:`~gcs_lab.jobs.protocol.ReservationsBackend`.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    supported_attributes = frozenset(
        {
            "candidate_machines",
            "duration",
            "end_time",
            "machine_arch",
            "machine_os",
            "max_slots",
            "min_phys_memory",
            "min_slots",
            "parallel_environment",
            "queue_name",
            "reservation_name",
            "start_time",
            "users_acl",
        }
    )
    refusals: Mapping[str, str] = MappingProxyType(_REFUSALS)

    def __init__(self, client: Client) -> None:
        self._client = client

    def request(self, template: ReservationTemplate) -> str:
        """Reserve, and return the reservation's id; it is durable then. Raises GcsError if there is none."""
        return str(self._client.ask("reserve", **asdict(_wish(template))))

    def terminate(self, reservation_ids: Collection[str]) -> dict[str, GcsError]:
        """Give reservations back, with the jobs in them; return what went wrong, by id."""
        # The token makes a question that is asked again, of a scheduler that died, harmless.
        told = self._client.ask("end_reservations", ids=list(reservation_ids), token=secrets.token_hex(16))
        return {reservation_id: rebuild_error(error) for reservation_id, error in told.items()}

    def info(self, reservation_ids: Collection[str] | None) -> dict[str, ReservationInfo]:
        """Return what is known of some reservations, those that are over too; None: of all that are not over."""
        ids = None if reservation_ids is None else list(reservation_ids)
        told = self._client.ask("reservations", ids=ids)
        return {reservation_id: _info(entry) for reservation_id, entry in told.items()}


def _wish(template: ReservationTemplate) -> ReservationWish:
    least = template.min_slots if template.min_slots is not None else 1
    most = template.max_slots if template.max_slots is not None else least
    system, processor = template.machine_os, template.machine_arch
    return ReservationWish(
        token=secrets.token_hex(16),
        name=template.reservation_name,
        start=_seconds(template.start_time),
        end=_seconds(template.end_time),
        duration=None if template.duration is None else float(template.duration),
        min_slots=least,
        max_slots=most,
        users=list(template.users_acl or []),
        queues=template.queue_name.split(",") if template.queue_name else [],
        environment=template.parallel_environment,
        candidate_machines=list(template.candidate_machines or []),
        min_phys_memory=template.min_phys_memory or 0,
        machine_os=None if system is None else system.name,
        machine_arch=None if processor is None else processor.name,
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _info(told: dict[str, Any]) -> ReservationInfo:
    return ReservationInfo(
        reservation_id=told["reservation_id"],
        reservation_name=told["name"],
        reserved_start_time=datetime.fromtimestamp(told["start"], UTC),
        reserved_end_time=datetime.fromtimestamp(told["end"], UTC),
        users_acl=list(told["users"]),
        reserved_slots=told["slots"],
        reserved_machines=[SlotInfo(host, slots) for host, slots in told["machines"]],
        state=told["state"],
        owner=told["owner"],
        message=told["message"],
    )
