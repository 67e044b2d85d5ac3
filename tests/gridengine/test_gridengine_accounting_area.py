"""Where a cell's records are found: both formats, rotated files, `qacct`; and the area on a cell that runs."""

from __future__ import annotations

import getpass
import gzip
import json
import os
import re
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from gridengine.demo_lab import home, home_of
from patience import wait_for

from gcs_lab.accounting import Accounting, AccountingBackend
from gcs_lab.backends.gridengine.accounting_backend import GridEngineAccounting
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.qacct import parse_qacct
from gcs_lab.backends.gridengine.sge_cell import SgeCell, architecture
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster
from gcs_lab.errors import InvalidArgument, NotAuthorized
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState


@pytest.fixture
def cell(tmp_path: Path) -> SgeCell:
    """A cell of files alone: nothing runs."""
    (tmp_path / "default" / "common").mkdir(parents=True)
    return SgeCell(tmp_path, "default", tmp_path / "bin", architecture())


def classic(path: Path, *ends: int) -> None:
    fields = ["all.q", "node1", "users", "ann", "fit", "7", "sge", "0", "1", "1", "{}", *["0"] * 34]
    path.write_text("# Version: 8.1.9\n" + "".join(":".join(fields).format(end) + "\n" for end in ends))


def json_lines(path: Path, *ends: int) -> None:
    path.write_text("".join(json.dumps({"job_number": 7, "end_time": end * 1_000_000}) + "\n" for end in ends))


def found(cell: SgeCell) -> list[str]:
    return [path.name for path in GridEngineAccounting(cell).record_files()]


def test_a_cell_without_records_has_no_files(cell: SgeCell) -> None:
    assert found(cell) == []
    assert isinstance(GridEngineAccounting(cell), AccountingBackend)


def test_rotated_files_come_before_the_growing_one(cell: SgeCell) -> None:
    classic(cell.common / "accounting", 300)
    classic(cell.common / "accounting.0", 200)
    classic(cell.common / "accounting.1", 100)
    assert found(cell) == ["accounting.1", "accounting.0", "accounting"]


def test_of_records_that_are_written_twice_only_the_json_lines_are_read(cell: SgeCell) -> None:
    json_lines(cell.common / "accounting.jsonl", 100, 200)
    classic(cell.common / "accounting", 100, 200)
    assert found(cell) == ["accounting.jsonl"]


def test_records_from_before_the_json_lines_began_are_read_too(cell: SgeCell) -> None:
    json_lines(cell.common / "accounting.jsonl", 300, 400)
    classic(cell.common / "accounting.0", 100, 200)
    classic(cell.common / "accounting", 250, 350)  # old_accounting=true: both since 300
    assert found(cell) == ["accounting.0", "accounting.jsonl"]


def test_before_9_x_has_written_a_record_the_old_ones_count(cell: SgeCell) -> None:
    json_lines(cell.common / "accounting.jsonl")
    classic(cell.common / "accounting", 100)
    assert found(cell) == ["accounting", "accounting.jsonl"]


def test_other_files_are_of_one_format(cell: SgeCell) -> None:
    for name in ("reporting", "reporting.jsonl", "reporting.jsonl.0", "monitoring.jsonl"):
        (cell.common / name).write_text("{}\n")
    backend = GridEngineAccounting(cell)
    assert [path.name for path in backend.other_files("reporting")] == ["reporting.jsonl.0", "reporting.jsonl"]
    assert [path.name for path in backend.other_files("monitoring")] == ["monitoring.jsonl"]
    assert backend.other_files("share_tree") == []
    with pytest.raises(InvalidArgument, match="'shares' is no kind of record file; there are reporting"):
        backend.other_files("shares")


def command(cell: SgeCell, name: str, script: str) -> None:
    path = cell.binaries / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_qacct_of_8_1_selects_by_the_end_and_begins_an_hour_earlier(cell: SgeCell) -> None:
    command(cell, "qacct", 'if [ "$1" = -help ]; then echo " [-E]    select job end time"; else echo "$@"; fi')
    asked = GridEngineAccounting(cell).qacct(1_795_000_000.7)
    assert asked is not None
    began = time.mktime(time.strptime(re.findall(r"-E -b (\S+) -j", asked.decode())[0], "%Y%m%d%H%M.%S"))
    assert began == 1_795_000_000 - 3600


def test_qacct_of_9_x_is_asked_for_everything(cell: SgeCell) -> None:
    command(cell, "qacct", 'if [ "$1" = -help ]; then echo " [-b begin_time]"; exit 1; else echo "$@"; fi')
    assert GridEngineAccounting(cell).qacct(1_795_000_000.0) == b"-j\n"


def test_before_the_first_record_qacct_has_nothing_to_say(cell: SgeCell) -> None:
    command(cell, "qacct", "echo no jobs running since startup; exit 1")
    assert GridEngineAccounting(cell).qacct(None) == b""


