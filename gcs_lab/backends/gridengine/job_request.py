"""From a job template to what Grid Engine's transports carry, with everything refused that would arrive changed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.carried_values import (
    bad_characters,
    carried_command,
    carried_environment,
    carried_name,
    carried_path,
    carried_text,
    carried_working_directory,
)
from gcs_lab.backends.gridengine.request_options import all_options
from gcs_lab.backends.gridengine.staging import staged_command
from gcs_lab.backends.job_names import name_of_command
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import Capability, JobTemplate

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["REFUSALS", "REQUEST_CAPABILITIES", "SUPPORTED_ATTRIBUTES", "JobRequest", "RequestMaker", "make_request"]

#: What :func:`make_request` does not honour, and what to use instead.
REFUSALS = {
    "deadline_time": (
        "Grid Engine's own deadline (qsub -dl) only raises the priority of a job as it draws near, and ends nothing. "
        "Limit the run with resource_limits={'WALLCLOCK_TIME': seconds}, or end the job with terminate()."
    ),
}
#: What these come to stands in the cell's files, and files change.
_LOOKED_UP = ("job_category", "parallel_environment", "min_slots", "max_slots", "stage_in_files", "stage_out_files")
#: File names are no longer, on any system that is in use.
_MOST_OF_NAME = 255
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

    def reservation(self) -> str | None:
        """Return the id of the reservation that it belongs to."""
        return self.options[self.options.index("-ar") + 1] if "-ar" in self.options else None

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


class RequestMaker:
    """Makes requests; that of a template which is submitted again and again as it is, once.

    Parameters
    ----------
    cell
        As in :func:`make_request`.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        #: The last template, what it was like when it came for the second time, and its request then.
        self._last: tuple[JobTemplate, JobTemplate | None, JobRequest] | None = None

    def of(self, template: JobTemplate) -> JobRequest:
        """Return the request for `template`. Raises as :func:`make_request`."""
        last = self._last
        if last is not None and last[0] is template and last[1] == template:
            return last[2]
        request = make_request(template, self._cell)
        if any(getattr(template, name) is not None for name in _LOOKED_UP):
            self._last = None
        else:
            # A copy takes longer than a request; it pays from the third time on.
            again = last is not None and last[0] is template
            self._last = template, deepcopy(template) if again else None, request
        return request


def _command(template: JobTemplate) -> tuple[str, tuple[str, ...]]:
    command, args = template.remote_command or "", list(template.args or [])
    before, after = template.stage_in_files or {}, template.stage_out_files or {}
    if not before and not after:
        return carried_command(command, args)
    return carried_command(*staged_command(before, after, carried_text("the command", command), args))


def _name(template: JobTemplate, command: str, options: tuple[str, ...]) -> str | None:
    """Return the job's name, or None where Grid Engine takes the right one by itself.

    It calls a job after the file name of its command, and refuses one that is no name. A wrapped command is called
    after its own file, too.
    """
    if template.job_name is not None:
        return carried_name("job", template.job_name)
    if "-N" in options:
        return None
    own = PurePosixPath(template.remote_command or "").name
    name = name_of_command(own, lambda char: bool(bad_characters(char)))
    try:
        carried_name("job", name)
    except InvalidArgument:
        name = f"_{name}"[:_MOST_OF_NAME]  # empty, too long, or a word that means something else
    return None if name == own and command == template.remote_command else name
