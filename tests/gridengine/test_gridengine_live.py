"""Jobs on a real Grid Engine, submitted by libdrmaa and by qsub: the same tests for both."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import Job

pytestmark = pytest.mark.gridengine

QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}
DUMP = """
import json, os, sys
mine = {k: v for k, v in os.environ.items() if k.startswith("ODD")}
json.dump({"args": sys.argv[2:], "env": mine, "cwd": os.getcwd()}, open(sys.argv[1] + ".new", "w"))
os.rename(sys.argv[1] + ".new", sys.argv[1])
print("printed")
print("complained", file=sys.stderr)
"""
ODD_ARGUMENTS = [
    "a b", "it's", 'say "hi"', "semi;colon", "$(id)", "`id`", "comma,x", "ünïcödé €", "", "*", "-x", "tab\tx",
    "back\\slash", "trail ", "%s", "a=b", "\\n", "\x01", "~", "$HOME", "cr\rx", "x" * 50_000,
]  # fmt: skip
ODD_ENVIRONMENT = {
    "ODD_COMMA": "a,b=c", "ODD_SPACE": " a b ", "ODD_LINES": "line1\nline2\n", "ODD_TEXT": "ünï €",
    "ODD_QUOTES": "$(id) `id` ' \" \\", "ODD_EMPTY": "", "ODD_ESCAPE": "x\\ny", "ODD_LONG": "x" * 9_900,
}  # fmt: skip


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "dump.py"
    path.write_text(DUMP)
    return path


def dumped(job: Job, path: Path) -> dict[str, Any]:
    """Return what the job saw, when it has ended well."""
    assert job.wait_terminated(30) is JobState.DONE, job.status()
    answer: dict[str, Any] = json.loads(path.read_text())
    return answer


def run(cluster: Cluster, *words: str, **attributes: Any) -> Job:
    return cluster.jobs.run(*words, **{**QUIET, **attributes})


def test_a_job_that_ends_well_is_done_with_all_its_times(cluster: Cluster) -> None:
    job = run(cluster, "true", job_name="fine")
    assert job.wait_terminated(30) is JobState.DONE
    info = job.info()
    assert (info.exit_status, info.failed, info.annotation, info.job_name) == (0, 0, None, "fine")
    assert info.submission_time is not None
    assert info.finish_time is not None
    assert info.submission_time <= info.finish_time
    assert info.slots == 1
    assert info.allocated_machines[0].machine_name == "localhost"


@pytest.mark.parametrize("status", [1, 3])
def test_the_exit_status_is_the_commands_own(cluster: Cluster, status: int) -> None:
    job = run(cluster, "sh", "-c", f"exit {status}")
    assert job.wait_terminated(30) is JobState.FAILED
    info = job.info()
    assert (info.exit_status, info.annotation) == (status, f"exit status {status}")


def test_arguments_and_environment_arrive_exactly(cluster: Cluster, script: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.json"
    job = run(
        cluster,
        sys.executable,
        str(script),
        str(out),
        *ODD_ARGUMENTS,
        job_environment=ODD_ENVIRONMENT,
        job_name="o;$(d)'",
    )
    seen = dumped(job, out)
    assert seen["args"] == ODD_ARGUMENTS
    assert seen["env"] == ODD_ENVIRONMENT
    assert job.info().job_name == "o;$(d)'"


def test_line_breaks_in_arguments_arrive(cluster: Cluster, script: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.json"
    arguments = ["a\nb", "\n", 'q"$x\\ #', *ODD_ARGUMENTS[:19]]
    assert dumped(run(cluster, sys.executable, str(script), str(out), *arguments), out)["args"] == arguments


def test_odd_folders_and_files_are_used_as_they_are_named(cluster: Cluster, script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "wd;$(x) 'q' ünï,comma:colon"
    folder.mkdir()
    out = tmp_path / "seen.json"
    job = run(
        cluster,
        sys.executable,
        str(script),
        str(out),
        working_directory=str(folder),
        output_path=str(folder / "o ut,'x':y.txt"),
        error_path=str(folder / "e:rr"),
    )
    assert dumped(job, out)["cwd"] == str(folder)
    assert (folder / "o ut,'x':y.txt").read_text() == "printed\n"
    assert (folder / "e:rr").read_text() == "complained\n"


def test_joined_files_and_input(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "in put").write_text("from the file\n")
    job = cluster.jobs.run(
        "sh",
        "-c",
        "cat; echo wrong >&2",
        input_path=str(tmp_path / "in put"),
        output_path=str(tmp_path / "both.$JOB_ID"),
        join_files=True,
    )
    assert job.wait_terminated(30) is JobState.DONE
    assert (tmp_path / f"both.{job.id}").read_text() == "from the file\nwrong\n"


def test_slots_queue_priority_account_and_requests_are_what_the_job_gets(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "env"
    job = run(
        cluster, "sh", "-c", f"echo $NSLOTS $QUEUE > {out}",
        parallel_environment="smp", min_slots=2, max_slots=3, queue_name="short.q", priority=-5, accounting_id="paper#1",
        resource_requests={"h_rt": "0:1:0", "h_vmem": "2G"}, rerunnable=True, native_specification="-l 'h_cpu=50'",
    )  # fmt: skip
    assert job.wait_terminated(30) is JobState.DONE
    assert out.read_text() == "3 short.q\n"
    info = job.info()
    assert (info.raw["account"], info.raw["granted_pe"], info.slots, info.queue_name) == (
        "paper#1",
        "smp",
        3,
        "short.q",
    )
    # Grid Engine writes times down in seconds.
    assert info.resource_requests == {"h_rt": "60", "h_vmem": "2G", "h_cpu": "50"}


def test_hold_release_suspend_resume_and_cancel(cluster: Cluster) -> None:
    job = run(cluster, "sleep", "100", submit_as_hold=True)
    assert (job.status(0).state, job.status(0).sub_state) == (JobState.QUEUED_HELD, "hqw")
    with pytest.raises(InvalidState, match="QUEUED_HELD"):
        job.hold()
    with pytest.raises(InvalidState):
        job.suspend()
    job.release()
    assert job.wait_started(30) is JobState.RUNNING
    with pytest.raises(InvalidState, match="must be QUEUED"):
        job.hold()
    job.suspend()
    assert job.status(0).state is JobState.SUSPENDED
    job.resume()
    assert job.status(0).state is JobState.RUNNING
    assert job.status(0).queue_name in {"all.q", "short.q"}
    job.terminate()
    assert job.wait_terminated(30) is JobState.FAILED
    info = job.info()
    assert info.annotation is not None
    assert info.annotation.startswith("deleted by ")
    assert (info.terminating_signal, info.deleted_by is not None) == ("SIGKILL", True)
    with pytest.raises(InvalidState, match="has ended"):
        job.terminate()


def test_one_command_answers_for_each_of_many_jobs(cluster: Cluster) -> None:
    held = [run(cluster, "sleep", "100", submit_as_hold=True).id for _ in range(3)]
    running = run(cluster, "sleep", "100")
    running.wait_started(30)
    failures = cluster.jobs.control(JobAction.RELEASE, [*held[:2], running.id, "9999999"])
    assert {job_id: type(error) for job_id, error in failures.items()} == {
        running.id: InvalidState,
        "9999999": InvalidArgument,
    }
    assert set(cluster.jobs.backend.job_ids()) >= {*held, running.id}
    assert cluster.jobs.control(JobAction.TERMINATE, [*held, running.id]) == {}
    wait_for(lambda: not {*held, running.id} & set(cluster.jobs.backend.job_ids()), "the jobs' end")


def test_a_job_deleted_before_it_ran_is_failed_at_once_and_never_done(cluster: Cluster) -> None:
    job = run(cluster, "sleep", "100", submit_as_hold=True)
    job.terminate()
    status = job.status(0)
    assert (status.state, status.sub_state) == (JobState.FAILED, "deleted")
    assert "before it ran" in (status.annotation or "")
    info = cluster.jobs.backend.info([job.id])[job.id]
    assert (info.job_state, info.deleted_by, info.annotation) == (
        JobState.FAILED,
        getpass.getuser(),
        status.annotation,
    )


def test_too_long_a_run_is_named(cluster: Cluster) -> None:
    job = run(cluster, "sleep", "30", resource_requests={"h_rt": "2"})
    assert job.wait_terminated(30) is JobState.FAILED
    annotation = job.info().annotation or ""
    assert annotation.startswith("killed: h_rt=2 s exceeded (ran ")
    assert job.status().annotation == annotation


def test_too_much_memory_is_named(cluster: Cluster) -> None:
    # Each process stays below the limit, which the kernel would enforce; together they do not.
    code = "x = b'a' * 60_000_000; import time; time.sleep(30)"
    job = run(
        cluster, "sh", "-c", f'"$0" -c "{code}" & "$0" -c "{code}" & wait', sys.executable,
        resource_requests={"h_vmem": "120M"},
    )  # fmt: skip
    assert job.wait_terminated(40) is JobState.FAILED
    annotation = job.info().annotation or ""
    assert annotation.startswith("killed: h_vmem=120M exceeded (used ")
    assert (job.info().max_vmem or 0) > 120 << 20


def test_a_missing_working_directory_fails_with_the_reason(cluster: Cluster) -> None:
    job = run(cluster, "true", working_directory="/nonexistent-folder")
    assert job.wait_terminated(30) is JobState.FAILED
    status = job.status(0)
    if status.sub_state == "Eqw":  # submitted by qsub; libdrmaa's jobs are ended instead
        assert "can't chdir to /nonexistent-folder: No such file or directory" in (status.annotation or "")
        assert "can't chdir" in (job.info().annotation or "")
        job.terminate()
    else:
        assert "changing into working directory" in (status.annotation or "")
    wait_for(lambda: job.id not in cluster.jobs.backend.job_ids(), "the job's end")


def test_a_job_that_asks_to_run_again_is_told_by_its_last_run(cluster: Cluster, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    job = run(cluster, "sh", "-c", f"test -e {seen} && exit 4; touch {seen}; exit 99", rerunnable=True)
    assert job.wait_terminated(40) is JobState.FAILED
    assert job.info().exit_status == 4


@pytest.mark.parametrize(
    "attributes",
    [
        {"native_specification": "-l nosuch=1"},
        {"native_specification": "-q nosuch"},
        {"native_specification": "-pe nosuch 2"},
        {"native_specification": "-P nosuch"},
        {"priority": 5000},
        {"job_name": "1x"},
    ],
)
def test_what_grid_engine_does_not_take_is_an_invalid_argument(cluster: Cluster, attributes: dict[str, Any]) -> None:
    before = set(cluster.jobs.backend.job_ids())
    with pytest.raises(InvalidArgument):
        run(cluster, "true", **attributes)
    assert set(cluster.jobs.backend.job_ids()) <= before


def test_a_native_option_with_white_space_is_carried(cluster: Cluster) -> None:
    job = run(cluster, "sleep", "100", native_specification="-ac 'note=two words'", submit_as_hold=True)
    details = cluster.jobs.backend._questions._details([job.id])[job.id]
    assert details.context["note"] == "two words"
    job.terminate()


def test_the_catalogue_has_what_the_demo_was_given(cluster: Cluster) -> None:
    catalogue = cluster.jobs.catalogue()
    assert set(catalogue.queues) == {"all.q", "short.q"}
    assert set(catalogue.parallel_environments) >= {"make", "smp", "mpi"}
    assert catalogue.by_name["h_vmem"].requestable
    assert not catalogue.by_name["h_vmem"].consumable


def test_the_system_says_its_version(cluster: Cluster) -> None:
    assert cluster.system == "Grid Engine 8.1.9 (demo)"
