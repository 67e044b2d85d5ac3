"""The embedded cluster by a few numbers: nodes, and simulated hosts whose jobs execute nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from gcs_lab.backends.embedded import service, simulated_runs
from gcs_lab.backends.embedded.cluster_file import parse_layout
from gcs_lab.backends.embedded.cluster_file_default import default_text
from gcs_lab.backends.embedded.cluster_file_shape import Shape
from gcs_lab.backends.embedded.matching import suit
from gcs_lab.backends.embedded.places import Places
from gcs_lab.cli import main
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_lab import Lab

    from gcs_lab.jobs import JobArray

MIXED = '[[hosts]]\nname="node"\ncount=2\n[[hosts]]\nname="sim"\ncount=20\nsimulated=true\n' + "".join(
    f'[[queues]]\nname="{queue}"\nslots={slots}\nhosts=["{hosts}*"]\n'
    for queue, slots, hosts in (("all.q", 2, "node"), ("sim.q", 4, "sim"))
)


def wait_for_counts(array: JobArray, wanted: dict[JobState, int]) -> None:
    wait_for(lambda: array.counts() == wanted, f"{wanted}")


def test_a_shape_becomes_the_hosts_and_queues_of_the_file() -> None:
    layout = parse_layout(Shape(nodes=4, simulated=500, slots=8).text())
    names = [host.name for host in layout.hosts]
    assert (names[0], names[3], names[4], names[-1], len(names)) == ("node01", "node04", "sim001", "sim500", 504)
    assert [host.simulated for host in layout.hosts] == [False] * 4 + [True] * 500
    assert [(queue.name, queue.slots, len(queue.hosts)) for queue in layout.queues] == [
        ("all.q", 8, 4), ("short.q", 2, 4), ("sim.q", 8, 500),
    ]  # fmt: skip
    beside = parse_layout(Shape(simulated=3).text())
    assert [host.simulated for host in beside.hosts] == [False, True, True, True]
    assert beside.queues[2].slots == 16


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[hosts]]\nname="a"\ncount=0\n', "count is 0"),
        ('[[hosts]]\nname="a"\ncount=100000\n', "5,000 at most"),
        ('[[hosts]]\nname="a"\nsimulated="yes"\n', "expected true or false"),
        ('[[hosts]]\nname="a"\ncount=2\n[[hosts]]\nname="a01"\n', "two hosts called 'a01'"),
        ('[[hosts]]\nname="a"\n[[queues]]\nname="q"\nslots=1\nhosts=["b*"]\n', r"hosts is \['b\*'\]"),
    ],
)
def test_hosts_that_cannot_be_are_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        parse_layout(text + ("" if "queues" in text else '[[queues]]\nname="q"\nslots=1\n'))


def test_numbers_that_cannot_be_are_refused_and_nothing_is_written(home: Path) -> None:
    for numbers in ({"nodes": 0}, {"nodes": 61}, {"simulated": -1}, {"simulated": 100_000}, {"slots": 0}):
        with pytest.raises(InvalidArgument, match="expected a number from 1 to"):
            service.start(**numbers)
    assert home.is_dir()
    assert not Places.of_user().configuration.exists()
    assert service.status().pid is None


def test_a_running_cluster_takes_no_other_shape(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    first = service.start(nodes=2, slots=1)
    assert service.start(nodes=2, slots=1).pid == first.pid
    assert service.start().pid == first.pid
    with pytest.raises(InvalidState, match=r"gcs-lab embedded stop.*then start"):
        service.start(nodes=3, slots=1)
    service.stop()
    assert main(["embedded", "start", "--nodes", "3", "--slots", "1"]) == 0
    assert "runs (pid" in capsys.readouterr().out
    assert "count = 3" in first.configuration.read_text()


def test_a_file_that_was_changed_by_hand_is_not_replaced(home: Path) -> None:
    assert home.is_dir()
    path = Places.of_user().configuration
    for own in (MIXED, Shape(nodes=2).text().replace("count = 2", "count = 5"), "no TOML ["):
        path.write_text(own)
        with pytest.raises(InvalidState, match="changed by hand"):
            service.start(nodes=2)
        assert path.read_text() == own
    noted = default_text().replace("[[hosts]]", "# my machine\n[[hosts]]")
    path.write_text(noted)
    service.start(nodes=2)
    assert path.with_name("cluster.toml.before").read_text() == noted
    service.stop()
    service.start(simulated=2)
    assert path.with_name("cluster.toml.before").read_text() == noted


def test_a_simulated_job_executes_nothing_and_ends_after_its_first_argument(lab: Lab) -> None:
    lab.configure(MIXED)
    said = lab.work / "said"
    began = time.time()
    job = lab.submit("/bin/sh", "0.3", "-c", f"echo x >{said}", output_path=str(said), queue_name="sim.q")
    job.wait_started()
    assert job.info().allocated_machines[0].machine_name == "sim001"
    assert job.wait_terminated() is JobState.DONE
    assert time.time() - began >= 0.3
    assert job.info().exit_status == 0
    assert not said.exists()
    assert list(lab.places.spool.iterdir()) == []
    wait_for(lab.places.accounting.exists, "the accounting record")
    wait_for(lambda: "\nsim.q:sim001:" in lab.places.accounting.read_text(), "the accounting record")


def test_only_jobs_that_name_its_queue_get_onto_a_simulated_host(lab: Lab) -> None:
    lab.configure(MIXED)
    jobs = [lab.shell("exit 0") for _ in range(6)] + [lab.submit("/bin/true", queue_name="*.q")]
    for job in jobs:
        assert job.wait_terminated() is JobState.DONE
        assert {slot.machine_name for slot in job.info().allocated_machines} <= {"node01", "node02"}
    whole = parse_layout(MIXED.replace("count=2\n", "count=2\nsimulated=true\n"))
    assert "name a queue only (-q): there is all.q, sim.q" in str(suit({}, (), whole).why_not)
    assert suit({}, ("all.q",), whole).places


def test_simulated_jobs_are_ended_and_held_to_limits(lab: Lab) -> None:
    lab.configure(MIXED)
    job = lab.submit("/bin/sleep", "600", queue_name="sim.q")
    job.wait_started()
    job.terminate()
    assert job.wait_terminated() is JobState.FAILED
    limited = lab.submit("/bin/sleep", "600", resource_limits={"WALLCLOCK_TIME": "1"}, queue_name="sim.q")
    assert limited.wait_terminated() is JobState.FAILED
    assert "h_rt=1 s exceeded" in str(limited.info().annotation)


def test_a_scheduler_that_was_stopped_goes_on_with_simulated_jobs(lab: Lab) -> None:
    lab.configure(MIXED)
    array = lab.jobs.submit_array(JobTemplate(remote_command="/bin/sleep", args=["3"], queue_name="sim.q"), 1, 100)
    wait_for_counts(array, {JobState.RUNNING: 80, JobState.QUEUED: 20})
    service.stop()
    service.start()
    wait_for_counts(array, {JobState.RUNNING: 80, JobState.QUEUED: 20})
    wait_for_counts(array, {JobState.DONE: 80, JobState.RUNNING: 20})


def test_what_seemed_to_run_on_a_host_that_is_gone_is_not_run_here(lab: Lab) -> None:
    lab.configure(MIXED)
    said = lab.work / "said"
    job = lab.submit("/bin/sh", "600", "-c", f"echo x >{said}", queue_name="sim.q")
    job.wait_started()
    service.stop()
    lab.configure(
        MIXED.replace("simulated=true\n", "").replace('name="sim"', 'name="other"').replace("sim*", "other*")
    )
    # The queue is on other hosts now, which are real: the job waits for slots there, and begins for the first time.
    service.start()
    wait_for(lambda: job.info().submission_time is not None, "an answer")
    assert job.wait_terminated() is JobState.FAILED  # there is no file called 600
    assert not said.exists()


def test_very_many_ends_are_told_in_parts(lab: Lab) -> None:
    lab.configure(MIXED.replace("count=20", "count=100").replace("slots=4", "slots=16"))
    array = lab.jobs.submit_array(JobTemplate(remote_command="/bin/sleep", args=["1"], queue_name="sim.q"), 1, 1_600)
    assert len(array.jobs) > simulated_runs.MOST_AT_ONCE
    wait_for_counts(array, {JobState.DONE: 1_600})
