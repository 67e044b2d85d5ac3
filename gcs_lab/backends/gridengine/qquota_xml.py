"""Read what ``qquota -xml`` prints: the resource quotas that this user has used something of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qstat_xml import elements

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ["parse_quotas", "plain_tag", "rule_tags"]

_WHOM = ("users", "projects", "pes", "queues", "hosts")


def parse_quotas(document: bytes) -> dict[str, str]:
    """Return, by rule (``"perhost/1"``), what is used of what: ``"1 of 1 slots for users ann, queues short.q"``.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    quotas: dict[str, str] = {}
    for rule in elements(document, *rule_tags(document)):
        limits = [element for element in rule.iter() if plain_tag(element) == "limit"]
        used = [f"{e.get('value', '?')} of {e.get('limit', '?')} {e.get('resource', '')}".strip() for e in limits]
        whom = [f"{plain_tag(e)} {e.text}" for e in rule.iter() if plain_tag(e) in _WHOM and e.text]
        quotas[rule.get("name") or ""] = ", ".join(used) + (f" for {', '.join(whom)}" if whom else "")
    return quotas


def plain_tag(element: ET.Element) -> str:
    """Return what an element is called without its name space."""
    return element.tag.rpartition("}")[2]


def rule_tags(document: bytes) -> list[str]:
    """Return what a rule is called: the root gives all elements a name space (8.1.9 and 9.2)."""
    found = re.search(rb'<qquota_result[^>]* xmlns="([^"]+)"', document)
    return ["qquota_rule", *([f"{{{found[1].decode('utf-8', 'replace')}}}qquota_rule"] if found else [])]
