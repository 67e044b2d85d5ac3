"""Sessions of the DRMAA2 face that many programs and threads use at once, some of which are killed."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING

from gcs_lab.drmaa2 import JobSession, JobState, JobTemplate
from gcs_lab.jobs import JobAction, job_session
from gcs_lab.jobs.session_store import SessionKind, user_sessions

if TYPE_CHECKING:
    from drmaa2.drmaa2_lab import Site

TRUE = {"remote_command": "/bin/true", "output_path": "/dev/null", "join_files": True}


SUBMITTER = """
import sys
from gcs_lab.drmaa2 import JobSession
session = JobSession("shared", destroy_on_exit=False)
template = {"remote_command": "/bin/true", "job_name": "n", "submit_as_hold": True}
print("ready", flush=True)
sys.stdin.readline() if sys.argv[2] == "wait" else None
if sys.argv[3] == "many":
    session.run_jobs([template] * int(sys.argv[1]))
else:
    for number in range(int(sys.argv[1])):
        print(session.run_job(template).id, flush=True)
"""


def test_jobs_templates_and_arrays_are_there_after_the_program_was_killed(site: Site) -> None:
    code = """
from gcs_lab.drmaa2 import JobSession
import time
session = JobSession("kept")
job = session.run_job({"remote_command": "/bin/sleep", "args": ["60"], "job_name": "one", "submit_as_hold": True})
array = session.run_bulk_jobs({"remote_command": "/bin/true", "job_name": "many", "submit_as_hold": True}, 1, 9, 4, 1)
print(job.id, array.id, flush=True)
time.sleep(60)
"""
    with site.start(code) as program:
        job_id, array_id = program.stdout.readline().split()
        program.send_signal(signal.SIGKILL)
    with JobSession("kept") as session:
        assert session.contact == site.cluster
        jobs = list(session.get_jobs())
        assert [job.id for job in jobs] == [job_id, *(f"{array_id}.{index}" for index in (1, 5, 9))]
        assert jobs[0].get_template() == JobTemplate(
            {"remote_command": "/bin/sleep", "args": ["60"], "job_name": "one", "submit_as_hold": True}
        )
        assert session.get_job_array(array_id).get_template().job_name == "many"
        assert jobs[0].get_state()[0] is JobState.QUEUED_HELD


def test_a_job_whose_id_was_not_written_down_is_found_when_the_session_is_opened(site: Site) -> None:
    # The program is killed in the moment between the system's answer and the record of it.
    code = """
import os, signal
from gcs_lab.drmaa2 import JobSession
from gcs_lab.jobs.session_jobs import SessionJobs
SessionJobs.record = lambda self, ids: (print(*ids.values(), flush=True), os.kill(os.getpid(), signal.SIGKILL))
session = JobSession(os.environ["WHAT"], destroy_on_exit=False)
template = {"remote_command": "/bin/true", "job_name": "lost", "submit_as_hold": True}
session.run_jobs([template] * 3) if session.name == "jobs" else session.run_bulk_jobs(template, 1, 3)
"""
    jobs = site.python("-c", code, WHAT="jobs")
    array = site.python("-c", code, WHAT="array")
    assert (jobs.returncode, array.returncode) == (-signal.SIGKILL, -signal.SIGKILL), jobs.stderr + array.stderr
    with JobSession("jobs") as session:
        assert [job.id for job in session.get_jobs()] == jobs.stdout.split()
        assert session.get_jobs()[2].get_template().job_name == "lost"
    with JobSession("array") as session:
        (array_id,) = array.stdout.split()
        assert [job.id for job in session.get_jobs()] == [f"{array_id}.{index}" for index in (1, 2, 3)]
        assert session.get_job_array(array_id).job_list[2].get_template().job_name == "lost"


def test_a_submission_that_the_system_did_not_get_is_no_job(site: Site) -> None:
    code = """
