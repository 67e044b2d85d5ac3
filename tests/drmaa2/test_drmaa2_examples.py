"""The examples of Univa's binding, each as a program of its own, with only its import changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from drmaa2.drmaa2_lab import HERE

if TYPE_CHECKING:
    from drmaa2.drmaa2_lab import Site

EXAMPLES = HERE / "examples"
RUNNER = HERE / "run_example.py"

JOB = r"\{'id': '\d+', 'session_name': 'js-01'\}"
ARRAY = r"\{'id': '(\d+)', 'job_list': \[Job\(\{'id': '\1\.1', 'session_name': 'js-01'\}\), Job\(\{'id': '\1\.%s'.*'session_name': 'js-01'\}"
TASK = r"\{'id': '\d+\.\d+', 'session_name': 'js-01'\}"
MADE = r"\{'id': '[^']+', 'session_name': 'rs-01'\}"

#: What a script that needs no cluster says.
ALONE = {
    "create_job_info": r"uge_ji_priority is set to: 23\n.*'uge_ji_priority': '23'.*\n.*'slots': 10, 'submission_time': datetime",
    "create_job_template": r"uge_jt_pe is set to: xxx\n.*'uge_jt_pe': 'xxx'.*\n.*'rerunnable': 'TRUE'",
    "create_reservation_info": r"uge_ri_ar_json is set to: UGE RI AR JSON\n.*\n.*'users_acl': \['user1', 'user2', 'user3'\]",
    "create_reservation_template": r"uge_rt_native is set to: xxx\n.*\n.*'users_acl': \['user1', 'user2', 'user3'\]",
}
#: What a script says on a cluster.
ON_A_CLUSTER = {
    "create_job_session": r"Existing session names: \[\]\n.*\n.*'name': 'js-01'\}\nCurrent session names: \['js-01'\]\n.*\n.*\nCurrent session names: \['js-01'\]\n",
    "list_job_sessions": r"Existing session names: \['js-01'\]",
    "list_sessions": r"Existing session names: \['js-01'\]",
    "destroy_all_job_sessions": r"\['js-01'\]\nDestroying session: js-01\nRemaining session names: \[\]",
    "create_reservation_session": r"Existing session names: \[\]\n.*\n.*'name': 'rs-01'\}\nCurrent session names: \['rs-01'\]\n",
    "list_reservation_sessions": r"Existing session names: \['rs-01'\]",
    "destroy_all_reservation_sessions": r"\['rs-01'\]\nDestroying session: rs-01\nRemaining session names: \[\]",
    "get_all_jobs": r"Submitted job: .*'job_name': '(job-\d+)'.*\n.*\n.*\nGot all jobs: \[Job\(\{'id': '\d+', 'job_name': '\1', 'session_name': 'js-01'\}\)\]",
    "get_all_machines": r"Got all machines: \[(MachineInfo\(\{'available': 'TRUE', .*'name': .*\}\))?\]",
    "get_all_queues": r"Got all queues: \[QueueInfo\(\{.*'name': 'all.q'\}\)\]",
    "get_all_reservations": r"Got all reservations: \[Reservation\(\{'id': '[^']+'\}\)\]",
    "get_drmaa2_library_info": r"DRMAA Name: gcs_lab DRMAA2\nSupport for Capability.UNSET_CAPABILITY: False\n.*\n(.*\n)+DRMS Version: \{'major': '\d+'.*\nDRMAA Version: \{'major': '2'",
    "get_job_array": rf"Retrieved job array: {ARRAY % 3}",
    "get_job_categories": r"Retrieved job categories: \[.*\]",
    "get_job_info": r"Retrieved job info: \{.*'job_state': 'RUNNING'",
    "get_job_state": r"Retrieved job state: JobState\.(QUEUED|RUNNING)\n",
    "get_job_template": r"Retrieved job template: \{'args': .*'/bin/sleep'\}\nRetrieved template equals the original\? True",
    "get_jobs": r"Got jobs: \[Job\(\{'id': '\d+', 'job_name': 'job-\d+', 'session_name': 'js-01'\}\)\]",
    "get_reservation": rf"Retrieved reservation: {MADE}",
    "get_reservation_info": r"Retrieved reservation info: \{.*'reservation_name': 'res-\d+'.*'reserved_start_time': datetime",
    "get_reservation_template": r"Retrieved reservation template: \{'duration': 10, 'reservation_name': 'res-\d+'\}",
    "get_reservations": rf"Retrieved reservations: \[Reservation\({MADE}\), Reservation\({MADE}\), Reservation\({MADE}\)\]",
    "register_event_notification": r"\Z",
    "request_reservation": rf"Got reservation: {MADE}\n\n.*\nGot reservation: {MADE}\n",
    "run_job": rf"Submitted job: {JOB}\n\n.*\nSubmitted job: {JOB}\n",
    "run_job_array": rf"Submitted job array: {ARRAY % 3}",
    "suspend_and_resume_job": r"Suspended job info: .*'job_state': 'SUSPENDED'.*\nResumed job info: .*'job_state': 'RUNNING'",
    "suspend_and_resume_job_array": rf"Suspended job array: {ARRAY % 3}\nResumed job array : ",
    "terminate_job": r"Submitted job info: .*'job_id'.*\nTerminated job info: \{.*'job_id'",
    "terminate_job_array": rf"Terminated job: {ARRAY % 3}",
    "terminate_reservation": r"Terminated reservation: \S+\n",
    "wait_all_started": rf"Jobs started: \[Job\({TASK}\), Job\({TASK}\)\]",
    "wait_all_terminated": rf"Jobs terminated: \[Job\({TASK}\), Job\({TASK}\)\]",
    "wait_any_started": rf"Job {TASK} started",
    "wait_any_terminated": rf"Job {TASK} terminated",
    "wait_terminated": r"after termination: .*'exit_status': 0, .*'job_state': 'DONE'",
}


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == ALONE.keys() | ON_A_CLUSTER.keys()


@pytest.mark.parametrize("form", [(), ("as-module",)], ids=["from-import", "as-module"])
@pytest.mark.parametrize("name", ALONE)
def test_an_example_of_objects_runs_without_a_cluster(name: str, form: tuple[str, ...], home) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", RUNNER, EXAMPLES / f"{name}.py", *form],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "GCS_LAB_CLUSTER": "there-is-none"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(ALONE[name], done.stdout), done.stdout


@pytest.mark.parametrize("name", ON_A_CLUSTER)
def test_an_example_runs_on_the_cluster(name: str, site: Site) -> None:
    # Jobs of 100 s sleep for 10, of 10 s for 1, and the scripts as much less. Those that suspend or end what they
    # started 10 s ago give Grid Engine 2.5 s to start it; the
    # one that waits for the end of 100 s waits for 2.5.
    patient = site.cluster != "embedded" and name.startswith(("suspend", "terminate_job"))
    shorter = "40" if name == "wait_terminated" else "4" if patient else "10"
    form = ["as-module"] if name == "run_job" else []
    done = site.python(str(RUNNER), str(EXAMPLES / f"{name}.py"), *form, SHORTER=shorter)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(ON_A_CLUSTER[name], done.stdout), done.stdout
