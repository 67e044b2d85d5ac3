"""Templates as JSON data: enumerations by name, times in ISO format with zone, what is not set left out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.vocabulary.machine import CpuArchitecture, OperatingSystem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import IntEnum

__all__ = ["values_from_json", "values_to_json"]

_ENUMS: dict[str, type[IntEnum]] = {"machine_os": OperatingSystem, "machine_arch": CpuArchitecture}
_TIMES = {"start_time", "end_time", "deadline_time"}


def values_to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a template as JSON data."""
    data = dict(values)
    for name in _ENUMS.keys() & data.keys():
        data[name] = data[name].name
    for name in _TIMES & data.keys():
        data[name] = data[name].astimezone().isoformat()
    return data


def values_from_json(data: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return the attributes that :func:`values_to_json` wrote; one that is not in `known` is left out."""
    names = set(known)
    values = {name: value for name, value in data.items() if name in names}
    for name in _ENUMS.keys() & values.keys():
        values[name] = _ENUMS[name][values[name]]
    for name in _TIMES & values.keys():
        values[name] = datetime.fromisoformat(values[name])
    return values
