"""Each attribute of a template, and each option of qsub, by its effect in the job; or refused with a reason."""

from __future__ import annotations

import os
import pwd
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from patience import wait_for

from gcs_lab.backends.arch_words import architecture_of, operating_system_of
from gcs_lab.backends.embedded.layout import machine_arch
from gcs_lab.backends.embedded.native_options import parse_native
from gcs_lab.backends.embedded.submission import refusals, submit_request, supported_attributes
from gcs_lab.errors import GcsError, InvalidArgument, UnknownName, UnsupportedAttribute
from gcs_lab.vocabulary import CpuArchitecture, JobState, JobTemplate, OperatingSystem, ResourceLimit

CLUSTER = """
[job_categories]
quick = "-l h_rt=0:01:00,h_vmem=900M -p -10 -N fromcategory -v A=category,B=category -j y"
[[hosts]]
name = "Node1"
mem_total = "8G"
arch = "lx-amd64"
[[hosts]]
name = "node2"
mem_total = "64G"
arch = "lx-arm64"
[[hosts]]
name = "mac"
mem_total = "16G"
arch = "darwin-arm64"
[[queues]]
name = "all.q"
slots = 4
[[parallel_environments]]
name = "smp"
slots = 99
allocation_rule = "$pe_slots"
"""
LIMITS = """
import resource
for name in "NOFILE CORE DATA FSIZE STACK AS CPU".split():
    print(name, *resource.getrlimit(getattr(resource, "RLIMIT_" + name)))
"""


def request(**attributes):
    return submit_request(JobTemplate(**{"remote_command": "/bin/true", **attributes}))


def limits_in_job(lab, **attributes):
    info = lab.ended(lab.submit(sys.executable, "-c", LIMITS, output_path="limits", **attributes))
    assert info.exit_status == 0, (info.annotation, lab.read("python.e1"))
    lines = [line.split() for line in lab.read("limits").splitlines()]
    (lab.work / "limits").unlink()
    return {name: (int(soft), int(hard)) for name, soft, hard in lines}


def hosts_of(lab, **attributes):
    """Return where a job with these attributes runs; why it waits, if it does."""
    job = lab.submit("true", **attributes)
    wait_for(lambda: lab.status(job).state.terminated or lab.status(job).annotation, f"start of {job}")
    status = lab.status(job)
    if status.state.terminated:
        return [slots.machine_name for slots in job.info().allocated_machines]
    assert lab.letters(job) == "qw"
    return status.annotation


def test_every_attribute_is_honoured_or_refused_with_a_sentence():
    everything = set(JobTemplate.__dataclass_fields__)
    for mail in (True, False):
        assert supported_attributes(mail=mail) | set(refusals(mail=mail)) == everything
        assert not supported_attributes(mail=mail) & set(refusals(mail=mail))


# --- where a job runs ---


def test_candidate_machines_are_matched_whatever_the_case(lab):
    lab.configure(CLUSTER)
    assert hosts_of(lab, candidate_machines=["NODE2", "node2"]) == ["node2"]
    assert hosts_of(lab, candidate_machines=["mac", "node2"]) in (["mac"], ["node2"])
    assert "none of the candidate machines mac" in hosts_of(
        lab, candidate_machines=["mac"], resource_requests={}, machine_os=OperatingSystem.LINUX
    )
    with pytest.raises(UnknownName, match="Did you mean node2"):
        lab.submit("true", candidate_machines=["node1", "nodes2"])


def test_min_phys_memory_is_what_the_machine_has(lab):
    lab.configure(CLUSTER)
    assert hosts_of(lab, min_phys_memory=20 * 1024**2) == ["node2"]
    why = hosts_of(lab, min_phys_memory=65 * 1024**2)
    assert "min_phys_memory=65.0 GiB" in why
    assert "node2 has 64.0 GiB" in why


