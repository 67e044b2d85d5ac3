from __future__ import annotations

import re
import sys

import pytest
from patience import wait_for

from gcs_lab.vocabulary import JobState

GREEDY = "import time; x = bytearray({}); print('got it', flush=True); time.sleep(60)"


def test_h_rt_kills_the_tree_with_grid_engines_codes_and_says_why(lab):
    info = lab.ended(lab.shell("sleep 600 & sleep 600", resource_requests={"h_rt": "1"}))
    assert (info.exit_status, info.failed, info.terminating_signal) == (137, 37, "SIGKILL")
    assert re.fullmatch(r"killed: h_rt=1 s exceeded \(ran [1-9]\d*\.\d s\)", info.annotation)


def test_s_rt_sends_sigusr1_first(lab):
    script = "trap 'echo warned; exit 7' USR1; echo up; while :; do sleep 0.05; done"
    info = lab.ended(lab.shell(script, output_path="o", resource_requests={"s_rt": "1", "h_rt": "10"}))
    assert info.exit_status == 7
    assert "warned" in lab.read("o")


def test_h_vmem_limits_a_process(lab):
    script = GREEDY.format(300_000_000)
    info = lab.ended(lab.submit(sys.executable, "-c", script, error_path="e", resource_requests={"h_vmem": "200M"}))
    assert info.exit_status == 1
    assert "MemoryError" in lab.read("e")


def test_h_vmem_kills_a_tree_whose_sum_is_over_it_and_says_how_much(lab):
    (lab.work / "greedy.py").write_text(GREEDY.format(150_000_000))
    script = " & ".join([f"{sys.executable} greedy.py"] * 3) + " & wait"
    info = lab.ended(lab.shell(script, resource_requests={"h_vmem": "300M"}))
    assert (info.exit_status, info.failed) == (137, 100)
    assert info.annotation.startswith("killed: h_vmem=300M exceeded (used ")


def test_h_vmem_counts_for_each_slot(lab):
    script = "import resource; print(resource.getrlimit(resource.RLIMIT_AS)[0])"
    attributes = {"resource_requests": {"h_vmem": "1G"}, "parallel_environment": "smp", "min_slots": 2}
    lab.ended(lab.submit(sys.executable, "-c", script, output_path="o", **attributes))
    assert int(lab.read("o")) == 2 * 2**30


def test_h_cpu_kills_a_job_that_burns(lab):
    info = lab.ended(lab.shell("while :; do :; done", resource_requests={"h_cpu": "1"}))
    assert (info.exit_status, info.failed) == (137, 100)
    assert info.annotation.startswith("killed: h_cpu=1 s exceeded (used ")


def test_limits_of_a_queue_hold_for_a_job_that_names_it(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="quick.q"\nslots=1\nh_rt="1"\n')
    info = lab.ended(lab.submit("sleep", "60", queue_name="quick.q"))
    assert re.fullmatch(r"killed: h_rt=1 s exceeded \(ran [1-9]\d*\.\d s\)", info.annotation)


@pytest.mark.parametrize(("request_", "queue"), [({}, "all.q"), ({"h_rt": "0:09:00"}, "all.q")])
def test_a_full_queue_overflows_into_short_q_only_for_jobs_that_ask_for_little_time(lab, request_, queue):
    lab.configure(
        '[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=1\n[[queues]]\nname="short.q"\nslots=1\nh_rt="0:10:00"\n'
    )
    first = lab.submit("sleep", "60", resource_requests=request_)
    second = lab.submit("sleep", "60", resource_requests=request_)
    lab.wait_letters(first, "r")
    assert lab.status(first).queue_name == queue
    if request_:
        lab.wait_letters(second, "r")
        assert lab.status(second).queue_name == "short.q"
    else:
        assert lab.letters(second) == "qw"


def test_a_job_whose_h_vmem_lets_no_program_start_does_not_end_well(lab):
    job = lab.submit("true", resource_requests={"h_vmem": "4K"})
    wait_for(lambda: lab.status(job).state.terminated, "the end of the job")
    assert lab.status(job).state is JobState.FAILED
    assert lab.status(job).annotation
