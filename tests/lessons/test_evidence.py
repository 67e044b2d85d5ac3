"""What checks read of a learner's jobs, from real ones on the embedded cluster."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from kernel_session import start_kernel

from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.lessons import check
from gcs_lab.lessons.evidence import ended_jobs_named, jobs_named, lesson_jobs, namespace
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from pathlib import Path

    from kernel_session import KernelSession


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> str:
    """Be the notebook whose kernel the tests drive."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/course/lesson.ipynb")
    return "/course/lesson.ipynb"


def test_a_cell_is_read_as_it_was_submitted_and_as_it_ended(lesson_kernel: KernelSession, notebook: str) -> None:
    lesson_kernel.run("import math\nradius = 2")
    cell = "%%gcs run -N area -l h_rt=0:01:00,h_vmem=2G -q all.q\nprint('round')\narea = math.pi * radius ** 2\narea"
    assert lesson_kernel.run(cell).error() is None
    (job,) = jobs_named("area")
    assert (job.kind, job.cluster, job.state, job.tasks, job.error) == ("cell", "embedded", "DONE", 0, "")
    assert job.requests == {"h_rt": "0:01:00", "h_vmem": "2G"}
    assert (job.queue, job.parallel_environment, job.slots) == ("all.q", None, 1)
    assert (job.text, job.stdout, job.outputs) == ("round\n", "round\n", ("area",))
    assert sorted(job.inputs) == ["math", "radius"]
    assert job.displays == ("text/plain",)
    assert job.source.rstrip() == cell
    assert job.values()["area"] == pytest.approx(12.566, abs=0.001)
    assert job.host
    assert job.ended["exit_status"] == 0
    assert job.submitted < job.finished < time.time()
    assert jobs_named("area", kind="sweep") == []


def test_a_sweep_is_read_with_its_points_and_rounds(lesson_kernel: KernelSession, notebook: str) -> None:
    failed = lesson_kernel.run("%%gcs run -N halves -tc 2 --over 'n=[2, 3]'\nhalf = n / 2\nassert n % 2 == 0")
    assert "AssertionError" in failed.traceback()
    (sweep,) = jobs_named("halves")
    assert (sweep.kind, sweep.tasks, sweep.state, sweep.max_parallel) == ("sweep", 2, "FAILED", 2)
    assert sweep.over == {"n": [2, 3]}
    assert sweep.points() == [{"n": 2}, {"n": 3}]
    assert "AssertionError" in sweep.error
    assert [end["results"]["half"] for end in sweep.task_ends().values()] == [1.0, 1.5]
    lesson_kernel.run("sweep.rerun(failed=True)")
    lesson_kernel.run("%gcs wait halves")
    (sweep,) = jobs_named("halves")
    assert len(sweep.rounds) == 2
    assert (sweep.round_tasks(1), sweep.round_tasks(2), sweep.round_tasks(3)) == ([1, 2], [2], [])
    assert sweep.task_ends()[2]["round"] == 2
    assert sweep.task_ends(last_round=1)[2]["round"] == 1


def test_a_job_that_nobody_ended_is_not_waited_for_and_one_that_was_is(
    lesson_kernel: KernelSession, notebook: str
) -> None:
    lesson_kernel.run("%%gcs submit -N nap\nimport time\ntime.sleep(120)")
    (job,) = ended_jobs_named("nap")
    assert not job.finished
    lesson_kernel.run("%gcs cancel nap")
    assert lesson_kernel.pump(lambda: bool(jobs_named("nap")[0].finished))
    (job,) = ended_jobs_named("nap")
    assert (job.state, job.values(), job.outputs) == ("FAILED", {}, ())
    assert job.error.startswith("deleted by ")


def test_jobs_of_other_notebooks_do_not_count(lesson_kernel: KernelSession, notebook: str, monkeypatch) -> None:
    assert lesson_kernel.run("%%gcs run -N own\none = 1").error() is None
    assert [job.name for job in lesson_jobs()].count("own") == 1
    monkeypatch.setenv("JPY_SESSION_NAME", "/course/other.ipynb")
    assert jobs_named("own") == lesson_jobs() == []


def test_where_no_path_is_known_the_last_day_without_a_path_counts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    session = start_kernel(tmp_path_factory, "embedded")
    assert session.run("%%gcs run -N pathless\none = 1").error() is None
    session.close()
    (job,) = jobs_named("pathless")
    assert job.done
    Journal().update(str(job.folder), submitted=time.time() - 2 * 86_400)
    assert jobs_named("pathless") == []


def test_an_end_that_no_kernel_saw_is_read_from_the_log(lesson_kernel: KernelSession, notebook: str) -> None:
    assert lesson_kernel.run("%%gcs run -N unseen\none = 1").error() is None
    (job,) = jobs_named("unseen")
    Journal().update(str(job.folder), state="UNDETERMINED", finished=0.0)
    assert jobs_named("unseen")[0].done


def test_a_job_whose_folder_is_gone_is_there_and_empty(tmp_path: Path, notebook: str) -> None:
    Journal().add(JournalEntry(folder=str(tmp_path / "gone"), cluster="embedded", job_id="7", name="gone",
                               notebook=notebook, state="FAILED", finished=2.0, message="deleted by ann"))  # fmt: skip
    (job,) = jobs_named("gone")
    assert (job.error, job.requests, job.values(), job.points(), job.task_ends()) == (
        "deleted by ann",
        {},
        {},
        [],
        {},
    )


def test_outside_ipython_there_are_no_variables_and_no_check_raises() -> None:
    assert namespace() == {}
    os.environ.pop("JPY_SESSION_NAME", None)
    for name in check.__all__:
        report = getattr(check, name)()
        assert isinstance(report, CheckReport)
        assert not report.passed


def test_a_report_says_what_is_met_and_hints_at_the_rest() -> None:
    report = CheckReport(
        "Mine", (Point("a `job` <ran>", met=True, hint="never"), Point("it ended", met=False, hint="wait"))
    )
    assert repr(report) == "Mine: 1 of 2, not yet\n  ✓ a `job` <ran>\n  ✗ it ended — wait"
    html = report._repr_html_()
    assert "a <code>job</code> &lt;ran&gt;" in html
    assert "never" not in html
    assert CheckReport("Mine", (Point("all", met=True),)).passed
    assert not CheckReport("Mine", ()).passed