def test_machine_os_and_arch_are_those_of_the_hosts_words(lab):
    lab.configure(CLUSTER)
    assert hosts_of(lab, machine_os=OperatingSystem.MACOS) == ["mac"]
    assert hosts_of(lab, machine_arch=CpuArchitecture.X64) == ["Node1"]
    assert hosts_of(lab, machine_arch=CpuArchitecture.ARM64, machine_os=OperatingSystem.LINUX) == ["node2"]
    assert "machine_arch=SPARC" in hosts_of(lab, machine_arch=CpuArchitecture.SPARC)


@pytest.mark.parametrize(
    ("word", "system", "processor"),
    [
        ("lx-amd64", OperatingSystem.LINUX, CpuArchitecture.X64),
        ("lx-arm64", OperatingSystem.LINUX, CpuArchitecture.ARM64),
        ("ulx-x86", OperatingSystem.LINUX, CpuArchitecture.X86),
        ("lx-ppc64le", OperatingSystem.LINUX, CpuArchitecture.PPC64LE),
        ("darwin-x64", OperatingSystem.MACOS, CpuArchitecture.X64),
        ("sol-sparc64", OperatingSystem.SUNOS, CpuArchitecture.SPARC64),
        ("fbsd-amd64", OperatingSystem.BSD, CpuArchitecture.X64),
        ("plan9", OperatingSystem.OTHER_OS, CpuArchitecture.OTHER_CPU),
    ],
)
def test_architecture_words_are_understood(word, system, processor):
    assert (operating_system_of(word), architecture_of(word)) == (system, processor)


def test_this_machines_own_word_is_one_that_is_known():
    assert operating_system_of(machine_arch()) is OperatingSystem.LINUX
    assert architecture_of(machine_arch()) is not CpuArchitecture.OTHER_CPU


# --- limits ---


def test_resource_limits_hold_in_the_job(lab):
    found = limits_in_job(
        lab,
        resource_limits={
            ResourceLimit.OPEN_FILES: "123", ResourceLimit.CORE_FILE_SIZE: "0", ResourceLimit.DATA_SIZE: "900000",
            ResourceLimit.FILE_SIZE: "5000", ResourceLimit.STACK_SIZE: "4096", ResourceLimit.VIRTUAL_MEMORY: "2000000",
            ResourceLimit.CPU_TIME: "77",
        },
    )  # fmt: skip
    assert found == {
        "NOFILE": (123, 123), "CORE": (0, 0), "DATA": (900000 * 1024,) * 2, "FSIZE": (5000 * 1024,) * 2,
        "STACK": (4096 * 1024,) * 2, "AS": (2000000 * 1024,) * 2, "CPU": (77, 77),
    }  # fmt: skip


def test_the_lower_of_a_limit_and_a_request_counts_and_unlimited_sets_none(lab):
    found = limits_in_job(
        lab,
        resource_requests={"h_fsize": "1M", "h_stack": "8M", "s_stack": "2M", "s_core": "1K", "h_vmem": "3G"},
        resource_limits={"FILE_SIZE": "2000", "STACK_SIZE": "4096", "VIRTUAL_MEMORY": "unlimited"},
    )
    own = resource.getrlimit(resource.RLIMIT_CORE)[1]
    assert found["FSIZE"] == (2**20, 2**20)
    assert found["STACK"] == (2 * 2**20, 4 * 2**20)
    assert found["CORE"] == (1024 if own == resource.RLIM_INFINITY else min(own, 1024), own)
    assert found["AS"] == (3 * 2**30, 3 * 2**30)


def test_wallclock_time_ends_the_job(lab):
    info = lab.ended(lab.submit("sleep", "60", resource_limits={"WALLCLOCK_TIME": "1"}))
    assert info.annotation == "killed: h_rt=1 s exceeded (ran 1.0 s)"
    assert info.failed == 37


def test_a_file_that_grows_over_its_limit_ends_the_job(lab):
    info = lab.ended(
        lab.submit("dd", "if=/dev/zero", "of=big", "bs=1k", "count=100", resource_limits={"FILE_SIZE": "8"})
    )
    assert info.terminating_signal == "SIGXFSZ"
    assert (lab.work / "big").stat().st_size == 8192


