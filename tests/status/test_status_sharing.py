"""The poller between processes: one asks, the others read; whoever dies, the others go on."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest
from patience import wait_for
from status.status_followers import followers

if TYPE_CHECKING:
    from pathlib import Path

    from status.status_followers import Follower


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "h"))
    return tmp_path / "asked"


def _asked(counter: Path) -> list[tuple[int, float]]:
    """Return who asked, and when."""
    return [(int(line.split()[0]), float(line.split()[1])) for line in counter.read_text().splitlines()]


def _asker(some: list[Follower]) -> Follower | None:
    return next((one for one in some if one.process.poll() is None and one.last("asks")), None)


def _sequences(one: Follower) -> list[int]:
    return [said["sequence"] for said in one.said if said.get("sequence")]


def test_ten_processes_ask_as_often_as_one(counter: Path) -> None:
    with followers(10, "counted", "--counted", str(counter)) as some:
        wait_for(
            lambda: all(len(set(_sequences(one))) >= 3 for one in some), "three snapshots in each of ten processes"
        )
        asked = _asked(counter)
        assert len({pid for pid, _ in asked}) == 1, "one of them asks for all"
        times = [moment for _, moment in asked]
        assert min(later - sooner for sooner, later in itertools.pairwise(times)) >= 0.2, "the floor"
        assert all(_sequences(one) == sorted(_sequences(one)) for one in some)
        assert max(one.last("polls") for one in some) in range(len(asked) - 1, len(_asked(counter)) + 1)
        # Ten callers at one moment share a question (or two: who calls while it is asked needs the next).
        before, began = len(_asked(counter)), time.monotonic()
        for one in some:
            one.tell("fresh")
        wait_for(lambda: all(one.last("fresh") for one in some), "ten answers")
        # Meanwhile it goes on asking by itself, as often as the floor lets it.
        assert len(_asked(counter)) - before <= 3 + (time.monotonic() - began) / 0.2
        assert all(one.last("asked_after") for one in some)
        for one in some:
            one.tell("close")
        assert wait_for(lambda: [one.last("threads") for one in some].count([]) == 10, "ten ends without a thread")


def test_when_the_one_who_asks_is_killed_another_takes_over(counter: Path) -> None:
    with followers(3, "counted", "--counted", str(counter)) as some:
        wait_for(lambda: all(_sequences(one) for one in some), "a snapshot in each")
        for left in (2, 1):
            asker = wait_for(lambda: _asker(some), "one who asks")
            before = max(_sequences(asker))
            asker.kill()
            asker.process.wait()
            others = [one for one in some if one.process.poll() is None]
            assert len(others) == left
            wait_for(lambda n=before, o=others: all(max(_sequences(one)) > n + 1 for one in o), "later snapshots")
        last = others[0]
        last.tell("fresh")
        wait_for(lambda: last.last("fresh"), "an answer")
        assert _sequences(last) == sorted(_sequences(last)), "the count goes on"


def test_a_fault_is_told_to_all_and_is_over_when_the_cluster_answers_again(counter: Path) -> None:
    with followers(3, "counted", "--counted", str(counter)) as some:
        wait_for(lambda: all(_sequences(one) for one in some), "a snapshot")
        counter.with_suffix(".fault").touch()
        wait_for(lambda: all(one.last("error") and one.last("stale") for one in some), "an error in each")
        assert all("could not be understood (RuntimeError: rubbish)" in one.last("error") for one in some)
        some[0].tell("fresh")
        wait_for(lambda: some[0].last("refused"), "a refusal")
        counter.with_suffix(".fault").unlink()
        wait_for(lambda: all(one.last("error") == "" and not one.last("stale") for one in some), "recovery in each")


def test_processes_that_cannot_share_ask_for_themselves_and_say_so(counter: Path, tmp_path: Path) -> None:
    # A file stands where the folder should be: root may write into any folder, so mode bits would not do.
    (tmp_path / "h").mkdir(mode=0o700)
    (tmp_path / "h" / "run").write_text("")
    with followers(2, "counted", "--counted", str(counter)) as some:
        wait_for(lambda: all(len(_sequences(one)) > 2 for one in some), "snapshots in each")
        assert len({pid for pid, _ in _asked(counter)}) == 2
        assert all("asks the cluster for itself" in one.last("note") for one in some)
