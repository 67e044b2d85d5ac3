"""What a user sees when something is killed, full, late or gone; and that nothing is lost or run twice."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from kernel_session import start_kernel


def _journal():
    from gcs_lab.cells.journal import Journal

    return Journal()


def _newest_folder() -> Path:
    return Path(_journal().everything()[0].folder)


def _started(folder: Path) -> dict:
    from gcs_lab.cells.event_log import EventLog

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for event in EventLog(folder / "events.jsonl").read():
            if event.type == "started":
                return event.body
        time.sleep(0.02)
    raise AssertionError(f"no job started in {folder}")


def test_kernel_killed_mid_job_and_attach_continues_with_the_output_and_brings_the_results(
    tmp_path_factory, tmp_path, cluster
):
    once = tmp_path / "runs"
    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/lesson.ipynb")
    code = (
        "%%gcs submit -N survivor\nimport time\n"
        f"open({str(once)!r}, 'a').write('x')\n"
        "print('before')\ntime.sleep(4)\nprint('after')\nanswer = 42"
    )
    cell = first.send(code)
    outputs = first.wait(cell)
    assert first.pump(lambda: "before" in outputs.text("stdout"))
    first.manager.signal_kernel(signal.SIGKILL)
    first.close()

    second = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/lesson.ipynb")
    try:
        cell = second.send("%gcs attach")
        outputs = second.wait(cell)
        assert second.pump(lambda: "before" in outputs.text("stdout"))
        assert "still being computed" in second.value("answer")
        assert second.pump(lambda: "after" in outputs.text("stdout"))
        second.run("%gcs wait")
        assert second.value("answer") == "42"
        assert once.read_text() == "x"
    finally:
        second.close()


def test_a_job_whose_kernel_died_before_its_id_was_noted_is_found_again(tmp_path_factory, cluster):
    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/unlucky.ipynb")
    first.run("%%gcs submit -N unlucky\nimport time\ntime.sleep(3)\nfound = 'again'")
    entry = _journal().find("unlucky")[0]
    _started(Path(entry.folder))
    first.manager.signal_kernel(signal.SIGKILL)
    first.close()
    _journal().update(entry.folder, job_id="")

    second = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/unlucky.ipynb")
    try:
        second.run("%gcs attach")
        second.run("%gcs wait")
        assert second.value("found") == "'again'"
        assert _journal().find("unlucky")[0].job_id == entry.job_id
    finally:
        second.close()


def test_attach_after_the_end_brings_everything_and_spares_names_in_use(tmp_path_factory, cluster):
    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/late.ipynb")
    first.run("%%gcs run -N ended\nprint('said')\np = 1\nq = 2")
    first.close()
    second = start_kernel(tmp_path_factory, cluster)
    try:
        second.run("q = 'mine'")
        cell = second.send("%gcs attach ended")
        outputs = second.wait(cell)
        assert second.pump(lambda: "said" in outputs.text("stdout"))
        second.run("%gcs wait ended")
        assert second.value("p, q") == "(1, 'mine')"
        second.run("%gcs attach ended --overwrite")
        second.run("%gcs wait ended")
        assert second.value("p, q") == "(1, 2)"
    finally:
        second.close()


def test_after_a_restart_a_traceback_shows_the_lines_of_other_cells_too(tmp_path_factory, cluster):
    first = start_kernel(tmp_path_factory, cluster)
    first.run("def risky(x):\n    return 1 / x")
    assert "----> 2     return 1 / x" in first.run("%%gcs run -N risky\nrisky(0)").traceback()
    first.close()
    second = start_kernel(tmp_path_factory, cluster)
    try:
        cell = second.send("%gcs attach risky")
        outputs = second.wait(cell)
        assert second.pump(lambda: outputs.error() is not None)
        assert "----> 2     return 1 / x" in outputs.traceback()
        assert "----> 2 risky(0)" in outputs.traceback()
    finally:
        second.close()


def test_interrupt_detaches_and_the_job_goes_on(own_kernel):
    cell = own_kernel.send("%%gcs run -N longer\nimport time\nprint('on')\ntime.sleep(4)\nv = 7")
    outputs = own_kernel.cells[cell]
    assert own_kernel.pump(lambda: "on" in outputs.text("stdout"))
    own_kernel.manager.interrupt_kernel()
    own_kernel.wait(cell)
    assert "detached" in outputs.text("stderr")
    assert "%gcs attach" in outputs.traceback()
    own_kernel.run("%gcs wait longer")
    assert own_kernel.value("v") == "7"


def test_a_second_interrupt_within_two_seconds_cancels(own_kernel):
    # On a busy machine two seconds between two presses are few.
    own_kernel.run("from gcs_lab.magics import cell_runner; cell_runner._SECOND_PRESS_SECONDS = 60.0")
    cell = own_kernel.send("%%gcs run -N doomed\nimport time\nprint('on')\ntime.sleep(600)")
    outputs = own_kernel.cells[cell]
    assert own_kernel.pump(lambda: "on" in outputs.text("stdout"))
    own_kernel.manager.interrupt_kernel()
    assert own_kernel.pump(lambda: "Interrupt again" in outputs.text("stderr"))
    own_kernel.manager.interrupt_kernel()
    own_kernel.wait(cell)
    assert "Cancelled" in outputs.traceback()
    entry = _journal().find("doomed")[0]
    assert own_kernel.pump(lambda: _journal().find("doomed")[0].state == "FAILED"), entry


def test_h_rt_exceeded_is_said_with_requested_and_used(own_kernel):
    outputs = own_kernel.run("%%gcs run -l h_rt=2\nimport time\nprint('in time')\ntime.sleep(60)")
    assert "in time" in outputs.text("stdout")
    assert "h_rt=2" in outputs.traceback()
    assert "exceeded" in outputs.traceback()


def test_h_vmem_exceeded_is_said_with_requested_and_used(own_kernel):
    outputs = own_kernel.run("%%gcs run -l h_vmem=600M\nblock = bytearray(900_000_000)", timeout=90)
    assert "h_vmem=600M" in outputs.traceback(), outputs.traceback()


def test_the_runner_killed_is_told_and_what_it_said_before_is_kept(own_kernel):
    cell = own_kernel.send(
        "%%gcs submit -N orphan\nimport time\nprint('said before', flush=True)\ntime.sleep(60)\nlost = 1"
    )
    outputs = own_kernel.wait(cell)
    assert own_kernel.pump(lambda: "said before" in outputs.text("stdout"))
    os.kill(_started(_newest_folder())["pid"], signal.SIGKILL)
    assert own_kernel.pump(lambda: outputs.error() is not None)
    assert "orphan" in outputs.traceback()
    assert "never computed" in own_kernel.value("lost")


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True)
def test_the_scheduler_killed_mid_job_changes_nothing_for_the_user(own_kernel, tmp_path):
    from gcs_lab.backends.embedded import service

    once = tmp_path / "runs"
    cell = own_kernel.send(
        f"%%gcs submit -N steady\nimport time\nopen({str(once)!r}, 'a').write('x')\nprint('up')\ntime.sleep(2)\nr = 3"
    )
    outputs = own_kernel.wait(cell)
    assert own_kernel.pump(lambda: "up" in outputs.text("stdout"))
    os.kill(service.status().pid, signal.SIGKILL)
    own_kernel.run("%gcs wait steady")
    assert own_kernel.value("r") == "3"
    own_kernel.run("%%gcs run\ns = r + 1")
    assert own_kernel.value("s") == "4"
    assert once.read_text() == "x"


@pytest.mark.gridengine
@pytest.mark.parametrize("cluster", ["demo-cells"], indirect=True)
def test_the_qmaster_killed_mid_job_delays_nothing_and_new_jobs_are_told(own_kernel):
    from gcs_lab.backends.gridengine import demo

    cell = own_kernel.send("%%gcs submit -N steady\nimport time\nprint('up')\ntime.sleep(3)\nr = 3")
    outputs = own_kernel.wait(cell)
    assert own_kernel.pump(lambda: "up" in outputs.text("stdout"))
    (state,) = [state for state in demo.status() if state.name == "cells"]
    os.kill(state.daemons["sge_qmaster"], signal.SIGKILL)
    try:
        own_kernel.run("%gcs wait steady")
        assert own_kernel.value("r") == "3"
        refused = own_kernel.run("%%gcs run\ns = r + 1", timeout=120)
        assert refused.error()["ename"] in {"DrmCommunication", "CommandFailed"}, refused.traceback()
        assert len(refused.traceback().splitlines()) < 8
    finally:
        demo.start("cells")
    answered = own_kernel.run("%%gcs run\ns = r + 1", timeout=120)
    assert answered.error() is None, answered.traceback()
    assert own_kernel.value("s") == "4"


def test_the_job_folder_deleted_under_a_running_job_is_told(own_kernel):
    cell = own_kernel.send("%%gcs submit -N homeless\nimport time\nprint('up')\ntime.sleep(60)")
    outputs = own_kernel.wait(cell)
    assert own_kernel.pump(lambda: "up" in outputs.text("stdout"))
    shutil.rmtree(_newest_folder())
    assert own_kernel.pump(lambda: outputs.error() is not None)
    assert "was deleted" in outputs.traceback()
    own_kernel.run("%gcs cancel homeless")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_while_the_folder_is_written_sends_nothing_and_leaves_nothing(tmp_path_factory, cluster):
    import subprocess

    small = tmp_path_factory.mktemp("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=True)
    try:
        session = start_kernel(tmp_path_factory, cluster, GCS_LAB_JOBS=str(small))
        try:
            session.run("import numpy as np\nbig = np.ones(2_000_000)")
            outputs = session.run("%%gcs run\nt = big.sum()")
            assert "No space left on device" in outputs.traceback()
            assert "Nothing was sent" in outputs.traceback()
            assert list(small.iterdir()) == []
        finally:
            session.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_another_users_folder_is_not_unpickled(own_kernel, tmp_path):
    own_kernel.run("%%gcs run -N trusted\nu = 1")
    folder = Path(_journal().find("trusted")[0].folder)
    (folder / "outputs.payload").chmod(0o666)
    second = own_kernel
    second.run("del u")
    cell = second.send("%gcs attach trusted")
    second.wait(cell)
    second.pump(lambda: False, 0.5)
    assert "NameError" in second.run("u + 1").traceback() or "NotReady" in second.run("u + 1").traceback()
