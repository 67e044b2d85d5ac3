"""`%%gcs --over`: a cell run once for each point, on the embedded cluster and on a private Grid Engine."""

from __future__ import annotations

import re
import time

import pytest


def plain(kernel, code: str, timeout: float = 60.0) -> str:
    outputs = kernel.run(code, timeout)
    assert outputs.error() is None, outputs.traceback()
    return outputs.text("stdout")


def test_a_sweep_fills_its_table_and_its_failed_tasks_run_again(kernel, tmp_path):
    flag = tmp_path / "mended"
    outputs = kernel.run(
        """%%gcs submit --over "x=range(4)" --over "model=['a', 'b']" -tc 3 -N grid\n"""
        "import os\nscore = x * 1.5\nwhole = [model] * x\nprint('task', os.environ['SGE_TASK_ID'], x, model)\n"
        f"if x == 2 and not os.path.exists({str(flag)!r}):\n    raise ValueError('two is too many')\n"
    )
    assert outputs.error() is None, outputs.traceback()
    assert any("grid" in text for text in outputs.data("text/plain"))
    # Nothing but the sweep comes into the namespace.
    assert kernel.value("[name for name in ('x', 'model', 'score', 'whole') if name in globals()]") == "[]"

    card = outputs
    waited = kernel.run("%gcs wait sweep")
    assert waited.error()["ename"] == "JobFailed"
    traceback = waited.traceback()
    assert "----> 7" in traceback
    assert "ValueError: two is too many" in traceback
    assert "2 of 8 failed; first: task 5: ValueError: two is too many" in traceback
    assert "gcs_lab" not in traceback

    assert kernel.value("list(sweep.frame.columns)") == (
        "['x', 'model', 'state', 'host', 'wall', 'memory', 'exit', 'error', 'score', 'whole']"
    )
    assert kernel.value("sweep.counts()") in ("{'DONE': 6, 'FAILED': 2}", "{'FAILED': 2, 'DONE': 6}")
    assert kernel.value("sweep.frame.score.tolist()") == "[0.0, 0.0, 1.5, 1.5, 3.0, 3.0, 4.5, 4.5]"
    assert kernel.value("sweep[3].whole, sweep.frame.whole[4].load(), sweep[8].parameters") == (
        "(['a'], ['b'], {'x': 3, 'model': 'b'})"
    )
    assert plain(kernel, "%gcs logs sweep 8") == "task 8 3 b\n"
    first = kernel.value("sweep.id").strip("'")
    assert plain(kernel, f"%gcs logs {first}.2") == "task 2 0 b\n"

    # Where tasks failed, the card stays for its buttons; it gives way to a line when all is well.
    assert not card.data("text/html", ("update_display_data",))
    flag.touch()
    assert kernel.value("sweep.rerun(failed=True), sweep.wait(60).name") == "(None, 'DONE')"
    assert kernel.value("sweep.counts(), sweep.message, len(sweep.rounds)") == "({'DONE': 8}, '', 2)"
    second = kernel.value("sweep.id").strip("'")
    assert second != first
    # The array's second task is the sweep's sixth, and says so.
    assert plain(kernel, f"%gcs logs {second}.2") == "task 6 2 b\n"
    assert plain(kernel, f"%gcs logs {first}.6") == "task 6 2 b\n"
    assert re.search(r"grid .*DONE", kernel.run("%gcs jobs -n 1").result())


