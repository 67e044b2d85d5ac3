"""`%%gcs submit`: the cell returns at once, its output and its variables come later."""

from __future__ import annotations

import re

from patience import wait_for

#: Code that goes on when a file is there.
UNTIL = "import os, time\nwhile not os.path.exists('{}'):\n    time.sleep(0.02)\n"


def _job_id(kernel) -> str:
    return kernel.value("__import__('gcs_lab.cells.follower', fromlist=['x']).follower().jobs[-1].id").strip("'")


def test_the_cell_returns_at_once_and_the_value_replaces_its_placeholder(kernel, tmp_path):
    go = tmp_path / "go"
    kernel.run(f"%%gcs submit -N slow\n{UNTIL.format(go)}x = 5")
    shown = kernel.value("x")
    assert re.fullmatch(
        r"<x is still being computed by job \d+ \(slow\), which is \w+; `%gcs wait \d+` waits for it.>", shown
    )
    assert "NotReady" in kernel.run("x + 1").traceback()
    go.touch()
    kernel.run("%gcs wait slow")
    assert kernel.value("x + 1") == "6"


def test_output_is_shown_while_the_job_runs_under_the_cell_that_submitted_it(kernel, tmp_path):
    go = tmp_path / "go"
    cell = kernel.send(f"%%gcs submit\nprint('now')\n{UNTIL.format(go)}print('later')")
    outputs = kernel.wait(cell)
    busy = kernel.send(UNTIL.format(go))
    assert kernel.pump(lambda: "now" in outputs.text("stdout"))
    assert "later" not in outputs.text("stdout")
    go.touch()
    kernel.wait(busy)
    assert "now" not in kernel.cells[busy].text()
    assert kernel.pump(lambda: "later" in outputs.text("stdout"))
    kernel.run("%gcs wait")


def test_output_of_two_jobs_at_once_never_mixes(kernel):
    code = "%%gcs submit\nimport time\nfor i in range(40):\n    print('{0}', end=' ')\n    time.sleep(0.02)"
    first, second = kernel.send(code.format("aa")), kernel.send(code.format("bb"))
    kernel.wait(first)
    kernel.wait(second)
    assert kernel.pump(
        lambda: (
            kernel.cells[first].text("stdout").count("aa") == 40
            and kernel.cells[second].text("stdout").count("bb") == 40
        ),
        20,
    )
    assert "bb" not in kernel.cells[first].text("stdout")
    assert "aa" not in kernel.cells[second].text("stdout")
    kernel.run("%gcs wait")


def test_a_failure_is_drawn_under_the_submitting_cell(kernel):
    cell = kernel.send("%%gcs submit\nx = 1\nraise KeyError('k')")
    outputs = kernel.wait(cell)
    assert kernel.pump(lambda: outputs.error() is not None)
    assert outputs.error()["ename"] == "KeyError"
    assert "line 3" in outputs.traceback()


def test_a_failed_job_says_so_where_its_value_is_used(kernel):
    kernel.wait(kernel.send("%%gcs submit\nraise ValueError('bad day')\nlost = 1"))
    kernel.run("%gcs wait --timeout 20")
    kernel.pump(lambda: False, 0.3)
    assert "was never computed" in kernel.run("lost + 1").traceback()
    assert "bad day" in kernel.run("lost + 1").traceback()


def test_wait_raises_what_the_job_raised(kernel):
    kernel.wait(kernel.send("%%gcs submit -N willfail\nimport time\ntime.sleep(1)\nraise ValueError('bad day')"))
    outputs = kernel.run("%gcs wait willfail")
    assert outputs.error()["ename"] == "ValueError"
    assert "line 4" in outputs.traceback()


def test_a_name_that_got_another_value_meanwhile_keeps_it(kernel, tmp_path):
    go = tmp_path / "go"
    cell = kernel.send(f"%%gcs submit -N other\n{UNTIL.format(go)}mine = 'job'")
    kernel.wait(cell)
    kernel.run("mine = 'notebook'")
    go.touch()
    kernel.run("%gcs wait other")
    assert kernel.value("mine") == "'notebook'"
    assert "mine got another value here" in kernel.cells[cell].text("stderr")


def test_hold_release_and_cancel(kernel):
    kernel.wait(kernel.send("%%gcs submit -hold -N onhold\nh = 1"))
    job = _job_id(kernel)
    wait_for(lambda: "QUEUED_HELD" in kernel.value("get_ipython().run_line_magic('gcs', 'jobs -n 1')"))
    kernel.run(f"%gcs release {job}")
    kernel.run(f"%gcs wait {job}")
    assert kernel.value("h") == "1"

    cell = kernel.send("%%gcs submit -N endless\nimport time\nprint('started')\ntime.sleep(600)")
    outputs = kernel.wait(cell)
    assert kernel.pump(lambda: "started" in outputs.text("stdout"))
    assert "cancelled" in kernel.run("%gcs cancel endless").text("stdout")
    assert kernel.pump(lambda: outputs.error() is not None)
    assert "endless" in outputs.traceback()


def test_a_name_of_no_job_is_answered_with_those_there_are(kernel):
    assert "no job is called 'nobody'" in kernel.run("%gcs cancel nobody").traceback()


def test_status_jobs_logs_and_doctor_answer(kernel, cluster):
    kernel.run("%%gcs run -N talker\nprint('spoken')")
    assert kernel.run("%gcs logs talker").text("stdout") == "spoken\n"
    assert "all.q" in kernel.run("%gcs status").result()
    assert "talker" in kernel.run("%gcs jobs").result()
    assert "embedded" in kernel.run("%gcs doctor").text("stdout")
    assert f"(called '{cluster}')" in kernel.run("%gcs connect").text("stdout")


def test_unknown_commands_name_the_known_ones(kernel):
    told = kernel.run("%gcs statsu")
    assert "status" in told.text() + told.traceback()


def test_a_million_lines_are_bounded_in_the_notebook_and_whole_in_the_log(kernel):
    cell = kernel.send("%%gcs run -N chatty\nfor i in range(1_000_000):\n    print('line', i)")
    outputs = kernel.wait(cell, timeout=120)
    assert outputs.error() is None, outputs.traceback()
    sent = sum(len(str(content)) for _, kind, content in outputs.messages if kind in {"stream", "display_data"})
    assert sent < 400_000
    notes = outputs.data("text/plain", ("display_data", "update_display_data"))
    assert any("more lines" in note and "%gcs logs" in note for note in notes)
    assert any("line 999999" in note for note in notes)
    last = kernel.run("%gcs logs chatty -n 1").text("stdout")
    assert last == "line 999999\n"


def test_clean_shows_before_it_deletes(kernel):
    kernel.run("%%gcs run -N oldjob\nz = 1")
    shown = kernel.run("%gcs clean --older 0s")
    assert "Nothing was deleted" in shown.text("stdout")
    assert "oldjob" in shown.result()
    assert "deleted" in kernel.run("%gcs clean --older 0s --yes").text("stdout")
    assert "oldjob" not in (kernel.run("%gcs clean --older 0s").result() or "")
