"""Every attribute of a job template has its effect on a real Grid Engine, by libdrmaa and by qsub."""

from __future__ import annotations

import contextlib
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.job_request import REFUSALS, SUPPORTED_ATTRIBUTES, make_request
from gcs_lab.errors import DeniedByDrms, InvalidArgument, UnknownName, UnsupportedAttribute
from gcs_lab.vocabulary import (
    HOME_DIRECTORY,
    PARAMETRIC_INDEX,
    WORKING_DIRECTORY,
    Capability,
    CpuArchitecture,
    JobState,
    JobTemplate,
    OperatingSystem,
    ReservationTemplate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import Job

pytestmark = pytest.mark.gridengine

QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}


def run(cluster: Cluster, *words: str, **attributes: Any) -> Job:
    return cluster.jobs.run(*words, **{**QUIET, **attributes})


def output_of(cluster: Cluster, tmp_path: Path, *words: str, **attributes: Any) -> str:
    """Return what a job printed that ended well."""
    out = tmp_path / "out"
    job = run(cluster, *words, **{"output_path": str(out), **attributes})
    assert job.wait_terminated(30) is JobState.DONE, job.status()
    return out.read_text()


@contextlib.contextmanager
def waiting(cluster: Cluster, **attributes: Any) -> Iterator[Job]:
    """Yield a job that waits and goes on waiting for longer than the scheduler would need for it."""
    job = run(cluster, "true", **attributes)
    other = run(cluster, "true")
    try:
        assert other.wait_terminated(30) is JobState.DONE
        time.sleep(1.2)  # a further scheduling interval
        assert job.status(0).state in (JobState.QUEUED, JobState.QUEUED_HELD)
        yield job
    finally:
        job.terminate()


def test_every_attribute_is_honoured_or_refused_with_what_to_use_instead() -> None:
    names = {field.name for field in fields(JobTemplate)}
    assert SUPPORTED_ATTRIBUTES | REFUSALS.keys() == names
    assert not SUPPORTED_ATTRIBUTES & REFUSALS.keys()


def test_a_deadline_is_refused_saying_what_else_limits_a_job(cluster: Cluster) -> None:
    with pytest.raises(UnsupportedAttribute, match=r"deadline_time.*WALLCLOCK_TIME"):
        run(cluster, "true", deadline_time=datetime.now(UTC) + timedelta(hours=1))
    assert not cluster.jobs.supports(Capability.JT_DEADLINE)


def test_a_working_directory_may_begin_with_the_home_folder(cluster: Cluster, tmp_path: Path) -> None:
    assert output_of(cluster, tmp_path, "pwd", working_directory=HOME_DIRECTORY) == f"{Path.home()}\n"
    request = make_request(
        JobTemplate(remote_command="true", working_directory=f"{HOME_DIRECTORY}/x", output_path="o")
    )
    assert (request.output_path, request.error_path) == (":$HOME/x/o", ":$HOME/x")


def test_each_task_has_its_index_in_all_its_paths(cluster: Cluster, tmp_path: Path) -> None:
    for index in (2, 4):
        (tmp_path / f"wd{index}").mkdir()
        (tmp_path / f"in{index}").write_text(f"input {index}")
    template = JobTemplate(
        remote_command="sh",
        args=["-c", "cat; pwd >&2"],
        working_directory=f"{tmp_path}/wd{PARAMETRIC_INDEX}",
        input_path=f"{tmp_path}/in{PARAMETRIC_INDEX}",
        output_path=f"{WORKING_DIRECTORY}/out{PARAMETRIC_INDEX}-{PARAMETRIC_INDEX}",
        error_path=f"{tmp_path}/err{PARAMETRIC_INDEX}",
    )
    array = cluster.jobs.submit_array(template, 2, 4, 2)
    array.wait_terminated(30)
    for index in (2, 4):
        assert (tmp_path / f"wd{index}" / f"out{index}-{index}").read_text() == f"input {index}"
        assert (tmp_path / f"err{index}").read_text() == f"{tmp_path}/wd{index}\n"


def test_what_a_task_prints_lies_in_its_own_folder_if_no_path_is_given(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "wd3").mkdir()
    template = JobTemplate(
        remote_command="sh",
        args=["-c", "cat; echo out; echo err >&2"],
        working_directory=f"{tmp_path}/wd{PARAMETRIC_INDEX}",
        input_path="in",
    )
    (tmp_path / "wd3" / "in").write_text("in\n")
    array = cluster.jobs.submit_array(template, 3, 3)
    array.wait_terminated(30)
    assert (tmp_path / "wd3" / f"sh.o{array.id}.3").read_text() == "in\nout\n"
    assert (tmp_path / "wd3" / f"sh.e{array.id}.3").read_text() == "err\n"


