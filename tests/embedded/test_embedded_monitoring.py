"""What monitoring sessions and capabilities are told."""

from __future__ import annotations

import os
from dataclasses import fields

import psutil
import pytest
from patience import wait_for

from gcs_lab.backends.embedded.wire import LONGEST_LINE
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import CpuArchitecture, JobState, JobTemplate, OperatingSystem

TWO_HOSTS = f"""
[[hosts]]
name = "here"
num_proc = {os.cpu_count()}
[[hosts]]
name = "other"
num_proc = 8
mem_total = "4G"
arch = "lx-arm64"
sockets = 2
threads_per_core = 2
[[queues]]
name = "all.q"
slots = 2
[[queues]]
name = "big.q"
slots = 5
hosts = ["other"]
"""


def test_queues_are_told_with_their_slots_on_all_hosts(lab):
    lab.configure(TWO_HOSTS)
    job = lab.shell("exec sleep 300")
    lab.wait_letters(job, "r")
    queues = {queue.name: queue for queue in lab.system.jobs.queues()}
    assert (queues["all.q"].slots, queues["all.q"].slots_used, queues["all.q"].machines) == (4, 1, ("here", "other"))
    assert (queues["big.q"].slots, queues["big.q"].slots_used, queues["big.q"].machines) == (5, 0, ("other",))


def test_machines_are_the_virtual_hosts(lab):
    lab.configure(TWO_HOSTS)
    here, other = lab.system.jobs.machines()
    assert (here.name, here.available, here.machine_os) == ("here", True, OperatingSystem.LINUX)
    assert here.sockets * here.cores_per_socket * here.threads_per_core == os.cpu_count()
    assert here.phys_memory == psutil.virtual_memory().total // 1024
    assert str(here.machine_os_version) == os.uname().release
    assert (other.sockets, other.cores_per_socket, other.threads_per_core) == (2, 2, 2)
    assert (other.phys_memory, other.machine_arch) == (4 * 1024**2, CpuArchitecture.ARM64)
    assert other.load >= 0


def test_every_attribute_is_honoured_or_refused_with_a_hint(lab):
    jobs = lab.system.jobs
    assert jobs.supported_attributes | jobs.refusals.keys() == {field.name for field in fields(JobTemplate)}
    assert not jobs.supported_attributes & jobs.refusals.keys()
    assert all(hint.endswith(".") for hint in jobs.refusals.values())


def test_all_jobs_are_told_oldest_first_until_they_have_ended(lab):
    done = lab.shell("true")
    held = lab.shell("true", submit_as_hold=True, job_name="second")
    running = lab.shell("exec sleep 300")
    wait_for(lambda: lab.letters(done) == "z" and lab.letters(running) == "r", "the states")
    infos = lab.system.jobs.all_jobs()
    assert [(info.job_id, info.job_state) for info in infos] == [
        (held.id, JobState.QUEUED_HELD),
        (running.id, JobState.RUNNING),
    ]
    assert infos[0].job_name == "second"


def test_what_is_too_much_for_one_question_is_refused_before_it_is_sent(lab):
    template = lab.template("true", job_environment={"BIG": "x" * LONGEST_LINE})
    with pytest.raises(InvalidArgument, match="Send less at once"):
        lab.system.jobs.submit(template)
    assert lab.system.jobs.job_ids() == []
