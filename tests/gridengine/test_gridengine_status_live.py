"""The status of a real private Grid Engine: all kinds of jobs, details, host groups, quotas."""

from __future__ import annotations

import contextlib
import getpass
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.qstat_xml import parse_queues
from gcs_lab.backends.gridengine.status_backend import GridEngineStatus
from gcs_lab.errors import GcsError
from gcs_lab.status.protocol import StatusBackend
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.status.protocol import Poll

pytestmark = pytest.mark.gridengine


@pytest.fixture
def cell(demo_cell: DemoState) -> SgeCell:
    return demo_cell.cell()


@pytest.fixture
def status(cell: SgeCell) -> GridEngineStatus:
    return GridEngineStatus(cell)


@pytest.fixture
def submit(cell: SgeCell) -> Iterator[Callable[..., str]]:
    """Yield a function that submits a job by qsub and returns its number; all are deleted afterwards."""
    ids: list[str] = []

    def submitted(*words: str) -> str:
        said = ask(cell, ["qsub", "-terse", "-b", "y", "-shell", "n", *words]).text.strip()
        ids.append(said.split(".")[0])
        return ids[-1]

    yield submitted
    run_command(cell, ["qdel", "-f", ",".join(ids)])


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gs-", dir="/tmp") as name:
        yield Path(name)


def rows_of(poll: Poll, *job_ids: str) -> dict[tuple[str, int | None], dict[str, Any]]:
    return {(row["job_id"], row["task"]): row for row in poll.tasks.to_pylist() if row["job_id"] in job_ids}


def letters(status: GridEngineStatus, *job_ids: str) -> dict[tuple[str, int | None], str]:
    return {key: row["letters"] for key, row in rows_of(status.poll(), *job_ids).items()}


def test_the_backend_has_all_that_the_area_asks_for(status: GridEngineStatus) -> None:
    assert isinstance(status, StatusBackend)


def test_one_look_tells_of_every_kind_of_job(
    cell: SgeCell, status: GridEngineStatus, submit: Callable[..., str], folder: Path
) -> None:
    quiet = ("-o", "/dev/null", "-j", "y")
    runs = submit("-N", "a&b<c>", "-p", "-7", "-l", "h_rt=100,mem_total=1M", *quiet, "sleep", "60")
    parallel = submit("-pe", "smp", "2-3", *quiet, "sleep", "60")
    array = submit("-t", "2-10:2", "-tc", "1", *quiet, "sleep", "60")
    suspended = submit(*quiet, "sleep", "60")
    broken = submit("-wd", str(folder / "missing"), *quiet, "sleep", "60")
    held = submit("-h", *quiet, "sleep", "60")
    after = submit("-hold_jid", runs, *quiet, "sleep", "60")
    everything = (runs, parallel, array, suspended, broken, held, after)
    wait_for(lambda: letters(status, suspended).get((suspended, None)) == "r", "the job runs")
    ask(cell, ["qmod", "-sj", suspended])
    expected = {
        (runs, None): "r",
        (parallel, None): "r",
        (array, 2): "r",
        (array, None): "qw",
        (suspended, None): "s",
        (broken, None): "Eqw",
        (held, None): "hqw",
        (after, None): "hqw",
    }
    wait_for(lambda: letters(status, *everything) == expected, "every job is in its state")
    poll = status.poll()
    assert [command.split()[0] for command in poll.commands] == ["qstat", "qhost"]
    assert poll.tasks.schema == schema("tasks")
    rows = rows_of(poll, *everything)
    one = rows[runs, None]
    assert (one["name"], one["owner"], one["posix_priority"]) == ("a&b<c>", getpass.getuser(), -7)
    assert (one["state"], one["requests"], one["slots"]) == ("RUNNING", "h_rt=100,mem_total=1M", 1)
    assert (one["queue"] is not None, one["host"]) == (True, "localhost")
    assert abs(one["start_time"] - datetime.now(UTC)) < timedelta(minutes=2)
    assert rows[parallel, None]["parallel_environment"] == "smp 3"
    assert rows[parallel, None]["slots"] == 3
    assert (rows[array, None]["tasks"], rows[array, None]["task_count"]) == ("4-10:2", 4)
    assert rows[array, 2]["submission_time"] == rows[array, None]["submission_time"]
    assert rows[broken, None]["state"] == "FAILED"
    assert rows[suspended, None]["state"] == "SUSPENDED"
    keys = poll.tasks.column("key").to_pylist()
    assert len(set(keys)) == len(keys)


