"""Sums and choices are those of the real ``qacct``, to the last digit that it prints."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from accounting.odd_site import HOUR, NOON, write_odd_site
from gridengine.demo_lab import demo_cell

import gcs_lab
from gcs_lab.backends.gridengine.commands import run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gcs_lab.accounting import Accounting
    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]
pytestmark = pytest.mark.gridengine

#: Of columns that hold nothing, qacct prints what the file says.
MISSING = {"project": "NONE", "parallel_environment": "NONE", "reservation_id": "0", "queue": "UNKNOWN"}
PRINTED = {"wallclock": 0, "utime": 3, "stime": 3, "cpu": 3, "memory": 3, "io": 3, "io_wait": 3}
#: qacct's options without a value, and what we group by; in the order of its columns.
GROUPINGS = {
    "-h": ["host"],
    "-q": ["queue"],
    "-g": ["group"],
    "-o": ["owner"],
    "-P": ["project"],
    "-D": ["department"],
    "-pe": ["parallel_environment"],
    "-slots": ["slots"],
    "-ar": ["reservation_id"],
    "-A": ["account"],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "accounting"
    write_odd_site(path, time.time())
    return path


@pytest.fixture(scope="module")
def accounting(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounting]:
    area = gcs_lab.open_accounting(site, folder=tmp_path_factory.mktemp("store"))
    yield area
    area.close()


@pytest.fixture(scope="module")
def qacct(demo_cell: DemoState, site: Path) -> Callable[..., str]:
    cell = demo_cell.cell()

    def run(*options: str) -> str:
        answer = run_command(cell, ["qacct", "-f", str(site), *options])
        assert answer.exit_status == 0, (options, answer)
        return answer.text

    return run


def printed(text: str) -> list[tuple[str, ...]]:
    """Return the rows of a summary of qacct: its groups and its seven figures, as text."""
    lines = text.splitlines()
    bar = next(place for place, one in enumerate(lines) if one.startswith("===="))
    return [tuple(row.split()) for row in lines[bar + 1 :] if row.strip()]


def ours(accounting: Accounting, by: list[str], **choice: Any) -> list[tuple[str, ...]]:
    """Return our rows, as qacct would print them."""
    frame = accounting.summary(by, in_turn=True, **choice)
    # The remembered sums differ in nothing but the rounding errors of their additions.
    pd.testing.assert_frame_equal(accounting.summary(by, **choice), frame, rtol=1e-12)
    rows = []
    for row in frame.to_dict("records"):
        groups = ["" if pd.isna(value) else str(value) for value in (row[name] for name in by)]
        groups = [
            value if value and value != "<NA>" else MISSING[name] for value, name in zip(groups, by, strict=True)
        ]
        rows.append((*groups, *(f"{row[name]:.{digits}f}" for name, digits in PRINTED.items())))
    return rows


def same(theirs: list[tuple[str, ...]], mine: list[tuple[str, ...]], values: int = 0) -> None:
    """See that the rows are the same in any order (missing ones sort elsewhere); `values` are columns that qacct adds."""
    assert theirs, "qacct printed nothing"
    assert sorted(row[values:] for row in theirs) == sorted(mine)


def when(seconds: float) -> str:
    """Return a moment as qacct takes it."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y%m%d%H%M.%S")


def test_totals_are_qaccts(accounting: Accounting, qacct: Callable[..., str]) -> None:
    same(printed(qacct()), ours(accounting, []))


@pytest.mark.parametrize("option", GROUPINGS)
def test_sums_by_each_option_are_qaccts(accounting: Accounting, qacct: Callable[..., str], option: str) -> None:
    same(printed(qacct(option)), ours(accounting, GROUPINGS[option]))


@pytest.mark.parametrize("options", [("-h", "-o"), ("-q", "-P", "-D"), ("-g", "-pe", "-slots"), ("-o", "-ar", "-A")])
def test_sums_by_several_options_are_qaccts(
    accounting: Accounting, qacct: Callable[..., str], options: tuple[str, ...]
) -> None:
    by = [name for option, names in GROUPINGS.items() if option in options for name in names]
    same(printed(qacct(*options)), ours(accounting, by))


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        (("-o", "alice"), {"owner": "alice"}),
        (("-u", "bob"), {"owner": "bob"}),
        (("-g", "staff"), {"group": "staff"}),
        (("-P", "alpha"), {"project": "alpha"}),
        (("-P", "NONE"), {"project": "NONE"}),
        (("-D", "physics"), {"department": "physics"}),
        (("-A", "grant1"), {"account": "grant1"}),
        (("-h", "NODE1"), {"host": "NODE1"}),
        (("-pe", "smp"), {"parallel_environment": "smp"}),
        (("-slots", "4"), {"slots": 4}),
        (("-ar", "7"), {"reservation": 7}),
    ],
    ids=" ".join,
)
def test_sums_of_a_choice_are_qaccts(
    accounting: Accounting, qacct: Callable[..., str], options: tuple[str, str], choice: dict[str, Any]
) -> None:
    same(printed(qacct(*options)), ours(accounting, [], **choice), values=1)
    by_owner = ours(accounting, ["queue"], **choice)
    theirs = printed(qacct(*options, "-q"))
    # Its columns are in an order of its own: the host is before the queue, the others after it.
    place = 1 if options[0] == "-h" else 0
    assert sorted((row[place], *row[2:]) for row in theirs) == sorted(by_owner)


