"""Jobs that need earlier jobs: `--after`, placeholders that travel from job to job, and failures that go on."""

from __future__ import annotations

import re

import pytest
from kernel_session import BOTH, start_kernel

EMBEDDED = pytest.mark.parametrize("cluster", BOTH[:1], indirect=True, scope="session")


def ended(kernel, name: str, seconds: float = 30) -> str:
    """Wait until the job of that name has ended; return its line of `%gcs jobs`."""

    def line() -> str:
        shown = kernel.run(
            "import pandas as _pd\nwith _pd.option_context('display.width', 1000, 'display.max_colwidth', 500,"
            " 'display.max_columns', 20):\n    print(get_ipython().run_line_magic('gcs', 'jobs -n 50'))"
        ).text("stdout")
        return next((row for row in shown.splitlines() if re.search(rf"\b{name}\b", row)), "")

    assert kernel.pump(lambda: "DONE" in line() or "FAILED" in line(), seconds), line()
    return line()


def test_values_travel_from_job_to_job_while_the_kernel_is_dead(tmp_path_factory, cluster, own_kernel):
    own_kernel.run("%%gcs submit -N first_k\nimport time\ntime.sleep(2)\nx = 41")
    own_kernel.run("%%gcs submit -N second_k\ny = x + 1")
    own_kernel.run("%%gcs submit -N third_k\nz = y * 10")
    own_kernel.manager.signal_kernel(9)
    other = start_kernel(tmp_path_factory, cluster)
    try:
        other.run("%gcs attach third_k")
        other.run("%gcs wait third_k")
        assert other.value("z") == "420"
    finally:
        other.close()


def test_a_failure_goes_on_through_a_chain(kernel):
    first = kernel.send("%%gcs submit -N bad_one\nimport time\ntime.sleep(1)\nlost = 1 / 0")
    kernel.wait(first)
    second = kernel.wait(kernel.send("%%gcs submit -N needs_bad\nmore = lost + 1"))
    third = kernel.send("%%gcs run -N needs_more\nmost = more + 1")
    assert kernel.wait(third).error()["ename"] == "UpstreamFailed"
    told = kernel.cells[third].traceback()
    assert "not run: job" in told
    assert "(needs_bad), whose result it needs, was not run: job" in told
    assert "(bad_one), whose result it needs, failed: ZeroDivisionError: division by zero" in told
    assert kernel.pump(lambda: "(bad_one), whose result it needs, failed" in second.traceback())
    assert "was not run" in kernel.run("most + 1").traceback()


def test_a_deleted_upstream_ends_what_waits_for_it(kernel):
    kernel.run("%%gcs submit -hold -N never_run\nnever = 1")
    waiting = kernel.wait(kernel.send("%%gcs submit -N waits_for_never\nalso = never"))
    kernel.run("%gcs cancel never_run")
    assert kernel.pump(lambda: waiting.error() is not None)
    assert "(never_run), whose result it needs, failed" in waiting.traceback()
    assert "FAILED" in ended(kernel, "waits_for_never")


@EMBEDDED
def test_an_upstream_in_error_state_does_not_keep_others_waiting(kernel):
    kernel.run("%%gcs submit -N in_error\nimport sys\nstuck = 1\nsys.exit(100)")
    waiting = kernel.wait(kernel.send("%%gcs submit -N behind_error --after in_error\nfree = 1"))
    assert kernel.pump(lambda: waiting.error() is not None)
    assert "(in_error), after which it was to run, failed" in waiting.traceback()
    kernel.run("%gcs cancel in_error")


@EMBEDDED
def test_a_restarted_kernel_ends_what_waits_for_a_job_in_error_state(tmp_path_factory, cluster, own_kernel):
    own_kernel.run("%%gcs submit -N in_error_k\nimport sys, time\ntime.sleep(1)\nsys.exit(100)")
    own_kernel.run("%%gcs submit -N behind_k --after in_error_k\nx = 1")
    own_kernel.run("%%gcs submit -N further_behind_k --after behind_k\ny = 1")
    own_kernel.manager.signal_kernel(9)
    other = start_kernel(tmp_path_factory, cluster)
    try:
        line = ended(other, "further_behind_k")
        assert "FAILED" in line
        assert "(behind_k), after which it was to run, was not run: job" in line
        other.run("%gcs cancel in_error_k")
    finally:
        other.close()


@EMBEDDED
def test_a_fan_in_of_five(kernel):
    for number in range(5):
        kernel.run(f"%%gcs submit -N part_{number}\npart_{number} = {number} ** 2")
    total = " + ".join(f"part_{number}" for number in range(5))
    assert kernel.run(f"%%gcs run -N fan_in\ntotal = {total}").error() is None
    assert kernel.value("total") == "30"


