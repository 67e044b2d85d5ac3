"""Files are copied before and after a job: the wrapper by itself, and on a real Grid Engine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.backends.gridengine.staging import COPY_FAILED, staged_command
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import (
    HOME_DIRECTORY,
    PARAMETRIC_INDEX,
    WORKING_DIRECTORY,
    Capability,
    JobState,
    JobTemplate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import Job

SHELLS = [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox", "/bin/ksh") if shutil.which(shell)]
QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}
ODD = "o'd;$(d) \"n*me\\ ü"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    """Return each shell that may be a system's ``/bin/sh``."""
    return [request.param, "sh"] if request.param.endswith("busybox") else [request.param]


class Place:
    """A home folder and a working directory in which the wrapper runs as a job would."""

    def __init__(self, folder: Path, shell: list[str]) -> None:
        self.shell, self.home, self.work = shell, folder / "home", folder / "w o;rk"
        self.home.mkdir()
        self.work.mkdir()

    def run(
        self, before: dict[str, str], after: dict[str, str], *words: str, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        program, args = staged_command(before, after, words[0], words[1:])
        assert program == "/bin/sh"
        env = {"HOME": str(self.home), "PATH": os.environ["PATH"], "JOB_ID": "7", "SGE_TASK_ID": "3"}
        return subprocess.run(
            [*self.shell, *args],
            cwd=self.work,
            env=env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            **more,
        )


@pytest.fixture
def place(tmp_path: Path, shell: list[str]) -> Place:
    return Place(tmp_path, shell)


def test_files_and_folders_are_copied_with_odd_names(place: Place, tmp_path: Path) -> None:
    (tmp_path / ODD).write_text("file")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / ODD).write_text("deep")
    (tmp_path / "tree" / "run.sh").touch(mode=0o755)
    (place.home / "there").mkdir()
    done = place.run(
        {str(tmp_path / ODD): f"new/{ODD}", str(tmp_path / "tree"): f"{WORKING_DIRECTORY}/tree"},
        {f"new/{ODD}": f"{HOME_DIRECTORY}/there", "tree": f"{HOME_DIRECTORY}/made/back"},
        "sh", "-c", 'cat; cat "$1" "tree/sub/$2"', "sh", f"new/{ODD}", ODD, input="stdin ",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "stdin filedeep", "")
    assert (place.home / "there" / ODD).read_text() == "file"
    assert (place.home / "made" / "back" / "sub" / ODD).read_text() == "deep"
    assert os.access(place.work / "tree" / "run.sh", os.X_OK)


def test_the_index_stands_wherever_it_is_asked_for(place: Place) -> None:
    index = PARAMETRIC_INDEX
    done = place.run({}, {f"out{index}": f"{HOME_DIRECTORY}/{index}-{index}/{index}"}, "sh", "-c", "echo hi > out3")
    assert (done.returncode, done.stderr) == (0, "")
    assert (place.home / "3-3" / "3").read_text() == "hi\n"


