"""What is known of one job, to read: as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.status.protocol import JobDetails

__all__ = ["details_html", "details_text"]

_MOST_TASKS = 20
_BYTES = {"max_vmem", "max_rss", "vmem", "io"}


def details_text(details: JobDetails) -> str:
    """Return what is known of a job as lines of name and value."""
    rows = list(_rows(details))
    width = max((len(name) for name, _ in rows), default=0) + 1
    return "\n".join([_head(details), *(f"  {name + ':':<{width}} {value}" for name, value in rows)])


def details_html(details: JobDetails) -> str:
    """Return what is known of a job as a table; the system's own facts are folded away below it."""

    def table(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
        cells = "".join(
            f'<tr><th style="text-align:left;vertical-align:top">{escape(name)}</th>'
            f'<td style="text-align:left;white-space:pre-wrap">{escape(value)}</td></tr>'
            for name, value in rows
        )
        return f"<table><tbody>{cells}</tbody></table>"

    facts = table(list(details.facts.items())) if details.facts else ""
    folded = f"<details><summary>all that the system tells</summary>{facts}</details>" if facts else ""
    return f"<div><strong>{escape(_head(details))}</strong>{table(_rows(details))}{folded}</div>"


def _head(details: JobDetails) -> str:
    return f"job {details.job_id} ({details.name}) of {details.owner}"


def _rows(details: JobDetails) -> Iterator[tuple[str, str]]:
    if details.submission_time is not None:
        yield "submitted", f"{details.submission_time.astimezone():%Y-%m-%d %H:%M:%S}"
    said = {
        "command": " ".join([details.command, *details.arguments]).strip(),
        "folder": details.working_directory,
        "tasks": (details.task_range or "") + (f", {details.max_parallel} at once" if details.max_parallel else ""),
        "slots": details.parallel_environment or "",
        "requests": _pairs(details.requests),
        "soft requests": _pairs(details.soft_requests),
        "queues": ", ".join(details.queues),
        "project": details.project or "",
        "priority": str(details.posix_priority or ""),
        "waits for": ", ".join(details.waits_for),
    }
    yield from ((name, value) for name, value in said.items() if value)
    for task in details.tasks[:_MOST_TASKS]:
        place = "@".join(filter(None, (task.queue, task.host)))
        used = ", ".join(f"{name} {_amount(name, value)}" for name, value in task.usage.items())
        told = " ".join(filter(None, (task.letters, f"on {place}" if place else "", used, task.message)))
        yield ("used" if task.task is None else f"task {task.task}"), told
    if len(details.tasks) > _MOST_TASKS:
        yield "", f"and {len(details.tasks) - _MOST_TASKS:,} more tasks"
    for message in details.messages:
        yield "says", message


def _pairs(requests: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in requests.items())


def _amount(name: str, value: float) -> str:
    if name not in _BYTES:
        return f"{value:,.1f} s"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
