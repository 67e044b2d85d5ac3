"""The checks of lesson 2, on what real sweeps left: nothing, the wrong thing, half of it, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel_session import KernelSession

    Ask = Callable[[str], dict[str, bool]]

#: As the lesson's sweep: what takes too much memory fails.
WAVES = """%%gcs submit -N waves -l h_vmem=1200M --over "features=[10, 100, 1000, 3000]"
if features == 3000:
    room = bytearray(1_500_000_000)
accuracy = {10: 0.5, 100: 0.94, 1000: 0.97, 3000: 0.99}[features]
"""


def _met(points: dict[str, bool]) -> list[bool]:
    return list(points.values())


def test_the_failed_run_again(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.run_again()"
    assert _met(points(check)) == [False] * 5
    lesson_kernel.run(WAVES)
    lesson_kernel.run("%gcs wait waves")
    assert _met(points(check)) == [True, False, False, False, False]

    # All of them, with what they had.
    lesson_kernel.run("sweep.rerun(tasks=[1, 2, 3, 4])")
    lesson_kernel.run("%gcs wait waves")
    assert _met(points(check)) == [True, True, False, False, False]

    # The right way after all, and one more that does no harm.
    rerun = lesson_kernel.run("sweep.rerun(failed=True, requests='h_vmem=3G')")
    assert rerun.error() is None, rerun.traceback()
    lesson_kernel.run("%gcs wait waves")
    assert _met(points(check)) == [True] * 5
    lesson_kernel.run("sweep.rerun(tasks=[1])")
    lesson_kernel.run("%gcs wait waves")
    assert _met(points(check)) == [True] * 5


def test_a_point_that_was_read(lesson_kernel: KernelSession, points: Ask) -> None:
    assert _met(points("check.few_waves()")) == [True, False, False, False]
    assert _met(points("check.few_waves('1000')")) == [True, False, False, False]
    assert _met(points("check.few_waves([1000])")) == [True, False, False, False]
    assert _met(points("check.few_waves(sweep.frame.features)")) == [True, False, False, False]
    assert _met(points("check.few_waves(500)")) == [True, False, False, False]
    assert _met(points("check.few_waves(100)")) == [True, True, False, False]
    assert _met(points("check.few_waves(3000)")) == [True, True, True, False]
    assert _met(points("check.few_waves(1000)")) == [True] * 4
    # As pandas gives it.
    lesson_kernel.run("few = sweep.frame.query('accuracy >= 0.95').features.min()")
    assert _met(points("check.few_waves(few)")) == [True] * 4


def test_a_sweep_of_ones_own(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.neighbours()"
    assert _met(points(check)) == [False] * 6
    lesson_kernel.run("%%gcs run -N neighbours\naccuracy = 0.99")
    assert _met(points(check)) == [False] * 6
    assert "is no sweep" in lesson_kernel.value(check)

    # One parameter, too few points, all at once, and nothing that counts is left.
    lesson_kernel.run("%%gcs run -N neighbours --as mine --over 'k=[1, 2, 3]'\nscore = 0.99")
    assert _met(points(check)) == [True, False, False, False, True, False]

    cell = """%%gcs run -N neighbours --as mine -tc 4 --over "k=[1, 2, 3, 4]" --over "weights=['uniform', 'distance']"
accuracy = len(test_x) - k / 100
"""
    # Numbers that were written down are no result.
    lesson_kernel.run(cell.replace("len(test_x)", "1"))
    assert _met(points(check)) == [True, True, True, True, True, False]
    lesson_kernel.run("test_x = [0]")
    lesson_kernel.run(cell + "assert k < 4")
    assert _met(points(check)) == [True, True, True, True, False, False]
    lesson_kernel.run(cell)
    assert _met(points(check)) == [True] * 6