def test_queue_instances_and_hosts_say_the_same_as_qstat_f(
    cell: SgeCell, status: GridEngineStatus, submit: Callable[..., str]
) -> None:
    job = submit("-q", "short.q", "-o", "/dev/null", "-j", "y", "sleep", "60")
    ask(cell, ["qmod", "-d", "all.q"])
    try:
        wait_for(lambda: letters(status, job).get((job, None)) == "r", "the job runs")
        poll = status.poll()
        listed = parse_queues(ask(cell, ["qstat", "-f", "-xml"]).stdout)
    finally:
        ask(cell, ["qmod", "-e", "all.q"])
    expected = {(row.queue, row.host): (row.slots_used, row.slots_total, row.state, row.arch) for row in listed}
    found = {
        (row["queue"], row["host"]): (row["slots_used"], row["slots_total"], row["state"], row["arch"])
        for row in poll.queue_instances.to_pylist()
    }
    assert found == expected
    assert found["all.q", "localhost"][2] == "d"
    (host,) = poll.hosts.to_pylist()
    assert (host["host"], host["state"]) == ("localhost", "")
    assert host["slots_used"] == sum(values[0] for values in expected.values())
    assert host["slots_total"] == sum(values[1] for values in expected.values())
    assert host["memory_total"] > host["memory_used"] > 1 << 20


def test_when_a_job_was_submitted_is_known_after_it_was_seen_waiting(
    cell: SgeCell, status: GridEngineStatus, submit: Callable[..., str]
) -> None:
    job = submit("-h", "-o", "/dev/null", "-j", "y", "sleep", "60")
    told = rows_of(status.poll(), job)[job, None]["submission_time"]
    assert told is not None
    ask(cell, ["qrls", job])
    wait_for(lambda: letters(status, job).get((job, None)) == "r", "the job runs")
    assert rows_of(status.poll(), job)[job, None]["submission_time"] == told
    assert rows_of(GridEngineStatus(cell).poll(), job)[job, None]["submission_time"] is None


def test_details_name_the_files_that_the_tasks_write(
    status: GridEngineStatus, submit: Callable[..., str], folder: Path
) -> None:
    say = ("/bin/sh", "-c", "echo out; echo err >&2; sleep 60")
    array = submit(
        "-N", "arr", "-t", "1-3:2", "-o", str(folder), "-e", f"{folder}/$JOB_NAME.$TASK_ID.$USER.$HOSTNAME", *say
    )
    single = submit("-N", "one", "-o", f"{folder}/s.$TASK_ID", "-e", f"localhost:{folder}/e.$JOB_ID", *say)
    merged = submit("-N", "both", "-wd", str(folder), "-j", "y", *say)
    named = submit("-N", "rel", "-wd", str(folder), "-o", "rel.out", "-e", "rel.err", *say)
    ids = [array, single, merged, named]

    def started() -> dict[tuple[str, int | None], tuple[str | None, str | None]]:
        found = status.job_details(ids)
        return {
            (job, t.task): (t.stdout_path, t.stderr_path) for job in found for t in found[job].tasks if t.start_time
        }

    paths = wait_for(lambda: started() if len(started()) == 5 else None, "all tasks have started")
    host = "localhost"
    assert paths[array, 3] == (f"{folder}/arr.o{array}.3", f"{folder}/arr.3.{getpass.getuser()}.{host}")
    assert paths[single, None] == (f"{folder}/s.0", f"{folder}/e.{single}")
    assert paths[merged, None] == (f"{folder}/both.o{merged}",) * 2
    assert paths[named, None] == (f"{folder}/rel.out", f"{folder}/rel.err")

    def written() -> bool:
        with contextlib.suppress(FileNotFoundError):
            return all(Path(out or "").read_text().startswith("out\n") for out, _ in paths.values())
        return False

    wait_for(written, "the files have what the tasks wrote")
    assert all("err\n" in Path(err or "").read_text() for _, err in paths.values())


