"""From a ``JobTemplate`` to the request that travels to the scheduler; what can be checked here is checked here."""

from __future__ import annotations

import functools
import os
import pwd
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.backends.embedded.layout import Layout
from gcs_lab.backends.embedded.native_options import NativeOptions, parse_native
from gcs_lab.backends.embedded.submit_request import SubmitRequest, Submitter
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.vocabulary import JobTemplate

__all__ = ["SUPPORTED_ATTRIBUTES", "submit_request"]

SUPPORTED_ATTRIBUTES = frozenset(
    {
        "accounting_id",
        "args",
        "error_path",
        "input_path",
        "job_environment",
        "job_name",
        "join_files",
        "max_slots",
        "min_slots",
        "native_specification",
        "output_path",
        "parallel_environment",
        "priority",
        "queue_name",
        "remote_command",
        "rerunnable",
        "resource_requests",
        "submit_as_hold",
        "working_directory",
    }
)

_T = TypeVar("_T")

LOWEST_PRIORITY, HIGHEST_PRIORITY = -1023, 1024
#: Characters that Grid Engine takes in no object's name (``sge_types(1)``).
_FORBIDDEN = frozenset("/:@\\*?")


def submit_request(template: JobTemplate) -> SubmitRequest:
    """Return the request for `template`; its own attributes count more than those of ``native_specification``.

    Raises
    ------
    InvalidArgument
        If a value cannot work.
    UnsupportedAttribute
        If ``native_specification`` has an option that is not honoured.
    """
    native = parse_native(template.native_specification) if template.native_specification else NativeOptions()
    command = template.remote_command or ""
    args = list(template.args or [])
    environment = {**native.environment, **(template.job_environment or {})}
    _check_command(command, args, environment)
    sender = _submitter()
    least, most = _slots(template, native)
    return SubmitRequest(
        token=secrets.token_hex(16),
        name=_job_name(_first(template.job_name, native.name), command),
        command=command,
        args=args,
        environment=environment,
        working_directory=_folder(template.working_directory or native.working_directory, sender),
        input_path=_path(template.input_path or native.input_path),
        output_path=_path(template.output_path or native.output_path),
        error_path=_path(template.error_path or native.error_path),
        join_files=bool(_first(template.join_files, native.join_files)),
        held=bool(_first(template.submit_as_hold, native.held)),
        rerunnable=bool(_first(template.rerunnable, native.rerunnable)),
        priority=_priority(_first(template.priority, native.priority) or 0),
        queues=template.queue_name.split(",") if template.queue_name else native.queues or [],
        parallel_environment=template.parallel_environment or native.parallel_environment,
        min_slots=least,
        max_slots=most,
        requests=_full_names({**native.requests, **template.resource_requests}),
        account=template.accounting_id or "sge",
        submitter=sender,
    )


def _first(*values: _T | None) -> _T | None:
    return next((value for value in values if value is not None), None)


def _check_command(command: str, args: Sequence[str], environment: Mapping[str, str]) -> None:
    for text in (command, *args, *environment, *environment.values()):
        if not isinstance(text, str) or "\0" in text:
            raise InvalidArgument(f"{text!r} is to be part of a command or environment; expected text without NUL.")
    for name in environment:
        if not name or "=" in name:
            raise InvalidArgument(f"{name!r} is no name of an environment variable; it is empty or has a '='.")


def _job_name(name: str | None, command: str) -> str:
    if name is None:
        base = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in Path(command).name)
        return f"_{base}" if base[:1].isdigit() else base
    if not name.strip() or name[0].isdigit() or any(c in _FORBIDDEN or not c.isprintable() for c in name):
        raise InvalidArgument(
            f"{name!r} is no name for a job. Expected printable characters without any of "
            f"{' '.join(sorted(_FORBIDDEN))}, not beginning with a digit; spaces and any letters are fine."
        )
    return name


def _path(path: str | None) -> str:
    if path and ("\0" in path or "\n" in path):
        raise InvalidArgument(f"{path!r} is no path; it has a NUL or a line end.")
    return os.path.expanduser(path) if path else ""  # noqa: PTH111  (a relative path stays as it is)


def _folder(path: str | None, sender: Submitter) -> str:
    """Return the working directory: Grid Engine's default is the home folder."""
    return os.path.join(sender.working_directory, _path(path)) if path else sender.home  # noqa: PTH118


def _slots(template: JobTemplate, native: NativeOptions) -> tuple[int, int]:
    if template.min_slots is None and template.max_slots is None:
        return native.slots or (1, 1)
    least = template.min_slots if template.min_slots is not None else 1
    most = template.max_slots if template.max_slots is not None else least
    if not 1 <= least <= most:
        raise InvalidArgument(f"min_slots={least}, max_slots={most}: expected 1 <= min_slots <= max_slots.")
    return least, most


def _priority(priority: int) -> int:
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise InvalidArgument(
            f"priority {priority}: expected {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, as in qsub -p."
        )
    return priority


@functools.cache
def _shortcuts() -> dict[str, str]:
    return {c.shortcut: c.name for c in Layout((), (), ()).catalogue().complexes}


def _full_names(requests: Mapping[str, str]) -> dict[str, str]:
    return {_shortcuts().get(name, name): value for name, value in requests.items()}


def _submitter() -> Submitter:
    user = pwd.getpwuid(os.geteuid())
    try:
        here = os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        here = user.pw_dir
    return Submitter(
        host=socket.gethostname(),
        home=os.environ.get("HOME") or user.pw_dir,
        shell=user.pw_shell or "/bin/sh",
        path=os.environ.get("PATH", ""),
        working_directory=here,
        language=os.environ.get("LANG") or "C.UTF-8",
    )