def test_run_waits_for_all_tasks(kernel):
    code = "%%gcs run --over points --as fine -N fine\nproduct = a * b * factor"
    kernel.run("import pandas as pd\nfactor = 10\npoints = pd.DataFrame({'a': [1, 2], 'b': [0.5, 2.0]})")
    outputs = kernel.run(code)
    assert outputs.error() is None, outputs.traceback()
    # The card has given way to a line that needs no kernel.
    shown = ("update_display_data",)
    assert kernel.pump(lambda: outputs.data("text/plain", shown))
    assert "2 of 2" in outputs.data("text/plain", shown)[-1] or "done" in outputs.data("text/plain", shown)[-1]
    assert not outputs.data("application/vnd.jupyter.widget-view+json", shown)
    assert kernel.value("fine.frame['product'].tolist(), type(fine[1].parameters['a'])") == (
        "([5.0, 40.0], <class 'int'>)"
    )


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_explain_shows_the_points_and_sends_nothing(kernel):
    outputs = kernel.run("""%%gcs submit --over "x=range(1000)" -tc 7 --explain\ny = x""")
    shown = outputs.result()
    for part in ("1,000 of x", "first  x=0", "last  x=999", "7 tasks at the most", "nothing was sent"):
        assert part in shown
    assert "NameError" in kernel.run("sweep").traceback()


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-tc 3", "limits the tasks of a sweep"),
        ("--zip", "there is none"),
        ('--over "x=[]"', "no values"),
        ('--over "x=range(3)" -l nosuch=1', "nosuch"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(kernel, line, said):
    outputs = kernel.run(f"%%gcs submit {line}\ny = 1")
    assert said in outputs.traceback()
    assert "NameError" in kernel.run("sweep").traceback()


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_an_unused_parameter_is_told(kernel):
    outputs = kernel.run("""%%gcs run --over "x=[1]" --over "lrr=[2]" -N hint\nlr = 5\ny = x + lr""")
    assert "does not use lrr" in outputs.text("stderr")


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_hold_release_and_cancel_of_a_sweep_and_of_a_task(kernel):
    kernel.run("""%%gcs submit --over "x=range(6)" -hold -N held\nimport time\ntime.sleep(600 if x else 0)""")
    assert kernel.value("sweep.counts()") == "{'QUEUED_HELD': 6}"
    assert "released" in plain(kernel, "%gcs release held")
    wait = "import time\nend = time.monotonic() + 20\nwhile {} and time.monotonic() < end: time.sleep(0.02)"
    kernel.run(wait.format("sweep[1].state.name != 'DONE'"))
    assert kernel.value("sweep[1].state.name") == "'DONE'"
    assert "task 3 of sweep held" in plain(kernel, "%gcs cancel held.3")
    kernel.run(wait.format("sweep[3].state.name != 'FAILED'"))
    assert "deleted by" in kernel.value("sweep[3].error")
    assert kernel.value("'RUNNING' in sweep.counts() or 'QUEUED' in sweep.counts()") == "True"
    assert "cancelled" in plain(kernel, "%gcs cancel sweep")
    assert kernel.value("sweep.wait(30).name, sweep.counts()") in (
        "('FAILED', {'DONE': 1, 'FAILED': 5})", "('FAILED', {'FAILED': 5, 'DONE': 1})",
    )  # fmt: skip
    assert "have ended" in kernel.run("%gcs cancel sweep").text("stdout")
    assert "its tasks are 1 to 6" in kernel.run("%gcs logs held 7").traceback()
    assert "name one" in kernel.run("%gcs logs held").text() + kernel.run("%gcs logs held").traceback()


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_tasks_that_wait_are_told_although_a_later_round_has_ended(kernel):
    kernel.run("""%%gcs submit --over "x=range(3)" -hold -N rounds""" + "\ny = x")
    plain(kernel, "%gcs release rounds.2")
    wait = "import time\nend = time.monotonic() + 20\nwhile {} and time.monotonic() < end: time.sleep(0.02)"
    kernel.run(wait.format("not sweep.table.ended[1]"))
    assert kernel.value("sweep.rerun(tasks=[2]), len(sweep.rounds)") == "(None, 2)"
    kernel.run(wait.format("not sweep.table.ended[1]"))
    assert "held by" in plain(kernel, "%gcs why rounds")
    # The scheduler may say a little later than the task that the second round has ended.
    deadline = time.monotonic() + 20
    while "QUEUED_HELD" not in (shown := str(kernel.run("%gcs jobs -n 1").result())):
        assert time.monotonic() < deadline, shown
    plain(kernel, "%gcs release rounds")
    assert kernel.value("sweep.wait(30).name, sweep.frame.y.tolist()") == "('DONE', [0, 1, 2])"


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_a_job_that_is_no_sweep_has_no_tasks(kernel):
    kernel.run("%%gcs run -N single\nprint('alone')")
    assert "is no sweep" in kernel.run("%gcs logs single 3").traceback()
    assert plain(kernel, "%gcs logs single") == "alone\n"
