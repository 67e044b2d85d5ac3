"""Read what ``qhost -xml`` prints, with ``-F`` or without (8.1.9 and 9.x alike; qhost.xsd)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qstat_xml import elements
from gcs_lab.backends.gridengine.status_values import MISSING
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ["parse_hosts", "read_count", "read_memory", "read_number", "values_of"]


def parse_hosts(document: bytes) -> dict[str, dict[str, str]]:
    """Return the values of each host, those that it has; without ``global``.

    With ``-F`` there are the values of its complexes, too, which are more exact than those of the same name without.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    hosts = {
        host.get("name", ""): values_of(host, "hostvalue", "resourcevalue") for host in elements(document, "host")
    }
    hosts.pop("global", None)
    return hosts


def values_of(element: ET.Element, *tags: str) -> dict[str, str]:
    """Return the values of a host or a queue instance that it has; of equal names that of the later tag."""
    values = ((value.get("name", ""), (value.text or "").strip()) for tag in tags for value in element.iter(tag))
    return {name: text for name, text in values if text not in MISSING}


def read_memory(text: str | None) -> int | None:
    """Return the bytes of ``23.541G`` (8.1.9; powers of 1024 in capitals, as in complex(5)) or plain bytes (9.x)."""
    try:
        return None if text is None else int(parse_memory(text))
    except (InvalidArgument, OverflowError):
        return None


def read_number(text: str | None) -> float | None:
    """Return the number that `text` says, or None."""
    try:
        return float(text or "")
    except ValueError:
        return None


def read_count(text: str | None) -> int | None:
    """Return the whole number that `text` says, or None."""
    number = read_number(text)
    return None if number is None else int(number)
