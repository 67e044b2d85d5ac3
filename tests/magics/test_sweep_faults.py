"""Sweeps when something is killed: the kernel, a task's runner, the kernel between submission and its record."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kernel_session import start_kernel


def _entry(name: str):
    from gcs_lab.cells.journal import Journal

    return Journal().find(name)[0]


def test_a_killed_kernel_s_sweep_goes_on_and_comes_back_with_its_rounds(tmp_path_factory, tmp_path, cluster):
    go = tmp_path / "go"
    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/sweep.ipynb")
    first.run(
        f"%%gcs submit --over 'x=range(6)' --as study -N study{cluster}\nimport os, time\n"
        f"while x == 5 and not os.path.exists({str(go)!r}): time.sleep(0.05)\n"
        "y = x * x\nif x == 1: raise KeyError('one')"
    )
    wait = (
        "import time\nend = time.monotonic() + 40\n"
        "while sum(study.table.ended) < 5 and time.monotonic() < end: time.sleep(0.05)"
    )
    first.run(wait)
    assert first.value("study.rerun(failed=True), study.id != study.rounds[0].job_id") == "(None, True)"
    first.manager.signal_kernel(signal.SIGKILL)
    first.close()
    go.touch()

    second = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/sweep.ipynb")
    try:
        attached = second.run("%gcs attach")
        assert attached.error() is None, attached.traceback()
        assert second.value("study.wait(60).name, len(study.rounds)") == "('FAILED', 2)"
        assert second.value("study.frame.y.tolist()") == "[0, 1, 4, 9, 16, 25]"
        assert second.value("study.message") == "\"1 of 6 failed; first: task 2: KeyError: 'one'\""
        assert second.value("study[2]._sweep.table.tries[1]").endswith("2)")
        outputs = second.run("%gcs wait study")
        assert "line 5" in outputs.traceback()
    finally:
        second.close()


def test_what_was_deleted_while_no_kernel_looked_is_told(tmp_path_factory, cluster):
    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/deleted.ipynb")
    first.run(f"%%gcs submit -hold -N lost{cluster}\nz = 1")
    first.run(f"%%gcs submit --over 'x=range(3)' -hold --as unseen -N unseen{cluster}\ny = x")
    sweep = first.value("unseen.id").strip("'")
    first.manager.signal_kernel(signal.SIGKILL)
    first.close()
    lost = _entry(f"lost{cluster}")
    shutil.rmtree(lost.folder)
    delete = (
        "import gcs_lab, sys\nfrom gcs_lab.jobs import JobAction\n"
        "assert not gcs_lab.connect(sys.argv[1]).jobs.control(JobAction.TERMINATE, sys.argv[2:])"
    )
    subprocess.run([sys.executable, "-c", delete, cluster, lost.job_id, sweep], check=True, timeout=60)

    second = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/deleted.ipynb")
    try:
        attached = second.run("%gcs attach")
        assert attached.error() is None, attached.traceback()
        assert f"(lost{cluster}) is left out" in attached.text("stdout")
        assert second.value("unseen.wait(60).name") == "'FAILED'"
        assert "deleted by" in second.value("unseen[1].error")
        assert second.value("len(set(unseen.frame.error))") == "1"
        assert _entry(f"lost{cluster}").state == "FAILED"
        assert "no unfinished job" in second.run("%gcs attach").text("stdout")
    finally:
        second.close()


def test_a_killed_task_is_told_and_the_others_end_well(kernel):
    kernel.run(
        "%%gcs submit --over 'x=range(4)' -N killing\nimport os, signal\n"
        "if x == 1: os.kill(os.getppid(), signal.SIGKILL)\n"
        "if x == 2: os.kill(os.getpid(), signal.SIGKILL)\ny = x"
    )
    assert kernel.value("sweep.wait(60).name") == "'FAILED'"
    assert kernel.value("sweep.frame.state.tolist()") == "['DONE', 'FAILED', 'FAILED', 'DONE']"
    assert kernel.value("['SIGKILL' in error for error in sweep.frame.error]") == "[False, True, True, False]"
    assert kernel.value("sweep.frame['exit'].tolist()") == "[0, 137, 137, 0]"


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_a_sweep_whose_kernel_died_before_its_id_was_noted_is_found_again(tmp_path_factory, cluster):
    from gcs_lab.cells.journal import Journal

    first = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/lost.ipynb")
    first.run("%%gcs submit --over 'x=range(3)' -N lostsweep\nimport time\ntime.sleep(3)\ny = x")
    entry = _entry("lostsweep")
    first.manager.signal_kernel(signal.SIGKILL)
    first.close()
    # What was written last is taken back: the journal's id, and the round's.
    record = Path(entry.folder) / "rounds" / "1.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "job_id": ""}))
    Journal().update(entry.folder, job_id="")

    second = start_kernel(tmp_path_factory, cluster, JPY_SESSION_NAME="/n/lost.ipynb")
    try:
        second.run("%gcs attach")
        assert second.value("sweep.wait(60).name, sweep.id") == f"('DONE', {entry.job_id!r})"
        assert second.value("sweep.frame.y.tolist()") == "[0, 1, 2]"
    finally:
        second.close()


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_attach_leaves_another_value_alone_and_says_so(kernel):
    kernel.run("%%gcs run --over 'x=range(2)' --as kept -N keeping\ny = x")
    kernel.run("handle = kept\nkept = 7")
    assert "kept has another value here" in kernel.run("%gcs attach keeping").text("stdout")
    assert kernel.value("kept") == "7"
    assert kernel.run("%gcs attach keeping --overwrite").text("stdout") == ""
    assert kernel.value("kept is handle, kept.frame.y.tolist()") == "(True, [0, 1])"


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_a_task_that_cannot_start_says_why(kernel, tmp_path):
    kernel.run("%%gcs submit --over 'x=range(2)' -hold -N broken\ny = x")
    kernel.run("(sweep.folder.path / 'runner.pyz').unlink()\nsweep.release()")
    assert kernel.value("sweep.wait(60).name") == "'FAILED'"
    errors = kernel.value("sweep.frame.error.tolist()")
    assert "before its code began" in errors
    assert "runner.pyz" in errors


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_interrupting_a_sweep_that_is_waited_for_lets_go_of_it(own_kernel):
    cell = own_kernel.send("%%gcs run --over 'x=range(3)' -N letgo\nimport time\ntime.sleep(4)\ny = x")
    assert own_kernel.pump(lambda: "◷" in str(own_kernel.cells[cell].messages))
    time.sleep(0.3)
    own_kernel.manager.interrupt_kernel()
    outputs = own_kernel.wait(cell)
    assert "Detached from" in outputs.traceback()
    assert own_kernel.value("sweep.wait(40).name") == "'DONE'"


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_the_id_of_a_later_round_is_not_that_of_another_cluster_s_job(kernel):
    kernel.run("%%gcs run --over 'x=range(2)' --as mine -N mine\nprint('mine', x)")
    assert kernel.value("mine.rerun(tasks=[2]), mine.wait(60).name") == "(None, 'DONE')"
    latest = kernel.value("mine.id").strip("'")
    from gcs_lab.cells.journal import Journal, JournalEntry

    other = JournalEntry(folder="/nowhere/other", cluster="elsewhere", job_id=latest, name="other", finished=1.0)
    Journal().add(other)
    try:
        assert kernel.run(f"%gcs logs {latest}.1").text("stdout") == "mine 1\n"
    finally:
        Journal().remove([other.folder])
