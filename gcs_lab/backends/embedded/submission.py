"""From a ``JobTemplate`` to the request that travels to the scheduler; what can be checked here is checked here."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
from dataclasses import fields
from typing import TYPE_CHECKING, TypedDict, TypeVar

from gcs_lab.backends.embedded.native_options import NativeOptions, parse_native
from gcs_lab.backends.embedded.requested_limits import full_names, open_files_limit, with_limits
from gcs_lab.backends.embedded.submit_request import SubmitRequest, Submitter
from gcs_lab.backends.job_names import name_of_command
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.vocabulary import HOME_DIRECTORY, PARAMETRIC_INDEX, WORKING_DIRECTORY, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "NO_MAIL",
    "SUPPORTED_ATTRIBUTES",
    "checked_job_name",
    "refusals",
    "submit_request",
    "supported_attributes",
]

#: Every attribute there is; those of mail only where ``cluster.toml`` says how it is sent.
SUPPORTED_ATTRIBUTES = frozenset(f.name for f in fields(JobTemplate))
_MAIL_ATTRIBUTES = frozenset({"email", "email_on_started", "email_on_terminated"})

#: What to do where no mail is sent.
NO_MAIL = (
    "This cluster sends no mail, because its cluster.toml has no entry [mail]. Add for example [mail] with command = "
    '["/usr/sbin/sendmail", "-t", "-i"], and start it anew (gcs-lab embedded stop); or wait for the job, or register '
    "for its events."
)

_T = TypeVar("_T")


class _MailEntries(TypedDict):
    mail_on_start: bool
    mail_on_end: bool
    mail_on_abort: bool
    mail_on_requeue: bool


LOWEST_PRIORITY, HIGHEST_PRIORITY = -1023, 1024
#: Characters that Grid Engine takes in no object's name (``sge_types(1)``).
_FORBIDDEN = frozenset("/:@\\*?")


def supported_attributes(*, mail: bool) -> frozenset[str]:
    """Return the attributes of ``JobTemplate`` that are honoured; `mail`: whether the cluster sends mail."""
    return SUPPORTED_ATTRIBUTES if mail else SUPPORTED_ATTRIBUTES - _MAIL_ATTRIBUTES


def refusals(*, mail: bool) -> dict[str, str]:
    """Return what to use instead of the attributes that are not honoured, by attribute."""
    return {} if mail else dict.fromkeys(sorted(_MAIL_ATTRIBUTES), NO_MAIL)


def submit_request(
    template: JobTemplate, options_of: Callable[[str], str] | None = None, *, token: str | None = None
) -> SubmitRequest:
    """Return the request for `template`.

    Its own attributes count more than those of ``native_specification``, and these more than the options of its
    ``job_category``.

    Parameters
    ----------
    template
        What is asked for.
    options_of
        Returns the options of a job category by its name, or raises UnknownName.
    token
        32 hexadecimal digits by which the submission is found again; a new one if None.

    Raises
    ------
    InvalidArgument
        If a value cannot work.
    UnsupportedAttribute
        If ``native_specification`` has an option that is not honoured.
    """
    native = _options(template, options_of)
    command, args = template.remote_command or "", list(template.args or [])
    environment = {**native.environment, **(template.job_environment or {})}
    _check_command(command, args, environment)
    sender = _submitter()
    least, most = _slots(template, native)
    limits = template.resource_limits or {}
    mail = _mail(template, native)
    return SubmitRequest(
        token=token or secrets.token_hex(16),
        name=checked_job_name(_first(template.job_name, native.name), command),
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
        requests=with_limits(full_names({**native.requests, **template.resource_requests}), limits),
        account=template.accounting_id or native.account or "sge",
        submitter=sender,
        candidate_machines=list(template.candidate_machines or []),
        min_phys_memory=template.min_phys_memory or 0,
        machine_os=None if template.machine_os is None else template.machine_os.name,
        machine_arch=None if template.machine_arch is None else template.machine_arch.name,
        open_files=open_files_limit(limits),
        email=_recipients(template.email or native.email) if any(mail.values()) else [],
        **mail,
        stage_in=_staged(template.stage_in_files),
        stage_out=_staged(template.stage_out_files),
        reservation_id=template.reservation_id or native.reservation_id,
        hold_jid=list(_first(template.hold_jid, native.hold_jid) or []),
        hold_jid_ad=list(_first(template.hold_jid_ad, native.hold_jid_ad) or []),
        start_time=native.start_time if template.start_time is None else template.start_time.timestamp(),
        deadline_time=None if template.deadline_time is None else template.deadline_time.timestamp(),
    )


def _options(template: JobTemplate, options_of: Callable[[str], str] | None) -> NativeOptions:
    own = parse_native(template.native_specification) if template.native_specification else NativeOptions()
    if not template.job_category:
        return own
    if options_of is None:
        raise UnsupportedAttribute("job_category: there is no cluster here to be asked what it stands for.")
    return own.over(parse_native(options_of(template.job_category)))


def _first(*values: _T | None) -> _T | None:
    return next((value for value in values if value is not None), None)


def _check_command(command: str, args: Sequence[str], environment: Mapping[str, str]) -> None:
    for text in (command, *args, *environment, *environment.values()):
        if not isinstance(text, str) or "\0" in text:
            raise InvalidArgument(f"{text!r} is to be part of a command or environment; expected text without NUL.")
    for name in environment:
        if not name or "=" in name:
            raise InvalidArgument(f"{name!r} is no name of an environment variable; it is empty or has a '='.")


def _forbidden(char: str) -> bool:
    return char in _FORBIDDEN or not char.isprintable()


def checked_job_name(name: str | None, command: str) -> str:
    """Return the name of a job; None: one after its command. Raises InvalidArgument if it cannot be one."""
    if name is None:
        return name_of_command(command, _forbidden)
    if not name.strip() or name[0].isdigit() or any(map(_forbidden, name)):
        raise InvalidArgument(
            f"{name!r} is no name for a job. Expected printable characters without any of "
            f"{' '.join(sorted(_FORBIDDEN))}, not beginning with a digit; spaces and any letters are fine."
        )
    return name


def _path(path: str | None) -> str:
    """Return a path with ``~`` resolved; placeholders are filled in when the job starts."""
    if not path:
        return ""
    if "\0" in path or "\n" in path:
        raise InvalidArgument(f"{path!r} is no path; it has a NUL or a line end.")
    for placeholder in (HOME_DIRECTORY, WORKING_DIRECTORY):
        rest = path.removeprefix(placeholder)
        if placeholder in rest or (rest != path and rest[:1] not in {"", "/"}):
            raise InvalidArgument(
                f"{path!r}: {placeholder} may stand at the beginning of a path only, with '/' after it."
            )
    return os.path.expanduser(path)  # noqa: PTH111  (a relative path stays as it is)


def _folder(path: str | None, sender: Submitter) -> str:
    """Return the working directory: Grid Engine's default is the home folder."""
    if not path:
        return sender.home
    if path.startswith(WORKING_DIRECTORY) or PARAMETRIC_INDEX in path:
        raise InvalidArgument(
            f"working_directory {path!r}: of the placeholders only {HOME_DIRECTORY} can stand in it; the folder is "
            "one for all tasks."
        )
    full = _path(path)
    if full.startswith(HOME_DIRECTORY):
        full = sender.home + full[len(HOME_DIRECTORY) :]
    return os.path.join(sender.working_directory, full)  # noqa: PTH118


