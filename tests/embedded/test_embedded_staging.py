"""Files that are copied before a job starts and after it has ended."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from embedded_lab import processes_with
from patience import wait_for

from gcs_lab.backends.embedded.process_tree import descendants
from gcs_lab.backends.embedded.staging import Copy, stage
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState, JobTemplate


def copy(source, destination, *, go_on=False):
    return stage([Copy(Path(source), Path(destination), ".partial", str(destination).endswith("/"))], go_on=go_on)


def test_files_and_folders_are_there_before_the_job_starts(lab, home):
    (home / "data").mkdir()
    (home / "data" / "a.txt").write_text("one")
    (home / "plain.txt").write_text("two")
    (lab.work / "into").mkdir()
    job = lab.shell(
        "cat folder/a.txt new/deep/plain.txt into/plain.txt > seen; echo $TMPDIR",
        stage_in_files={
            str(home / "data"): "folder",
            str(home / "plain.txt"): "$DRMAA2_WORKING_DIR$/new/deep/plain.txt",
            f"{home}/../{home.name}/plain.txt": "into",
        },
    )
    assert lab.ended(job).job_state is JobState.DONE
    assert lab.read("seen") == "onetwotwo"


def test_results_are_copied_after_the_end_also_of_a_job_that_failed(lab, home):
    job = lab.shell(
        "mkdir out; echo deep > out/x; echo flat > y; exit 3",
        stage_out_files={"out": str(home / "results"), "y": f"{home}/results/"},
    )
    info = lab.ended(job)
    assert (info.job_state, info.exit_status, info.failed) == (JobState.FAILED, 3, 0)
    assert (home / "results" / "x").read_text() == "deep\n"
    assert (home / "results" / "y").read_text() == "flat\n"


def test_placeholders_and_the_tasks_index_stand_in_paths(lab, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    for index in (1, 2):
        (home / f"in.{index}").write_text(f"task {index}\n")
    (lab.work / "1").mkdir()
    (lab.work / "2").mkdir()
    template = {
        "working_directory": str(lab.work),
        "stage_in_files": {"$DRMAA2_HOME_DIR$/in.$DRMAA2_INDEX$": "$DRMAA2_INDEX$/in"},
        "stage_out_files": {"$DRMAA2_WORKING_DIR$/$DRMAA2_INDEX$/out": "$DRMAA2_HOME_DIR$/out.$DRMAA2_INDEX$"},
    }
    array = lab.jobs.submit_array(
        JobTemplate(remote_command="/bin/sh", args=["-c", "cd $SGE_TASK_ID && cp in out"], **template), 1, 2
    )
    array.wait_terminated(20)
    assert [(home / f"out.{index}").read_text() for index in (1, 2)] == ["task 1\n", "task 2\n"]


def test_a_source_that_is_not_there_puts_the_job_into_error_state_and_it_never_runs(lab, home):
    job = lab.shell("touch ran", stage_in_files={str(home / "nowhere"): "here"})
    lab.wait_letters(job, "Eqw")
    status = lab.status(job)
    assert status.state is JobState.FAILED
    assert "nowhere" in status.annotation
    assert "there is no such file or folder" in status.annotation
    assert job.info().failed == 26
    assert not (lab.work / "ran").exists()
    # Once that is mended, it runs.
    (home / "nowhere").write_text("now there")
    assert lab.act(JobAction.CLEAR_ERROR, job.id) == {}
    lab.ended(job)
    assert lab.read("here") == "now there"


def test_results_that_are_not_there_make_the_job_fail_and_it_keeps_its_exit_status(lab, home):
    (lab.work / "there").write_text("x")
    job = lab.shell("exit 0", stage_out_files={"missing": str(home / "m"), "there": str(home / "t")})
    info = lab.ended(job)
    assert (info.job_state, info.exit_status, info.failed) == (JobState.FAILED, 0, 15)
    assert "staging out failed" in info.annotation
    assert "missing" in info.annotation
    # The others are copied all the same.
    assert (home / "t").read_text() == "x"


@pytest.mark.parametrize("how", ["limit", "delete"])
def test_results_of_a_job_that_was_killed_are_copied_too(lab, home, how):
    requests = {"h_rt": "1"} if how == "limit" else {}
    job = lab.shell(
        "echo part > out; sleep 60", resource_requests=requests, stage_out_files={"out": str(home / "got")}
    )
    lab.wait_text("out", "part")
    if how == "delete":
        job.terminate()
    info = lab.ended(job)
    assert (info.job_state, info.terminating_signal) == (JobState.FAILED, "SIGKILL")
    assert (home / "got").read_text() == "part\n"


def test_a_run_that_asks_to_run_again_copies_no_results(lab, home):
    script = "echo $RESTARTED > out; [ $RESTARTED = 1 ] || { ls results* > seen; exit 99; }"
    job = lab.shell(script, stage_out_files={"out": str(lab.work / "results")})
    lab.ended(job)
    assert lab.read("results") == "1\n"
    assert lab.read("seen") == ""


@pytest.fixture
def endless():
    """A file that can be opened and read, and has no end: a terminal at which nobody types."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_copying_is_ended_with_the_job_and_leaves_nothing_under_the_final_name(lab, home, endless, direction):
    (home / "big").mkdir()
    (home / "big" / "0").write_text("first")
    pairs = {str(home / "big"): "copied", endless: "copy"}
    job = lab.shell("touch ran", **{f"stage_{direction}_files": pairs})
    wait_for(lambda: list(lab.work.glob(".gcs-lab-staging-*")), "the copy to be under way")
    assert lab.letters(job) == "r"
    job.terminate()
    info = lab.ended(job)
    assert info.job_state is JobState.FAILED
    assert (lab.work / "copied" / "0").read_text() == "first"
    assert not (lab.work / "copy").exists()
    assert list(lab.work.glob(".gcs-lab*")) == []
    assert (lab.work / "ran").exists() == (direction == "out")
    if direction == "out":
        assert info.exit_status == 0
        assert "ended by SIGKILL" in info.annotation


