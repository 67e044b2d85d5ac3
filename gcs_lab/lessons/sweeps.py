"""Checks of lesson 2, many jobs: tasks that were run again, a point that was read off, a sweep of one's own."""

from __future__ import annotations

import contextlib
from numbers import Real
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import parse_memory
from gcs_lab.lessons.evidence import how_it_stands, jobs_named, newest_job
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["few_waves", "neighbours", "run_again"]

#: What the lesson's own sweep asks for.
_TOO_LITTLE = "1200M"
_GOOD_ENOUGH = 0.95
_FEWEST_POINTS, _MOST_AT_ONCE = 8, 4
_COME_FIRST = "run the cells of the lesson from the top first"


def run_again() -> CheckReport:
    """Exercise 1: the failed tasks of the sweep ``waves``, and no others, were run again with more memory."""
    sweep = newest_job("waves", kind="sweep")
    again = len(sweep.rounds) > 1 if sweep else False
    asked = sweep.requests.get("h_vmem", "") if sweep else ""
    return CheckReport(
        "Exercise 1: run the failed again",
        (
            Point("the sweep `waves` was submitted", sweep is not None, _COME_FIRST),
            Point("some of its tasks were run again", again, "the sweep has a method for it"),
            Point(
                "at one time those that had failed, and no others",
                any(_of_failed_alone(sweep, number) for number in range(2, len(sweep.rounds) + 1))
                if sweep
                else False,
                "tasks that had ended well were run again as well" if again else "",
            ),
            Point(
                "with more memory than before",
                _memory(asked) > _memory(_TOO_LITTLE),
                f"they asked for `h_vmem={asked}`" if again else "",
            ),
            Point(
                "all tasks have ended well now",
                sweep is not None and sweep.done,
                how_it_stands(sweep),
            ),
        ),
    )


def few_waves(features: object = None) -> CheckReport:
    """Exercise 2: the fewest waves with which 95% of the digits are read.

    Parameters
    ----------
    features
        The answer: a value of the sweep's parameter ``features``.
    """
    sweep = newest_job("waves", kind="sweep")
    points = sweep.points() if sweep else []
    ends = sweep.task_ends() if sweep else {}
    enough = [points[task - 1]["features"] for task, end in ends.items() if _accuracy(end) >= _GOOD_ENOUGH]
    tried = {point["features"] for point in points}
    said = float(features) if isinstance(features, Real) else None
    return CheckReport(
        "Exercise 2: read a point",
        (
            Point("the sweep `waves` has points that read 95% of the digits", bool(enough), _COME_FIRST),
            Point(
                "`few` is one of the numbers of waves that were tried",
                said in tried,
                "`few` is not set" if features is None else "the columns of the figure have them; one number",
            ),
            Point(
                "with so many waves 95% are read, for some `gamma`",
                said in enough,
                "`sweep.frame` has a row for each point",
            ),
            Point(
                "no smaller number of waves does that",
                said in enough and said == min(enough),
                "is there a smaller one among those rows?",
            ),
        ),
    )


def neighbours() -> CheckReport:
    """Exercise 3: a sweep ``neighbours`` over two parameters, some tasks at a time; each leaves ``accuracy``."""
    sweep = newest_job("neighbours", kind="sweep")
    ends = sweep.task_ends() if sweep else {}
    reached = [_accuracy(end) for end in ends.values()]
    at_once = sweep.max_parallel if sweep else None
    return CheckReport(
        "Exercise 3: a sweep of your own",
        (
            Point(
                "a sweep called `neighbours` was submitted",
                sweep is not None,
                "a job of that name is no sweep: what makes one of a cell?" if jobs_named("neighbours") else "",
            ),
            Point("it goes over `k` and `weights`, each with several values", _goes_over(sweep), _over(sweep)),
            Point(
                f"it has {_FEWEST_POINTS} points or more",
                sweep is not None and sweep.tasks >= _FEWEST_POINTS,
                f"it has {sweep.tasks}" if sweep else "",
            ),
            Point(
                f"at most {_MOST_AT_ONCE} of its tasks run at a time",
                at_once is not None and at_once <= _MOST_AT_ONCE,
                "qsub has a flag for that, and it is the same here",
            ),
            Point(
                "every task ended well",
                sweep is not None and sweep.done,
                how_it_stands(sweep),
            ),
            Point(
                "each left `accuracy`, and the best reads more than 95% of the digits",
                sweep is not None
                and "test_x" in sweep.inputs
                and bool(reached)
                and min(reached) > 0
                and _GOOD_ENOUGH < max(reached) <= 1,
                "the share of `test_x` that is read correctly, as in the lesson's sweep",
            ),
        ),
    )


def _of_failed_alone(sweep: LessonJob, number: int) -> bool:
    """Tell whether a round of a sweep ran just those tasks again that had failed before it."""
    before = sweep.task_ends(last_round=number - 1)
    # A task that was killed leaves no line: it failed as well.
    return set(sweep.round_tasks(number)) == {task for task in range(1, sweep.tasks + 1) if _failed(before.get(task))}


def _failed(end: dict[str, object] | None) -> bool:
    return end is None or end["exit_status"] != 0


def _accuracy(end: dict[str, object]) -> float:
    """Return the accuracy that a task left; 0.0 if it left none."""
    results = end.get("results")
    value = results.get("accuracy") if isinstance(results, dict) else None
    return float(value) if isinstance(value, (int, float)) and not _failed(end) else 0.0


def _memory(text: str) -> float:
    with contextlib.suppress(GcsError, ValueError):
        return parse_memory(text)
    return 0.0


def _goes_over(sweep: LessonJob | None) -> bool:
    over = sweep.over if sweep is not None else {}
    return all(len(over.get(name, ())) > 1 for name in ("k", "weights"))


def _over(sweep: LessonJob | None) -> str:
    if sweep is None:
        return ""
    return "it goes over " + ", ".join(f"`{name}` ({len(values)} values)" for name, values in sweep.over.items())
