"""What qhost, qquota and qconf print, read into the tables of the status area; no daemon is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.backends.gridengine.qhost_tables import read_hosts
from gcs_lab.backends.gridengine.qquota_table import read_quotas
from gcs_lab.backends.gridengine.status_complexes import read_complexes
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from pathlib import Path


def at(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_hosts_and_queue_instances_of_both_versions(recorded: Path) -> None:
    instances, hosts = read_hosts((recorded / "status" / "qhost-Fjq.xml").read_bytes())
    assert instances.schema == schema("queue_instances")
    assert hosts.schema == schema("hosts")
    (host,), (instance,) = hosts.to_pylist(), instances.to_pylist()
    assert at(host, "arch", "cores", "sockets", "threads", "swap_total") == ("lx-amd64", 2, 1, 2, 0)
    assert host["memory_total"] == pytest.approx(25276514304, rel=1e-4)
    assert at(host, "slots_total", "state") == (8, "")
    assert at(instance, "queue", "host", "type", "slots_total", "state") == ("all.q", host["host"], "BIP", 8, "")
    assert instance["slots_used"] == host["slots_used"] == (7 if recorded.name.startswith("sge") else 2)
    assert instance["load_avg"] == host["load_avg"]


def qhost(*hosts: str) -> bytes:
    return f"<?xml version='1.0'?>\n<qhost>{''.join(hosts)}</qhost>\n".encode()


def host_of(name: str, load: str, *states: str) -> str:
    queues = "".join(
        f"<queue name='q{n}'><queuevalue qname='q{n}' name='qtype_string'>BP</queuevalue>"
        f"<queuevalue qname='q{n}' name='slots'>4</queuevalue>"
        f"<queuevalue qname='q{n}' name='state_string'>{state}</queuevalue></queue>"
        for n, state in enumerate(states)
    )
    return f"<host name='{name}'><hostvalue name='load_avg'>{load}</hostvalue>{queues}</host>"


def test_a_host_that_does_not_report_is_u_and_one_that_is_closed_has_its_letters() -> None:
    document = qhost(
        host_of("global", "-"),
        host_of("gone", "-", "au", "au"),
        host_of("closed", "0.5", "d", "ad"),
        host_of("half", "0.5", "d", ""),
        host_of("bare", "0.5"),
    )
    instances, hosts = read_hosts(document)
    assert {row["host"]: row["state"] for row in hosts.to_pylist()} == {
        "gone": "u",
        "closed": "d",
        "half": "",
        "bare": "",
    }
    assert {row["host"]: row["slots_total"] for row in hosts.to_pylist()}["gone"] == 8
    assert [row["state"] for row in instances.to_pylist()] == ["au", "au", "d", "ad", "d", ""]
    assert hosts.to_pylist()[0]["load_avg"] is None


def test_a_cell_without_hosts_has_empty_tables() -> None:
    instances, hosts = read_hosts(qhost())
    assert (instances.num_rows, hosts.num_rows) == (0, 0)


def test_quotas_are_numbers_with_what_they_are_about(sge: Path) -> None:
    table = read_quotas((sge / "status" / "qquota-used.xml").read_bytes(), {"h_vmem": "MEMORY", "slots": "INT"})
    assert table.schema == schema("quotas")
    slots, memory, first, _ = table.to_pylist()
    assert at(slots, "quota", "rule", "resource", "used", "limit") == ("limits", "per", "slots", 8000, 100000)
    assert at(slots, "users", "queues", "hosts", "projects") == ("alice", "sim.q", None, None)
    assert memory["limit"] == 78.125 * 2**40
    assert at(first, "parallel_environments", "hosts") == ("!smp", "sim001")


def test_no_quota_in_use_is_an_empty_table(recorded: Path) -> None:
    assert read_quotas((recorded / "status" / "qquota.xml").read_bytes(), {}).num_rows == 0


def test_complexes_have_all_their_columns(recorded: Path) -> None:
    rows = {row["name"]: row for row in read_complexes((recorded / "qconf-sc.txt").read_text()).to_pylist()}
    assert at(rows["slots"], "shortcut", "type", "relation", "consumable", "default") == (
        "s",
        "INT",
        "<=",
        "YES",
        "1",
    )
    assert at(rows["arch"], "default", "urgency") == (None, 0)
    assert rows["slots"]["urgency"] == 1000
