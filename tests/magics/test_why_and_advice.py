"""`%gcs why`, `%gcs advice`, and what a card says of waiting and of usage, on both systems."""

from __future__ import annotations

import time

_MODEL = """
import gc
from gcs_lab.models import JobModel
def model(name):
    return [m for m in gc.get_objects() if isinstance(m, JobModel) and m.name == name][-1]
"""


def _printed(kernel, line: str) -> str:
    cell = kernel.run(line)
    assert cell.error() is None, cell.traceback()
    return cell.text("stdout")


def _until(kernel, expression: str, seconds: float = 30.0) -> str:
    """Return the first value of an expression that is not empty."""
    deadline = time.monotonic() + seconds
    while (value := kernel.value(expression)) in {"[]", "''", "0", "False"}:
        assert time.monotonic() < deadline, expression
        time.sleep(0.2)
    return value


def test_what_keeps_jobs_back_is_told_one_by_one_and_together(kernel):
    kernel.run(_MODEL)
    kernel.run("%%gcs submit -N held -hold\nx = 1")
    kernel.run("%%gcs submit -N wide -pe smp 900\ny = 1")
    kernel.run("%%gcs submit -N wide2 -pe smp 900\nz = 1")
    assert _printed(kernel, "%gcs why held").splitlines()[1:] == ["  - held by its user until the hold is released"]
    told = _printed(kernel, "%gcs why")
    assert "2 jobs, " in told
    assert "wait for the same reason:\n  - -pe smp 900 fits nowhere" in told
    # The card says so, too.
    assert "held by its user" in _until(kernel, "model('held').waiting")
    assert "fits nowhere" in _until(kernel, "model('wide').waiting")
    kernel.run("%gcs release held")
    kernel.run("%gcs wait held")
    assert kernel.value("model('held').waiting") == "[]"
    assert "does not wait" in _printed(kernel, "%gcs why held")
    _printed(kernel, "%gcs cancel wide wide2")
    assert "UnknownName" in kernel.run("%gcs why nobody").traceback()


def test_a_job_that_was_killed_for_time_is_told_the_flag_to_raise(kernel):
    kernel.run(_MODEL)
    failed = kernel.run("%%gcs run -N hasty -l h_rt=2\nimport time; time.sleep(60)")
    assert "h_rt=2" in failed.traceback()
    lines = _printed(kernel, "%gcs advice hasty").splitlines()
    assert lines[1].startswith("  killed for time: h_rt=0:00:02 was too little (it ran ")
    assert lines[-1] == "  better: -l h_rt=0:02:00"
    # Without a name: all of this kernel's that have something to change.
    assert "\n".join(lines) in _printed(kernel, "%gcs advice")
    assert kernel.value("model('hasty').advice") == "'-l h_rt=0:02:00'"
    assert "killed for time" in kernel.value("model('hasty').usage[0]")


def test_memory_that_ran_out_is_told_and_small_jobs_are_left_in_peace(kernel):
    kernel.run(_MODEL)
    failed = kernel.run("%%gcs run -N greedy -l h_vmem=1G\nx = bytearray(3 << 30)")
    assert "MemoryError" in failed.traceback()
    lines = _printed(kernel, "%gcs advice greedy").splitlines()
    assert lines[1].startswith("  ran out of memory: h_vmem=1G was too little")
    assert lines[-1] == "  better: -l h_vmem=2G"
    kernel.run("%%gcs run -N small -l h_vmem=4G,h_rt=1:00:00\nx = 1")
    assert _printed(kernel, "%gcs advice small").endswith("nothing to say\n")
    assert kernel.value("model('small').usage, model('small').advice") == "([], '')"


def test_a_sweep_is_told_by_its_tasks(kernel):
    kernel.run(
        '%%gcs submit -N grid --over "n=range(12)" -l h_rt=10:00:00,h_vmem=8G\nimport time\ntime.sleep(1)\nr = n'
    )
    assert kernel.value("sweep.concluded.wait(60)") == "True"
    lines = _printed(kernel, "%gcs advice sweep").splitlines()
    assert lines[1].startswith("  memory: half of the tasks ")
    assert lines[2].startswith("  time: half of the tasks ")
    assert lines[-1].startswith("  better: -l h_rt=0:02:00,h_vmem=")