@EMBEDDED
def test_after_names_ids_variables_and_all(kernel):
    kernel.run("%%gcs submit -hold -N slow_a\na_value = 1")
    kernel.run("%%gcs submit -hold -N slow_b\nb_value = 1")
    shown = kernel.run("%%gcs submit --explain --after slow_a,b_value\nc = 1").result()
    assert re.search(r"waits for:\n  job \d+ \(slow_a\)  to end well  gives no value\n  job \d+ \(slow_b\)", shown)
    job_id = re.search(r"job (\d+) \(slow_a\)", shown)[1]
    assert f"job {job_id} (slow_a)" in kernel.run(f"%%gcs submit --explain --after {job_id}\nc = 1").result()
    shown = kernel.run("%%gcs submit --explain --after '*' --in a_value\nc = a_value").result()
    assert re.search(r"\(slow_a\)  to end well  gives a_value", shown)
    assert re.search(r"\(slow_b\)  to end well  gives no value", shown)
    kernel.run("%gcs release slow_a slow_b")
    kernel.run("%gcs wait")
    shown = kernel.run("%%gcs submit --explain --after slow_a,slow_b\nc = 1").result()
    assert re.search(r"\(slow_a\)  nothing: it has ended well", shown)


@EMBEDDED
def test_of_several_jobs_of_a_name_the_newest_is_taken_and_that_is_said(kernel):
    kernel.run("%%gcs run -N twice\nx = 1")
    kernel.run("%%gcs run -N twice\nx = 2")
    said = kernel.run("%%gcs run --after twice\ny = 1").text("stderr")
    assert re.search(r"gcs: --after twice: job \d+, the newest of that name \(others: \d+", said)


@EMBEDDED
def test_what_cannot_be_waited_for_is_refused_before_anything_is_sent(kernel):
    kernel.wait(kernel.send("%%gcs submit -N failed_one\nimport sys\nsys.exit(3)"))
    kernel.run("%gcs wait failed_one")
    before = kernel.run("%gcs jobs").result()
    told = kernel.run("%%gcs submit --after failed_one\nx = 1").traceback()
    assert re.search(r"UpstreamFailed: --after failed_one: job \d+ \(failed_one\) failed: .* Nothing was sent", told)
    told = kernel.run("%%gcs submit --after faled_one\nx = 1").traceback()
    assert "no job is called 'faled_one'" in told
    assert "Did you mean failed_one" in told
    kernel.run("number = 7")
    assert "stands for no job" in kernel.run("%%gcs submit --after number\nx = 1").traceback()
    assert "no job is called '99999999'" in kernel.run("%%gcs submit --after 99999999\nx = 1").traceback()
    assert "has none" not in kernel.run("%gcs jobs").result()
    assert kernel.run("%gcs jobs").result().count("FAILED") == before.count("FAILED")


def test_a_job_that_no_notebook_submitted_is_waited_for(kernel):
    kernel.run(
        "import gcs_lab\noutside = gcs_lab.connect().jobs.run('/bin/sh', '-c', 'sleep 2; touch outside_ended',"
        " job_name='outside', working_directory=__import__('os').getcwd())"
    )
    outputs = kernel.run("%%gcs run --after outside\nimport os\nthere = os.path.exists('outside_ended')")
    assert outputs.error() is None, outputs.traceback()
    assert kernel.value("there") == "True"


@EMBEDDED
def test_a_later_value_of_a_name_is_not_overtaken_by_the_earlier_job_s(kernel):
    first = kernel.wait(kernel.send("%%gcs submit -N makes_list\nimport time\ntime.sleep(1)\nitems = [1]"))
    kernel.run("%%gcs submit -N adds_to_list\nitems = items + [2]")
    kernel.run("%%gcs submit -N breaks_list\nitems = items + [3]\nitems = undefined_there()", timeout=20)
    kernel.run("undefined_there = None")
    kernel.run("%%gcs submit -N breaks_list\nitems = items + undefined_there", timeout=20)
    kernel.run("%gcs wait adds_to_list")
    kernel.run("%gcs wait breaks_list")
    assert kernel.value("items") == "[1, 2]"
    assert "another value" not in first.text("stderr")


@EMBEDDED
def test_graph_shows_jobs_states_and_the_names_that_travel(kernel):
    kernel.run("%%gcs submit -hold -N gprep\nimport time\ngx = 1")
    kernel.run("%%gcs submit -N gfit\ngy = gx")
    kernel.run("%%gcs submit -N greport --after gprep\ngz = gy")
    outputs = kernel.run("%gcs graph")
    text = outputs.result()
    assert re.search(
        r"‖ gprep · job \d+ · held\n└─ gx ─▶ ‖ gfit · job \d+ · held\n"
        r"   └─ gy ─▶ ‖ greport · job \d+ · held · also after gprep",
        text,
    ), text
    (mermaid,) = outputs.data("text/vnd.mermaid", ("execute_result",))
    assert mermaid.startswith("flowchart LR\n")
    assert '-->|"gx"|' in mermaid
    assert "classDef state_queued_held fill:#8a5300" in mermaid
    kernel.run("%gcs release gprep")
    kernel.run("%gcs wait greport")
    assert re.search(r"✓ gprep · job \d+ · done", kernel.run("%gcs graph").result())