def test_a_folder_that_is_there_is_added_to(place: Place, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a").write_text("new")
    (place.work / "old").mkdir()
    (place.work / "old" / "b").write_text("old")
    assert place.run({str(tmp_path / "new"): "old"}, {}, "true").returncode == 0
    assert sorted(path.name for path in (place.work / "old").iterdir()) == ["a", "b"]


@pytest.mark.parametrize("status", [0, 1, 3, 99, 100, 126, 127, 200, 255])
def test_the_exit_status_is_kept(place: Place, status: int) -> None:
    (place.work / "out").touch()
    done = place.run({}, {"out": "copy"}, "sh", "-c", f"exit {status}")
    assert done.returncode == status
    assert (place.work / "copy").exists()


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGUSR1", "SIGINT", "SIGXCPU"])
def test_the_signal_is_kept(place: Place, name: str) -> None:
    (place.work / "out").touch()
    done = place.run({}, {"out": "copy"}, "sh", "-c", f"kill -{name[3:]} $$")
    assert done.returncode == -signal.Signals[name]
    assert (place.work / "copy").exists()


def test_a_failed_copy_before_the_start_starts_nothing(place: Place) -> None:
    done = place.run({"nosuch": "x"}, {}, "echo", "started")
    assert (done.returncode, done.stdout) == (100, "")
    assert f"gcs_lab: could not copy {place.work}/nosuch to {place.work}/x" in done.stderr


def test_a_failed_copy_afterwards_fails_what_else_were_done(place: Place) -> None:
    assert place.run({}, {"nosuch": "x"}, "true").returncode == COPY_FAILED
    assert place.run({}, {"nosuch": "x"}, "sh", "-c", "exit 5").returncode == 5
    assert list(place.work.iterdir()) == []


def test_a_warning_signal_does_not_keep_results_from_being_copied(place: Place) -> None:
    script = 'trap "echo late > out; exit 9" USR1; kill -USR1 $PPID; kill -USR1 $$; sleep 5'
    done = place.run({}, {"out": "copy"}, "sh", "-c", script)
    assert done.returncode == 9, done.stderr
    assert (place.work / "copy").read_text() == "late\n"


def run(cluster: Cluster, *words: str, **attributes: Any) -> Job:
    return cluster.jobs.run(*words, **{**QUIET, **attributes})


@pytest.mark.gridengine
def test_a_job_has_its_files_and_gives_back_what_it_made(cluster: Cluster, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / ODD).write_text("data")
    job = run(
        cluster, "sh", "-c", 'tr a-z A-Z < in > "$1"; echo "$2" >> "$1"', "sh", "made", "line1\nline2",
        working_directory=str(work),
        stage_in_files={str(tmp_path / ODD): f"{WORKING_DIRECTORY}/in"},
        stage_out_files={"made": str(tmp_path / "results" / "made")},
    )  # fmt: skip
    assert job.wait_terminated(30) is JobState.DONE, job.info()
    assert (tmp_path / "results" / "made").read_text() == "DATAline1\nline2\n"
    assert job.info().job_name == "sh"
    assert cluster.jobs.supports(Capability.JT_STAGING)


@pytest.mark.gridengine
def test_each_task_has_its_own_files(cluster: Cluster, tmp_path: Path) -> None:
    for index in (1, 2):
        (tmp_path / f"in{index}").write_text(f"{index}")
    template = JobTemplate(
        remote_command="sh",
        args=["-c", "cp here.$SGE_TASK_ID there.$SGE_TASK_ID"],
        working_directory=str(tmp_path),
        stage_in_files={f"{tmp_path}/in{PARAMETRIC_INDEX}": f"here.{PARAMETRIC_INDEX}"},
        stage_out_files={f"there.{PARAMETRIC_INDEX}": f"{tmp_path}/out/{PARAMETRIC_INDEX}"},
        **QUIET,
    )
    array = cluster.jobs.submit_array(template, 1, 2)
    array.wait_terminated(30)
    assert array.counts() == {JobState.DONE: 2}
    assert [(tmp_path / "out" / f"{index}").read_text() for index in (1, 2)] == ["1", "2"]


@pytest.mark.gridengine
def test_a_missing_input_puts_the_job_into_error_state_and_says_so(cluster: Cluster, tmp_path: Path) -> None:
    error = tmp_path / "err"
    job = run(
        cluster, "true", working_directory=str(tmp_path), stage_in_files={"nosuch": "in"}, error_path=str(error)
    )
    try:
        assert job.wait_terminated(30) is JobState.FAILED
        assert job.status(0).sub_state == "Eqw"
        assert f"could not copy {tmp_path}/nosuch to {tmp_path}/in" in error.read_text()
    finally:
        job.terminate()


@pytest.mark.gridengine
def test_a_missing_result_fails_the_job(cluster: Cluster, tmp_path: Path) -> None:
    job = run(cluster, "true", working_directory=str(tmp_path), stage_out_files={"nosuch": "x"})
    assert job.wait_terminated(30) is JobState.FAILED
    assert job.info().exit_status == COPY_FAILED


@pytest.mark.gridengine
def test_the_terminating_signal_of_a_staged_job_is_told(cluster: Cluster, tmp_path: Path) -> None:
    job = run(cluster, "sh", "-c", "echo x > out; kill -SEGV $$", working_directory=str(tmp_path),
              stage_out_files={"out": "copy"})  # fmt: skip
    assert job.wait_terminated(30) is JobState.FAILED
    assert "SEGV" in str(job.info().terminating_signal)
    assert (tmp_path / "copy").read_text() == "x\n"


@pytest.mark.gridengine
def test_a_staged_job_is_run_again_when_it_asks_for_it(cluster: Cluster, tmp_path: Path) -> None:
    job = run(cluster, "sh", "-c", "echo x >> log; [ $(wc -l < log) = 2 ] || exit 99", rerunnable=True,
              working_directory=str(tmp_path), stage_out_files={"log": "copy"})  # fmt: skip
    assert job.wait_terminated(60) is JobState.DONE
    assert (tmp_path / "copy").read_text() == "x\nx\n"


@pytest.mark.gridengine
def test_many_files_arrive_and_what_is_too_much_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("x")
    pairs = {f"{tmp_path}/./{'./' * number}source": f"copies/{number}" for number in range(300)}
    job = run(cluster, "true", working_directory=str(tmp_path), stage_in_files=pairs)
    assert job.wait_terminated(60) is JobState.DONE
    assert len(list((tmp_path / "copies").iterdir())) == 300
    with pytest.raises(InvalidArgument, match="bytes"):
        run(cluster, "true", "a\nb" * 40_000, stage_in_files={"a": "b"})
