"""Checks of lesson 1, your first job: one of the learner's own, an error that was read, a job that was ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import parse_time
from gcs_lab.lessons.evidence import ended_jobs_named, how_it_stands, jobs_named, namespace, newest_job
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["cancelled", "error", "first_job"]

#: The longest run time that the exercise allows, in seconds.
_MOST_SECONDS = 600.0
#: A slope is right if it is this near, in g/mm: also if it was rounded to one place.
_NEAR_SLOPE = 0.051
_COME_FIRST = "run the cells of the lesson from the top first"


def first_job() -> CheckReport:
    """Exercise 1: a job ``gentoo`` that computes ``gentoo_slope`` from ``penguins``, with a run time asked for."""
    job = newest_job("gentoo")
    found = _number(job.values().get("gentoo_slope")) if job else None
    here = _number(namespace().get("gentoo_slope"))
    asked = job.requests.get("h_rt", "") if job else ""
    return CheckReport(
        "Exercise 1: a job of your own",
        (
            Point(
                "a job called `gentoo` was sent", job is not None, "the table of flags says how a job gets its name"
            ),
            Point(
                "it asked for a run time (`h_rt`) of ten minutes at the most",
                _short_enough(asked),
                f"it asked for `h_rt={asked}`" if asked else "without a request the queue's own limit holds",
            ),
            Point("it ended well", job is not None and job.done, how_it_stands(job)),
            Point(
                "`penguins` travelled with it",
                job is not None and "penguins" in job.inputs,
                "a variable travels if the cell uses it by its name",
            ),
            Point(
                "`gentoo_slope` came back into the notebook, one number",
                found is not None and here is not None and abs(here - found) < _NEAR_SLOPE,
                "what the job's cell assigns comes back; a placeholder says what it still waits for",
            ),
            Point(
                "it is the slope of the Gentoo penguins alone, in g per mm",
                found is not None and _is_slope(found, "Gentoo"),
                "are there other species in the table that was fitted? Which of the two columns is x?",
            ),
        ),
    )


def error(line: object = None, column: object = "") -> CheckReport:
    """Exercise 2: in which line the job ``ratio`` raised, and which column its table does not have.

    Parameters
    ----------
    line
        The number of the line of the cell, counted from its first one.
    column
        The name of the column.
    """
    job = next((one for one in jobs_named("ratio") if one.failure), None)
    raised = _raised_in(job)
    asked_for = str(job.failure.get("evalue", "")).rpartition("attribute ")[2].strip("'\" ") if job else ""
    return CheckReport(
        "Exercise 2: read an error",
        (
            Point("the job `ratio` was run, and failed", raised is not None, _COME_FIRST),
            Point(
                "`line` is the line of the cell in which the error was raised",
                raised is not None and _number(line) == raised,
                "the arrow in the traceback points to it; of several places the last one counts"
                if line is not None
                else "`line` is not set",
            ),
            Point(
                "`column` is the name that the table does not have",
                bool(asked_for) and str(column).strip("'\"` ") == asked_for,
                "the last line of the traceback says what was looked for" if column else "`column` is not set",
            ),
        ),
    )


def cancelled() -> CheckReport:
    """Exercise 3: the job ``endless`` was ended, by the learner and not by its limit."""
    job = next(iter(ended_jobs_named("endless")), None)
    ended = job is not None and bool(job.finished)
    return CheckReport(
        "Exercise 3: end a job",
        (
            Point("the job `endless` was submitted", job is not None, _COME_FIRST),
            Point("it goes on no more", ended, "its cluster still has it" if job else ""),
            Point(
                "you ended it: it neither reached its limit nor its own end",
                job is not None and ended and "deleted" in job.error,
                job.error
                if job is not None and ended
                else "a command with the job's name, or the button of its card",
            ),
        ),
    )


def _short_enough(asked: str) -> bool:
    with contextlib.suppress(GcsError, ValueError):
        return 0 < parse_time(asked) <= _MOST_SECONDS
    return False


def _number(value: Any) -> float | None:
    """Return `value` as a number; None if it is none, or a placeholder."""
    with contextlib.suppress(Exception):
        return float(value)
    return None


def _is_slope(found: float, species: str) -> bool:
    """Tell whether `found` is the slope of body mass over flipper length, from the notebook's own table."""
    import numpy as np

    # The learner may have given the name another value, or taken columns away: then it cannot be right.
    with contextlib.suppress(Exception):
        table = namespace()["penguins"]
        birds = table[table["species"] == species].dropna(subset=["flipper_length_mm", "body_mass_g"])
        slope, _ = np.polyfit(birds["flipper_length_mm"], birds["body_mass_g"], 1)
        return abs(float(slope) - found) < _NEAR_SLOPE
    return False


def _raised_in(job: LessonJob | None) -> int | None:
    """Return the line of the job's cell in which its error was raised: the innermost of the cell's own."""
    frames = job.failure.get("frames", []) if job is not None else []
    own = [frame for frame in frames if frame.get("cell")]
    return int(own[-1]["lineno"]) if own else None