def _staged(pairs: Mapping[str, str] | None) -> dict[str, str]:
    for source, destination in (pairs or {}).items():
        if not source or not destination:
            raise InvalidArgument(f"{source!r} to {destination!r}: a file is staged from one path to another.")
    return {_path(source): _path(destination) for source, destination in (pairs or {}).items()}


def _mail(template: JobTemplate, native: NativeOptions) -> _MailEntries:
    """Return when mail is sent, by entry of the request."""
    at_end = template.email_on_terminated
    return {
        "mail_on_start": bool(_first(template.email_on_started, native.mail_on_start)),
        "mail_on_end": bool(_first(at_end, native.mail_on_end)),
        "mail_on_abort": bool(_first(at_end, native.mail_on_abort)),
        # To run again is no end in the standard's words: only who says "-m a" is told of it.
        "mail_on_requeue": bool(native.mail_on_abort and at_end is not False),
    }


def _recipients(addresses: Sequence[str] | None) -> list[str]:
    """Return who is written to, each once; without addresses the user's own mailbox, as in qsub."""
    for address in addresses or ():
        if not address.isascii() or not address.isprintable() or set(address) & set(' ,;<>()[]:"\\'):
            raise InvalidArgument(f"{address!r} is no e-mail address; expected for example you@example.org.")
    return list(dict.fromkeys(addresses or [pwd.getpwuid(os.geteuid()).pw_name]))


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