@pytest.mark.parametrize(("request_", "size"), [({"s_cpu": "1"}, 0), ({"s_vmem": "500M"}, 600_000_000)])
def test_soft_limits_warn_the_job_with_sigxcpu(lab, request_, size):
    script = (
        f"import signal\nsignal.signal(signal.SIGXCPU, lambda *_: exit(9))\nx = bytearray({size})\nwhile True: pass\n"
    )
    info = lab.ended(lab.submit(sys.executable, "-c", script, resource_requests=request_))
    assert (info.exit_status, info.failed) == (9, 0)


@pytest.mark.parametrize(
    "limits",
    [
        {"CPU": "1"}, {"CPU_TIME": "1.5"}, {"CPU_TIME": "0"}, {"CPU_TIME": "-1"}, {"WALLCLOCK_TIME": "1:00"},
        {"OPEN_FILES": "2"}, {"VIRTUAL_MEMORY": "0"}, {"STACK_SIZE": "²"}, {"DATA_SIZE": "9" * 40},
    ],
)  # fmt: skip
def test_limits_that_cannot_work_are_refused_by_name(limits):
    with pytest.raises(InvalidArgument, match="resource_limits"):
        request(resource_limits=limits)


# --- categories ---


def test_a_category_counts_less_than_native_options_and_these_less_than_attributes(lab):
    lab.configure(CLUSTER)
    job = lab.shell(
        "echo $A $B $C $JOB_NAME; echo error >&2", job_category="quick", job_environment={"A": "template"},
        native_specification="-v A=native,C=native -N native -l h_rt=9", output_path="o", job_name="own",
    )  # fmt: skip
    info = lab.ended(job)
    assert lab.read("o") == "template category native own\nerror\n"
    assert info.resource_requests == {"h_rt": "9", "h_vmem": "900M"}
    job = lab.shell("true", job_category="quick")
    assert lab.ended(job).job_name == "fromcategory"
    with pytest.raises(UnknownName, match="quick"):
        lab.submit("true", job_category="quack")
    assert lab.jobs.catalogue().job_categories == ("quick",)


def test_clear_lets_the_category_not_count(lab):
    lab.configure(CLUSTER)
    info = lab.ended(lab.submit("true", job_category="quick", native_specification="-N gone -clear -l h_rt=7"))
    assert (info.job_name, info.resource_requests) == ("true", {"h_rt": "7"})


# --- files, folders, environment ---


