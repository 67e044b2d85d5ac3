"""The checks of lesson 5, on a small year, and on jobs that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kernel_session import start_kernel
from points_met import met, met_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel_session import KernelSession

_YEAR = """
import tempfile
from pathlib import Path

import gcs_lab
from gcs_lab.accounting.synthetic import write_site

place = tempfile.TemporaryDirectory()
hidden = write_site(Path(place.name) / "accounting", records=20_000, users=40, hosts=8, days=90, seed=3)
site = gcs_lab.open_accounting(Path(place.name) / "accounting", folder=Path(place.name) / "store")
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelSession]:
    """A kernel in which the lesson's checks are imported, and nothing was done yet."""
    session = start_kernel(tmp_path_factory, "embedded", JPY_SESSION_NAME="accounting.ipynb")
    assert session.run("from gcs_lab.lessons import check").error() is None
    yield session
    session.close()


@pytest.fixture(scope="module")
def year(kernel: KernelSession) -> KernelSession:
    """The kernel with a year in it, and nothing answered."""
    made = kernel.run(_YEAR)
    assert made.error() is None, made.traceback()
    return kernel


def test_without_a_year_the_checks_say_so_and_raise_nothing(kernel: KernelSession) -> None:
    kernel.run("kept = {name: globals().pop(name) for name in ('site', 'hidden') if name in globals()}")
    for check in ("failing_node", "wasted_memory", "own_question"):
        assert met(kernel, check) == [False]
        assert "from the beginning" in kernel.value(f"check.{check}()")
    kernel.run("globals().update(kept)")


def test_the_failing_node_is_told_from_others(year: KernelSession) -> None:
    assert met(year, "failing_node") == [False] * 4
    assert met_after(year, "bad_node = 'sun'; bad_status = 'io error'", "failing_node") == [False] * 4
    other = "bad_node = next(host for host in hidden.hosts if host != hidden.failing_node); bad_status = 1"
    assert met_after(year, other, "failing_node") == [True, False, True, False]
    found = "bad_node = site.failures(by='host')['host'].iloc[0]"
    assert met_after(year, found, "failing_node") == [True, True, True, False]
    assert met_after(year, "bad_status = 74", "failing_node") == [True] * 4
    # As a table has them: a number of numpy's; a column where one name is meant.
    assert met_after(year, "import numpy as np\nbad_status = np.int64(74)", "failing_node") == [True] * 4
    column = "bad_node = site.failures(by='host')['host'].head(2)\nwaster = bad_node"
    assert met_after(year, column, "failing_node") == [False, False, True, True]
    assert met(year, "wasted_memory")[0] is False
    year.run("bad_node, bad_status = hidden.failing_node, 74")
    told = year.value("check.failing_node()")
    assert told.partition("\n")[0].endswith(": done")


def test_a_check_that_is_not_passed_does_not_name_what_was_hidden(year: KernelSession) -> None:
    year.run("bad_node, bad_status, waster, request, freed = None, None, 'user999', 'h_vmem=1', 0")
    said = year.value("repr(check.failing_node()) + repr(check.wasted_memory())")
    names = year.value("(hidden.failing_node, hidden.memory_waster)").strip("()").replace("'", "").split(", ")
    assert len(names) == 2
    assert not any(name in said for name in (*names, "74"))


def test_the_wasted_memory_is_computed_from_the_records(year: KernelSession) -> None:
    assert met_after(year, "waster = request = freed = ...", "wasted_memory") == [False] * 4
    half = "waster = hidden.memory_waster; request = 'h_vmem=60G'; freed = 1"
    assert met_after(year, half, "wasted_memory") == [True, True, False, False]
    assert met_after(year, "request = 'h_vmem=1G'", "wasted_memory") == [True, True, False, False]
    assert met_after(year, "request = 'eight'", "wasted_memory") == [True, False, False, False]
    right = """
families = site.families(owner=waster)
advice = site.advice(families["family"].iloc[0], owner=waster)
row = advice.frame().set_index("name").loc["h_vmem"]
request, freed = advice.flags, round(row["freed"] / 3600 / 2**30)
"""
    assert met_after(year, right, "wasted_memory") == [True] * 4


def test_a_question_counts_by_what_it_was_narrowed_by(year: KernelSession) -> None:
    assert met_after(year, "mine = ...", "own_question") == [False] * 4
    # A table from elsewhere is no question.
    assert met_after(year, "import pandas as pd\nmine = pd.DataFrame({'a': [1]})", "own_question") == [
        True,
        False,
        False,
        False,
    ]
    assert met_after(year, "mine = site.summary(by='owner', queue='all.q')", "own_question") == [
        True,
        True,
        False,
        True,
    ]
    nobody = "mine = site.summary(by='owner', queue='all.q', owner='nobody')"
    assert met_after(year, nobody, "own_question") == [False, True, True, False]
    everything = "mine = site.summary(by='owner', queue='*', owner='*')"
    assert met_after(year, everything, "own_question")[3] is False
    good = "first = hidden.begin + 86400 * 30\nmine = site.top(3, by='owner', queue='all.q', since=first).head(2)"
    assert met_after(year, good, "own_question") == [True] * 4


def test_a_request_is_compared_with_what_was_measured(kernel: KernelSession) -> None:
    kernel.run("from gcs_lab.lessons import check")
    assert met(kernel, "own_request") == [False] * 6
    kernel.run("def drawn_means(size):\n    return len(bytearray(size))")
    work = "size = drawn_means(60 << 20)"
    for first_line, expected in (
        ("-N bootstrap -l h_vmem=4G", [True, False, False, False, False, False]),
        ("-N thrifty", [True, True, True, False, False, True]),
        ("-N thrifty -l h_vmem=3G", [True, True, True, True, False, True]),
        ("-N thrifty -l h_vmem=1G", [True] * 6),
    ):
        ran = kernel.run(f"%%gcs run {first_line}\n{work}")
        assert ran.error() is None, ran.traceback()
        assert met(kernel, "own_request") == expected, first_line
    # One that does something else is no measure of it.
    other = kernel.run("%%gcs run -N thrifty -l h_vmem=1G\nprint('done')")
    assert other.error() is None, other.traceback()
    assert met(kernel, "own_request") == [True, True, False, True, True, True]
    # One that asks for too little is ended, and is not good.
    failed = kernel.run("%%gcs run -N thrifty -l h_vmem=30M\n" + work)
    assert failed.error() is not None
    assert met(kernel, "own_request") == [True, True, True, False, True, False]
