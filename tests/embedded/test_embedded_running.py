from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from patience import wait_for

from gcs_lab.errors import UnknownName
from gcs_lab.vocabulary import Capability, JobState

DUMP = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))"


def dumped(lab, *args, **attributes):
    lab.ended(lab.submit(sys.executable, "-c", DUMP, *args, output_path="dump.json", **attributes))
    return json.loads(lab.read("dump.json"))


def test_true_is_done_with_exit_status_0(lab):
    info = lab.ended(lab.submit("true"))
    assert (info.job_state, info.exit_status, info.failed, info.annotation) == (JobState.DONE, 0, 0, None)


def test_false_has_failed_with_its_exit_status_and_a_reason_in_words(lab):
    info = lab.ended(lab.shell("exit 3"))
    assert (info.job_state, info.exit_status, info.failed) == (JobState.FAILED, 3, 0)
    assert info.annotation == "ended with exit status 3"


def test_a_job_that_dies_of_a_signal_names_it(lab):
    info = lab.ended(lab.shell("kill -SEGV $$"))
    assert (info.exit_status, info.terminating_signal, info.failed) == (139, "SIGSEGV", 100)


def test_default_output_files_are_those_of_qsub(lab):
    job = lab.shell("echo out; echo err >&2", job_name="fit")
    lab.ended(job)
    assert lab.read(f"fit.o{job.id}") == "out\n"
    assert lab.read(f"fit.e{job.id}") == "err\n"


def test_joined_files_hold_both_streams_in_order(lab):
    lab.ended(lab.shell("echo 1; echo 2 >&2; echo 3", output_path="both", join_files=True))
    assert lab.read("both") == "1\n2\n3\n"
    assert [path.name for path in lab.work.iterdir()] == ["both"]


def test_pseudo_variables_and_folders_in_paths_are_as_in_qsub(lab):
    (lab.work / "logs").mkdir()
    job = lab.shell("echo x; echo y >&2", job_name="n", output_path="logs", error_path="e-$JOB_ID-$JOB_NAME-$USERX")
    lab.ended(job)
    assert lab.read(f"logs/n.o{job.id}") == "x\n"
    assert lab.read(f"e-{job.id}-n-$USERX") == "y\n"


def test_output_is_appended_and_input_is_read(lab):
    (lab.work / "in").write_text("from the file")
    (lab.work / "out").write_text("before ")
    lab.ended(lab.submit("cat", input_path="in", output_path="out"))
    assert lab.read("out") == "before from the file"


def test_arguments_pass_unchanged_whatever_is_in_them(lab):
    nasty = ["a b", "", "line\nend", "$(touch hacked)", "`id`", "'\"\\", "ü€🙂", "; rm -rf .", "*", "-n"]
    args, _, _ = dumped(lab, *nasty)
    assert args == nasty
    assert not (lab.work / "hacked").exists()


