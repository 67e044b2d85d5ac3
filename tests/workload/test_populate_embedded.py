"""People come to a real embedded cluster: at once, live, in the background; and all of it goes away again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.cli import main
from gcs_lab.errors import InvalidArgument, InvalidState, UnsupportedOperation
from gcs_lab.vocabulary import JobState
from gcs_lab.workload.ledger import Ledger
from gcs_lab.workload.own_cluster import own_cluster, records_file
from gcs_lab.workload.populate import Wishes, clear, once, play, what_is_left

if TYPE_CHECKING:
    from gcs_lab.cluster import Cluster

EMBEDDED = Wishes("embedded", students=6, seed=1, speed=400.0)


def test_an_instant_crowd_waits_for_many_reasons_and_goes_away_alone(cluster: Cluster) -> None:
    mine = cluster.jobs.run("/bin/sleep", "100", job_name="mine", submit_as_hold=True)
    text = once(EMBEDDED, 120)
    assert "6 people on 2 hosts with 4 slots. Jobs really run" in text
    assert "that are simulated: jobs execute nothing there" in text
    assert "one real user, you" in text
    assert "refused" not in text
    ledger = Ledger("embedded")
    sent = ledger.sent()

    def states() -> Counter[JobState]:
        return Counter(info.job_state for info in cluster.jobs.find())

    wait_for(lambda: states()[JobState.RUNNING] > 4, "jobs on real and on simulated slots")
    waiting = [
        info.job_id for info in cluster.jobs.find() if info.job_state in {JobState.QUEUED, JobState.QUEUED_HELD}
    ]
    reasons = cluster.jobs.pending_reasons([job_id for job_id in waiting if "." not in job_id])
    told = " | ".join(reason.text for found in reasons.values() for reason in found)
    for words in (
        "slots of all.q are in use",
        "waits for job",
        "held by its user",
        "start time",
        "fits nowhere",
        "mem_total=8T",
    ):
        assert words in told, words
    assert len({name.partition("_")[0] for name in sent.values()}) >= 5
    # What fails does so within seconds, but for the run time limit.
    wait_for(lambda: cluster.accounting.totals().records >= 3, "records of the mistakes")
    failures = " | ".join(cluster.accounting.failures()["reason"])
    assert "exit status 1" in failures
    assert "exit status 127" in failures
    # A number that another job has by now is none of it.
    ledger.add([(mine.id, "somebody_else")])
    deleted = clear(EMBEDDED, past=False)
    assert f"{len(sent)} invented jobs" not in deleted, "mistakes have ended by then"
    wait_for(lambda: [info.job_name for info in cluster.jobs.find()] == ["mine"], "the end of the crowd")
    assert what_is_left(EMBEDDED) == "nothing of it is left on embedded"
    assert not ledger.jobs_file.exists()


def test_a_play_is_bounded_and_ends_by_itself(cluster: Cluster) -> None:
    wishes = Wishes("embedded", students=6, seed=1, speed=3000.0, most_waiting=5)
    seen: list[int] = []
    text = play(wishes, 3, said=lambda _: None, told=lambda tally: seen.append(tally.jobs), stopped=lambda: False)
    assert "kept back (the queue was long)" in text
    assert seen == sorted(seen)
    assert seen[-1] > 3
    running = sum(1 for info in cluster.jobs.find() if info.job_state is JobState.RUNNING)
    # What was seen waiting when a message was made, and what that message held, is the bound.
    assert len(cluster.jobs.find()) - running <= 5 * 3
    assert "gcs-lab demo populate embedded --clear" in text
    stopped = play(wishes, 600, said=lambda _: None, told=lambda _: None, stopped=lambda: True)
    assert "left on embedded" in stopped
    clear(wishes, past=False)


def test_one_plays_in_the_background_and_no_second_one(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["demo", "populate", "embedded", "--background", "--for", "5m", "--speed", "2000", "--students", "6"])
        == 0
    )
    assert "for 5 minutes (process " in capsys.readouterr().out
    ledger = Ledger("embedded")
    pid = ledger.player()
    assert pid
    with pytest.raises(InvalidState, match=rf"populated already \(process {pid}\)"):
        play(EMBEDDED, 1, said=lambda _: None, told=lambda _: None, stopped=lambda: False)
    assert main(["demo", "populate", "embedded", "--background"]) == 1
    assert "--stop" in capsys.readouterr().err
    wait_for(ledger.sent, "the first jobs")
    assert main(["demo", "populate", "embedded", "--status"]) == 0
    told = capsys.readouterr().out
    assert f"process {pid} plays on embedded" in told
    assert "left on embedded" in told
    assert main(["demo", "populate", "embedded", "--stop"]) == 0
    assert "ended what played on embedded" in capsys.readouterr().out
    assert ledger.player() is None
    assert "nothing of it is left" in ledger.log.read_text() or "left on embedded" in ledger.log.read_text()
    wait_for(lambda: not cluster.jobs.find(), "the end of its jobs")
    assert main(["demo", "populate", "embedded", "--status"]) == 0
    assert "nobody plays on embedded" in capsys.readouterr().out


def test_what_a_killed_or_interrupted_play_leaves_is_told_and_cleared(cluster: Cluster) -> None:
    argv = [sys.executable, "-m", "gcs_lab.cli", "demo", "populate", "embedded", "--for", "5m", "--students", "4"]
    ledger = Ledger("embedded")
    for number in (signal.SIGKILL, signal.SIGINT):
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            wait_for(lambda: ledger.player() == process.pid and ledger.sent(), "the first jobs")
            process.send_signal(number)
            told, _ = process.communicate(timeout=30)
        assert ledger.player() is None
        assert "left on embedded" in what_is_left(EMBEDDED)
        assert "Traceback" not in told
        assert ("left on embedded: " in told) == (number == signal.SIGINT)
        clear(EMBEDDED, past=False)
        wait_for(lambda: not cluster.jobs.find(), "the end of its jobs")
    # Killed while it sent: a job is there of which only the name was announced, and others that are the user's own.
    ledger.announce(["ada_fit"])
    held: dict[str, Any] = {"submit_as_hold": True}
    lost = cluster.jobs.run("/bin/sleep", "100", job_name="ada_fit", accounting_id="class.ada", **held)
    # The user's own ones: of another name, and of the very name.
    mine = [cluster.jobs.run("/bin/sleep", "100", job_name=name, **held) for name in ("my_fit", "ada_fit")]
    assert list(ledger.left(cluster)) == [lost.id]
    ledger.refused(["ada_fit"])
    assert not ledger.left(cluster)
    assert cluster.jobs.list() == [lost, *mine]


def test_a_site_is_left_alone(home: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnsupportedOperation, match="invented work is sent to no other"):
        own_cluster("gridengine")
    with pytest.raises(UnsupportedOperation):
        records_file("gridengine")
    for option in ("--once", "--history=3d", "--background", "--clear", "--status"):
        assert main(["demo", "populate", "gridengine", option]) == 1
        assert "no cluster of your own" in capsys.readouterr().err
    assert own_cluster() == "embedded"


def test_who_plays_on_a_cell_that_is_gone_can_be_ended(home: object, capsys: pytest.CaptureFixture[str]) -> None:
    """The player is a process that holds the lock, as one does whose private Grid Engine was stopped."""
    playing = (
        "import time; from gcs_lab.workload.ledger import Ledger\nwith Ledger('demo-gone').playing(): time.sleep(60)"
    )
    ledger = Ledger("demo-gone")
    assert main(["demo", "populate", "demo-gone", "--stop"]) == 1
    assert "the private Grid Engine 'demo-gone' is not there" in capsys.readouterr().err
    with subprocess.Popen([sys.executable, "-c", playing]) as process:
        wait_for(lambda: ledger.player() == process.pid, "the lock")
        assert main(["demo", "populate", "demo-gone", "--status"]) == 1
        assert f"process {process.pid} plays on demo-gone" in capsys.readouterr().out
        assert main(["demo", "populate", "demo-gone", "--stop"]) == 1
        told = capsys.readouterr()
    assert process.returncode == -signal.SIGTERM
    assert "ended what played on demo-gone" in told.out
    assert "is not there" in told.err
    assert ledger.player() is None


@pytest.mark.parametrize("words", [["--for", "soon"], ["--for", "0m"], ["--history", "year"], ["--once", "--stop"]])
def test_wrong_use_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "populate", *words])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
    with pytest.raises(InvalidArgument, match="--speed"):
        Wishes(speed=0)
    with pytest.raises(InvalidArgument, match="--most-waiting"):
        Wishes(most_waiting=0)
