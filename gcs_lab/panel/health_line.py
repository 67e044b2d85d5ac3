"""The cluster in one line: whether it answers, whether there is room, what needs somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.jobs.requests import format_time

if TYPE_CHECKING:
    from gcs_lab.status import Health
    from gcs_lab.status.overview import Overview

__all__ = ["health_line"]


def health_line(overview: Overview | None, health: Health, in_error: int) -> dict[str, Any]:
    """Return the ``IHealth``.

    Parameters
    ----------
    overview
        The figures of the latest snapshot; None: there is none yet.
    health
        How it stands with the answers.
    in_error
        Tasks of this user in error state.
    """
    if health.error:
        # Since when, the page says by `stale_since`: the clock of its user may be in another zone.
        again = f" (tried again in {format_time(max(round(health.interval), 1))})" if health.interval else ""
        old = "" if overview is None else "What is shown is from then. "
        return {"level": "bad", "text": f"no answer{again}", "help": f"{old}{health.error}"}
    if overview is None:
        return {"level": "busy", "text": "waiting for the first answer", "help": health.note}
    troubles = [f"{_count(overview.hosts_down, 'host')} down"] if overview.hosts_down else []
    if in_error:
        troubles.append(f"{_count(in_error, 'job')} of yours in error")
    text = " · ".join([_room(overview), *troubles])
    level = "warn" if troubles else "good" if overview.slots_free else "busy"
    return {"level": level, "text": text, "help": " ".join(_more(overview, health))}


def _room(overview: Overview) -> str:
    if overview.slots_free:
        return f"{overview.slots_free:,} of {_count(overview.slots_total, 'slot')} free"
    if not overview.slots_total:
        return "there are no slots"
    if not overview.slots_used:
        return f"all {_count(overview.slots_total, 'slot')} closed"
    return f"no slot of {overview.slots_total:,} free"


def _more(overview: Overview, health: Health) -> list[str]:
    slots = f"{_count(overview.slots_total, 'slot')}: {overview.slots_used:,} used, {overview.slots_free:,} free"
    if overview.slots_closed:
        slots += f", {overview.slots_closed:,} in queues that take no job (disabled, in alarm, in error, not reached)"
    hosts = f"{_count(overview.hosts_up, 'host')} up"
    if overview.hosts_down:
        hosts += f", {overview.hosts_down:,} not reached"
    told = ", ".join(f"{count:,} {kind}" for kind, count in overview.tasks.items() if count)
    users = f" of {_count(len(overview.owners), 'user')}" if overview.owners else ""
    jobs = f"{_count(overview.jobs, 'job')}{users}" + (f": tasks {told}" if told else "")
    return [*(f"{part}." for part in (slots, hosts, jobs)), *([health.note] if health.note else [])]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