def test_details_tell_all_of_a_job(status: GridEngineStatus, submit: Callable[..., str], folder: Path) -> None:
    first = submit("-h", "-o", "/dev/null", "sleep", "60")
    job = submit(
        *("-N", "most", "-hold_jid", first, "-l", "h_rt=100,h_vmem=1G", "-soft", "-l", "mem_free=1M", "-hard"),
        *("-q", "all.q,short.q", "-pe", "smp", "2-4", "-p", "-5", "-t", "1-9:2", "-tc", "2", "-ac", "k=a&b"),
        *("-v", "SHOWN=x<y,DB_PASSWORD=geheim", "-wd", str(folder), "-o", "/dev/null"),
        *("/bin/echo", "two words", "\x01ctl", "é"),
    )
    broken = submit("-wd", str(folder / "missing"), "-o", "/dev/null", "-j", "y", "sleep", "60")
    wait_for(lambda: letters(status, broken).get((broken, None)) == "Eqw", "the job is in error state")
    found = status.job_details([job, broken, "4000000", "no number"])
    assert found.keys() == {job, broken}
    details = found[job]
    assert (details.name, details.owner, details.working_directory) == ("most", getpass.getuser(), str(folder))
    assert (details.command, details.arguments) == ("/bin/echo", ("two words", "\ufffdctl", "é"))
    assert details.requests == {"h_rt": "100", "h_vmem": "1G"}
    assert details.soft_requests == {"mem_free": "1M"}
    assert (details.queues, details.parallel_environment) == (("all.q", "short.q"), "smp 2-4")
    assert (details.posix_priority, details.waits_for) == (-5, (first,))
    assert (details.task_range, details.max_parallel, details.tasks) == ("1-9:2", 2, ())
    assert details.facts["env_list"].count("SHOWN=x<y") == 1
    assert "geheim" not in str(details.facts)
    assert "DB_PASSWORD=(hidden)" in details.facts["env_list"]
    assert (details.facts["job_number"], details.facts["context"], details.facts["priority"]) == (job, "k=a&b", "-5")
    assert details.facts["hard_resource_list"] == "h_rt=100,h_vmem=1G"
    assert details.facts["type"] == "noshell,array,binary"
    (task,) = found[broken].tasks
    assert (task.letters, task.task, task.start_time) == ("Eqw", None, None)
    assert task.message.startswith("can't chdir to")

    def says_why() -> bool:
        return any("dependencies" in message for message in status.job_details([job])[job].messages)

    wait_for(says_why, "the scheduler says why it waits")


def test_host_groups_complexes_and_operators(status: GridEngineStatus) -> None:
    assert {"group": "@allhosts", "host": "localhost"} in status.host_groups().to_pylist()
    complexes = {row["name"]: row for row in status.complexes().to_pylist()}
    assert complexes["h_vmem"]["type"] == "MEMORY"
    assert status.is_operator()


def test_quotas_are_told_with_what_is_used_of_them(
    cell: SgeCell, status: GridEngineStatus, submit: Callable[..., str], folder: Path
) -> None:
    quota = folder / "quota"
    quota.write_text(
        "{\nname perhost\ndescription NONE\nenabled TRUE\nlimit name three users {*} hosts {*} to slots=3\n}\n"
    )
    ask(cell, ["qconf", "-Arqs", str(quota)])
    try:
        job = submit("-o", "/dev/null", "-j", "y", "sleep", "60")
        wait_for(lambda: letters(status, job).get((job, None)) == "r", "the job runs")
        rows = wait_for(lambda: status.quotas().to_pylist(), "the quota is in use")
    finally:
        ask(cell, ["qconf", "-drqs", "perhost"])
    (row,) = rows
    assert (row["quota"], row["rule"], row["resource"], row["limit"]) == ("perhost", "three", "slots", 3)
    assert row["used"] >= 1
    assert (row["users"], row["hosts"], row["projects"]) == (getpass.getuser(), "localhost", None)


def test_a_master_that_does_not_answer_is_an_error_of_ours(cell: SgeCell) -> None:
    nobody = GridEngineStatus(replace(cell, qmaster_port=1))
    with pytest.raises(GcsError, match="does not answer"):
        nobody.poll()
    with pytest.raises(GcsError):
        nobody.job_details(["1"])
    with pytest.raises(GcsError):
        nobody.is_operator()