import os, signal
from gcs_lab.drmaa2 import JobSession
from gcs_lab.jobs import Jobs
Jobs.submit = lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL)
JobSession("cut", destroy_on_exit=False).run_job({"remote_command": "/bin/true"})
"""
    assert site.python("-c", code).returncode == -signal.SIGKILL
    with JobSession("cut") as session:
        assert session.get_jobs() == []
        assert len(session.core._jobs.unresolved()) == 1


def test_two_programs_submit_into_one_session_at_once(site: Site) -> None:
    count = 500 if site.cluster == "embedded" else 40
    store = user_sessions()
    job_session.JobSession.create(site.jobs, "shared", store=store)
    how = [("one", str(count)), ("many", str(count))]
    programs = [site.start(SUBMITTER, number, "go", kind) for kind, number in how]
    for program in programs:
        output, _ = program.communicate(timeout=120)
        assert program.returncode == 0, output
    with JobSession("shared") as session:
        jobs = session.get_jobs()
        assert len({job.id for job in jobs}) == len(jobs) == 2 * count
        assert {job.id for job in jobs} == {job.id for job in site.jobs.list()}
        assert session.core._jobs.unresolved() == {}
        site.jobs.control(JobAction.TERMINATE, [job.id for job in jobs])


#: Uses a session in every way at once, and says what it did.
BUSY = """
import random, sys, uuid
from gcs_lab.drmaa2 import InvalidArgument, InvalidSession, JobSession
random.seed(int(sys.argv[1]))
session = JobSession("busy", destroy_on_exit=False)
TRUE = {"remote_command": "/bin/true", "output_path": "/dev/null", "join_files": True}
def held(count):
    names = ["n" + uuid.uuid4().hex for _ in range(count)]
    print(*names, flush=True)
    return [{**TRUE, "job_name": name, "submit_as_hold": True} for name in names]
while True:
    what = random.choice(["one", "many", "array", "list", "reap", "churn"])
    if what == "one":
        session.run_job(*held(1))
    elif what == "many":
        session.run_jobs(held(5))
    elif what == "array":
        session.run_bulk_jobs(*held(1), 1, 3)
    elif what == "list":
        ids = [job.id for job in session.get_jobs()]
        assert len(ids) == len(set(ids))
    elif what == "reap":
        session.run_job(TRUE)
        for job in session.get_jobs({"job_state": "DONE"}):
            try:
                job.reap()
            except InvalidArgument:
                pass  # the other program was quicker
    else:
        try:
            churn = JobSession("churn")
            churn.run_job(TRUE)
            churn.destroy()
        except (InvalidArgument, InvalidSession):
            pass
    print("did", what, flush=True)
"""


def test_no_job_is_lost_when_programs_that_share_a_session_are_killed_at_random(site: Site) -> None:
    chance = random.Random(7)
    rounds = 8 if site.cluster == "embedded" else 3
    names: set[str] = set()
    running = [site.start(BUSY, str(number)) for number in range(2)]
    for number in range(rounds):
        program = running.pop(0)
        said = [program.stdout.readline() for _ in range(chance.randrange(5, 40))]
        program.kill()
        said += program.communicate(timeout=60)[0].splitlines(keepends=True)
        assert program.returncode == -signal.SIGKILL, said[-3:]
        # What stands after the last line feed was cut off.
        names |= {word for line in said if line.endswith("\n") for word in line.split() if word.startswith("n")}
        if number < rounds - 2:
            running.append(site.start(BUSY, str(number + 2)))
    with JobSession("busy") as session:
        jobs = list(session.get_jobs())
        known = {job.id.partition(".")[0] for job in jobs}
        there = {info.job_id.partition(".")[0] for info in site.jobs.find() if info.job_name in names}
        assert len({job.id for job in jobs}) == len(jobs)
        assert there
        assert there <= known
    with user_sessions().reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for name in JobSession.list_session_names():
        JobSession.destroy_by_name(name)


def test_threads_share_a_session(site: Site) -> None:
    found: list[str] = []
    with JobSession(contact=site.cluster) as session:

        def submit() -> None:
            found.extend(session.run_job({**TRUE, "submit_as_hold": True}).id for _ in range(5))

        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == sorted(job.id for job in session.get_jobs())
    assert len(set(found)) == 40


def test_a_forked_child_does_not_destroy_its_parents_session(site: Site) -> None:
    code = """
import os, sys
from gcs_lab.drmaa2 import JobSession
session = JobSession("parent")
pid = os.fork()
if pid == 0:
    sys.exit(0)
os.waitpid(pid, 0)
print(JobSession.list_session_names())
"""
    done = site.python("-W", "ignore::DeprecationWarning", "-c", code)
    assert done.stdout == "['parent']\n", done.stderr
    assert user_sessions().names(SessionKind.JOB) == []
