"""What a job template must be before any system sees it.

Whitespace and letters beyond ASCII in names are each system's own affair, as is whether names exist.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.jobs.path_rules import command, path
from gcs_lab.jobs.value_checks import (
    boolean,
    enumeration,
    listing,
    mapping,
    moment,
    pattern,
    refuse,
    text,
    whole_number,
)
from gcs_lab.vocabulary import (
    HOME_DIRECTORY,
    PARAMETRIC_INDEX,
    WORKING_DIRECTORY,
    CpuArchitecture,
    JobTemplate,
    OperatingSystem,
    ReservationTemplate,
    ResourceLimit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gcs_lab.jobs.value_checks import Check

__all__ = [
    "SHARED_CHECKS",
    "check_job_values",
    "check_slots",
    "check_supported",
    "check_template",
    "check_values",
]

#: The largest that Linux takes of one argument or ``NAME=value``, without the NUL (``MAX_ARG_STRLEN``, execve(2)).
_MOST_OF_ARGUMENT = 128 * 1024 - 1
_MOST_OF_NAME = 512
_MOST_OF_OPTIONS = 64 * 1024
_MOST_OF_ALL = 10 * 1024 * 1024
_LARGEST = 2**53
#: KiB that still fit into 63 bits of bytes.
_MOST_KIB = 2**53 - 1

#: A name of something that the system keeps: no white space.
_NAME = pattern(re.compile(r"\S+"), "a name without white space.", _MOST_OF_NAME)
_SLOTS = whole_number(1, 9_999_999, "(slots)")
_MEMORY = whole_number(1, _MOST_KIB, "(KiB)")
_HOSTS = listing(
    pattern(re.compile(r"@?[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_])?"), "the name of a host, as in qhost.", 255)
)
#: qsub(1), ``-N``; ``sge_types(1)``. A quotation mark breaks qstat's XML and the job's own environment.
_JOB_NAME = pattern(
    re.compile(r"[^\d/:@\\*?\"\s][^/:@\\*?\"]*"),
    'a name that does not begin with a digit or white space and has none of / : @ \\ * ? ".',
    _MOST_OF_NAME,
)
#: qsub(1), ``-A``: accounting records are lines of fields between colons.
_ACCOUNT = pattern(re.compile(r"[^/:@\\*?]+"), "a name that has none of / : @ \\ * ?.", _MOST_OF_NAME)
_ADDRESS = pattern(
    re.compile(r"[^@\s,;:<>()\[\]\\\"\-][^@\s,;:<>()\[\]\\\"]*@[^@\s,;:<>()\[\]\\\"]+"),
    "one e-mail address, as in ann@example.org (one @, no white space, no name beside it).",
    254,
)
_HOLD = pattern(
    re.compile(r"[^/:@\\\"\s,](?:[^/:@\\\",]*[^/:@\\\"\s,])?(?:,[^/:@\\\"\s,](?:[^/:@\\\",]*[^/:@\\\"\s,])?)*"),
    'the id or the name of a job (* ? [] in it stand for others), without / : @ \\ ".',
    4096,
)
_VARIABLE = pattern(re.compile(r"[^\s=]+"), "the name of a variable, without = and white space.", 4096)
_REQUEST = pattern(re.compile(r"\S+"), "a value without white space, as after qsub -l.", 4096)
_STAGED = path(HOME_DIRECTORY, WORKING_DIRECTORY)
#: The least that lets a program start at all.
_LEAST_LIMIT = {ResourceLimit.CORE_FILE_SIZE: 0, ResourceLimit.FILE_SIZE: 0, ResourceLimit.OPEN_FILES: 3}


def _limit_key(name: str, value: Any) -> int:
    if not isinstance(value, str) or value not in ResourceLimit.__members__:
        raise refuse(name, value, f"one of {', '.join(ResourceLimit)}.")
    return len(value)


def _limit(name: str, value: Any) -> int:
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16  # noqa: PLR2004
    if value != "unlimited" and not (digits and int(value) <= _LARGEST):
        raise refuse(name, value, f"'unlimited', or a whole number up to {_LARGEST} as text.")
    return len(value)


#: What attributes that reservations have, too, must be; ``job_name`` is also the rule for their names.
SHARED_CHECKS: dict[str, Check] = {
    "job_name": _JOB_NAME,
    "queue_name": pattern(re.compile(r"\S+"), "names of queues, with commas between them.", 4096),
    "job_category": _NAME,
    "min_slots": _SLOTS,
    "max_slots": _SLOTS,
    "candidate_machines": _HOSTS,
    "min_phys_memory": _MEMORY,
    "machine_os": enumeration(OperatingSystem),
    "machine_arch": enumeration(CpuArchitecture),
    "parallel_environment": _NAME,
    "native_specification": text(_MOST_OF_OPTIONS),
}
_CHECKS: dict[str, Check] = {
    **SHARED_CHECKS,
    "remote_command": command,
    "args": listing(text(_MOST_OF_ARGUMENT, empty=True, line_breaks=True), empty=True),
    "submit_as_hold": boolean,
    "rerunnable": boolean,
    "job_environment": mapping(_VARIABLE, text(_MOST_OF_ARGUMENT, empty=True, line_breaks=True)),
    "working_directory": path(HOME_DIRECTORY),
    "email": listing(_ADDRESS),
    "email_on_started": boolean,
    "email_on_terminated": boolean,
    "input_path": path(HOME_DIRECTORY, WORKING_DIRECTORY),
    "output_path": path(HOME_DIRECTORY, WORKING_DIRECTORY),
    "error_path": path(HOME_DIRECTORY, WORKING_DIRECTORY),
    "join_files": boolean,
    "reservation_id": _NAME,
    "priority": whole_number(-1023, 1024),
    "start_time": moment,
    "deadline_time": moment,
    "stage_in_files": mapping(_STAGED, _STAGED),
    "stage_out_files": mapping(_STAGED, _STAGED),
    "resource_limits": mapping(_limit_key, _limit),
    "accounting_id": _ACCOUNT,
    "resource_requests": mapping(_NAME, _REQUEST),
    "hold_jid": listing(_HOLD, empty=True),
    "hold_jid_ad": listing(_HOLD, empty=True),
}


class _Honours(Protocol):
    @property
    def supported_attributes(self) -> frozenset[str]: ...

    @property
    def refusals(self) -> Mapping[str, str]: ...


def check_supported(attributes: Collection[str], backend: _Honours, system: str = "") -> None:
    """Make sure that a system honours every attribute that is set.

    Raises
    ------
    UnsupportedAttribute
        If it does not: names the attributes, the system, and what to use instead.
    """
    unsupported = sorted(set(attributes) - backend.supported_attributes)
    if unsupported:
        instead = (f"{name}: {backend.refusals.get(name, 'leave it out.')}" for name in unsupported)
        where = system or getattr(backend, "system", "")
        raise UnsupportedAttribute(f"{where} does not honour {', '.join(unsupported)}. {' '.join(instead)}")


def check_values(template: Any, kind: type, checks: Mapping[str, Callable[[str, Any], int]]) -> None:
    """Check every attribute that is set by itself, and the size of all of them.

    Raises
    ------
    InvalidArgument
        If it is no template, has an attribute that templates do not have, or a value cannot work.
    """
    if not isinstance(template, kind):
        raise InvalidArgument(f"expected a {kind.__name__}, not a {type(template).__name__}.")
    known = [f.name for f in fields(template)]  # type: ignore[arg-type]
    if strange := sorted(vars(template).keys() - set(known)):
        near = difflib.get_close_matches(strange[0], known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise InvalidArgument(f"a {kind.__name__} has no attribute {strange[0]!r}; nothing would come of it.{hint}")
    size = sum(checks[name](name, value) for name in known if (value := getattr(template, name)) is not None)
    if size > _MOST_OF_ALL:
        raise InvalidArgument(
            f"the template has {size} bytes; expected {_MOST_OF_ALL} at the most. Put what is long into files."
        )


def check_job_values(template: JobTemplate) -> None:
    """Check every attribute that is set by itself. Raises InvalidArgument as :func:`check_values`."""
    check_values(template, JobTemplate, _CHECKS)


def check_slots(template: JobTemplate | ReservationTemplate) -> None:
    """Make sure that the range of slots is none that is empty."""
    least, most = template.min_slots or 1, template.max_slots
    if most is not None and most < least:
        raise InvalidArgument(f"max_slots is {most}, less than min_slots, {least}; expected min_slots <= max_slots.")


def check_template(template: JobTemplate, *, is_array: bool = False) -> None:
    """Check everything in a job template that does not depend on the system.

    Parameters
    ----------
    template
        What is asked for.
    is_array
        Whether it is for an array job.

    Raises
    ------
    InvalidArgument
        If a value cannot work; the message names the attribute.
    """
    check_job_values(template)
    if template.remote_command is None:
        raise InvalidArgument("the template has no remote_command; say which program the job shall run.")
    check_slots(template)
    _check_times(template)
    if (template.email_on_started or template.email_on_terminated) and not template.email:
        raise InvalidArgument("email_on_started or email_on_terminated is set, but email names nobody to write to.")
    for key, value in (template.resource_limits or {}).items():
        if value != "unlimited" and int(value) < _LEAST_LIMIT.get(ResourceLimit[key], 1):
            raise refuse(f"resource_limits[{str(key)!r}]", value, "a limit under which a program can start at all.")
    if not is_array:
        _check_single(template)


def _check_times(template: JobTemplate) -> None:
    deadline, start = template.deadline_time, template.start_time
    if deadline is None:
        return
    if deadline.astimezone() <= datetime.now(UTC):
        raise refuse("deadline_time", deadline, "a time to come: the job would be ended before it starts.")
    if start is not None and deadline.astimezone() <= start.astimezone():
        raise refuse("deadline_time", deadline, f"a time after start_time, which is {start}.")


def _check_single(template: JobTemplate) -> None:
    if template.hold_jid_ad:
        raise refuse("hold_jid_ad", template.hold_jid_ad, "none: this is no array job. Use hold_jid.")
    paths = [getattr(template, name) for name in ("input_path", "output_path", "error_path", "working_directory")]
    for files in (template.stage_in_files, template.stage_out_files):
        paths += [one for pair in (files or {}).items() for one in pair]
    for one in paths:
        if one is not None and PARAMETRIC_INDEX in one:
            raise InvalidArgument(
                f"{one!r} has {PARAMETRIC_INDEX}, the index of a task, but this is no array job. Take it out, or "
                "submit an array."
            )
