"""The checks of lesson 3, on what real jobs left: nothing, the wrong thing, half of it, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel_session import KernelSession

    Ask = Callable[[str], dict[str, bool]]

#: As the lesson's first job: weekly values, of which 1961 rises most, by 4.
CLEAN = """%%gcs submit -N clean -hold
import pandas as pd

index = pd.date_range("1958-03-29", "1962-12-29", freq="7D")
level = {1958: 300.0, 1959: 316.0, 1960: 317.0, 1961: 321.0, 1962: 322.0}
weeks = pd.DataFrame({"days": 7, "co2": [level[year] for year in index.year]}, index)
"""
STEEPEST = """%%gcs submit -N steepest
means = weeks.loc["1959":].groupby(weeks.loc["1959":].index.year).co2.mean()
year, by = int(means.diff().idxmax()), float(means.diff().max())
"""
FITS = """%%gcs submit -N fits --as fits --over "decade=[1960, 1970, 1980]"
swing = {1960: 5.9, 1970: 6.8, 1980: 6.5}[decade]
"""
#: A task of it fails as long as a file is not there.
TRENDS = """%%gcs submit -N trends --as trends --over "since=[1958, 1980, 1990]"
import os

if since == 1958 and not os.path.exists("room"):
    raise MemoryError(since)
curves = [since]
"""
PASSES = "%%gcs submit -N passes --as passes --after-each trends\nmiddle = curves[0] + 60.0"


def _met(points: dict[str, bool]) -> list[bool]:
    return list(points.values())


def _run(kernel: KernelSession, *cells: str) -> None:
    for cell in cells:
        done = kernel.run(cell)
        assert done.error() is None, done.traceback()


def test_a_chain_is_made_of_a_value_that_is_not_there_yet(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.chain()"
    assert _met(points(check)) == [False] * 4
    _run(lesson_kernel, CLEAN, "%%gcs submit -N steepest\nyear = 1961")
    assert _met(points(check)) == [True, False, False, True]
    # It waits for the right job, but takes nothing from it.
    _run(lesson_kernel, "%%gcs submit -N steepest --after clean\nyear, by = 1961, 4.0")
    assert _met(points(check)) == [True, False, True, True]
    _run(lesson_kernel, STEEPEST)
    assert _met(points(check)) == [True] * 4


def test_the_year_is_that_of_the_learners_own_job(lesson_kernel: KernelSession, points: Ask) -> None:
    assert _met(points("check.steepest(1961)")) == [False] * 4
    _run(lesson_kernel, "%gcs release clean", "%gcs wait clean", "%gcs wait steepest")
    assert _met(points("check.steepest(None)")) == [True, True, True, False]
    assert _met(points("check.steepest(1959)")) == [True, True, True, False]
    assert _met(points("check.steepest('1961')")) == [True] * 4
    assert _met(points("check.steepest(year)")) == [True] * 4
    # Numbers without work.
    _run(lesson_kernel, "%%gcs run -N steepest\nyear, by = 1961, 3.0")
    assert _met(points("check.steepest(1961)")) == [False, True, False, True]
    lesson_kernel.run("%%gcs run -N steepest\nyear = weeks.nothing.idxmax()\nby = 1")
    assert "it failed: AttributeError" in lesson_kernel.value("check.chain()")
    assert "it failed: AttributeError" in lesson_kernel.value("check.steepest(1961)")


def test_results_are_reduced_in_a_job(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.breath()"
    assert _met(points(check)) == [False] * 4
    _run(lesson_kernel, FITS, "%gcs wait fits", "swings = fits.load('swing')")
    _run(lesson_kernel, "%%gcs run -N breath\ndeepest = 1970\nchange = swings[3] - swings[1]")
    assert _met(points(check)) == [True, False, True, True]
    _run(lesson_kernel, "%%gcs run -N breath\nswings = fits.load('swing')\ndeepest = max(swings)")
    assert _met(points(check)) == [True, True, False, False]
    reduce = "%%gcs run -N breath\nfrom_all = dict(zip(fits.load('decade'), fits.load('swing')))\n"
    reduce += "deepest = max(from_all, key=from_all.get)\nchange = from_all[1980] - from_all[1960]"
    _run(lesson_kernel, reduce.replace("[1980] - from_all[1960]", "[1960] - from_all[1980]"))
    assert _met(points(check)) == [True, True, True, False]
    _run(lesson_kernel, reduce)
    assert _met(points(check)) == [True] * 4


def test_only_what_failed_runs_again(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.mended()"
    assert _met(points(check)) == [False] * 4
    _run(lesson_kernel, TRENDS, PASSES, "trends.wait(timeout=60), passes.wait(timeout=60)")
    assert _met(points(check)) == [False] * 4
    _run(lesson_kernel, "open('room', 'w').close()", "trends.rerun(failed=True)", "trends.wait(timeout=60)")
    assert _met(points(check)) == [True, True, False, False]
    _run(lesson_kernel, "passes.rerun(failed=True)", "passes.wait(timeout=60)")
    assert _met(points(check)) == [True] * 4
    _run(lesson_kernel, "passes.rerun(tasks=[2])", "passes.wait(timeout=60)")
    assert _met(points(check)) == [True, True, True, False]
    # All anew, instead of what was missing.
    _run(lesson_kernel, TRENDS, PASSES, "trends.wait(timeout=60), passes.wait(timeout=60)")
    assert _met(points(check)) == [True, False, True, False]