def test_placeholders_begin_paths(lab, home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    (home / "input").write_text("from home")
    job = lab.submit(
        "/bin/sh", "-c", "cat; pwd >&2", working_directory="$DRMAA2_HOME_DIR$/work",
        input_path="$DRMAA2_HOME_DIR$/input", output_path="$DRMAA2_WORKING_DIR$/o.$TASK_ID.$JOB_ID",
        error_path="$HOME/e.$JOB_NAME",
    )  # fmt: skip
    lab.ended(job)
    assert lab.read(f"o.undefined.{job.id}") == "from home"
    assert (home / "e.sh").read_text() == f"{lab.work}\n"


@pytest.mark.parametrize(
    "attributes",
    [
        {"output_path": "x/$DRMAA2_HOME_DIR$/y"}, {"input_path": "$DRMAA2_WORKING_DIR$x"},
        {"working_directory": "$DRMAA2_WORKING_DIR$/x"}, {"working_directory": "/tmp/$DRMAA2_INDEX$"},
        {"stage_in_files": {"a": "b/$DRMAA2_WORKING_DIR$"}}, {"stage_out_files": {"": "b"}},
    ],
)  # fmt: skip
def test_placeholders_elsewhere_are_refused(attributes):
    with pytest.raises(InvalidArgument):
        request(**attributes)


def test_tasks_find_their_index_and_have_files_of_their_own(lab):
    script = "echo $SGE_TASK_ID $SGE_TASK_FIRST $SGE_TASK_LAST $SGE_TASK_STEPSIZE $JOB_ID; echo e >&2; cat"
    (lab.work / "in.3").write_text("three\n")
    (lab.work / "in.5").write_text("five\n")
    template = JobTemplate(
        remote_command="/bin/sh", args=["-c", script], working_directory=str(lab.work), job_name="many",
        input_path="in.$TASK_ID",
    )  # fmt: skip
    array = lab.jobs.submit_array(template, 3, 6, 2)
    array.wait_terminated(20)
    assert lab.read(f"many.o{array.id}.3") == f"3 3 6 2 {array.id}\nthree\n"
    assert lab.read(f"many.o{array.id}.5") == f"5 3 6 2 {array.id}\nfive\n"
    assert lab.read(f"many.e{array.id}.5") == "e\n"
    template.output_path, template.input_path, template.join_files = "all.$DRMAA2_INDEX$", None, True
    lab.jobs.submit_array(template, 1, 2).wait_terminated(20)
    assert lab.read("all.2").endswith("e\n")


def test_capital_v_gives_the_job_the_callers_environment(lab, monkeypatch):
    monkeypatch.setenv("ONLY_HERE", "from the caller\nwith a line end")
    monkeypatch.setenv("BOTH", "caller")
    job = lab.shell('echo "$ONLY_HERE" $BOTH $JOB_ID', output_path="o", native_specification="-v BOTH=option -V")
    lab.ended(job)
    assert lab.read("o") == f"from the caller\nwith a line end option {job.id}\n"
    lab.ended(lab.shell('echo "[$ONLY_HERE]"', output_path="o2"))
    assert lab.read("o2") == "[]\n"


def test_cwd_and_account_and_start_time_of_native_options(lab, monkeypatch):
    monkeypatch.chdir(lab.work)
    later = datetime.now().astimezone() + timedelta(seconds=2)
    job = lab.jobs.run("pwd", native_specification=f"-cwd -A mine -a {later:%Y%m%d%H%M.%S} -o o -w n -R n -b y -hard")
    assert lab.letters(job) == "hqw"
    info = lab.ended(job)
    assert lab.read("o") == f"{lab.work}\n"
    assert info.raw["account"] == "mine"
    assert info.dispatch_time >= later.replace(microsecond=0)


def test_hold_jid_of_native_options(lab):
    first = lab.submit("true", submit_as_hold=True, job_name="first")
    second = lab.submit("true", native_specification=f"-hold_jid {first.id}")
    third = lab.submit("true", native_specification="-hold_jid fir*")
    assert {lab.letters(second), lab.letters(third)} == {"hqw"}
    first.release()
    assert lab.ended(second).dispatch_time >= lab.ended(first).finish_time
    lab.ended(third)


# --- native options ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [("202712312359", (2027, 12, 31, 23, 59, 0)), ("2712312359.30", (2027, 12, 31, 23, 59, 30)),
     ("7101010000", (1971, 1, 1, 0, 0, 0)), ("02281200", (datetime.now().astimezone().year, 2, 28, 12, 0, 0))],
)  # fmt: skip
def test_times_are_those_of_qsub(text, expected):
    assert datetime.fromtimestamp(parse_native(f"-a {text}").start_time).timetuple()[:6] == expected  # noqa: DTZ006


@pytest.mark.parametrize("text", ["-a tomorrow", "-a 13011200", "-a 02301200", "-a 2027123123590", "-m x", "-m bn"])
def test_values_that_mean_nothing_are_refused(text):
    with pytest.raises(InvalidArgument, match="native_specification"):
        parse_native(text)


@pytest.mark.parametrize(
    ("text", "instead"),
    [("-t 1-5", "submit_array"), ("-tc 5", "max_parallel"), ("-dl 202712312359", "deadline_time"), ("-P x", "-A"),
     ("-S /bin/sh", "remote_command"), ("-b n", "remote_command"), ("-shell y", "remote_command"), ("-w e", "waits"),
     ("-w v", "waits"), ("-R y", "reservation_id"), ("-notify", "s_rt"), ("-m as", "suspended"), ("-now y", "waits"),
     ("-sync y", "wait_terminated"), ("-soft", "hard"), ("-ckpt x", "99"), ("-@ file", "job_categories")],
)  # fmt: skip
def test_options_that_are_not_honoured_are_refused_with_what_to_use(text, instead):
    with pytest.raises(UnsupportedAttribute, match=instead) as caught:
        parse_native(text)
    assert text.split()[0] in str(caught.value)


