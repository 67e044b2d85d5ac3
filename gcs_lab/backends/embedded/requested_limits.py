"""Requests by full names, and DRMAA2's ``resource_limits`` among them (GFD.231, ``ResourceLimitType``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.complexes import STANDARD
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import ResourceLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.backends.embedded.complexes import ComplexDefinition

__all__ = ["full_names", "open_files_limit", "with_limits"]

#: The complex that sets the limit, and the unit of the limit's number there.
_COMPLEXES = {
    ResourceLimit.WALLCLOCK_TIME: ("h_rt", ""),
    ResourceLimit.CPU_TIME: ("h_cpu", ""),
    ResourceLimit.VIRTUAL_MEMORY: ("h_vmem", "K"),
    ResourceLimit.CORE_FILE_SIZE: ("h_core", "K"),
    ResourceLimit.DATA_SIZE: ("h_data", "K"),
    ResourceLimit.FILE_SIZE: ("h_fsize", "K"),
    ResourceLimit.STACK_SIZE: ("h_stack", "K"),
}
_UNLIMITED = "unlimited"
#: Standard input, output and error, and one file to load a program from.
_FEWEST_FILES = 4
_BY_NAME: dict[str, ComplexDefinition] = {c.name: c for c in STANDARD}
_FULL_NAMES = {c.shortcut: c.name for c in STANDARD}


def full_names(requests: Mapping[str, str]) -> dict[str, str]:
    """Return requests by the full names of the standard complexes; others' names stay as they are."""
    return {_FULL_NAMES.get(name, name): value for name, value in requests.items()}


def with_limits(requests: Mapping[str, str], limits: Mapping[str, str]) -> dict[str, str]:
    """Return the requests with those that stand for `limits`; the lower of two for one thing counts.

    Raises
    ------
    InvalidArgument
        If a limit is unknown, or its value cannot work.
    """
    found = dict(requests)
    for key, value in limits.items():
        kind = _kind(key)
        if kind is ResourceLimit.OPEN_FILES or value == _UNLIMITED:
            continue
        name, unit = _COMPLEXES[kind]
        asked = f"{_number(key, value)}{unit}"
        definition = _BY_NAME[name]
        try:
            definition.check_request(asked)
        except InvalidArgument as error:
            raise InvalidArgument(f"resource_limits: {key}={value}: {error}") from None
        there = found.get(name)
        if there is None or definition.amount(asked) < definition.amount(there):
            found[name] = asked
    return found


def open_files_limit(limits: Mapping[str, str]) -> int | None:
    """Return how many files the job may have open at once; None if that is not said. Raises InvalidArgument."""
    value = limits.get(ResourceLimit.OPEN_FILES)
    if value is None or value == _UNLIMITED:
        return None
    number = _number(ResourceLimit.OPEN_FILES, value)
    if number < _FEWEST_FILES:
        raise InvalidArgument(
            f"resource_limits: OPEN_FILES={value}: no program can start with fewer than {_FEWEST_FILES} files."
        )
    return number


def _kind(key: str) -> ResourceLimit:
    try:
        return ResourceLimit(key)
    except ValueError:
        raise InvalidArgument(
            f"resource_limits: {key!r} is no limit; there is {', '.join(limit.value for limit in ResourceLimit)}."
        ) from None


def _number(key: str, value: str) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 18:  # noqa: PLR2004
        raise InvalidArgument(f"resource_limits: {key}={value!r}: expected a whole number as text, or 'unlimited'.")
    return int(value)
