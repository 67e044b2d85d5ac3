"""Read ``qquota -u '*' -xml`` into the table of quotas that are in use (8.1.9 and 9.x alike; qquota.xsd)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qhost_xml import read_memory, read_number
from gcs_lab.backends.gridengine.qquota_xml import plain_tag, rule_tags
from gcs_lab.backends.gridengine.qstat_xml import elements
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_time
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["QQUOTA", "read_quotas"]

#: The command that is read here.
QQUOTA = ("qquota", "-u", "*", "-xml")
#: What a rule is about, as it is called there and in the table; what it leaves out has an x before it.
_WHOM = {
    "users": "users",
    "projects": "projects",
    "pes": "parallel_environments",
    "queues": "queues",
    "hosts": "hosts",
}


def read_quotas(document: bytes, types: Mapping[str, str]) -> pa.Table:
    """Return the limits (``QUOTA_COLUMNS``) in such a document.

    Parameters
    ----------
    document
        What qquota printed.
    types
        The types of the complexes by name (complex(5)): ``MEMORY`` is read as bytes, ``TIME`` as seconds.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    import pyarrow as pa

    rows = []
    for rule in elements(document, *rule_tags(document)):
        quota, _, name = (rule.get("name") or "").rpartition("/")
        whom: dict[str, list[str]] = {}
        limits = []
        for element in rule.iter():
            tag, text = plain_tag(element), (element.text or "").strip()
            if tag == "limit":
                limits.append(element)
            elif tag in _WHOM and text:
                whom.setdefault(_WHOM[tag], []).append(text)
            elif tag[1:] in _WHOM and tag.startswith("x") and text:
                whom.setdefault(_WHOM[tag[1:]], []).append(f"!{text}")
        words: dict[str, object] = {column: ",".join(names) for column, names in whom.items()}
        for limit in limits:
            resource = limit.get("resource", "")
            amounts = {
                "used": _amount(limit.get("value"), types.get(resource, "")),
                "limit": _amount(limit.get("limit"), types.get(resource, "")),
            }
            rows.append({"quota": quota, "rule": name, "resource": resource} | amounts | words)
    return pa.Table.from_pylist(rows, schema=schema("quotas"))


def _amount(text: str | None, kind: str) -> float | None:
    if text is None:
        return None
    if kind == "MEMORY":
        return read_memory(text)
    if kind == "TIME":
        try:
            return parse_time(text)
        except InvalidArgument:
            return None
    return read_number(text)
