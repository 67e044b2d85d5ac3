"""Which records a question is about: every keyword, every form of a time, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from accounting.odd_site import HOUR, NOON, line
from accounting.plain_store import ids, site

from gcs_lab.accounting import Accounting, Choice
from gcs_lab.errors import FilterError, InvalidArgument, UnknownName

if TYPE_CHECKING:
    from pathlib import Path

NOW = NOON + 40 * 86400


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Accounting:
    return site(tmp_path_factory.mktemp("one"), line(job=1))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"owner": ["al*", "carol"]}, "1 2 4 5"),
        ({"owner": "NONE"}, ""),
        ({"project": "NONE"}, "1 2 3 5"),
        ({"project": ["NONE", "alpha"]}, "1 2 3 4 5"),
        ({"host": "NODE1"}, "1 2"),
        ({"host": "node1.example.org"}, "2"),
        ({"queue": "all.q"}, "1 2"),
        ({"queue": "*@node1*"}, "1 2"),
        ({"queue": ["gpu.q", "all.q@node1"]}, "1 3"),
        ({"parallel_environment": "smp"}, "3"),
        ({"slots": [1, 4]}, "1 2 3 4 5"),
        ({"slots": ">1"}, "3"),
        ({"job": 3}, "3"),
        ({"job": [3, "5.2"]}, "3 5"),
        ({"job": "fit*"}, "1 3"),
        ({"name": "fit_?"}, "3"),
        ({"task": "1-9:2"}, ""),
        ({"task": "2"}, "5"),
        ({"requests": {"h_vmem": ">2G"}}, "1 3"),
        ({"requests": "h_vmem=4096M"}, "1"),
        ({"requests": {"h_rt": "<=1:00:00"}}, "1"),
        ({"requests": {"gpu": None}}, "3"),
        ({"requests": {"gpu": True}}, "3"),
        ({"requests": {"arch": "lx-*"}}, "2"),
        ({"requests": {"h_vmem": "!=4G"}}, "3"),
        ({"where": "slots>1 or name:align"}, "2 3"),
        ({"where": "ok:no"}, "3 4"),
        ({"where": "not ok:no wallclock>=1h"}, "1 2"),
        ({"where": "id>=4"}, "4 5"),
        ({"where": "job:5.2"}, "5"),
        ({"where": "name!=fit*"}, "2 4 5"),
        ({"where": "end_time>2026-09-21T14:13:20Z"}, "1 2 3 5"),
        ({"where": "max_vmem>1G"}, "3"),
        ({"where": 'project:""'}, "1 2 3 5"),
        ({"where": "sle"}, "4 5"),
        ({"until": NOON}, "1 3 4"),
        ({"since": NOON}, "1 2 3 5"),
        ({"before": NOON}, "4"),
        ({"since": NOON, "before": NOON + 1, "by_end": False}, "1 3"),
        ({"since": NOON + HOUR, "by_end": True}, "1 2 3 5"),
        ({"since": pd.Timestamp(NOON + 1, unit="s", tz="UTC")}, "2 5"),
    ],
    ids=str,
)
def test_choices(tmp_path: Path, choice: dict[str, Any], expected: str) -> None:
    area = site(
        tmp_path,
        line(job=1, owner="alice", name="fit", category="-U x -u alice -l h_rt=3600,h_vmem=4G"),
        line(
            job=2,
            owner="alice",
            name="align",
            host="Node1.example.org",
            start=NOON + 5,
            end=NOON + 7205,
            category="-l arch=lx-amd64 -soft -l h_vmem=8G",
        ),
        line(
            job=3,
            owner="bob",
            name="fit_2",
            queue="gpu.q",
            host="gpu1",
            pe="smp",
            slots=4,
            status=1,
            max_vmem=2**31,
            category="-scope global -hard -l gpu=TRUE,h_rt=7200,h_vmem=8G",
        ),
        line(
            job=4, owner="carol", name="sleep", queue="long.q", host="n4", project="alpha", start=0, end=0, failed=26
        ),
        line(job=5, owner="carol", name="sleep", queue="long.q", host="n4", start=NOON + 9, task=2),
    )
    assert " ".join(ids(area, **choice)) == expected


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ({"owne": "x"}, UnknownName, "no keyword is called 'owne' in accounting.*Did you mean owner"),
        ({"owner": ""}, InvalidArgument, "owner='': expected a name"),
        ({"owner": []}, InvalidArgument, "lets nothing through"),
        ({"owner": 5}, InvalidArgument, "owner=5: expected a name"),
        ({"slots": "many"}, InvalidArgument, "slots='many': expected a whole number"),
        ({"slots": True}, InvalidArgument, "slots=True"),
        ({"task": "1-x"}, InvalidArgument, "no range of tasks"),
        ({"queue": "all.q@@big"}, InvalidArgument, "names the host group @big"),
        ({"since": "20261101"}, InvalidArgument, "A day is written 2026-11-01"),
        ({"since": "soon"}, InvalidArgument, "since='soon' is no time; expected a day"),
        ({"since": pd.NaT}, InvalidArgument, "is no time"),
        ({"until": 5, "before": 6}, InvalidArgument, "two ends of one time"),
        ({"since": 1, "until": 2, "days": 1}, InvalidArgument, "say too much"),
        ({"since": 2, "until": 1}, InvalidArgument, "ends before it begins"),
        ({"days": -1}, InvalidArgument, "days=-1: expected a number of days"),
        ({"requests": "h_vmem>much"}, InvalidArgument, "'much' is no amount"),
        ({"requests": "=4G"}, InvalidArgument, "is no request"),
        ({"requests": 5}, InvalidArgument, "requests=5: expected"),
        ({"where": "slots>x"}, FilterError, "does not fit `slots`; expected a number"),
        ({"where": "nme:x"}, FilterError, "nothing here is called `nme`. Did you mean name"),
    ],
    ids=str,
)
def test_what_says_nothing_is_refused(
    odd: Accounting, choice: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        odd.frame(["job_id"], **choice)


def test_moments_in_all_their_forms_are_the_same_time() -> None:
    local = pd.Timestamp(NOON, unit="s").tz_localize("UTC").tz_convert(None)  # this process runs in UTC or not:
    seconds = local.to_pydatetime().astimezone().timestamp()  # naive times are local
    forms = [local, local.to_pydatetime(), local.strftime("%Y-%m-%dT%H:%M:%S"), local.strftime("%Y%m%d%H%M.%S")]
    forms += [local.strftime("%y%m%d%H%M.%S"), seconds, pd.Timestamp(seconds, unit="s", tz="UTC")]
    assert {Choice(since=one, now=NOW).period().begin for one in forms} == {seconds}


def test_of_a_day_all_of_it_is_meant() -> None:
    day = Choice(since="2026-11-01", until="2026-11-01").period()
    assert (day.end - day.begin, day.closed) == (86400, False)
    assert Choice(until="2026-11-01T08:30").period().closed
    assert Choice(days=2, now=NOW + 0.5).period().begin == NOW - 2 * 86400
    assert Choice(since="2d", now=NOW).period().begin == NOW - 2 * 86400


def test_a_choice_that_moves_with_time_is_told() -> None:
    assert Choice(since="2026-11-01", where="slots>4", requests="h_vmem>1G").lasting()
    assert not Choice(since="7d").lasting()
    assert not Choice(where="submitted<2h").lasting()
