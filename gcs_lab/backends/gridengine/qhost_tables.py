"""Read ``qhost -q -F … -xml`` into the tables of hosts and of queue instances (8.1.9 and 9.x alike; qhost.xsd)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qhost_xml import read_count, read_memory, read_number, values_of
from gcs_lab.backends.gridengine.qstat_xml import elements
from gcs_lab.status.keys import named_keys
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterable

    import pyarrow as pa

__all__ = ["QHOST", "read_hosts"]

_VALUES = "load_avg,mem_total,mem_used,swap_total,swap_used"
#: The command that is read here. Values of complexes are more exact: 23.541G (9.x: bytes) instead of 23.5G.
QHOST = ("qhost", "-q", "-F", _VALUES, "-xml")


def read_hosts(document: bytes) -> tuple[pa.Table, pa.Table]:
    """Return the queue instances (``QUEUE_INSTANCE_COLUMNS``) and the hosts (``HOST_COLUMNS``) in such a document.

    What ``qstat -f`` says of a queue instance's load and architecture is its host's.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    hosts: list[dict[str, object]] = []
    instances: list[dict[str, object]] = []
    for element in elements(document, "host"):
        name = element.get("name", "")
        if name in ("", "global"):
            continue
        host = _host(element, name)
        mine = [_instance(queue, host) for queue in element.iter("queue")]
        hosts.append(host | _sums(mine, reports=host["load_avg"] is not None))
        instances += mine
    return _table("queue_instances", instances, "queue", "host"), _table("hosts", hosts, "host")


def _host(element: ET.Element, name: str) -> dict[str, object]:
    values = values_of(element, "hostvalue", "resourcevalue")
    host: dict[str, object] = {
        "host": name,
        "arch": values.get("arch_string"),
        "cores": read_count(values.get("num_proc")),
        "sockets": read_count(values.get("m_socket")),
        "threads": read_count(values.get("m_thread")),
        "load_avg": read_number(values.get("load_avg")),
    }
    return host | {key: read_memory(values.get(key)) for key in ("mem_total", "mem_used", "swap_total", "swap_used")}


def _instance(queue: ET.Element, host: dict[str, object]) -> dict[str, object]:
    values = values_of(queue, "queuevalue")
    return {
        "queue": queue.get("name"),
        "host": host["host"],
        "type": values.get("qtype_string"),
        "slots_used": read_count(values.get("slots_used")) or 0,
        "slots_reserved": read_count(values.get("slots_resv")) or 0,
        "slots_total": read_count(values.get("slots")) or 0,
        "load_avg": host["load_avg"],
        "arch": host["arch"],
        "state": values.get("state_string", ""),
    }


def _sums(instances: list[dict[str, object]], *, reports: bool) -> dict[str, object]:
    return {
        "slots_used": sum(int(str(some["slots_used"])) for some in instances),
        "slots_total": sum(int(str(some["slots_total"])) for some in instances),
        "state": _shared(str(some["state"]) for some in instances) if reports else "u",
    }


def _shared(states: Iterable[str]) -> str:
    """Return the letters that all have, in the order of the first."""
    first, *others = list(states) or [""]
    return "".join(letter for letter in first if all(letter in other for other in others))


#: What these columns are called in the tables.
_RENAMED = {"mem_total": "memory_total", "mem_used": "memory_used"}


def _table(kind: str, rows: list[dict[str, object]], *names: str) -> pa.Table:
    import pyarrow as pa

    wanted = schema(kind)
    given = {_RENAMED.get(name, name): name for name in (rows[0] if rows else ())}
    columns = {}
    for field in wanted:
        if field.name != "key":
            values = [row[given[field.name]] for row in rows]
            plain = pa.array(values, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            columns[field.name] = plain.dictionary_encode() if pa.types.is_dictionary(field.type) else plain
    columns["key"] = named_keys(*(columns[name].cast(pa.string()) for name in names))
    return pa.table([columns[name] for name in wanted.names], schema=wanted)