def test_output_and_errors_are_joined(cluster: Cluster, tmp_path: Path) -> None:
    said = output_of(cluster, tmp_path, "sh", "-c", "echo out; echo err >&2", join_files=True)
    assert said.split() == ["out", "err"]


def test_a_job_does_not_start_before_its_time(cluster: Cluster, tmp_path: Path) -> None:
    start = datetime.now().astimezone() + timedelta(seconds=2.5)
    began = float(output_of(cluster, tmp_path, "date", "+%s.%N", start_time=start))
    assert began >= start.timestamp()


def test_a_start_that_is_past_is_at_once(cluster: Cluster) -> None:
    job = run(cluster, "true", start_time=datetime(2001, 2, 3))  # noqa: DTZ001  (naive: local)
    assert job.wait_terminated(30) is JobState.DONE


def test_a_start_tomorrow_waits(cluster: Cluster) -> None:
    with waiting(cluster, start_time=datetime.now(UTC) + timedelta(days=1)):
        pass


@pytest.mark.parametrize("by", ["id", "name", "pattern"])
def test_a_job_waits_for_those_it_depends_on(cluster: Cluster, tmp_path: Path, by: str) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    script = 'while [ ! -e "$1" ]; do sleep 0.1; done; echo first >> "$2"'
    first = run(cluster, "sh", "-c", script, "sh", str(go), str(log), job_name=f"prep-{by}-{tmp_path.name}")
    named = {"id": first.id, "name": f"prep-{by}-{tmp_path.name}", "pattern": f"prep-{by}-*"}[by]
    second = run(cluster, "sh", "-c", 'echo second >> "$1"', "sh", str(log), hold_jid=[named])
    assert second.status(0).state is JobState.QUEUED_HELD
    first.wait_started(30)
    go.touch()
    assert second.wait_terminated(30) is JobState.DONE
    assert log.read_text().split() == ["first", "second"]


