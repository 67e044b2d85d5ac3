"""Mail on start and end of jobs, through a mail program that keeps what it gets."""

from __future__ import annotations

import email
import email.policy
import sys
import time

import pytest
from embedded_lab import processes_with
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.layout import MailSettings
from gcs_lab.backends.embedded.mail import Letter, deliver
from gcs_lab.errors import UnsupportedAttribute
from gcs_lab.vocabulary import Capability, JobState, JobTemplate

CLUSTER = '[[hosts]]\nname="node"\n[[queues]]\nname="all.q"\nslots=4\n'
# Each letter becomes a file of its own, whole when it is seen.
MAILER = """\
#!/bin/sh
t=$(mktemp "{box}/.XXXXXXXX")
cat > "$t"
mv "$t" "{box}/$(date +%s%N).$$"
"""


class Mailbox:
    def __init__(self, folder):
        self.folder = folder

    def letters(self):
        files = sorted(path for path in self.folder.iterdir() if not path.name.startswith("."))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]

    def subjects(self):
        return [letter["Subject"] for letter in self.letters()]

    def wait(self, count):
        wait_for(lambda: len(self.letters()) >= count, f"{count} letters, not {self.subjects()}")
        return self.letters()


def mail_entry(program):
    return f'[mail]\ncommand = ["{program}", "-t"]\nsender = "cluster@example.org"\n'


@pytest.fixture
def mailbox(lab, home):
    folder = home / "mailbox"
    folder.mkdir()
    program = home / "mailer"
    program.write_text(MAILER.format(box=folder))
    program.chmod(0o755)
    lab.configure(mail_entry(program) + CLUSTER)
    return Mailbox(folder)


def test_a_job_is_written_about_when_it_starts_and_when_it_has_ended(lab, mailbox):
    job = lab.shell(
        "while [ ! -e go ]; do sleep 0.02; done; exit 4", job_name="größe 1", email=["a@example.org", "b@example.org"],
        email_on_started=True, email_on_terminated=True,
    )  # fmt: skip
    (started,) = mailbox.wait(1)
    assert lab.letters(job) == "r"
    assert started["Subject"] == f"Job {job.id} (größe 1) Started"
    assert started["From"] == "cluster@example.org"
    assert started["To"] == "a@example.org, b@example.org"
    assert started["Auto-Submitted"] == "auto-generated"
    assert "Host       = node" in started.get_content()
    (lab.work / "go").touch()
    lab.ended(job)
    ended = mailbox.wait(2)[1]
    assert ended["Subject"] == f"Job {job.id} (größe 1) Complete"
    body = ended.get_content()
    assert "Exit Status    = 4" in body
    assert "ended with exit status 4" in body
    assert "Wallclock Time = " in body
    time.sleep(0.2)
    assert len(mailbox.letters()) == 2


def test_only_what_was_asked_for_is_written(lab, mailbox):
    lab.ended(lab.submit("true", email=["a@example.org"], email_on_terminated=True))
    lab.ended(lab.submit("true", email=["a@example.org"], email_on_started=True))
    lab.ended(lab.submit("true", email=["a@example.org"]))
    lab.ended(lab.submit("true", native_specification="-M c@example.org -m n"))
    lab.ended(lab.submit("true", native_specification="-M c@example.org,d@example.org -m ea"))
    found = mailbox.wait(3)
    time.sleep(0.2)
    assert len(mailbox.letters()) == 3
    assert sorted(letter["Subject"].split()[-1] for letter in found) == ["Complete", "Complete", "Started"]
    assert found[-1]["To"] == "c@example.org, d@example.org"


def test_a_normal_end_and_an_abnormal_one_are_asked_for_apart(lab, mailbox):
    on_end, on_abort = ({"native_specification": f"-M a@example.org -m {letter}"} for letter in "ea")
    for options in (on_end, on_abort):
        lab.ended(lab.shell("exit 3", job_name="normal", **options))
        lab.ended(lab.shell("kill -9 $$", job_name="killed", **options))
        waited = lab.submit("true", job_name="deleted", submit_as_hold=True, **options)
        waited.terminate()
        broken = lab.submit("true", job_name="broken", working_directory="/nowhere", **options)
        lab.wait_letters(broken, "Eqw")
        lab.ended(lab.shell("[ $RESTARTED = 1 ] || exit 99", job_name="again", **options))
    mailbox.wait(6)
    time.sleep(0.2)
    subjects = [subject.split(" ", 2)[2] for subject in mailbox.subjects()]
    assert sorted(subjects) == [
        "(again) Complete", "(again) Rescheduled", "(broken) Set in error state", "(deleted) Aborted",
        "(killed) Aborted", "(normal) Complete",
    ]  # fmt: skip


