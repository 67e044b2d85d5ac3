"""Checks of lesson 3, pipelines: a chain of jobs, what goes from job to job, a reduce step, a failure mended."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.sweep_rounds import read_rounds
from gcs_lab.errors import GcsError
from gcs_lab.lessons.evidence import failure, newest_job
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["breath", "chain", "mended", "steepest"]

#: A number that was rounded to two places is as good.
_ROUNDED = 0.0051


def chain() -> CheckReport:
    """Exercise 1: a job ``steepest`` was submitted that waits for ``clean`` and takes ``weeks`` from it."""
    job, clean = newest_job("steepest"), newest_job("clean")
    leaves = _spec(job).get("outputs", [])
    return CheckReport(
        "Exercise 1: one more step",
        (
            Point("a job called `steepest` was submitted", job is not None, "`-N` names the job"),
            Point(
                "it takes `weeks` from the job `clean`, not from the notebook",
                _takes("weeks", job, clean),
                "the cell has to use `weeks` while that name still holds the placeholder; if `clean` has ended "
                "already, submit `clean` again on hold first",
            ),
            Point(
                "it leaves `year` and `by`",
                {"year", "by"} <= set(leaves),
                f"it leaves {_listed(leaves)}" if leaves else "a job leaves the names that its cell assigns",
            ),
            Point("it waits, or has ended well", job is not None and not job.failed, failure(job)),
        ),
    )


def steepest(year: object = None) -> CheckReport:
    """Exercise 2: `year` is what the learner's own job found, and what the measurements say."""
    job, clean = newest_job("steepest"), newest_job("clean")
    found = job.values() if job is not None else {}
    told = _whole(found.get("year"))
    year_of_weeks, by_of_weeks = _steepest_of_weeks(clean)
    by = found.get("by")
    return CheckReport(
        "Exercise 2: read it off",
        (
            Point(
                "your job `steepest` has ended well, and took `weeks` from `clean`",
                job is not None and job.done and _takes("weeks", job, clean),
                failure(job) or "exercise 1 comes first; then `%gcs wait steepest`",
            ),
            Point(
                "the year that it found is the one with the largest rise of the yearly mean",
                told is not None and told == year_of_weeks,
                "from the means of whole calendar years from 1959 on, each less the one before",
            ),
            Point(
                "`by` is that rise in ppm",
                by_of_weeks is not None and _close(by, by_of_weeks),
                "the difference between two yearly means, as a number",
            ),
            Point(
                "`steepest_year` is the year that your job printed",
                told is not None and _whole(year) == told,
                "it stands below the cell of exercise 1, and in `%gcs logs steepest`",
            ),
        ),
    )


def breath() -> CheckReport:
    """Exercise 3: a job ``breath`` read what all tasks of ``fits`` left, and computed ``deepest`` and ``change``."""
    job, fits = newest_job("breath"), newest_job("fits")
    left = job.values() if job is not None else {}
    swings = _swings(fits)
    deepest = max(swings, key=swings.__getitem__) if swings else None
    change = swings[max(swings)] - swings[min(swings)] if swings else math.nan
    return CheckReport(
        "Exercise 3: reduce",
        (
            Point(
                "a job called `breath` has ended well",
                job is not None and job.done,
                failure(job) or "`-N` names it, and `run` waits for it",
            ),
            Point(
                "it reads the results of the sweep `fits` in the job",
                _uses_sweep(job, fits),
                "use the variable `fits` within the cell; what you load in the notebook travels through the notebook",
            ),
            Point(
                "`deepest` is the decade with the largest swing",
                deepest is not None and _whole(left.get("deepest")) == deepest,
                "the decade itself, not its place in the list",
            ),
            Point(
                "`change` is the last decade's swing minus the first one's",
                bool(swings) and _close(left.get("change"), change),
                "in ppm, with its sign",
            ),
        ),
    )


def mended() -> CheckReport:
    """Exercise 4: the failed task of ``trends`` and its counterpart of ``passes`` ran again, and no others."""
    return CheckReport(
        "Exercise 4: mend it, and run on",
        tuple(
            point
            for name, hint in [
                ("trends", "look at `trends.frame.error`: it needs more of what it ran out of"),
                ("passes", "a task can only run on when its counterpart of `trends` has ended well"),
            ]
            for point in _mended_sweep(name, hint)
        ),
    )


def _mended_sweep(name: str, hint: str) -> tuple[Point, Point]:
    sweep = newest_job(name, kind="sweep")
    again = _ran_again(sweep)
    return (
        Point(f"all tasks of `{name}` have ended well", sweep is not None and sweep.done, hint),
        Point(
            f"of `{name}` only the task that had not ended well ran again",
            again == {1},
            "nothing has run again yet"
            if not again
            else f"tasks {_listed(map(str, sorted(again)))} ran again, and `failed=True` chooses; to begin afresh, "
            "run the cells that submit `trends` and `passes` once more",
        ),
    )


def _spec(job: LessonJob | None) -> dict[str, Any]:
    """Return what the job's runner was asked to do (docs/event-log.md); empty if that is gone."""
    with contextlib.suppress(OSError, ValueError, GcsError):
        return JobFolder(job.folder).read_spec() if job is not None else {}
    return {}


def _takes(name: str, job: LessonJob | None, earlier: LessonJob | None) -> bool:
    """Tell whether the value of `name` goes to a job from an earlier one's folder."""
    source = _spec(job).get("from_jobs", {}).get(name)
    return earlier is not None and source is not None and source.get("folder") == str(earlier.folder)


def _uses_sweep(job: LessonJob | None, sweep: LessonJob | None) -> bool:
    sources = _spec(job).get("from_jobs", {}).values()
    return sweep is not None and any(source.get("folder") == str(sweep.folder) for source in sources)


def _ran_again(sweep: LessonJob | None) -> set[int]:
    """Return the numbers of the tasks of all rounds but the first."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        if sweep is not None:
            return {int(task) for ran in read_rounds(JobFolder(sweep.folder), sweep.tasks)[1:] for task in ran.tasks}
    return set()


def _steepest_of_weeks(clean: LessonJob | None) -> tuple[int | None, float | None]:
    """Return the answer of exercise 1 as the learner's own ``weeks`` give it; None where there are none."""
    weeks = clean.values().get("weeks") if clean is not None else None
    # Whatever the learner's own cell left under that name.
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        whole = weeks.loc["1959":]  # type: ignore[union-attr]
        rises = whole["co2"].groupby(whole.index.year).mean().diff()
        return int(rises.idxmax()), float(rises.max())
    return None, None


def _swings(fits: LessonJob | None) -> dict[int, float]:
    """Return ``swing`` by decade, as the tasks of the learner's ``fits`` left it; empty unless all did."""
    if fits is None:
        return {}
    points, ends = fits.points(), fits.task_ends()
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return {
            int(point["decade"]): float(ends[task]["results"]["swing"]) for task, point in enumerate(points, start=1)
        }
    return {}


def _whole(value: object) -> int | None:
    """Return a whole number (numpy's, or one that is written as text, too); None if it is none."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        number = float(value)  # type: ignore[arg-type]
        return int(number) if number == int(number) else None
    return None


def _close(value: object, right: float) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        return math.isclose(float(value), right, abs_tol=_ROUNDED)  # type: ignore[arg-type]
    return False


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