def test_records_that_may_not_be_read_say_whose_they_are(cell: SgeCell, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cell.common / "accounting"
    classic(path, 100)
    path.chmod(0o600)
    command(cell, "qacct", f"echo {path}: Permission denied >&2; exit 1")
    # Root may read everything: what another user would be told is pretended.
    monkeypatch.setattr(os, "access", lambda *_: False)
    backend = GridEngineAccounting(cell)
    assert backend.record_files() == []
    with pytest.raises(NotAuthorized, match=r"with mode -rw-------.*Permission denied.*open_accounting"):
        backend.qacct(None)


@pytest.fixture(scope="module")
def live(demo_cell: DemoState) -> Iterator[Cluster]:
    """The demo cell, in which some jobs have ended: good and failed ones, an array, a parallel job."""
    system = GridEngineSystem("demo", demo_cell.cell(), "qsub")
    cluster = Cluster(system)
    quiet = {"output_path": "/dev/null", "error_path": "/dev/null", "working_directory": "/"}
    for attributes in ({"args": ["-c", "exit 3"]}, {"args": ["-c", "sleep 1"], "job_name": "a"},
                       {"args": ["-c", "true"], "parallel_environment": "smp", "min_slots": 2}):  # fmt: skip
        cluster.jobs.submit(JobTemplate(remote_command="/bin/sh", **quiet, **attributes))
    cluster.jobs.submit_array(JobTemplate(remote_command="/bin/true", **quiet), 1, 3)
    try:
        yield cluster
    finally:
        with home(home_of(demo_cell)):
            cluster.close()


def ended(cluster: Cluster, count: int) -> pd.DataFrame:
    accounting = cluster.accounting
    wait_for(lambda: accounting.refresh() and accounting.totals().records == count, f"{count} records")
    return accounting.frame()


def printed(cluster: Cluster, *options: str) -> str:
    cell = cluster._backend.cell
    return run_command(cell, ["qacct", *options]).text


@pytest.mark.gridengine
def test_records_are_those_that_qacct_prints(live: Cluster, in_demo_home: Path) -> None:
    frame = ended(live, 6)
    told = parse_qacct(printed(live, "-j"))
    assert len(told) == 6
    for row in frame.itertuples():
        record = told[row.job_id if pd.isna(row.task) else f"{row.job_id}.{row.task}"]
        assert (record.queue, record.host, record.owner) == (row.queue, row.host, row.owner)
        assert (record.submission_time, record.end_time) == (row.submission_time, row.end_time)
        assert (record.slots, record.failed, record.exit_status) == (row.slots, row.failed, row.exit_status)
        # qacct prints three digits.
        assert (record.wallclock, record.cpu) == pytest.approx((row.wallclock, row.cpu), abs=0.0006)


@pytest.mark.gridengine
def test_sums_are_those_of_qacct(live: Cluster, in_demo_home: Path) -> None:
    ended(live, 6)
    [line] = [line for line in printed(live, "-o").splitlines() if line.startswith(getpass.getuser())]
    row = live.accounting.summary(by="owner").iloc[0]
    ours = [row[name] for name in ("wallclock", "utime", "stime", "cpu", "memory", "io", "io_wait")]
    assert [float(figure) for figure in line.split()[1:]] == pytest.approx(ours, abs=0.0006)


@pytest.mark.gridengine
def test_records_by_qacct_alone_are_the_same_and_none_comes_twice(
    live: Cluster, in_demo_home: Path, tmp_path: Path
) -> None:
    """A file on a host that can only be asked by qacct."""
    by_file = ended(live, 6)

    class Asked(GridEngineAccounting):
        def record_files(self) -> list[Path]:
            return []

    asked = Accounting(Asked(live._backend.cell), folder=tmp_path)
    names = ["job_id", "task", "queue", "host", "slots", "failed", "exit_status", "submission_time", "start_time",
             "end_time", "parallel_environment"]  # fmt: skip
    for _ in range(2):
        by_qacct = asked.frame()
        pd.testing.assert_frame_equal(
            by_qacct[names].sort_values(["job_id", "task"], ignore_index=True).astype(str),
            by_file[names].sort_values(["job_id", "task"], ignore_index=True).astype(str),
        )
    asked.close()


@pytest.mark.gridengine
def test_rotation_while_the_master_runs_loses_and_doubles_nothing(live: Cluster, in_demo_home: Path) -> None:
    ended(live, 6)
    growing = live._backend.cell.common / "accounting"
    growing.rename(growing.with_name("accounting.0"))
    assert len(live.accounting.frame()) == 6
    quiet = {"output_path": "/dev/null", "error_path": "/dev/null", "working_directory": "/"}
    job = live.jobs.submit(JobTemplate(remote_command="/bin/true", **quiet))
    frame = ended(live, 7)
    assert growing.exists()  # the master has begun a new one
    assert frame["job_id"].to_list().count(job.id) == 1
    # Compressed later, as logrotate's delaycompress does it.
    old = growing.with_name("accounting.0")
    old.with_name("accounting.0.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    pd.testing.assert_frame_equal(live.accounting.frame(), frame)