def test_environment_is_minimal_plus_what_was_asked_for_plus_grid_engine(lab, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_KERNEL", "x")
    _, environment, folder = dumped(
        lab, job_environment={"GREETING": "hello wörld", "NSLOTS": "99"}, job_name="my job"
    )
    assert folder == str(lab.work)
    assert "SECRET_OF_THE_KERNEL" not in environment
    expected = {
        "GREETING": "hello wörld", "NSLOTS": "1", "JOB_NAME": "my job", "REQUEST": "my job", "QUEUE": "all.q",
        "SGE_TASK_ID": "undefined", "ENVIRONMENT": "BATCH", "RESTARTED": "0", "SGE_O_WORKDIR": str(Path.cwd()),
        "JOB_ID": "1", "PATH": "/usr/local/bin:/usr/bin:/bin",
    }  # fmt: skip
    assert {name: environment.get(name) for name in expected} == expected
    assert {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "HOSTNAME", "SGE_O_HOST", "SGE_JOB_SPOOL_DIR"} <= set(
        environment
    )


def test_tmpdir_is_private_and_removed_at_the_end(lab):
    lab.ended(lab.shell("stat -c %a $TMPDIR; touch $TMPDIR/x; echo $TMPDIR", output_path="o"))
    mode, folder = lab.read("o").split()
    assert mode == "700"
    assert not Path(folder).exists()


def test_the_working_directory_is_the_home_folder_unless_said(lab, monkeypatch):
    monkeypatch.setenv("HOME", str(lab.work))
    lab.ended(lab.submit("pwd", working_directory=None, output_path="where"))
    assert lab.read("where").strip() == str(lab.work)


def test_info_has_times_usage_and_requests(lab):
    before = datetime.now(UTC)
    script = (
        "import time; x = bytearray(200_000_000); t = time.process_time()\nwhile time.process_time() - t < 0.4: pass"
    )
    info = lab.ended(
        lab.submit(sys.executable, "-c", script, resource_requests={"h_rt": "0:01:00"}, accounting_id="p1")
    )
    assert before <= info.submission_time <= info.dispatch_time <= info.finish_time <= datetime.now(UTC)
    assert 0.4 <= info.cpu_time < 5
    assert info.wallclock_time >= 0.4
    assert info.max_rss > 200_000_000
    assert info.max_vmem > 200_000_000
    assert info.resource_requests == {"h_rt": "0:01:00"}
    assert info.raw["account"] == "p1"


def test_usage_counts_children_that_were_daemonised(lab):
    burn = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.3: pass\nopen('burnt', 'w')"
    (lab.work / "burn.py").write_text(burn)
    script = f"setsid {sys.executable} burn.py & while [ ! -e burnt ]; do sleep 0.02; done; sleep 0.1"
    assert lab.ended(lab.shell(script)).cpu_time >= 0.3


def test_a_running_job_tells_what_it_uses(lab):
    job = lab.shell("echo up; exec sleep 60", output_path="o")
    lab.wait_text("o", "up")
    # At the moment of its exec(2) a process has no memory at all.
    wait_for(lambda: job.info().max_rss, "memory in use")
    info = job.info()
    assert info.job_state is JobState.RUNNING
    assert info.exit_status is None
    assert info.wallclock_time >= 0


def test_an_unknown_job_is_undetermined_and_has_no_info(lab):
    assert lab.jobs.job("999").status(0).state is JobState.UNDETERMINED
    assert lab.jobs.job("not a number").status(0).state is JobState.UNDETERMINED
    with pytest.raises(UnknownName, match="999"):
        lab.jobs.job("999").info()


def test_tables_show_jobs_queues_and_hosts(lab):
    running = lab.submit("sleep", "60")
    held = lab.submit("sleep", "60", submit_as_hold=True, job_name="held", priority=-5)
    lab.wait_letters(running, "r")
    poll = lab.system.status.poll()
    assert poll.commands == ()
    jobs = poll.tasks.to_pydict()
    assert jobs["job_id"] == [running.id, held.id]
    assert jobs["letters"] == ["r", "hqw"]
    assert jobs["state"] == ["RUNNING", "QUEUED_HELD"]
    assert jobs["posix_priority"] == [0, -5]
    assert jobs["submission_time"][0].utcoffset() == timedelta(0)
    assert jobs["start_time"][1] is None
    queues = poll.queue_instances.to_pydict()
    assert dict(zip(queues["queue"], queues["slots_used"], strict=True)) == {"all.q": 1, "short.q": 0}
    hosts = poll.hosts.to_pydict()
    assert hosts["slots_used"] == [1]
    assert 0 < hosts["memory_used"][0] < hosts["memory_total"][0]


def test_the_catalogue_and_capabilities_are_truthful(lab):
    catalogue = lab.jobs.catalogue()
    assert catalogue.queues == ("all.q", "short.q")
    assert catalogue.parallel_environments == ("smp", "make", "mpi")
    assert {"h_rt", "h_vmem", "hostname", "num_proc"} <= set(catalogue.by_name)
    assert catalogue.by_name["h"].name == "hostname"
    can = {c for c in Capability if lab.system.jobs.supports(c)}
    assert can == set(Capability) - {Capability.JT_EMAIL}


def test_the_provider_offers_it_and_connects():
    from gcs_lab.backends.embedded import PROVIDER
    from gcs_lab.backends.provider import BackendProvider

    assert isinstance(PROVIDER, BackendProvider)
    (offer,) = PROVIDER.offers()
    assert (offer.cluster, offer.affinity) == ("embedded", 1)
    assert "always there" in PROVIDER.explain()