@pytest.mark.parametrize(
    "expression", ["all.q", "*.q", "all.q@node1", "all.q@node1*", "*@gpu1", "a*", "[lg]*.q@node?", "long.q@", "*"]
)
def test_queue_expressions_choose_as_qacct(
    accounting: Accounting, qacct: Callable[..., str], expression: str
) -> None:
    # With a value, -q lists by host and queue.
    same(printed(qacct("-q", expression)), ours(accounting, ["host", "queue"], queue=expression))


@pytest.mark.parametrize("by_end", [False, True], ids=["start", "end"])
@pytest.mark.parametrize(
    ("options", "choice"),
    [
        *(((("-b", at),), {"since": at}) for at in (NOON - 1, NOON, NOON + 1)),
        *(((("-e", at),), {"until": at}) for at in (NOON - 1, NOON, NOON + 1)),
        ((("-b", NOON), ("-e", NOON)), {"since": NOON, "until": NOON}),
        ((("-b", NOON), ("-e", NOON + HOUR)), {"since": NOON, "until": NOON + HOUR}),
        ((("-b", NOON), ("-d", 1)), {"since": NOON, "days": 1}),
        ((("-e", NOON), ("-d", 1)), {"until": NOON, "days": 1}),
        ((("-d", 3),), {"days": 3}),
        ((("-d", 2),), {"since": "2d"}),
    ],
)
def test_time_windows_are_qaccts(
    accounting: Accounting,
    qacct: Callable[..., str],
    options: tuple[tuple[str, int], ...],
    choice: dict[str, Any],
    by_end: bool,
) -> None:
    words = [word for name, value in options for word in (name, str(value) if name == "-d" else when(value))]
    theirs = printed(qacct(*words, *(["-E"] if by_end else []), "-o"))
    same(theirs, ours(accounting, ["owner"], **choice, by_end=by_end))
    # The same times in qacct's own words.
    written = {
        word: when(value) if isinstance(value, int) and word != "days" else value for word, value in choice.items()
    }
    assert ours(accounting, ["owner"], **written, by_end=by_end) == ours(
        accounting, ["owner"], **choice, by_end=by_end
    )


def test_slave_tasks_are_left_out_as_by_m(accounting: Accounting, qacct: Callable[..., str]) -> None:
    same(printed(qacct("-m", "-pe")), ours(accounting, ["parallel_environment"], main_only=True))


def test_combinations_of_choices_are_qaccts(accounting: Accounting, qacct: Callable[..., str]) -> None:
    pairs = product(
        [("-o", "owner", "alice"), ("-P", "project", "beta")],
        [("-pe", "parallel_environment", "mpi"), ("-slots", "slots", "1")],
    )
    for (first, word, value), (second, other, wanted) in pairs:
        theirs = printed(qacct(first, value, second, wanted, "-b", when(NOON), "-E"))
        same(theirs, ours(accounting, [], **{word: value, other: wanted}, since=NOON, by_end=True), values=2)


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        (("-j", "12"), {"job": 12}),
        (("-j", "fit"), {"job": "fit"}),
        (("-j", "fit*"), {"job": "fit*"}),
        (("-j", "[as]*"), {"job": "[as]*"}),
        (("-j", "12", "-t", "1-2"), {"job": 12, "task": "1-2"}),
        (("-j", "*", "-t", "1-3:2"), {"job": "*", "task": "1-3:2"}),
        (("-j", "fit", "-m"), {"job": "fit", "main_only": True}),
        (("-j", "*", "-o", "carol"), {"job": "*", "owner": "carol"}),
    ],
    ids=" ".join,
)
def test_jobs_are_chosen_as_by_qacct(
    accounting: Accounting, qacct: Callable[..., str], options: tuple[str, ...], choice: dict[str, Any]
) -> None:
    text = qacct(*options)
    shown = [dict(row.split(None, 1) for row in part.splitlines() if " " in row) for part in text.split("=" * 62)[1:]]
    theirs = sorted((one["jobnumber"].strip(), one["taskid"].strip().replace("undefined", "")) for one in shown)
    frame = accounting.frame(["job_id", "task"], **choice)
    assert theirs == sorted((job, "" if task is None else str(task)) for job, task in _rows(frame))
    assert theirs


def _rows(frame: Any) -> list[tuple[str, Any]]:
    return [
        (job, None if str(task) == "<NA>" else task) for job, task in zip(frame["job_id"], frame["task"], strict=True)
    ]
