"""From a job template to what Grid Engine's transports carry, with everything refused that would arrive changed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.carried_values import (
    carried_command,
    carried_environment,
    carried_name,
    carried_path,
    carried_text,
    carried_working_directory,
)
from gcs_lab.backends.gridengine.request_options import all_options
from gcs_lab.backends.gridengine.staging import staged_command
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import Capability, JobTemplate

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["REFUSALS", "REQUEST_CAPABILITIES", "SUPPORTED_ATTRIBUTES", "JobRequest", "make_request"]

#: What :func:`make_request` does not honour, and what to use instead.
REFUSALS = {
    "deadline_time": (
        "Grid Engine's own deadline (qsub -dl) only raises the priority of a job as it draws near, and ends nothing. "
        "Limit the run with resource_limits={'WALLCLOCK_TIME': seconds}, or end the job with terminate()."
    ),
}
#: What it honours.
SUPPORTED_ATTRIBUTES = frozenset(field.name for field in fields(JobTemplate)) - REFUSALS.keys()
#: The optional abilities of DRMAA2 that this means.
REQUEST_CAPABILITIES = frozenset(
    {Capability.JT_EMAIL, Capability.JT_STAGING, Capability.JT_MAXSLOTS, Capability.JT_ACCOUNTINGID}
)


@dataclass(frozen=True)
class JobRequest:
    """A job as both transports take it. ``inline`` variables go as ``-v NAME=VALUE``, the others by name.

    ``options`` are qsub's, one a word; paths begin with ``:`` (no host). ``error_state``: a failure before the start
    is to put the job into error state; jobs that libdrmaa submits never are, they end.
    """

    command: str
    args: tuple[str, ...]
    name: str | None
    hold: bool
    working_directory: str | None
    input_path: str | None
    output_path: str | None
    error_path: str | None
    join_files: bool
    environment: dict[str, str]
    inline: dict[str, str]
    options: tuple[str, ...]
    error_state: bool = False

    def variables(self) -> list[str]:
        """Return the items of ``-v``."""
        return [*self.environment, *(f"{name}={value}" for name, value in self.inline.items())]

    def needs_qsub(self) -> bool:
        """Tell whether libdrmaa cannot submit it; it also splits its native specification at white space."""
        return self.error_state or any(
            not word or any(c.isspace() for c in word) for word in (*self.options, *self.variables())
        )


def make_request(template: JobTemplate, cell: SgeCell | None = None) -> JobRequest:
    """Return the request for `template`, which has passed the checks of the area.

    Parameters
    ----------
    template
        What is asked for.
    cell
        The cell, whose files name the job categories.

    Raises
    ------
    InvalidArgument
        If a value cannot reach the job unchanged; the message says what can.
    UnsupportedAttribute
        If Grid Engine has no such thing; the message says what to use instead.
    """
    options = tuple(all_options(template, cell))
    command, args = _command(template)
    environment, inline = carried_environment(template.job_environment or {})
    folder = carried_working_directory(template.working_directory)
    return JobRequest(
        command=command,
        args=args,
        name=_name(template, command, options),
        hold=bool(template.submit_as_hold),
        working_directory=folder,
        input_path=carried_path("input_path", template.input_path, folder),
        output_path=carried_path("output_path", template.output_path, folder),
        error_path=carried_path("error_path", template.error_path, folder),
        join_files=bool(template.join_files),
        environment=environment,
        inline=inline,
        options=options,
        error_state=bool(template.stage_in_files),
    )


def _command(template: JobTemplate) -> tuple[str, tuple[str, ...]]:
    command, args = template.remote_command or "", list(template.args or [])
    before, after = template.stage_in_files or {}, template.stage_out_files or {}
    if not before and not after:
        return carried_command(command, args)
    return carried_command(*staged_command(before, after, carried_text("the command", command), args))


def _name(template: JobTemplate, command: str, options: tuple[str, ...]) -> str | None:
    """Return the job's name; a wrapped one is called after its own command, as Grid Engine would."""
    if template.job_name is not None:
        return carried_name("job", template.job_name)
    if command == template.remote_command or "-N" in options:
        return None
    try:
        return carried_name("job", PurePosixPath(template.remote_command or "").name)
    except InvalidArgument:
        return None
