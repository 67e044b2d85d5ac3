"""A private cell of several real nodes, and one of simulated hosts: one of each for the whole file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gridengine.demo_lab import home, need_packages, processes_of
from patience import wait_for

from gcs_lab.backends.gridengine import PROVIDER, demo
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.demo import network
from gcs_lab.backends.gridengine.discovery import find_site_cell
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster
from gcs_lab.errors import ClusterNotFound, InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gridengine

_NODES, _SIMULATED = 2, 20
_INSTALL = "apt-get install -y --no-install-recommends libnss-wrapper libsocket-wrapper"


def need_wrappers() -> None:
    """Skip the test where the packages of this file are missing."""
    need_packages()
    for folder in (Path(f"/usr/lib/{os.uname().machine}-linux-gnu"), Path("/usr/lib64"), Path("/usr/lib")):
        if (folder / "libnss_wrapper.so").exists() and (folder / "libsocket_wrapper.so").exists():
            return
    pytest.skip(f"libnss-wrapper and libsocket-wrapper are not installed: {_INSTALL}")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Yield the home in which both cells live; nothing of them is left at the end."""
    need_wrappers()
    folder = Path(tempfile.mkdtemp(prefix="gn-", dir="/tmp"))
    try:
        with home(folder):
            yield folder
            for state in demo.status():
                demo.stop(state.name)
            assert not processes_of(folder)
            assert demo.status() == []
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def nodes(place: Path) -> demo.DemoState:
    """Return the cell with nodes."""
    assert place.is_dir()
    return demo.start("nodes", nodes=_NODES, slots=2)


@pytest.fixture(scope="module")
def simulated(place: Path) -> demo.DemoState:
    """Return the cell with simulated hosts."""
    assert place.is_dir()
    return demo.start("big", simulated=_SIMULATED)


@pytest.fixture
def cluster(nodes: demo.DemoState) -> Iterator[Cluster]:
    """Yield the cluster of the cell with nodes, as a notebook connects to it."""
    system = PROVIDER.connect(nodes.cluster)
    yield Cluster(system)
    system.close()