def test_copying_for_a_job_that_was_deleted_ends_when_it_is_deleted_again(lab, home, endless):
    job = lab.shell("echo up > up; sleep 60", stage_out_files={"up": str(home / "got"), endless: "copy"})
    lab.wait_text("up", "up")
    job.terminate()
    wait_for(lambda: list(lab.work.glob(".gcs-lab-staging-*")), "the copy to be under way")
    assert lab.letters(job) == "dr"
    job.terminate()
    assert lab.ended(job).terminating_signal == "SIGKILL"
    assert (home / "got").read_text() == "up\n"


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_copy_whose_shepherd_was_killed_leaves_nothing_behind(lab, endless, direction):
    job = lab.shell("true", **{f"stage_{direction}_files": {endless: "copy"}})
    wait_for(lambda: list(lab.work.glob(".gcs-lab-staging-*")), "the copy to be under way")
    os.kill(lab.shepherd_pid(job), signal.SIGKILL)
    assert "its shepherd died" in lab.ended(job).annotation
    wait_for(lambda: not list(lab.work.glob(".gcs-lab*")), "the end of what was copied so far")
    assert not (lab.work / "copy").exists()


def test_copying_is_suspended_with_the_job_and_no_limit_of_time_counts_for_it(lab, endless):
    job = lab.shell("true", stage_in_files={endless: "copy"}, resource_requests={"h_rt": "1", "h_cpu": "1"})
    wait_for(lambda: list(lab.work.glob(".gcs-lab-staging-*")), "the copy to be under way")
    (stager,) = descendants(lab.shepherd_pid(job))
    job.suspend()
    wait_for(lambda: _process_state(stager) == "T", "standstill")
    time.sleep(1.2)  # h_rt is over then, were it counted
    job.resume()
    wait_for(lambda: _process_state(stager) == "S", "the copy to go on")
    assert lab.letters(job) == "r"
    job.terminate()
    assert "deleted by" in lab.ended(job).annotation


def _process_state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_missing_working_directory_is_not_made_by_copying(lab, home):
    (home / "a").write_text("x")
    job = lab.shell("true", working_directory=str(home / "typo"), stage_in_files={str(home / "a"): "a"})
    lab.wait_letters(job, "Eqw")
    assert job.info().failed == 28
    assert not (home / "typo").exists()


def test_a_folder_goes_into_one_that_is_there_already_and_both_contents_stay(tmp_path):
    (tmp_path / "from" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "sub" / "new").write_text("new")
    (tmp_path / "from" / "both").write_text("copied")
    (tmp_path / "to" / "sub").mkdir(parents=True)
    (tmp_path / "to" / "sub" / "old").write_text("old")
    (tmp_path / "to" / "both").write_text("before")
    assert copy(tmp_path / "from", tmp_path / "to") == []
    assert copy(tmp_path / "from", tmp_path / "to") == []
    found = {str(p.relative_to(tmp_path / "to")): p.read_text() for p in (tmp_path / "to").rglob("*") if p.is_file()}
    assert found == {"sub/new": "new", "sub/old": "old", "both": "copied"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["from", "to"]


def test_copies_keep_mode_and_time_and_links(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "d" / "tool").chmod(0o750)
    os.utime(tmp_path / "d" / "tool", (1_000_000, 1_000_000))
    (tmp_path / "d" / "link").symlink_to("tool")
    (tmp_path / "d" / "dangling").symlink_to("nowhere")
    assert copy(tmp_path / "d", tmp_path / "e") == []
    assert (tmp_path / "e" / "tool").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "e" / "tool").stat().st_mtime == 1_000_000
    assert (tmp_path / "e" / "link").readlink() == Path("tool")
    assert (tmp_path / "e" / "dangling").readlink() == Path("nowhere")


@pytest.mark.parametrize(
    ("source", "destination", "match"),
    [
        ("nowhere", "x", "no such file or folder"),
        ("d", "d/inside", "inside of the folder"),
        ("d", "file", "is a file"),
        ("d", "file/x", "exists"),
        ("pipe", "x", "is a named pipe"),
    ],
)
def test_copies_that_cannot_be_made_say_why_and_leave_nothing(tmp_path, source, destination, match):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("x")
    (tmp_path / "file").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    (fault,) = copy(tmp_path / source, tmp_path / destination)
    assert match in fault
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_that_is_its_own_destination_stays(tmp_path):
    (tmp_path / "a").write_text("x")
    assert copy(tmp_path / "a", tmp_path) == []
    assert copy(tmp_path / "a", tmp_path / "." / "a") == []
    assert (tmp_path / "a").read_text() == "x"


def test_no_process_of_the_copying_outlives_the_job(lab, home):
    (home / "a").write_text("x")
    job = lab.shell("true", stage_in_files={str(home / "a"): "b"}, stage_out_files={"b": str(home / "c")})
    lab.ended(job)
    wait_for(lambda: len(processes_with(str(home))) <= 2, "the scheduler and its spawner alone")
