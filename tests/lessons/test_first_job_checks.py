"""The checks of lesson 1, on what real cells left: nothing, the wrong thing, half of it, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel_session import KernelSession

    Ask = Callable[[str], dict[str, bool]]

BIRDS = """
import pandas as pd
penguins = pd.DataFrame({
    "species": ["Gentoo"] * 4 + ["Adelie"] * 3,
    "flipper_length_mm": [210.0, 220.0, 230.0, None, 180.0, 190.0, 200.0],
    "body_mass_g": [4500.0, 5000.0, 5600.0, 5100.0, 3700.0, 3710.0, 3900.0],
})
"""
FIT = "import numpy as np\ng = penguins[penguins.species == 'Gentoo'].dropna()\n"
RIGHT = FIT + "gentoo_slope = np.polyfit(g.flipper_length_mm, g.body_mass_g, 1)[0]\n"


@pytest.fixture(scope="module", autouse=True)
def table(lesson_kernel: KernelSession) -> None:
    assert lesson_kernel.run(BIRDS).error() is None


def _met(points: dict[str, bool]) -> list[bool]:
    return list(points.values())


def test_a_job_of_ones_own(lesson_kernel: KernelSession, points: Ask) -> None:
    check = "check.first_job()"
    assert _met(points(check)) == [False] * 6

    # A number that no job computed.
    lesson_kernel.run("gentoo_slope = 54.6")
    assert _met(points(check)) == [False] * 6

    # A job that fails, without a run time.
    lesson_kernel.run("%%gcs run -N gentoo\nraise ValueError('no birds')")
    assert _met(points(check)) == [True, False, False, False, False, False]
    assert "ValueError: no birds" in lesson_kernel.value(check)

    # Too long, and through all birds.
    lesson_kernel.run("%%gcs run -N gentoo -l h_rt=1:00:00\n" + RIGHT.replace("'Gentoo'", "penguins.species"))
    assert _met(points(check)) == [True, False, True, True, True, False]

    # The right number, written instead of computed: the table did not travel.
    lesson_kernel.run("%%gcs run -N gentoo -l h_rt=600\ngentoo_slope = 55.0")
    assert _met(points(check)) == [True, True, True, False, True, True]

    lesson_kernel.run("%%gcs run -N gentoo -l h_rt=0:05:00\n" + RIGHT)
    assert _met(points(check)) == [True] * 6
    assert lesson_kernel.value(check).startswith("Exercise 1: a job of your own: done")

    # It came back, and was lost again.
    lesson_kernel.run("gentoo_slope = None")
    assert _met(points(check)) == [True, True, True, True, False, True]


def test_an_error_that_was_read(lesson_kernel: KernelSession, points: Ask) -> None:
    assert _met(points("check.error(4, 'flipper_length')")) == [False] * 3
    failed = lesson_kernel.run(
        "%%gcs run -N ratio\ndef ratio(table):\n    mass = table.body_mass_g\n"
        "    return mass / table.flipper_length\n\n\nratio(penguins)"
    )
    assert "flipper_length" in failed.traceback()
    assert _met(points("check.error()")) == [True, False, False]
    assert _met(points("check.error(7, 'flipper_length_mm')")) == [True, False, False]
    assert _met(points("check.error('4', 'body_mass_g')")) == [True, True, False]
    assert _met(points("check.error(4, 'flipper_length')")) == [True] * 3

    # A later job of the name that goes well takes nothing away.
    lesson_kernel.run("%%gcs run -N ratio\nfine = 1")
    assert _met(points("check.error(4, 'flipper_length')")) == [True] * 3


def test_a_job_that_was_ended(lesson_kernel: KernelSession, points: Ask) -> None:
    assert _met(points("check.cancelled()")) == [False] * 3
    lesson_kernel.run("%%gcs run -N endless\npass")
    assert _met(points("check.cancelled()")) == [True, True, False]
    lesson_kernel.run("%%gcs submit -N endless\nimport time\ntime.sleep(120)")
    assert _met(points("check.cancelled()")) == [True, False, False]
    lesson_kernel.run("%gcs cancel endless")
    assert _met(points("check.cancelled()")) == [True] * 3
