"""A past of invented people beside the real records of a real embedded cluster; kill -9 in the middle loses nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from gcs_lab.accounting.source_file import rotated_files
from gcs_lab.errors import InvalidArgument
from gcs_lab.workload.history import MARK
from gcs_lab.workload.history_rows import history_rows
from gcs_lab.workload.model import DAY
from gcs_lab.workload.own_cluster import records_file
from gcs_lab.workload.populate import Wishes, clear, instant_year

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.cluster import Cluster

WISHES = Wishes("embedded", students=6, seed=1)
#: Dies where it is told to: in the middle of writing, or when the file is in place and the old one still there.
KILLED = """
import os, signal, sys
from pathlib import Path
import gcs_lab.workload.history as history
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
where = sys.argv[1]
if where == "writing":
    history.os.fsync = die
else:
    Path.unlink = die
from gcs_lab.workload.populate import Wishes, instant_year
instant_year(Wishes("embedded", students=6, seed=2), 20)
"""


@pytest.fixture
def recorded(cluster: Cluster) -> Cluster:
    """Return the cluster after two real jobs."""
    for status in ("0", "3"):
        cluster.jobs.run(
            "/bin/sh", "-c", f"exit {status}", job_name=f"real{status}", queue_name="all.q"
        ).wait_terminated(30)
    wait_for(lambda: cluster.accounting.totals().records >= 2, "the records of the jobs that ran")
    return cluster


def invented(cluster: Cluster) -> list[Path]:
    files = rotated_files(records_file(cluster.name))
    return [path for path in files if path.read_bytes().startswith(MARK)]


def real_names(cluster: Cluster) -> list[str]:
    return sorted(name for name in cluster.accounting.frame()["name"] if name.startswith("real"))


def test_a_past_is_there_at_once_and_goes_away_again(recorded: Cluster) -> None:
    own = records_file("embedded")
    before = own.read_bytes()
    text = instant_year(WISHES, 60)
    assert "records of 6 invented people in 60 days" in text
    accounting = recorded.accounting
    totals = accounting.totals()
    assert totals.rejects == 0
    assert totals.records > 500
    summary = accounting.summary(by="owner", since="365d")
    assert len(summary) == 7, "six invented people and the real one"
    frame = accounting.frame()
    past = frame[~frame["name"].str.startswith("real")]
    assert past["end_time"].max() <= frame[frame["name"] == "real0"]["end_time"].iloc[0]
    assert (past["start_time"] >= past["submission_time"]).all()
    # Numbers that the cluster's own jobs do not have.
    numbers = past["job_id"].astype(int)
    assert numbers.min() > 9_000_000
    assert numbers.max() == 9_999_999
    assert set(past["host"]) <= {"node1", "node2", "node01", "node02"}
    reasons = " | ".join(accounting.failures()["reason"])
    for words in ("run time limit", "exit status 1", "exit status 127", "SIGKILL"):
        assert words in reasons
    # No host ever has more slots in use than it has.
    assert accounting.utilisation(by="host")["share"].max() <= 1
    # Once more: replaced, not doubled.
    instant_year(WISHES, 60)
    assert abs(accounting.totals().records - totals.records) < totals.records / 20
    assert len(invented(recorded)) == 1
    instant_year(Wishes("embedded", students=3, seed=5), 30)
    assert len(accounting.summary(by="owner")) == 4
    assert own.read_bytes() == before
    assert clear(WISHES, past=True).endswith("its invented past is gone")
    assert accounting.totals().records == 2
    assert real_names(recorded) == ["real0", "real3"]
    assert own.read_bytes() == before
    assert clear(WISHES, past=True).endswith("it had no invented past")


@pytest.mark.parametrize("where", ["writing", "removing"])
def test_killed_in_the_middle_nothing_real_is_lost_or_there_twice(recorded: Cluster, where: str) -> None:
    own = records_file("embedded")
    before = own.read_bytes()
    instant_year(WISHES, 20)
    known = recorded.accounting.totals().records
    # An older past, of another day, so that there is something to remove.
    (file,) = invented(recorded)
    file.rename(file.with_name("accounting-20200101"))
    ended = subprocess.run([sys.executable, "-c", KILLED, where], capture_output=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr.decode()
    assert own.read_bytes() == before
    if where == "writing":
        assert recorded.accounting.totals().records == known
    instant_year(WISHES, 20)
    assert len(invented(recorded)) == 1
    assert not list(own.parent.glob(".*.new"))
    assert abs(recorded.accounting.totals().records - known) < known / 10
    assert real_names(recorded) == ["real0", "real3"]
    clear(WISHES, past=True)
    assert recorded.accounting.totals().records == 2


def test_a_file_that_the_site_rotated_is_not_replaced(recorded: Cluster) -> None:
    own = records_file("embedded")
    theirs = own.with_name(f"accounting-{time.strftime('%Y%m%d', time.localtime(time.time() - 1))}")
    own.rename(theirs)
    kept = theirs.read_bytes()
    # Twice on this day: the name beside it is taken as well.
    again = theirs.with_name(f"{theirs.name}_00:00")
    again.write_bytes(b"")
    instant_year(WISHES, 10)
    assert theirs.read_bytes() == kept
    assert again.read_bytes() == b""
    assert len(invented(recorded)) == 1
    assert real_names(recorded) == ["real0", "real3"]
    clear(WISHES, past=True)
    assert theirs.read_bytes() == kept


def test_two_at_once_leave_one_past(recorded: Cluster) -> None:
    """Each looks for what the other wrote: they take turns."""
    with ThreadPoolExecutor() as threads:
        told = list(threads.map(lambda days: instant_year(WISHES, days), (20, 21, 22)))
    assert all("records of 6 invented people" in text for text in told)
    assert len(invented(recorded)) == 1
    assert len(recorded.accounting.summary(by="owner")) == 7
    assert real_names(recorded) == ["real0", "real3"]


def test_a_past_of_too_many_records_is_refused_before_it_is_made(cluster: Cluster) -> None:
    stage, model = WISHES.casts(cluster, 0.5)[0]
    with pytest.raises(InvalidArgument, match="more than 500 records, reached after"):
        history_rows(model, stage, begin=20731 * DAY, seconds=300 * DAY, most=500)


@pytest.mark.parametrize("days", [0, 40_000])
def test_a_past_of_no_or_too_many_days_is_refused(cluster: Cluster, days: int) -> None:
    with pytest.raises(InvalidArgument, match="expected 1 to"):
        instant_year(WISHES, days)
    assert not invented(cluster)
