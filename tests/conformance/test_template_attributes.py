"""Every attribute of a job template has its effect in the job, or the template is refused (GFD.231, 5.4)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from conformance.statements import attribute, clause, together
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Site

TEMPLATE = clause("GFD.231 5.4 JobTemplate")
DUMP = """
import json, os, sys
print(json.dumps({"args": sys.argv[1:], "environment": dict(os.environ)}))
"""
ARGUMENTS = ["a b", "", "it's", '"', "*", "$HOME", "`id`", "a\nb", "ünï €", "-x", "\\", "comma,", "x" * 5000]
ENVIRONMENT = {"CS_PLAIN": "a", "CS_EMPTY": "", "CS_ODD": "a,b=c 'd' \"e\" $f \\ ünï", "CS_LINES": "a\nb\n"}


@together
@TEMPLATE
@pytest.mark.parametrize("name", ["script", "own script", "1st:script"])
@attribute("remote_command", "/bin/true")
def test_remote_command_is_what_runs(site: Site, name: str) -> None:
    folder = site.folder()
    script = folder / name
    script.write_text("#!/bin/sh\necho it ran\n")
    script.chmod(0o755)
    assert site.run(str(script), folder=folder).done() == "it ran\n"


@together
@TEMPLATE
@attribute("args", ["a"])
def test_args_arrive_one_by_one_and_unchanged(site: Site) -> None:
    out = site.run(sys.executable, "-c", DUMP, *ARGUMENTS).done()
    assert json.loads(out)["args"] == ARGUMENTS


@together
@TEMPLATE
@attribute("submit_as_hold", True)
def test_submit_as_hold_keeps_the_job_until_it_is_released(site: Site) -> None:
    held = site.held("echo now")
    assert held.state is JobState.QUEUED_HELD
    site.shell("true").done()
    assert held.state is JobState.QUEUED_HELD
    held.job.release()
    assert held.done() == "now\n"


# Alone: 8.1.9 lets the old run go on if other jobs begin and end on its host while it is to be given up.
@TEMPLATE
@attribute("rerunnable", True)
def test_a_rerunnable_job_runs_again_when_its_run_is_lost(site: Site) -> None:
    run = site.shell('echo "run $RESTARTED" >> runs; [ "$RESTARTED" = 1 ] || exec sleep 600', rerunnable=True)
    run.wait_text("run 0", "runs")
    site.lose(run.id)
    run.ended(JobState.DONE)
    assert run.read("runs") == "run 0\nrun 1\n"


@together
@TEMPLATE
@attribute("job_environment", {"A": "b"})
def test_job_environment_is_set_in_the_job(site: Site) -> None:
    out = site.run(sys.executable, "-c", DUMP, job_environment=ENVIRONMENT).done()
    seen = json.loads(out)["environment"]
    assert {name: seen.get(name) for name in ENVIRONMENT} == ENVIRONMENT


@together
@TEMPLATE
@attribute("working_directory", "/tmp")
def test_working_directory_is_where_the_job_runs(site: Site) -> None:
    folder = site.folder()
    assert site.run("/bin/pwd", folder=folder).done() == f"{folder}\n"


@together
@clause("GFD.231 4 HOME_DIRECTORY")
@attribute("working_directory", "$DRMAA2_HOME_DIR$")
def test_working_directory_may_be_below_the_home_directory(site: Site) -> None:
    folder = site.folder_in_home()
    below = folder.relative_to(Path.home())
    run = site.run("/bin/pwd", working_directory=f"$DRMAA2_HOME_DIR$/{below}")
    assert run.done() == f"{folder}\n"


@together
@TEMPLATE
@attribute("job_category", "quick")
def test_job_category_gives_the_job_what_operators_configured(site: Site) -> None:
    assert site.category in site.jobs.catalogue().job_categories
    run = site.shell("echo $FROM_CATEGORY", job_category=site.category)
    assert run.done() == "yes\n"
    assert run.job.info().resource_requests.get("h_rt") in {"3600", "1:00:00", "01:00:00"}


@together
@TEMPLATE
@attribute("job_category", "quick")
def test_the_templates_own_attributes_win_over_the_job_category(site: Site) -> None:
    run = site.shell(
        "echo $FROM_CATEGORY",
        job_category=site.category,
        job_environment={"FROM_CATEGORY": "no"},
        resource_requests={"h_rt": "1800"},
    )
    assert run.done() == "no\n"
    assert run.job.info().resource_requests.get("h_rt") == "1800"


@together
@TEMPLATE
@attribute("job_category", "quick")
def test_an_unknown_job_category_is_an_invalid_argument(site: Site) -> None:
    name = site.name_of_a_job()
    with pytest.raises(InvalidArgument, match="nowhere-defined"):
        site.shell("true", job_name=name, job_category="nowhere-defined")
    assert site.ids_with_name(name) == []


@together
@TEMPLATE
@attribute("email_on_started", True)
@attribute("email", ["a@example.org"])
def test_email_on_started_sends_when_the_job_starts(site: Site) -> None:
    address = f"{site.name_of_a_job()}@example.org"
    run = site.running(email=[address], email_on_started=True)
    wait_for(lambda: site.mails_to(address), f"the mail to {address}")
    site.end(run)
    run.ended()
    # What another job's mail takes, an unwanted one of this job would have taken too.
    site_mail = f"{site.name_of_a_job()}@example.org"
    site.shell("true", email=[site_mail], email_on_terminated=True).ended()
    wait_for(lambda: site.mails_to(site_mail), f"the mail to {site_mail}")
    mails = site.mails_to(address)
    assert len(mails) == 1
    assert run.id in mails[0]


@together
@TEMPLATE
@attribute("email_on_terminated", True)
@attribute("email", ["a@example.org"])
def test_email_on_terminated_sends_to_all_when_the_job_has_ended(site: Site) -> None:
    addresses = [f"{site.name_of_a_job()}@example.org" for _ in range(2)]
    run = site.held(email=addresses, email_on_terminated=True)
    assert not site.mails_to(addresses[0])
    run.job.release()
    run.ended(JobState.DONE)
    for address in addresses:
        wait_for(lambda to=address: site.mails_to(to), f"the mail to {address}")
    assert run.id in site.mails_to(addresses[0])[0]


@together
@TEMPLATE
@attribute("email", ["a@example.org"])
def test_email_alone_sends_nothing(site: Site) -> None:
    silent, told = (f"{site.name_of_a_job()}@example.org" for _ in range(2))
    site.shell("true", email=[silent]).ended(JobState.DONE)
    site.shell("true", email=[told], email_on_terminated=True).ended(JobState.DONE)
    wait_for(lambda: site.mails_to(told), f"the mail to {told}")
    assert not site.mails_to(silent)


@together
@TEMPLATE
@attribute("job_name", "name")
def test_job_name_is_the_name_of_the_job(site: Site) -> None:
    name = site.name_of_a_job()
    run = site.held(job_name=name)
    assert run.job.info().job_name == name
    run.job.release()
    assert run.ended(JobState.DONE).job_name == name


@together
@TEMPLATE
@attribute("input_path", "/dev/null")
def test_input_path_is_the_standard_input(site: Site) -> None:
    folder = site.folder()
    (folder / "in put").write_text("what is read\n")
    assert site.run("/bin/cat", folder=folder, input_path=str(folder / "in put")).done() == "what is read\n"


@together
@TEMPLATE
@attribute("output_path", "/dev/null")
def test_output_path_gets_the_standard_output_alone(site: Site) -> None:
    run = site.shell("echo one; echo two >&2")
    assert run.done() == "one\n"


@together
@TEMPLATE
@attribute("error_path", "/dev/null")
def test_error_path_gets_the_standard_error_alone(site: Site) -> None:
    run = site.shell("echo one; echo two >&2")
    run.ended(JobState.DONE)
    assert run.shown("err") == "two\n"


@together
@TEMPLATE
@attribute("join_files", True)
def test_join_files_writes_both_to_the_output_path(site: Site) -> None:
    run = site.shell("echo one; echo two >&2; echo three", join_files=True)
    assert run.done() == "one\ntwo\nthree\n"
    assert not (run.folder / "err").exists()


@together
@clause("GFD.231 4 WORKING_DIRECTORY")
@attribute("output_path", "$DRMAA2_WORKING_DIR$/o")
def test_paths_may_be_below_the_working_directory(site: Site) -> None:
    folder = site.folder()
    (folder / "below").mkdir()
    (folder / "in").write_text("from there\n")
    paths = {"input_path": "in", "output_path": "below/o", "error_path": "below/e"}
    run = site.shell(
        "cat; echo wrong >&2",
        folder=folder,
        **{name: f"$DRMAA2_WORKING_DIR$/{path}" for name, path in paths.items()},
    )
    run.ended(JobState.DONE)
    assert (run.shown("below/o"), run.shown("below/e")) == ("from there\n", "wrong\n")


@together
@clause("GFD.231 4 HOME_DIRECTORY")
@attribute("output_path", "$DRMAA2_HOME_DIR$/o")
def test_paths_may_be_below_the_home_directory(site: Site) -> None:
    folder = site.folder_in_home()
    (folder / "in").write_text("from home\n")
    below = f"$DRMAA2_HOME_DIR$/{folder.relative_to(Path.home())}"
    run = site.run("/bin/cat", input_path=f"{below}/in", output_path=f"{below}/o", error_path=f"{below}/e")
    run.ended(JobState.DONE)
    assert wait_for((folder / "o").read_text, "the output") == "from home\n"


@together
@TEMPLATE
@attribute("accounting_id", "account")
def test_accounting_id_stands_in_the_jobs_record(site: Site) -> None:
    run = site.shell("true", accounting_id="project42")
    assert run.ended(JobState.DONE).raw.get("account") == "project42"


@together
@clause("implementation-specific: qsub")
@attribute("native_specification", "-N name")
def test_native_specification_is_options_of_qsub(site: Site) -> None:
    name = site.name_of_a_job()
    run = site.shell("echo $FROM_NATIVE", native_specification=f"-N {name} -v FROM_NATIVE=yes")
    assert run.done() == "yes\n"
    assert run.job.info().job_name == name


@together
@clause("implementation-specific: qsub")
@pytest.mark.parametrize("options", ["-nosuchoption", "-t 1-5", "-sync y", "words", "-N"])
@attribute("native_specification", "-N name")
def test_a_native_specification_that_cannot_be_honoured_is_refused(site: Site, options: str) -> None:
    name = site.name_of_a_job()
    with pytest.raises((InvalidArgument, UnsupportedAttribute)):
        site.shell("true", job_name=name, native_specification=options)
    assert site.ids_with_name(name) == []


@together
@clause("issue 3: every attribute is honoured or refused")
def test_the_backend_says_of_every_attribute_whether_it_honours_it(site: Site) -> None:
    from dataclasses import fields

    from gcs_lab.vocabulary import JobTemplate

    backend = site.jobs.backend
    every = {f.name for f in fields(JobTemplate)}
    assert backend.supported_attributes | backend.refusals.keys() == every
    assert not backend.supported_attributes & backend.refusals.keys()
    assert all(sentence.strip() for sentence in backend.refusals.values())
