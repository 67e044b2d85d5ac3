"""Machines and queues as a monitoring session sees them: recorded outputs of both versions, and a real cell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest

from gcs_lab.backends.gridengine.architectures import architecture_pattern
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.machines import parse_machines, queues_of
from gcs_lab.backends.gridengine.qstat_xml import parse_queues
from gcs_lab.errors import UnsupportedAttribute
from gcs_lab.vocabulary import CpuArchitecture, JobState, OperatingSystem, QueueInfo

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.cluster import Cluster


def test_machines_are_read_from_what_each_version_prints(recorded: Path) -> None:
    (machine,) = parse_machines((recorded / "qhost.xml").read_bytes())
    assert machine.available
    assert (machine.sockets, machine.cores_per_socket, machine.threads_per_core) == (1, 2, 1)
    assert machine.machine_os is OperatingSystem.LINUX
    assert machine.machine_arch is CpuArchitecture.X64
    assert machine.phys_memory == int(23.5 * 1024**2)
    assert machine.load is not None
    assert machine.raw["num_proc"] == "2"


def test_exact_values_go_before_rounded_ones() -> None:
    document = b"""<qhost><host name='global'/><host name='n1'>
        <hostvalue name='arch_string'>ulx-arm64</hostvalue><hostvalue name='load_avg'>5.54</hostvalue>
        <hostvalue name='mem_total'>23.5G</hostvalue><hostvalue name='m_socket'>2</hostvalue>
        <hostvalue name='m_core'>8</hostvalue><hostvalue name='m_thread'>16</hostvalue>
        <resourcevalue name='mem_total' dominance='hl'>25276514304</resourcevalue>
        <resourcevalue name='virtual_total' dominance='hl'>24.0G</resourcevalue>
        <resourcevalue name='load_short' dominance='hl'>4.17</resourcevalue></host></qhost>"""
    (machine,) = parse_machines(document)
    assert machine.phys_memory == 25276514304 // 1024
    assert machine.virt_memory == 24 * 1024**2
    assert machine.load == 4.17
    assert (machine.sockets, machine.cores_per_socket, machine.threads_per_core) == (2, 4, 2)
    assert (machine.machine_os, machine.machine_arch) == (OperatingSystem.LINUX, CpuArchitecture.ARM64)


def test_a_machine_that_is_not_heard_of_is_not_available() -> None:
    document = b"""<qhost><host name='n1'><hostvalue name='arch_string'>-</hostvalue>
        <hostvalue name='load_avg'>-</hostvalue><hostvalue name='mem_total'>-</hostvalue></host></qhost>"""
    (machine,) = parse_machines(document)
    assert not machine.available
    assert (machine.load, machine.phys_memory, machine.machine_os, machine.sockets) == (None, None, None, None)


def test_a_queue_counts_the_slots_of_all_its_machines(recorded: Path) -> None:
    rows = parse_queues((recorded / "qstat-f.xml").read_bytes())
    queues = queues_of(["all.q", "empty.q"], rows)
    assert queues[0].name == "all.q"
    assert queues[0].slots == sum(row.slots_total for row in rows if row.queue == "all.q") > 0
    assert queues[0].slots_used == sum(row.slots_used for row in rows if row.queue == "all.q")
    assert queues[1] == QueueInfo("empty.q", 0, 0, ())


@pytest.mark.parametrize(
    ("system", "processor", "pattern"),
    [
        (OperatingSystem.LINUX, CpuArchitecture.X64, "*lx-amd64"),
        (OperatingSystem.LINUX, None, "*lx-*"),
        (None, CpuArchitecture.X64, "*-amd64|*-x64|*-x86_64"),
        (OperatingSystem.HPUX, None, "hp11|hp11-64"),
        (OperatingSystem.MACOS, CpuArchitecture.X64, "darwin-amd64|darwin-x64|darwin-x86_64"),
        (OperatingSystem.LINUX, CpuArchitecture.PPC64LE, "*lx-ppc64el|*lx-ppc64le"),
    ],
)
def test_kinds_of_machines_have_grid_engines_names(
    system: OperatingSystem | None, processor: CpuArchitecture | None, pattern: str
) -> None:
    assert architecture_pattern(system, processor) == pattern


def test_a_kind_of_machine_without_a_name_is_refused() -> None:
    with pytest.raises(UnsupportedAttribute, match="machine_arch=CELL"):
        architecture_pattern(OperatingSystem.LINUX, CpuArchitecture.CELL)


@pytest.mark.gridengine
def test_this_machine_is_told_as_it_is(cluster: Cluster) -> None:
    (machine,) = cluster.jobs.machines()
    assert machine.name == "localhost"
    assert machine.available
    assert machine.machine_os is OperatingSystem.LINUX
    assert machine.machine_arch is {
        "x86_64": CpuArchitecture.X64, "aarch64": CpuArchitecture.ARM64
    }.get(os.uname().machine, machine.machine_arch)  # fmt: skip
    memory = psutil.virtual_memory().total / 1024
    assert machine.phys_memory is not None
    assert abs(machine.phys_memory - memory) < memory / 1000
    assert machine.virt_memory is not None
    assert machine.virt_memory >= machine.phys_memory
    assert None not in (machine.sockets, machine.cores_per_socket, machine.threads_per_core, machine.load)
    assert cluster.jobs.machines(["nosuch"]) == []


@pytest.mark.gridengine
def test_queues_are_told_with_what_runs_in_them(cluster: Cluster) -> None:
    before = {queue.name: queue for queue in cluster.jobs.queues()}
    assert set(before) == {"all.q", "short.q"}
    assert before["short.q"].machines == ("localhost",)
    job = cluster.jobs.run("sleep", "100", queue_name="short.q", output_path="/dev/null", error_path="/dev/null")
    try:
        assert job.wait_started(30) is JobState.RUNNING
        (queue,) = cluster.jobs.queues(["short.q"])
        assert queue.slots_used == (before["short.q"].slots_used or 0) + 1
        assert queue.slots == before["short.q"].slots
    finally:
        job.terminate()
        assert job.wait_terminated(30) is JobState.FAILED


@pytest.mark.gridengine
def test_the_catalogue_names_hosts(cluster: Cluster) -> None:
    assert cluster.jobs.catalogue(0).hosts == ("localhost",)


@pytest.mark.gridengine
def test_a_queue_without_a_machine_is_a_queue_too(cluster: Cluster, demo_cell: DemoState, tmp_path: Path) -> None:
    cell = demo_cell.cell()
    text = ask(cell, ["qconf", "-sq", "all.q"]).text
    lines = [line for line in text.splitlines() if not line.startswith(("qname", "hostlist"))]
    (tmp_path / "queue").write_text("\n".join(["qname empty.q", "hostlist NONE", *lines]) + "\n")
    ask(cell, ["qconf", "-Aq", str(tmp_path / "queue")])
    try:
        assert cluster.jobs.queues(["empty.q"]) == [QueueInfo("empty.q", 0, 0, ())]
    finally:
        ask(cell, ["qconf", "-dq", "empty.q"])