def test_tasks_wait_for_tasks(cluster: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = '[ "$SGE_TASK_ID" = 1 ] || while [ ! -e "$1" ]; do sleep 0.1; done'
    template = JobTemplate(remote_command="sh", args=["-c", script, "sh", str(go)], **QUIET)
    first = cluster.jobs.submit_array(template, 1, 2)
    second = cluster.jobs.submit_array(JobTemplate(remote_command="true", hold_jid_ad=[first.id], **QUIET), 1, 2)
    assert second.job(1).wait_terminated(30) is JobState.DONE
    assert second.job(2).status(0).state is JobState.QUEUED_HELD
    go.touch()
    second.wait_terminated(30)
    assert second.counts() == {JobState.DONE: 2}


@pytest.mark.parametrize(
    ("limit", "value", "shown"),
    [
        ("CORE_FILE_SIZE", "0", "-c 0"),
        ("CPU_TIME", "77", "-t 77"),
        ("DATA_SIZE", "5000000", "-d 5000000"),
        ("FILE_SIZE", "1000", "-f 2000"),  # blocks of 512 bytes
        ("STACK_SIZE", "9000", "-s 9000"),
        ("VIRTUAL_MEMORY", "5000000", "-v 5000000"),
        ("CPU_TIME", "unlimited", "-t unlimited"),
    ],
)
def test_limits_hold_in_the_job(cluster: Cluster, tmp_path: Path, limit: str, value: str, shown: str) -> None:
    option, _, expected = shown.partition(" ")
    script = f"ulimit -H {option}"
    assert output_of(cluster, tmp_path, "sh", "-c", script, resource_limits={limit: value}) == f"{expected}\n"


def test_a_job_ends_at_its_wall_clock_limit(cluster: Cluster) -> None:
    job = run(cluster, "sleep", "100", resource_limits={"WALLCLOCK_TIME": "1"})
    assert job.wait_terminated(60) is JobState.FAILED
    assert "h_rt" in str(job.info().annotation)


def test_a_limit_of_open_files_is_refused_saying_how_to_set_it(cluster: Cluster) -> None:
    with pytest.raises(UnsupportedAttribute, match=r"OPEN_FILES.*ulimit -n"):
        run(cluster, "true", resource_limits={"OPEN_FILES": "100"})


def test_a_limit_and_a_request_of_the_same_are_refused(cluster: Cluster) -> None:
    with pytest.raises(InvalidArgument, match="Give one of the two"):
        run(cluster, "true", resource_limits={"WALLCLOCK_TIME": "10"}, resource_requests={"h_rt": "20"})


@pytest.fixture
def qtask(demo_cell: DemoState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the user's own file of job categories, beside one of the cluster's."""
    shared = demo_cell.cell().common / "qtask"
    shared.write_text(
        "# name and options\nquick -l h_rt=0:05:00 -A quickly -q all.q\n!fixed -A fixed -now n\nmpi\t-pe make 2\n"
        "bad -t 1-3\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    try:
        yield tmp_path / ".qtask"
    finally:
        shared.unlink()


def test_a_job_category_gives_options_and_the_templates_own_win(cluster: Cluster, qtask: Path) -> None:
    qtask.write_text("mine -A mine -l h_rt=60,h_vmem=5G\nfixed -A overridden\n")
    assert set(cluster.jobs.catalogue(0).job_categories) == {"quick", "fixed", "mpi", "mine", "bad"}

    def raw(**attributes: Any) -> dict[str, str]:
        job = run(cluster, "true", **attributes)
        assert job.wait_terminated(30) is JobState.DONE
        return job.info().raw

    assert raw(job_category="quick")["account"] == "quickly"
    assert raw(job_category="quick", accounting_id="own")["account"] == "own"
    assert raw(job_category="quick", queue_name="short.q")["qname"] == "short.q"
    assert raw(job_category="fixed")["account"] == "fixed"
    assert raw(job_category="mpi")["slots"] == "2"
    assert raw(job_category="mpi", min_slots=3, max_slots=3)["slots"] == "3"
    mine = raw(job_category="mine", resource_limits={"WALLCLOCK_TIME": "600"})
    assert mine["account"] == "mine"
    assert "h_rt=600" in mine["category"]
    assert "h_vmem" in mine["category"]
    assert "h_rt=60," not in mine["category"]


def test_variables_of_a_category_stand_beside_the_templates_own(
    cluster: Cluster, qtask: Path, tmp_path: Path
) -> None:
    qtask.write_text("vars -v ONE=cat,TWO=cat\n")
    said = output_of(
        cluster, tmp_path, "sh", "-c", 'echo "$ONE $TWO $THREE"', job_category="vars",
        job_environment={"TWO": "own, of course", "THREE": "3"},
    )  # fmt: skip
    assert said == "cat own, of course 3\n"


@pytest.mark.usefixtures("qtask")
def test_an_unknown_or_unusable_category_is_refused(cluster: Cluster) -> None:
    assert "bad" in cluster.jobs.catalogue(0).job_categories
    with pytest.raises(UnknownName, match="no job category is called 'nosuch'"):
        run(cluster, "true", job_category="nosuch")
    with pytest.raises(InvalidArgument, match=r"category 'bad'.*-t.*submit_array"):
        run(cluster, "true", job_category="bad")


def test_a_job_runs_within_its_reservation(cluster: Cluster) -> None:
    template = ReservationTemplate(duration=600, queue_name="short.q")
    reservation = cluster.jobs.reservations.request(template)
    try:
        job = run(cluster, "true", reservation_id=reservation.id)
        assert job.wait_terminated(30) is JobState.DONE
        assert job.info().raw["arid"] == reservation.id
        assert job.info().queue_name == "short.q"
    finally:
        reservation.terminate()


def test_a_job_waits_for_its_reservation_and_goes_with_it(cluster: Cluster) -> None:
    start = datetime.now(UTC) + timedelta(hours=1)
    reservation = cluster.jobs.reservations.request(ReservationTemplate(start_time=start, duration=60))
    job = run(cluster, "true", reservation_id=reservation.id)
    assert job.status(0).state is JobState.QUEUED
    reservation.terminate()
    wait_for(lambda: job.id not in cluster.jobs.backend.job_ids(), "the end of the job")


def test_a_reservation_that_is_none_is_refused(cluster: Cluster) -> None:
    with pytest.raises((InvalidArgument, DeniedByDrms), match="99999"):
        run(cluster, "true", reservation_id="99999")
    with pytest.raises(InvalidArgument, match="it is a number"):
        run(cluster, "true", reservation_id="mine")


def test_candidate_machines_are_asked_for(cluster: Cluster) -> None:
    job = run(cluster, "true", candidate_machines=["localhost"])
    assert job.wait_terminated(30) is JobState.DONE
    assert "hostname=localhost" in job.info().raw["category"]
    with pytest.raises(UnknownName, match="no host is called 'nosuch'"):
        run(cluster, "true", candidate_machines=["localhost", "nosuch"])


def test_machines_have_the_memory_that_is_asked_for(cluster: Cluster) -> None:
    assert run(cluster, "true", min_phys_memory=1000).wait_terminated(30) is JobState.DONE
    with waiting(cluster, min_phys_memory=10**12):
        pass


def test_machines_are_of_the_kind_that_is_asked_for(cluster: Cluster) -> None:
    (machine,) = cluster.jobs.machines()
    kind = {"machine_os": machine.machine_os, "machine_arch": machine.machine_arch}
    for asked in (kind, {"machine_os": machine.machine_os}, {"machine_arch": machine.machine_arch}):
        assert run(cluster, "true", **asked).wait_terminated(30) is JobState.DONE
    with waiting(cluster, machine_os=OperatingSystem.SUNOS, machine_arch=CpuArchitecture.SPARC64):
        pass


def test_a_kind_of_machine_that_grid_engine_has_no_name_for_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UnsupportedAttribute, match="machine_os=UNIXWARE"):
        run(cluster, "true", machine_os=OperatingSystem.UNIXWARE)
    with pytest.raises(UnsupportedAttribute, match="machine_os=AIX and machine_arch=ARM"):
        run(cluster, "true", machine_os=OperatingSystem.AIX, machine_arch=CpuArchitecture.ARM)


@pytest.mark.parametrize("rule", ["smp", "make", "mpi", "two"])
def test_slots_come_from_a_parallel_environment(cluster: Cluster, tmp_path: Path, rule: str) -> None:
    script = 'echo "$NSLOTS $PE"'
    said = output_of(cluster, tmp_path, "sh", "-c", script, parallel_environment=rule, min_slots=2)
    assert said == f"2 {rule}\n"


def test_a_range_of_slots_is_filled(cluster: Cluster, tmp_path: Path) -> None:
    script = 'echo "$NSLOTS"'
    said = output_of(
        cluster, tmp_path, "sh", "-c", script, parallel_environment="smp", min_slots=2, max_slots=3
    )  # fmt: skip
    assert said == "3\n"
    assert cluster.jobs.supports(Capability.JT_MAXSLOTS)


def test_slots_without_an_environment_are_refused_with_a_list(cluster: Cluster) -> None:
    with pytest.raises(UnsupportedAttribute, match="There is: make, mpi, smp, two"):
        run(cluster, "true", min_slots=2)


@pytest.mark.parametrize("rerunnable", [True, False])
def test_only_a_rerunnable_job_is_run_again(cluster: Cluster, tmp_path: Path, rerunnable: bool) -> None:
    log = tmp_path / "log"
    script = 'echo "$RESTARTED" >> "$1"; [ "$RESTARTED" = 1 ] || sleep 100'
    job = run(cluster, "sh", "-c", script, "sh", str(log), rerunnable=rerunnable)
    wait_for(lambda: log.exists() and log.read_text(), "the start")
    cell = cluster.jobs.backend._cell
    if rerunnable:
        ask(cell, ["qmod", "-rj", job.id])
        assert job.wait_terminated(60) is JobState.DONE
        assert log.read_text().split() == ["0", "1"]
    else:
        with contextlib.suppress(Exception):
            ask(cell, ["qmod", "-rj", job.id])
        time.sleep(1.2)
        assert job.status(0).state is JobState.RUNNING
        job.terminate()
        assert log.read_text().split() == ["0"]


def test_the_priority_orders_the_jobs_that_wait(cluster: Cluster, tmp_path: Path) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    (queue,) = cluster.jobs.queues(["short.q"])
    whole = {"queue_name": "short.q", "parallel_environment": "smp", "min_slots": queue.slots}
    blocker = run(cluster, "sh", "-c", 'while [ ! -e "$1" ]; do sleep 0.1; done', "sh", str(go), **whole)
    blocker.wait_started(30)
    jobs = [
        run(cluster, "sh", "-c", 'echo "$1" >> "$2"', "sh", str(priority), str(log), priority=priority, **whole)
        for priority in (-900, -10, -500)
    ]
    assert run(cluster, "true", queue_name="all.q").wait_terminated(30) is JobState.DONE
    time.sleep(1.2)  # the scheduler has seen all three
    go.touch()
    cluster.jobs.wait_all_terminated(jobs, 60)
    assert log.read_text().split() == ["-10", "-500", "-900"]


def test_the_account_is_recorded(cluster: Cluster) -> None:
    job = run(cluster, "true", accounting_id="project-7")
    assert job.wait_terminated(30) is JobState.DONE
    assert job.info().raw["account"] == "project-7"


def test_what_an_attribute_says_may_not_stand_in_the_native_specification(cluster: Cluster) -> None:
    for attributes, native in (
        ({"priority": -5}, "-p -6"),
        ({"candidate_machines": ["localhost"]}, "-l h=localhost"),
        ({"job_environment": {"A": "1"}}, "-v B=2,A=3"),
        ({"min_slots": 2}, "-pe smp 2"),
    ):
        with pytest.raises(InvalidArgument, match="Give one of the two"):
            run(cluster, "true", native_specification=native, **attributes)
    job = run(cluster, "true", native_specification="-A native -l h=localhost", resource_requests={"h_rt": "60"})
    assert job.wait_terminated(30) is JobState.DONE
    assert job.info().raw["account"] == "native"