def test_mail_options_say_when_and_to_whom():
    def asked(text, **attributes):
        made = request(native_specification=text, **attributes)
        # On start, on a normal end, on another end, and when it is to run again.
        return made.email, [made.mail_on_start, made.mail_on_end, made.mail_on_abort, made.mail_on_requeue]

    me = pwd.getpwuid(os.geteuid()).pw_name
    assert asked("-M a@x,b@x,a@x -m bea") == (["a@x", "b@x"], [True, True, True, True])
    assert asked("-m e") == ([me], [False, True, False, False])
    assert asked("-m a") == ([me], [False, False, True, True])
    assert asked("-m bea -M a@x", email_on_terminated=False, email=["own@x"]) == (["own@x"], [True, *[False] * 3])
    assert asked("-m n", email_on_terminated=True) == ([me], [False, True, True, False])


@pytest.mark.parametrize("address", ["a@x\nBcc: b@x", "a b@x", "a@x,b@x", "<a@x>", "ä@x"])
def test_addresses_that_could_be_more_than_one_are_refused(address):
    with pytest.raises(InvalidArgument, match="e-mail"):
        request(email=[address], email_on_started=True)


def test_times_and_dependencies_and_reservation_travel():
    start = datetime(2030, 1, 2, 3, 4, 5)  # noqa: DTZ001  (naive is local time)
    deadline = start.astimezone() + timedelta(hours=1)
    made = request(start_time=start, deadline_time=deadline, hold_jid=["1,2", "prep*"], hold_jid_ad=["7"])
    assert (made.start_time, made.deadline_time) == (start.timestamp(), start.timestamp() + 3600)
    assert (made.hold_jid, made.hold_jid_ad) == (["1,2", "prep*"], ["7"])
    assert request(reservation_id="4").reservation_id == "4"
    assert request(native_specification="-ar 5 -hold_jid 8,9 -hold_jid_ad 3").reservation_id == "5"


def test_a_reservation_that_is_not_there_is_refused(lab):
    with pytest.raises(GcsError, match="99"):
        lab.submit("true", reservation_id="99")
    assert lab.jobs.list() == []


# --- the rest of the template, by its effect ---


def test_priority_rerunnable_and_slots_have_their_effect(lab):
    lab.configure(CLUSTER.replace("slots = 4", "slots = 1").replace('hosts]]\nname = "mac"', 'hosts]]\nname = "x"'))
    blockers = [lab.submit("sleep", "60") for _ in range(3)]
    for job in blockers:
        lab.wait_letters(job, "r")
    low = lab.shell("echo low >> order", priority=-5)
    high = lab.shell("echo high >> order", priority=5)
    blockers[0].terminate()
    lab.ended(low)
    lab.ended(high)
    assert lab.read("order") == "high\nlow\n"
    again = lab.shell("echo run >> runs; [ $RESTARTED = 1 ] || { kill -9 $PPID; sleep 60; }", rerunnable=True)
    lab.ended(again)
    assert lab.read("runs") == "run\nrun\n"
    assert again.info().job_state is JobState.DONE


def test_min_and_max_slots_of_an_environment(lab):
    lab.configure(CLUSTER)
    job = lab.shell("echo $NSLOTS", output_path="o", parallel_environment="smp", min_slots=2, max_slots=99)
    assert lab.ended(job).slots == 4
    assert lab.read("o") == "4\n"


def test_the_deadline_ends_a_job(lab):
    soon = datetime.now().astimezone() + timedelta(seconds=1)
    running = lab.submit("sleep", "60", deadline_time=soon)
    held = lab.submit("true", deadline_time=soon, submit_as_hold=True)
    for job in (running, held):
        info = lab.ended(job)
        assert info.job_state is JobState.FAILED
        assert "deadline" in info.annotation
    assert time.time() >= soon.timestamp()


def test_what_fits_nowhere_waits_and_says_why(lab):
    lab.configure(CLUSTER)
    assert "-l num_proc=999 fits nowhere" in hosts_of(lab, resource_requests={"num_proc": "999"})
    assert Path(lab.places.configuration).exists()
