"""Files that are copied for a job, and the limits that it sets itself (GFD.231, 5.4 and 4.3)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from conformance.statements import attribute, clause, together
from gcs_lab.errors import UnsupportedAttribute
from gcs_lab.vocabulary import JobState, ResourceLimit

if TYPE_CHECKING:
    from conformance.site import Site

TEMPLATE = clause("GFD.231 5.4 JobTemplate")

SHOW_LIMITS = """
import json, resource
names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
print(json.dumps({name: resource.getrlimit(getattr(resource, name))[1] for name in names}))
"""


@together
@TEMPLATE
@attribute("stage_in_files", {"/a": "/b"})
def test_stage_in_files_are_there_before_the_job_starts(site: Site) -> None:
    source, folder = site.folder(), site.folder()
    (source / "file").write_text("staged\n")
    (source / "tree").mkdir()
    (source / "tree" / "leaf").write_text("leaf\n")
    run = site.shell(
        "cat copy tree/leaf",
        folder=folder,
        stage_in_files={
            str(source / "file"): "$DRMAA2_WORKING_DIR$/copy",
            str(source / "tree"): str(folder / "tree"),
        },
    )
    assert run.done() == "staged\nleaf\n"


@together
@TEMPLATE
@attribute("stage_in_files", {"/a": "/b"})
def test_a_job_whose_staging_in_fails_is_in_error_and_never_runs(site: Site) -> None:
    folder = site.folder()
    missing = str(folder / "missing")
    run = site.shell("echo it ran", folder=folder, stage_in_files={missing: str(folder / "copy")})
    run.in_error(kept=True)
    assert run.read() == ""
    site.end(run)


@together
@TEMPLATE
@attribute("stage_out_files", {"/a": "/b"})
def test_stage_out_files_are_copied_however_the_job_ended(site: Site) -> None:
    for code, state in ((0, JobState.DONE), (3, JobState.FAILED)):
        folder, target = site.folder(), site.folder()
        run = site.shell(
            f"echo result > made; exit {code}",
            folder=folder,
            stage_out_files={"$DRMAA2_WORKING_DIR$/made": str(target / "copy")},
        )
        assert run.ended(state).exit_status == code
        assert wait_for((target / "copy").read_text, "the copy") == "result\n"


@together
@TEMPLATE
@attribute("stage_out_files", {"/a": "/b"})
def test_a_failure_of_staging_out_fails_the_job(site: Site) -> None:
    target = site.folder() / "copy"
    run = site.shell("true", stage_out_files={"$DRMAA2_WORKING_DIR$/never-made": str(target)})
    run.ended(JobState.FAILED)
    assert not target.exists()


LIMITS = {
    ResourceLimit.CORE_FILE_SIZE: ("RLIMIT_CORE", 1024, 1024),
    ResourceLimit.DATA_SIZE: ("RLIMIT_DATA", 2**21, 1024),
    ResourceLimit.FILE_SIZE: ("RLIMIT_FSIZE", 4096, 1024),
    ResourceLimit.STACK_SIZE: ("RLIMIT_STACK", 16384, 1024),
    ResourceLimit.OPEN_FILES: ("RLIMIT_NOFILE", 123, 1),
}


@together
@clause("GFD.231 4.3 ResourceLimitType")
@pytest.mark.parametrize("limit", list(LIMITS))
@attribute("resource_limits", {"WALLCLOCK_TIME": "60"})
def test_resource_limits_are_those_of_the_jobs_processes_or_refused(site: Site, limit: ResourceLimit) -> None:
    name, value, unit = LIMITS[limit]
    job_name = site.name_of_a_job()
    try:
        run = site.run(sys.executable, "-c", SHOW_LIMITS, job_name=job_name, resource_limits={limit: str(value)})
    except UnsupportedAttribute as error:
        # A value of the attribute that this system has no word for.
        said, product = str(error), " ".join(site.jobs.system.split()[:2])
        assert all(word in said for word in ("resource_limits", limit, product)), said
        assert site.ids_with_name(job_name) == []
        return
    assert json.loads(run.done())[name] == value * unit


@together
@clause("GFD.231 4.3 WALLCLOCK_TIME")
@attribute("resource_limits", {"WALLCLOCK_TIME": "60"})
def test_a_job_that_exceeds_its_wallclock_time_is_ended(site: Site) -> None:
    run = site.shell("exec sleep 600", resource_limits={ResourceLimit.WALLCLOCK_TIME: "2"})
    info = run.ended(JobState.FAILED)
    assert "h_rt" in (info.annotation or "")


@together
@clause("GFD.231 4.3 CPU_TIME")
@attribute("resource_limits", {"CPU_TIME": "60"})
def test_a_job_that_exceeds_its_cpu_time_is_ended(site: Site) -> None:
    run = site.shell("while :; do :; done", resource_limits={ResourceLimit.CPU_TIME: "1"})
    info = run.ended(JobState.FAILED)
    assert info.terminating_signal in {"SIGKILL", "SIGXCPU"}


@together
@clause("GFD.231 4.3 VIRTUAL_MEMORY")
@attribute("resource_limits", {"VIRTUAL_MEMORY": "60"})
def test_a_job_cannot_have_more_than_its_virtual_memory(site: Site) -> None:
    script = "import time; print('begun', flush=True); x = bytearray(3 * 2**30); time.sleep(60); print('had it')"
    run = site.run(sys.executable, "-c", script, resource_limits={ResourceLimit.VIRTUAL_MEMORY: str(2**20)})
    run.ended(JobState.FAILED)
    assert run.shown() == "begun\n"
