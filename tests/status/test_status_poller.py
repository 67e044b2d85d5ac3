"""The poller in one process: who is told what and when, its pace, and what may go wrong."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_memory_backend import InMemoryStatus, task_row
from patience import wait_for

from gcs_lab.errors import CommandFailed, DrmCommunication, GcsError, InvalidState
from gcs_lab.status import asking as asking_module
from gcs_lab.status.pace import LONGEST_PAUSE, pause
from gcs_lab.status.poller import Poller
from gcs_lab.status.shared_place import SharedPlace, SharedState, folder_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.status import Update


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InMemoryStatus:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "h"))
    return InMemoryStatus()


@contextmanager
def _polling(backend: InMemoryStatus, name: str = "memory") -> Iterator[Poller]:
    before = set(threading.enumerate())
    poller = Poller(backend, name)
    try:
        yield poller
    finally:
        poller.close()
    assert set(threading.enumerate()) <= before, "no thread is left"


def _sequence(update: Update) -> int:
    assert update.snapshot is not None
    return update.snapshot.sequence


# -- pace ---------------------------------------------------------------------------------------------------------


@given(floor=st.floats(0.01, 60), seconds=st.floats(0, 60), failures=st.integers(0, 2000), looked_at=st.booleans())
def test_the_pause_is_never_shorter_than_the_floor_and_ends(
    floor: float, seconds: float, failures: int, looked_at: bool
) -> None:
    found = pause(floor, seconds, failures, looked_at=looked_at)
    if failures:
        assert 0.8 * min(floor, LONGEST_PAUSE) <= found <= 1.2 * LONGEST_PAUSE
    else:
        assert found == max(floor, 20 * seconds) * (1 if looked_at else 4)


def test_a_cluster_that_does_not_answer_is_asked_less_and_less() -> None:
    pauses = [pause(1.0, 0.1, failures) for failures in range(1, 12)]
    assert 1.6 <= pauses[0] <= 2.4
    assert pauses[4] > pauses[2] > pauses[0]
    assert pauses[-1] >= 0.8 * LONGEST_PAUSE
    assert len({pause(1.0, 0.1, 3) for _ in range(20)}) > 10, "spread, so that many do not ask at one moment"


# -- followers ----------------------------------------------------------------------------------------------------


def test_a_follower_is_told_all_at_first_and_then_what_changed(backend: InMemoryStatus) -> None:
    told: list[Update] = []
    with _polling(backend) as poller:
        poller.follow(told.append)
        wait_for(lambda: len(told) > 1, "two updates")
        assert told[0].changes is None
        assert not told[1].changes
        backend.tasks = [backend.tasks[0], task_row("3")]
        change = wait_for(lambda: next((one for one in told if one.changes), None), "a change")
        jobs = change.changes.tables["jobs"]
        assert (jobs.added.tolist(), jobs.removed.tolist(), jobs.changed.tolist()) == ([3 << 32], [2 << 32], [])
        assert change.snapshot is not None
        assert change.snapshot.jobs["job_id"].to_pylist() == ["1", "3"]
        assert poller.latest() is not None
        late: list[Update] = []
        following = poller.follow(late.append)
        wait_for(lambda: late, "an update for who comes late")
        assert late[0].changes is None
        following.close()
        count = len(late)
        seen = len(told)
        wait_for(lambda: len(told) > seen + 2, "more updates")
        assert len(late) <= count + 1
    assert [_sequence(one) for one in told] == sorted(_sequence(one) for one in told)


def test_the_thread_ends_with_the_last_follower_and_begins_again(backend: InMemoryStatus) -> None:
    with _polling(backend) as poller:
        threads = threading.active_count()
        for _ in range(2):
            told: list[Update] = []
            following = poller.follow(told.append)
            wait_for(lambda told=told: told, "an update")
            following.close()
            wait_for(lambda: threading.active_count() == threads, "the end of the thread")
        assert not poller.health.asks


def test_a_listener_that_fails_is_logged_and_disturbs_nobody(
    backend: InMemoryStatus, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Update] = []
    with _polling(backend) as poller:
        poller.follow(lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
        poller.follow(told.append)
        wait_for(lambda: len(told) > 2, "updates")
    assert "a listener of the cluster's status failed" in caplog.text


def test_a_listener_may_close_what_calls_it(backend: InMemoryStatus) -> None:
    told: list[Update] = []
    with _polling(backend) as poller:

        def once(update: Update) -> None:
            told.append(update)
            poller.close()

        poller.follow(once)
        wait_for(lambda: told, "an update")
        with pytest.raises(InvalidState, match="was closed"):
            poller.follow(once)
        with pytest.raises(InvalidState, match="was closed"):
            poller.fresh()


def test_when_nobody_looks_the_pause_is_four_times_as_long(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "LOOKS", 0.1)
    backend.poll_floor = 0.5  # more than 20 times what a poll takes
    told: list[Update] = []
    with _polling(backend) as poller:
        following = poller.follow(told.append)
        wait_for(lambda: told and poller.health.interval < 4 * 0.5, "the short pause")
        following.looked_at = False
        wait_for(lambda: poller.health.interval >= 4 * 0.5, "the long pause")
        following.looked_at = True
        wait_for(lambda: poller.health.interval < 4 * 0.5, "the short pause again")


# -- fresh --------------------------------------------------------------------------------------------------------


def test_fresh_begins_after_the_call_and_many_callers_share_a_question(backend: InMemoryStatus) -> None:
    with _polling(backend) as poller:
        poller.fresh()
        backend.answer_may_go.clear()
        asked = backend.polls
        answers: list[int] = []
        first = threading.Thread(target=lambda: answers.append(poller.fresh().sequence))
        first.start()
        wait_for(lambda: backend.polls == asked + 1, "the first question")
        others = [threading.Thread(target=lambda: answers.append(poller.fresh().sequence)) for _ in range(8)]
        for one in others:
            one.start()
        wait_for(lambda: sum(one.is_alive() for one in others) == 8, "eight who wait")
        time.sleep(0.05)  # so that all of them have called: that cannot be seen from here
        backend.answer_may_go.set()
        for one in [first, *others]:
            one.join(20)
        assert backend.polls == asked + 2, "one for the first, one for all who came while it was under way"
        assert sorted(answers) == [2] + [3] * 8


def test_who_waits_for_the_answer_of_another_poller_makes_it_ask_once(backend: InMemoryStatus) -> None:
    backend.poll_floor = 60.0  # no question but the first, and those that are wanted
    with _polling(backend) as caller, _polling(backend) as asker:
        told: list[Update] = []
        asker.follow(told.append)
        wait_for(lambda: told, "the first answer")
        backend.answer_may_go.clear()
        asked = backend.polls
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(caller.fresh().sequence))
        waiting.start()
        wait_for(lambda: backend.polls == asked + 1, "the question that was wanted")
        time.sleep(0.2)  # the caller looks several times while the question is being asked
        backend.answer_may_go.set()
        waiting.join(20)
        assert len(answers) == 1
        time.sleep(0.5)  # some rounds of the asker's thread
        assert backend.polls == asked + 1


def test_a_few_questions_may_come_at_once_but_not_more_than_the_floor_allows(backend: InMemoryStatus) -> None:
    backend.poll_floor = 0.3
    with _polling(backend) as poller:
        began = time.monotonic()
        for _ in range(4):
            poller.fresh()
        assert time.monotonic() - began >= 3 * 0.3


def test_fresh_raises_what_the_system_said_and_the_views_say_since_when(backend: InMemoryStatus) -> None:
    told: list[Update] = []
    with _polling(backend) as poller:
        good = poller.fresh()
        backend.fault = CommandFailed(["qstat"], 1, "error: commlib error: got select error\nand more")
        with pytest.raises(CommandFailed, match="got select error"):
            poller.fresh()
        poller.follow(told.append)
        wait_for(lambda: told and told[-1].health.error, "an error")
        assert told[-1].health.stale_since == good.time
        assert "\n" not in told[-1].health.error
        assert told[-1].snapshot is not None
        backend.fault = None
        assert poller.fresh().sequence > good.sequence
        wait_for(lambda: not told[-1].health.error, "recovery")
        assert told[-1].health.stale_since == 0.0


def test_who_tries_again_and_again_does_not_make_the_pause_longer_for_all(backend: InMemoryStatus) -> None:
    backend.fault = DrmCommunication("it sleeps")
    with _polling(backend) as poller:
        for _ in range(8):
            with pytest.raises(DrmCommunication, match="it sleeps"):
                poller.fresh()
        assert poller.health.polls == 8
        assert poller.health.interval <= 1.2 * max(2.0, 20 * 0.1)


def test_an_error_before_the_first_answer_is_told_too(backend: InMemoryStatus) -> None:
    backend.fault = DrmCommunication("it sleeps")
    told: list[Update] = []
    with _polling(backend) as poller:
        poller.follow(told.append)
        wait_for(lambda: told, "an update")
        assert (told[0].snapshot, told[0].health.error) == (None, "it sleeps")
        assert told[0].health.stale_since > 0
        assert poller.latest() is None


# -- the folder ---------------------------------------------------------------------------------------------------


def test_two_clusters_of_one_name_do_not_mix_and_names_are_safe(backend: InMemoryStatus) -> None:
    other = InMemoryStatus(identity="another root")
    other.tasks = []
    with _polling(backend) as one, _polling(other) as two:
        assert one.fresh().jobs.num_rows == 2
        assert two.fresh().jobs.num_rows == 0
        assert (one.health.polls, two.health.polls) == (1, 1)
    assert folder_name("a/../b c", "x").startswith("a_.._b_c-")
    assert "/" not in folder_name("../../etc", "x")
    assert len(folder_name("n" * 500, "x")) < 80


def test_the_latest_of_another_poller_is_at_hand_without_a_question(backend: InMemoryStatus) -> None:
    with _polling(backend) as one:
        assert one.latest() is None
        snapshot = one.fresh()
        asked = backend.polls
        with _polling(backend) as two:
            latest = two.latest()
            assert latest is not None
            assert latest.sequence == snapshot.sequence
            assert latest.jobs.equals(snapshot.jobs)
            assert two.health.polls == 1
            told: list[Update] = []
            two.follow(told.append)
            wait_for(lambda: told, "an update")
            assert _sequence(told[0]) == snapshot.sequence
        assert backend.polls >= asked


def test_a_file_that_is_torn_or_of_another_format_is_as_none(backend: InMemoryStatus) -> None:
    with _polling(backend) as poller:
        sequence = poller.fresh().sequence
        place = SharedPlace("memory", backend.identity)
        path = place.folder / f"snapshot-{sequence}.arrow"
        whole = path.read_bytes()
        for cut in (0, 8, len(whole) // 2, len(whole) - 9):
            path.write_bytes(whole[:cut])
            assert place.snapshot(sequence) is None
        (place.folder / "state.json").write_text('{"sequence": 5, "unheard": 1}')
        assert place.state().sequence == 0
        with _polling(backend) as other:
            assert other.latest() is None
            assert other.fresh().jobs.num_rows == 2


def test_what_was_known_before_the_host_was_started_again_does_not_count(backend: InMemoryStatus) -> None:
    place = SharedPlace("memory", backend.identity)
    later = time.monotonic() + 1e6
    place.publish(SharedState(sequence=7, tried=later, began=later, ended=later, polls=3, boot="another"), None)
    os.utime(place.folder / "wanted", (later, later))
    with _polling(backend) as poller:
        assert poller.fresh().sequence == 8
        assert poller.health.polls == 4


def test_a_disk_that_is_full_leaves_each_process_to_itself_and_says_so(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCS_LAB_RECORDER", "off")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with _polling(backend) as poller:
        poller.fresh()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        try:
            assert poller.fresh().sequence == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "each notebook asks the cluster for itself" in poller.health.note
        assert poller.fresh().sequence == 3
        monkeypatch.setattr(poller._asking, "_retry_at", 0.0)
        assert poller.fresh().sequence == 4
        assert poller.health.note == "", "it shares again when there is room"
        assert not list(SharedPlace("memory", backend.identity).folder.glob("*.tmp"))


def test_only_the_latest_snapshots_stay_on_disk(backend: InMemoryStatus) -> None:
    with _polling(backend) as poller:
        first = poller.fresh()
        folder = SharedPlace("memory", backend.identity).folder
        for name in ("snapshot-2.arrow", "state.json"):
            (folder / f"{name}.1.tmp").touch()  # of one that was killed while it wrote
        for _ in range(4):
            poller.fresh()
        assert not list(folder.glob("*.tmp"))
        assert sorted(path.name for path in folder.glob("snapshot-*")) == ["snapshot-4.arrow", "snapshot-5.arrow"]
        assert first.jobs["job_id"].to_pylist() == ["1", "2"], "what was read stays readable"
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


@pytest.mark.parametrize("limit", ["SILENCE", "PATIENCE"])
def test_who_is_stuck_with_the_right_to_ask_is_not_waited_for_forever(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    with _polling(backend) as poller:
        first = poller.fresh()
        script = (
            "import sys, time; from gcs_lab.status.shared_place import SharedPlace; "
            "print(SharedPlace('memory', 'in memory').lock(), flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "True\n"
            holder.send_signal(signal.SIGSTOP)
            monkeypatch.setattr(asking_module, limit, 0.0)
            assert poller.fresh().sequence > first.sequence
            holder.kill()
        assert poller.fresh().jobs.num_rows == 2


def test_a_host_that_slept_is_not_left_to_the_interval(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.poll_floor = 30.0
    told: list[Update] = []
    with _polling(backend) as poller:
        poller.follow(told.append)
        wait_for(lambda: told, "an update")
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 3600)
        wait_for(lambda: backend.polls == 2, "a question after the clock jumped")
        monkeypatch.setattr(time, "time", real)
        sequence = _sequence(told[0])
        wait_for(lambda: _sequence(told[-1]) > sequence, "the answer")


def test_a_forked_child_has_no_part_in_its_parents_poller(backend: InMemoryStatus) -> None:
    script = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from in_memory_backend import InMemoryStatus
from gcs_lab.status.poller import Poller
poller, told = Poller(InMemoryStatus(), "memory"), []
poller.follow(told.append)
while not told:
    time.sleep(0.01)
assert poller.health.asks
if (child := os.fork()) == 0:
    count = len(told)
    ok = not poller.health.asks and poller.fresh().sequence > 0 and len(told) == count
    poller.close()
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0, "the child could not ask for itself"
count = len(told)
while len(told) < count + 3:
    time.sleep(0.01)
assert poller.health.asks
poller.close()
"""
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, tests], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_closing_does_not_wait_for_an_answer_that_never_comes(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcs_lab.status import poller as poller_module

    monkeypatch.setattr(poller_module, "_LAST_ANSWER", 0.05)
    backend.answer_may_go.clear()
    poller = Poller(backend, "memory")
    told: list[Any] = []
    poller.follow(told.append)
    wait_for(lambda: backend.polls, "a question")
    poller.close()
    backend.answer_may_go.set()
    wait_for(lambda: not any(one.name == "gcs_lab-status" for one in threading.enumerate()), "the end of the thread")
    assert not told


def test_errors_are_errors_of_the_package(backend: InMemoryStatus) -> None:
    backend.fault = ZeroDivisionError("rubbish")
    with _polling(backend) as poller, pytest.raises(GcsError, match="could not be understood"):
        poller.fresh()


def test_followers_are_told_while_the_program_computes(backend: InMemoryStatus) -> None:
    told: list[Update] = []
    with _polling(backend) as poller:
        poller.follow(told.append)
        deadline = time.monotonic() + 60
        while len(told) < 8:  # pure Python that never waits, as in a cell that computes
            assert time.monotonic() < deadline
        assert backend.polls >= 4
