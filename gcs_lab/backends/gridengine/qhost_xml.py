"""Read what ``qhost -xml`` prints, with ``-F`` or without (8.1.9 and 9.x alike; qhost.xsd)."""

from __future__ import annotations

from gcs_lab.backends.gridengine.qstat_xml import elements
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory

__all__ = ["parse_hosts", "read_memory", "read_number"]


def parse_hosts(document: bytes) -> dict[str, dict[str, str]]:
    """Return the values of each host, those that it has; without ``global``.

    With ``-F`` there are the values of its complexes, too, which are more exact than those of the same name without.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    hosts: dict[str, dict[str, str]] = {}
    for host in elements(document, "host"):
        values = hosts.setdefault(host.get("name", ""), {})
        for tag in ("hostvalue", "resourcevalue"):
            found = {value.get("name", ""): (value.text or "").strip() for value in host.iter(tag)}
            values |= {name: text for name, text in found.items() if text not in ("", "-")}
    hosts.pop("global", None)
    return hosts


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