def test_a_short_jobs_letters_and_those_of_an_error_and_of_a_deletion(lab, mailbox):
    address = {"email": ["a@example.org"], "email_on_started": True, "email_on_terminated": True}
    short = lab.submit("true", **address)
    lab.ended(short)
    assert sorted(letter["Subject"] for letter in mailbox.wait(2)) == [
        f"Job {short.id} (true) Complete", f"Job {short.id} (true) Started",
    ]  # fmt: skip
    broken = lab.submit("true", **{**address, "working_directory": "/nowhere"})
    lab.wait_letters(broken, "Eqw")
    letter = mailbox.wait(3)[2]
    # It has not started, so there is one letter only.
    assert letter["Subject"] == f"Job {broken.id} (true) Set in error state"
    assert "/nowhere" in letter.get_content()
    broken.terminate()
    assert mailbox.wait(4)[3]["Subject"] == f"Job {broken.id} (true) Aborted"
    held = lab.submit("true", submit_as_hold=True, **address)
    held.terminate()
    letter = mailbox.wait(5)[4]
    assert letter["Subject"] == f"Job {held.id} (true) Aborted"
    assert "deleted by" in letter.get_content()


def test_each_task_is_written_about_and_those_that_never_ran_together(lab, mailbox):
    template = JobTemplate(
        remote_command="/bin/true", email=["a@example.org"], email_on_terminated=True, working_directory=str(lab.work)
    )
    ran = lab.jobs.submit_array(template, 1, 2)
    ran.wait_terminated(20)
    mailbox.wait(2)
    assert sorted(mailbox.subjects()) == [f"Job-array task {ran.id}.{n} (true) Complete" for n in (1, 2)]
    template.submit_as_hold = True
    never = lab.jobs.submit_array(template, 1, 5000)
    never.terminate()
    letter = mailbox.wait(3)[-1]
    assert letter["Subject"] == f"Job-array {never.id} (true) Aborted"
    assert "5000" in letter.get_content()


def test_there_is_one_letter_of_each_though_the_scheduler_dies(lab, mailbox):
    address = {"email": ["a@example.org"], "email_on_started": True, "email_on_terminated": True}
    job = lab.shell("while [ ! -e go ]; do sleep 0.02; done", **address)
    mailbox.wait(1)
    lab.kill_scheduler()
    lab.jobs.list()
    lab.kill_scheduler()
    (lab.work / "go").touch()
    lab.ended(job)
    mailbox.wait(2)
    lab.kill_scheduler()
    lab.jobs.list()
    time.sleep(0.3)
    assert mailbox.subjects() == [f"Job {job.id} (sh) Started", f"Job {job.id} (sh) Complete"]


def test_a_mail_program_that_fails_or_is_not_there_is_logged_and_stops_no_job(lab, home):
    for text in ('["/bin/sh", "-c", "echo no such user >&2; exit 67"]', '["/nowhere/sendmail"]'):
        lab.configure(f"[mail]\ncommand = {text}\n{CLUSTER}")
        info = lab.ended(lab.submit("true", email=["a@example.org"], email_on_terminated=True))
        assert info.job_state is JobState.DONE
        said = "no such user" if "sh" in text.split(",")[0] else "/nowhere/sendmail could not be run"
        wait_for(lambda said=said: said in lab.places.log.read_text(), "the line in the log")
        service.stop()


def test_a_mail_program_that_hangs_keeps_no_job_waiting(lab, home):
    lab.configure(f'[mail]\ncommand = ["/bin/sleep", "3.2171"]\n{CLUSTER}')
    address = {"email": ["a@example.org"], "email_on_started": True, "email_on_terminated": True}
    assert lab.ended(lab.submit("true", **address)).job_state is JobState.DONE
    assert lab.ended(lab.submit("true", **address)).job_state is JobState.DONE
    assert len(processes_with("3.2171")) >= 2, "the letters are still being sent"


def test_a_mail_program_is_given_limited_time():
    letter = Letter(MailSettings((sys.executable, "-c", "import time; time.sleep(60)"), "a@b"), ("c@d",), "s", ())
    assert "did not end within 0.2 s" in deliver(letter, 0.2)


def test_without_the_entry_mail_is_refused_and_it_is_said_how_to_have_it(lab):
    backend = lab.system.jobs
    assert not backend.supports(Capability.JT_EMAIL)
    for attributes in (
        {"email": ["a@example.org"], "email_on_started": True},
        {"email": ["a@example.org"], "email_on_terminated": True},
        {"native_specification": "-m be"},
    ):
        with pytest.raises(UnsupportedAttribute, match=r"\[mail\]"):
            lab.submit("true", **attributes)
    assert {"email", "email_on_started", "email_on_terminated"} == set(backend.refusals)
    assert lab.jobs.list() == []


def test_with_the_entry_every_attribute_is_honoured(lab, mailbox):
    backend = lab.system.jobs
    assert backend.supports(Capability.JT_EMAIL)
    assert backend.supported_attributes == set(JobTemplate.__dataclass_fields__)
    assert backend.refusals == {}