def test_a_reduce_step_and_task_by_task(kernel):
    kernel.run("%%gcs submit --over 'x=range(3)' -N scan_r --as scan_r\nimport time\ntime.sleep(1)\ny = x ** 2")
    outputs = kernel.run("%%gcs submit --after-each scan_r -N each_r --as each_r\nz = y + x")
    assert outputs.error() is None, outputs.traceback()
    assert outputs.text("stderr") == ""
    outputs = kernel.run(
        "%%gcs run -N reduce_r\nsquares = scan_r.load('y')\ncolumns = scan_r.frame[['x', 'y']].to_dict('list')"
    )
    assert outputs.error() is None, outputs.traceback()
    assert kernel.value("squares") == "[0, 1, 4]"
    assert kernel.value("columns") == "{'x': [0, 1, 2], 'y': [0, 1, 4]}"
    kernel.run("%gcs wait each_r")
    assert kernel.value("[int(z) for z in each_r.frame['z']]") == "[0, 2, 6]"


@EMBEDDED
def test_a_failed_task_fails_its_counterpart_and_the_reduce_step_alone(kernel):
    kernel.run("%%gcs submit --over 'x=range(3)' -N scan_f --as scan_f\nassert x != 1, 'one'\ny = x")
    kernel.run("%%gcs submit --after-each scan_f -N each_f --as each_f\nz = y + 1")
    reduced = kernel.wait(kernel.send("%%gcs submit -N reduce_f\ntotal = sum(scan_f.load('y'))"))
    assert kernel.pump(lambda: reduced.error() is not None)
    assert re.search(r"sweep \d+ \(scan_f\), whose result it needs, failed: 1 of 3 .*task 2", reduced.traceback())
    kernel.run("%gcs wait each_f")
    assert kernel.value("list(each_f.frame['state'])") == "['DONE', 'FAILED', 'DONE']"
    assert "not run: task 2 of sweep" in kernel.value("each_f.frame.loc[2, 'error']")
    told = kernel.run("%%gcs submit\nagain = scan_f.load('y')").traceback()
    assert "the cell needs scan_f: sweep" in told
    assert "Nothing was sent" in told


@EMBEDDED
def test_task_by_task_needs_a_sweep_of_as_many_tasks(kernel):
    kernel.run("%%gcs run -N no_sweep\na = 1")
    assert "is no sweep" in kernel.run("%%gcs submit --after-each no_sweep\nb = 1").traceback()
    kernel.run("%%gcs submit --over 'x=range(3)' -N three --as three\ny = x")
    told = kernel.run("%%gcs submit --after-each three --over 'w=[1, 2]'\nz = y + w").traceback()
    assert "has 3 tasks and this sweep 2" in told
    # A parameter of its own is nearer than the earlier sweep's of the same name.
    kernel.run("%%gcs submit --after-each three --over 'x=[10, 20, 30]' -N own_x --as own_x\nz = y + x")
    kernel.run("%gcs wait own_x")
    assert kernel.value("[int(z) for z in own_x.frame['z']]") == "[10, 21, 32]"


@EMBEDDED
def test_a_task_in_error_state_does_not_keep_its_counterpart_waiting(kernel):
    kernel.run(
        "%%gcs submit --over 'x=range(3)' -N scan_e --as scan_e\nimport sys\ny = x\nif x == 1:\n    sys.exit(100)"
    )
    kernel.run("%%gcs submit --after-each scan_e -N each_e --as each_e\nz = y")
    kernel.run("%gcs wait each_e --timeout 30")
    assert kernel.value("list(each_e.frame['state'])") == "['DONE', 'FAILED', 'DONE']"
    assert "not run: task 2 of sweep" in kernel.value("each_e.frame.loc[2, 'error']")
    kernel.run("%gcs cancel scan_e")


@EMBEDDED
def test_a_sweep_takes_values_of_jobs_and_is_not_run_when_they_fail(kernel):
    kernel.run("%%gcs submit -N base_s\nimport time\ntime.sleep(1)\nbase = 40")
    kernel.run("%%gcs submit --over 'x=range(3)' -N uses_s --as uses_s\ny = base + x")
    kernel.run("%gcs wait uses_s")
    assert kernel.value("[int(y) for y in uses_s.frame['y']]") == "[40, 41, 42]"
    kernel.run("%%gcs submit -N broken_s\nimport time\ntime.sleep(1)\nbroken = 1 / 0")
    kernel.run("%%gcs submit --over 'x=range(3)' -N no_s --as no_s\ny = broken + x")
    assert "ZeroDivisionError" in kernel.run("%gcs wait no_s").traceback()
    assert kernel.value("['not run: job' in str(why) for why in no_s.frame['error']]") == "[True, True, True]"


@EMBEDDED
def test_a_deleted_job_folder_does_not_keep_others_waiting(kernel):
    kernel.run("%%gcs submit -hold -N loses_folder\nlost_value = 1")
    waiting = kernel.wait(kernel.send("%%gcs submit -N behind_lost\nz = lost_value"))
    kernel.run(
        "import shutil\nfrom gcs_lab.cells.journal import Journal\n"
        "shutil.rmtree(Journal().find('loses_folder')[0].folder)"
    )
    assert kernel.pump(lambda: waiting.error() is not None)
    assert re.search(r"\(loses_folder\), whose result it needs, failed: .*was deleted", waiting.traceback())
    kernel.run("%gcs cancel loses_folder")
