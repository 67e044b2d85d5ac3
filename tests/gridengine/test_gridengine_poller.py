"""The poller on a real private Grid Engine: commands are counted, spoilt and stopped; the qmaster is, too."""

from __future__ import annotations

import itertools
import os
import signal
from typing import TYPE_CHECKING

import pytest
from gridengine.demo_lab import home_of
from patience import wait_for
from status.status_followers import followers

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.status_backend import GridEngineStatus
from gcs_lab.status.poller import Poller

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.status import Update

pytestmark = pytest.mark.gridengine

FLOOR = 0.5


@pytest.fixture
def binaries(demo_cell: DemoState, tmp_path: Path) -> Path:
    """Make programs that stand before the real ones: they note each run, and print rubbish while ``rubbish`` is there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("qstat", "qhost"):
        program = folder / name
        program.write_text(
            f"""#!/bin/sh
echo "$(date +%s.%N) $*" >>{tmp_path}/{name}.runs
if [ -e {tmp_path}/rubbish ]; then echo '<?xml version="1.0"?><job_info><rubb'; exit 0; fi
exec {demo_cell.cell().command(name)} "$@"
"""
        )
        program.chmod(0o700)
    return folder


def _runs(folder: Path, name: str) -> list[float]:
    path = folder / f"{name}.runs"
    return [float(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def test_several_processes_run_one_qstat_an_interval_among_them_and_survive_rubbish(
    demo_cell: DemoState, binaries: Path, tmp_path: Path
) -> None:
    env = {"GCS_LAB_HOME": str(home_of(demo_cell))}
    with followers(4, "demo", "--binaries", str(binaries), "--floor", str(FLOOR), env=env) as some:
        wait_for(lambda: all((one.last("polls") or 0) >= 4 for one in some), "four polls seen by all")
        runs, polls = _runs(tmp_path, "qstat"), max(one.last("polls") for one in some)
        assert len(runs) in {polls, polls + 1}, "one qstat a poll, whoever looks"
        assert len(_runs(tmp_path, "qhost")) in {polls, polls + 1}
        assert min(later - sooner for sooner, later in itertools.pairwise(runs)) >= FLOOR
        assert sum(bool(one.last("asks")) for one in some) == 1

        (tmp_path / "rubbish").touch()
        wait_for(lambda: all(one.last("error") and one.last("stale") for one in some), "an error in each")
        asker = next(one for one in some if one.last("asks"))
        asker.kill()
        asker.process.wait()
        others = [one for one in some if one is not asker]
        (tmp_path / "rubbish").unlink()
        wait_for(lambda: all(one.last("error") == "" for one in others), "recovery by itself in each")
        assert all(one.last("sequence") for one in others)


def test_a_qmaster_that_is_stopped_killed_and_started_again_is_stale_meanwhile(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(run_command.__kwdefaults__, "timeout", 1.5)  # not the 60 s that a busy qmaster may take
    state = demo.start()
    backend = GridEngineStatus(state.cell())
    poller = Poller(backend, "demo")
    told: list[Update] = []
    try:
        poller.follow(told.append)
        wait_for(lambda: told and told[-1].snapshot, "a snapshot")
        first = told[-1].snapshot
        assert first is not None
        assert first.hosts.num_rows > 0

        pid = state.daemons["sge_qmaster"]
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: "no answer within 1.5 s" in told[-1].health.error, "an error")
        assert told[-1].health.stale_since >= first.time
        assert told[-1].snapshot is not None, "the last good one is still shown"
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda: not told[-1].health.error, "recovery")

        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: "gcs-lab demo start" in told[-1].health.error, "an error that says what to do")
        before = told[-1].snapshot
        assert before is not None
        demo.start()
        wait_for(lambda: not told[-1].health.error, "recovery")
        after = told[-1].snapshot
        assert after is not None
        assert after.sequence > before.sequence
    finally:
        poller.close()