def said_by(cluster: Cluster, folder: Path, *command: str, **more: object) -> str:
    """Run a job, which must end well, and return what it said."""
    output = folder / "said"
    template = JobTemplate(
        remote_command=command[0], args=list(command[1:]), output_path=str(output), join_files=True,
        working_directory=str(folder), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    job = cluster.jobs.submit(template)
    assert job.wait_terminated(60) is JobState.DONE
    return output.read_text()


def test_every_node_runs_jobs_under_its_own_name(nodes: demo.DemoState, cluster: Cluster, tmp_path: Path) -> None:
    assert list(nodes.daemons) == ["sge_qmaster", "sge_execd@node01", "sge_execd@node02"]
    template = JobTemplate(
        remote_command="/bin/sh", args=["-c", "hostname; sleep 1"], join_files=True,
        output_path=str(tmp_path / "out.$DRMAA2_INDEX$"),
    )  # fmt: skip
    array = cluster.jobs.submit_array(template, 1, 4)
    array.wait_terminated(60)
    hosts = {slot.machine_name for job in array.jobs for slot in job.info().allocated_machines}
    said = {path.read_text().strip() for path in tmp_path.glob("out.*")}
    assert said == {"node01", "node02"}
    assert hosts == said


def test_a_job_reaches_what_is_outside_of_the_cell_and_the_qmaster(cluster: Cluster, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        code = (
            "import socket, subprocess, os, sys\n"
            f"socket.create_connection(('127.0.0.1', {outside.getsockname()[1]}), timeout=10).close()\n"
            "print(socket.gethostname(), [n for n in os.environ if n.startswith('SOCKET_WRAPPER')])\n"
            "qstat = os.path.join(os.environ['SGE_ROOT'], 'bin', os.environ['SGE_ARCH'], 'qstat')\n"
            "print(os.environ['JOB_ID'] in subprocess.run([qstat], capture_output=True, text=True).stdout)\n"
        )
        said = said_by(cluster, tmp_path, sys.executable, "-c", code)
        peer, _ = outside.accept()
        peer.close()
    name, _, wrapped = said.splitlines()[0].partition(" ")
    assert name in {"node01", "node02"}
    assert wrapped == "[]"
    assert said.splitlines()[1] == "True"


def test_a_command_keeps_its_words_and_a_script_its_shell(nodes: demo.DemoState, tmp_path: Path) -> None:
    cell = nodes.cell()
    script = tmp_path / "job.sh"
    script.write_text('#!/bin/sh\n#$ -S /bin/bash\necho "$1|$2" "${BASH_VERSION:+bash}"\n')
    plain = ["-sync", "y", "-j", "y", "-N", "x", "-o"]
    ask(cell, ["qsub", *plain, str(tmp_path / "script"), str(script), "a  b", "c"])
    ask(cell, ["qsub", *plain, str(tmp_path / "words"), "-b", "y", "-shell", "n", "/bin/echo", "a  b"])
    ask(cell, ["qsub", *plain, str(tmp_path / "shell"), "-b", "y", "/bin/echo", "a  b"])
    assert (tmp_path / "script").read_text() == "a  b|c bash\n"
    assert (tmp_path / "words").read_text() == "a  b\n"
    # As Grid Engine itself does without `-shell n`.
    assert (tmp_path / "shell").read_text() == "a b\n"


def test_the_settings_serve_a_shell_whose_other_programs_keep_their_sockets(nodes: demo.DemoState) -> None:
    script = '. "$0" && qconf -sel && echo "[$LD_PRELOAD]" && qhost -h node02 | tail -n 1'
    said = subprocess.run(
        ["sh", "-c", script, str(nodes.settings_sh)], capture_output=True, text=True, timeout=20, check=True,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    words = said.stdout.split()
    assert words[:3] == ["node01", "node02", "[]"]
    assert "node02" in words[3:]


def test_nothing_listens_on_a_port_of_the_machine_and_the_cell_is_found_by_its_root(nodes: demo.DemoState) -> None:
    cell = nodes.cell()
    assert cell.answers()
    assert nodes.settings is not None
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", nodes.settings.qmaster_port), timeout=1)
    found = find_site_cell({"SGE_ROOT": str(cell.root), "SGE_QMASTER_PORT": "6444", "SGE_EXECD_PORT": "6445"})
    assert found is not None
    assert found.answers()
    assert ask(found, ["qconf", "-sel"]).text.split() == ["node01", "node02"]


def test_what_dies_is_mended_and_its_jobs_go_on(nodes: demo.DemoState, cluster: Cluster) -> None:
    job = cluster.jobs.run("sleep", "600", output_path="/dev/null", error_path="/dev/null")
    job.wait_started(30)
    before = nodes.daemons
    one = before["sge_execd@node02"]
    assert one is not None
    os.kill(one, signal.SIGKILL)
    wait_for(lambda: {s.name: s for s in demo.status()}["nodes"].state == "broken", "the notice of the death")
    mended = demo.start("nodes")
    assert {name for name, pid in mended.daemons.items() if pid != before[name]} == {"sge_execd@node02"}
    master = mended.daemons["sge_qmaster"]
    assert master is not None
    os.kill(master, signal.SIGKILL)
    wait_for(lambda: not nodes.cell().answers(), "the end of the qmaster's socket")
    again = demo.start("nodes")
    assert again.state == "running"
    assert not again.closed
    wait_for(lambda: job.state is JobState.RUNNING, "the job that all this did not end")
    (sleeper,) = [line for line in processes_of(nodes.folder) if line == "sleep 600"]
    assert sleeper
    job.terminate()


def test_simulated_hosts_seem_to_run_jobs_and_execute_nothing(simulated: demo.DemoState, tmp_path: Path) -> None:
    offer = next(offer for offer in PROVIDER.offers() if offer.cluster == simulated.cluster)
    assert offer.affinity == 0
    assert "simulated" in offer.why
    system = GridEngineSystem("big", simulated.cell(), "qsub")
    jobs = Cluster(system).jobs
    array = jobs.submit_array(JobTemplate(remote_command="/bin/sleep", args=["600"], queue_name="sim.q"), 1, 1000)
    wait_for(lambda: array.counts()[JobState.RUNNING] == 16 * _SIMULATED, "one array on all slots")
    wait_for(lambda: "0.00" not in ask(simulated.cell(), ["qhost", "-h", "sim020"]).text, "the loads")
    array.terminate()
    short = jobs.run(
        "/bin/sleep", "1", output_path=str(tmp_path / "out"), error_path="/dev/null", queue_name="simshort.q"
    )
    assert short.wait_terminated(60) is JobState.DONE
    assert not (tmp_path / "out").exists()
    assert demo.start("big", simulated=_SIMULATED).found
    system.close()


def test_another_shape_than_that_of_the_cell_is_refused(nodes: demo.DemoState) -> None:
    assert demo.start("nodes", nodes=_NODES, slots=2).daemons == {s.name: s for s in demo.status()}["nodes"].daemons
    for shape in ({"nodes": 3}, {"slots": 5}, {"simulated": 20}):
        with pytest.raises(InvalidState, match=r"with 2 nodes, 2 slots.*gcs-lab demo stop --name nodes"):
            demo.start(nodes.name, **shape)


def test_shapes_that_cannot_be_are_refused_before_anything_is_made(place: Path) -> None:
    for number in (0, -1, 61, 100_000):
        with pytest.raises(InvalidArgument, match=r"nodes is .*from 1 to 60"):
            demo.start("x", nodes=number)
    for number in (0, -5, 100_000):
        with pytest.raises(InvalidArgument, match=r"simulated is .*from 1 to 5,000"):
            demo.start("x", simulated=number)
    with pytest.raises(InvalidArgument, match="slots is 0"):
        demo.start("x", slots=0)
    with pytest.raises(InvalidArgument, match=r"all of its hosts or none"):
        demo.start("x", nodes=2, simulated=20)
    with home(place / ("long" * 20)), pytest.raises(InvalidArgument, match=r"107 bytes.*GCS_LAB_HOME"):
        demo.start("x", nodes=2)
    assert not (place / "state" / "demo" / "x").exists()


def test_missing_libraries_are_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_LIBRARY_FOLDERS", (str(place),))
    with pytest.raises(ClusterNotFound, match=r"libnss_wrapper.so.*apt-get install .*libsocket-wrapper"):
        demo.start("x", simulated=3)
