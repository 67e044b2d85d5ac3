"""Advance reservations by ``qrsub``, ``qrstat`` and ``qrdel``."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.carried_values import carried_name, carried_text
from gcs_lab.backends.gridengine.commands import Answer, ask, error_of, run_command
from gcs_lab.backends.gridengine.date_times import utc_date_time
from gcs_lab.backends.gridengine.job_categories import category_options
from gcs_lab.backends.gridengine.machine_requests import machine_requests
from gcs_lab.backends.gridengine.parallel_slots import slots_option
from gcs_lab.backends.gridengine.qrstat_xml import parse_reservation_ids, parse_reservations
from gcs_lab.backends.gridengine.qsub_options import Option, parse_options, refuse_twice
from gcs_lab.errors import CommandFailed, DeniedByDrms, GcsError, Internal, InvalidArgument, InvalidState
from gcs_lab.vocabulary import Capability, ReservationTemplate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import ReservationInfo

__all__ = ["RESERVATION_CAPABILITIES", "GridEngineReservations", "reservation_options"]

#: What this module adds to what a cell can do.
RESERVATION_CAPABILITIES = frozenset(
    {
        Capability.ADVANCE_RESERVATION,
        Capability.RESERVE_SLOTS,
        Capability.RT_STARTNOW,
        Capability.RT_DURATION,
        Capability.RT_MACHINEOS,
        Capability.RT_MACHINEARCH,
    }
)
_GRANTED = re.compile(r"reservation (\d+) has been granted")
_DELETED = re.compile(r"(?:has deleted|registered).*?reservation (\d+)")
_WRONG = re.compile(
    r"in the past|later than|not known as a user|unknown|does not exist|can't resolve|not a valid|usage"
)
#: Times have no zone on the command line and in the answers; so both are UTC.
_UTC = {"TZ": "UTC"}
#: What qrsub(1) takes of what a job category may have.
_OF_QRSUB = ("-A", "-ckpt", "-l", "-m", "-M", "-masterq", "-pe", "-q")
_ATTRIBUTES_OF = {
    "-N": ("reservation_name",), "-a": ("start_time",), "-e": ("end_time",), "-d": ("duration",),
    "-u": ("users_acl",), "-q": ("queue_name",), "-pe": ("parallel_environment", "min_slots", "max_slots"),
}  # fmt: skip
#: A start that lies this far back (or less than a second ahead) was meant as "now" when it was written down.
_NOW = timedelta(seconds=5)
_AT_ONCE = 500


class GridEngineReservations:
    """Reservations of one cell; the user must be a manager, an operator, or in the user set ``arusers``.

    Parameters
    ----------
    cell
        The cell.
    """

    supported_attributes = frozenset(field.name for field in fields(ReservationTemplate))
    refusals: Mapping[str, str] = {}

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self._granted: set[str] = set()

    def request(self, template: ReservationTemplate) -> str:
        """Reserve, and return the reservation's id.

        Raises
        ------
        DeniedByDrms
            If it is not granted.
        GcsError
            If it cannot be said to Grid Engine, or the cell does not answer.
        """
        options = reservation_options(template, self._cell)
        answer = run_command(self._cell, ["qrsub", *options], extra_env=_UTC)
        granted = _GRANTED.search(answer.said)
        if answer.exit_status:
            raise _not_granted(answer)
        if granted is None:
            raise Internal(f"qrsub reserved and printed {answer.text!r}. Look for the reservation with `qrstat`.")
        self._granted.add(granted[1])
        return granted[1]

    def terminate(self, reservation_ids: Collection[str]) -> dict[str, GcsError]:
        """Give reservations back, with the jobs in them; one command for all. Returns what went wrong, by id."""
        failures: dict[str, GcsError] = {}
        ids = list(dict.fromkeys(reservation_ids))
        for ar_id in ids:
            if not _is_id(ar_id):
                failures[ar_id] = _unknown(ar_id)
        rest = [ar_id for ar_id in ids if ar_id not in failures]
        for first in range(0, len(rest), _AT_ONCE):
            some = rest[first : first + _AT_ONCE]
            answer = run_command(self._cell, ["qrdel", *some])
            deleted = set(_DELETED.findall(answer.said))
            for ar_id in some:
                if ar_id not in deleted:
                    failures[ar_id] = self._not_deleted(ar_id, answer)
        return failures

    def _not_deleted(self, ar_id: str, answer: Answer) -> GcsError:
        lines = [line for line in answer.said.splitlines() if re.search(rf"(?<!\d){ar_id}(?!\d)", line)]
        said = "; ".join(lines) or answer.said
        if "does not exist" not in said:
            return error_of(said, answer.argv, answer.exit_status)
        if ar_id in self._granted:
            return InvalidState(f"the reservation {ar_id} has ended, or was given back before.")
        return _unknown(ar_id)

    def info(self, reservation_ids: Collection[str] | None) -> dict[str, ReservationInfo]:
        """Return what is known of reservations; None: of those of all users, for which their ids are asked first."""
        if reservation_ids is None:
            summary = ask(self._cell, ["qrstat", "-u", "*", "-xml"])
            reservation_ids = parse_reservation_ids(summary.stdout)
        ids = [ar_id for ar_id in dict.fromkeys(reservation_ids) if _is_id(ar_id)]
        found: dict[str, ReservationInfo] = {}
        for first in range(0, len(ids), _AT_ONCE):
            argv = ["qrstat", "-ar", ",".join(ids[first : first + _AT_ONCE]), "-explain", "-xml"]
            found |= parse_reservations(run_command(self._cell, argv, extra_env=_UTC).stdout)
        return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _unknown(ar_id: str) -> InvalidArgument:
    return InvalidArgument(f"Grid Engine has no reservation {ar_id!r}: it never was, or it has ended (see `qrstat`).")


def _not_granted(answer: Answer) -> GcsError:
    error = error_of(answer.said, answer.argv, answer.exit_status)
    said = " ".join(answer.said.split())
    if _WRONG.search(said):
        return InvalidArgument(f"Grid Engine does not take this reservation: {said[:500]}")
    if "no suitable queues" in said:
        return DeniedByDrms(
            f"the reservation was not granted: {said}. There is no room for it at that time among the queues that "
            "fit: ask for another time, for fewer slots or for less; `qrstat -u '*'` shows what is reserved."
        )
    # Any other complaint is a refusal; what it is not is a qmaster that did not answer.
    if isinstance(error, CommandFailed) and "does not answer" not in str(error):
        return DeniedByDrms(f"Grid Engine refused the reservation: {said}")
    return error


def reservation_options(template: ReservationTemplate, cell: SgeCell | None = None) -> list[str]:
    """Return the options of ``qrsub`` for `template`, one a word; times are UTC.

    Raises
    ------
    GcsError
        If Grid Engine has no words for it.
    """
    native = parse_options("native_specification", template.native_specification or "")
    given = template.attributes_set()
    for option in native:
        refuse_twice(option, given.intersection(_ATTRIBUTES_OF.get(option.name, ())))
        if option.words == ("-w", "v"):
            raise InvalidArgument("native_specification has -w v, with which qrsub reserves nothing.")
    category = _category(template, cell)
    requests = machine_requests(template)
    options = slots_option(template, category, cell)
    options += [Option("-l", (f"{name}={value}",)) for name, value in requests.items()]
    options += _times(template)
    if template.reservation_name is not None:
        options.append(Option("-N", (carried_name("reservation", template.reservation_name),)))
    if template.queue_name is not None:
        options.append(Option("-q", (carried_text("the queue", template.queue_name),)))
    if template.users_acl is not None:
        options.append(Option("-u", (",".join(dict.fromkeys(template.users_acl)),)))
    said = {option.name for option in (*options, *native) if option.name != "-l"}
    rest = (option.without(set(requests)) if option.name == "-l" else option for option in category)
    options = [option for option in rest if option is not None and option.name not in said] + options + native
    return [word for option in options for word in option.words]


def _category(template: ReservationTemplate, cell: SgeCell | None) -> list[Option]:
    if template.job_category is None or cell is None:
        return []
    options = category_options(cell, template.job_category)
    foreign = sorted({option.name for option in options} - set(_OF_QRSUB))
    if foreign:
        raise InvalidArgument(
            f"the job category {template.job_category!r} has {', '.join(foreign)}, which a reservation cannot have. "
            "Say what is to be reserved with the other attributes (queue_name, parallel_environment, "
            "native_specification)."
        )
    return options


def _times(template: ReservationTemplate) -> list[Option]:
    """Return ``-a``, ``-e`` and ``-d``. Without ``-a`` a reservation begins now, or so that it ends at ``-e``."""
    options = []
    if template.start_time is not None and not _is_now(template.start_time):
        options.append(Option("-a", (utc_date_time("start_time", template.start_time),)))
    if template.end_time is not None:
        options.append(Option("-e", (utc_date_time("end_time", template.end_time),)))
    if template.duration is not None and (template.start_time is None or template.end_time is None):
        options.append(Option("-d", (str(template.duration),)))
    return options


def _is_now(moment: datetime) -> bool:
    return timedelta(seconds=-1) < datetime.now(UTC) - moment.astimezone(UTC) < _NOW
