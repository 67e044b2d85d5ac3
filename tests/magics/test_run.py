"""`%%gcs run` in a real kernel, on the real embedded cluster."""

from __future__ import annotations

import shlex

import pytest

ODD_NAME = "a 'b' ;$(c) é"


def test_a_cell_computes_in_a_job_and_its_variable_comes_back(kernel):
    kernel.run("a = 41")
    outputs = kernel.run("%%gcs run\nimport os\nx = a + 1\npid = os.getpid()")
    assert outputs.error() is None, outputs.traceback()
    assert kernel.value("x") == "42"
    assert kernel.value("pid != __import__('os').getpid()") == "True"


def test_the_last_expression_is_shown_as_out_of_the_cell(kernel):
    outputs = kernel.run("%%gcs run\n6 * 7")
    assert outputs.result() == "42"


def test_a_semicolon_hides_the_last_value(kernel):
    assert kernel.run("%%gcs run\n6 * 7;").result() is None


def test_what_the_job_prints_comes_to_the_right_streams_in_order(kernel):
    outputs = kernel.run("%%gcs run\nimport sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('drei ä')")
    assert "one\ndrei ä\n" in outputs.text("stdout")
    assert outputs.text("stderr") == "two\n"


def test_rich_displays_come_back(kernel):
    outputs = kernel.run(
        "%%gcs run\nfrom IPython.display import HTML, display\n"
        "display(HTML('<b>bold</b>'))\n"
        "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);\nplt.show()"
    )
    assert outputs.error() is None, outputs.traceback()
    assert "<b>bold</b>" in outputs.data("text/html")
    assert len(outputs.data("image/png")) == 1


def test_a_display_is_updated_in_place(kernel):
    outputs = kernel.run("%%gcs run\nh = display('first', display_id=True)\nh.update('second')\ndel h", timeout=30)
    shown = [
        c for _, kind, c in outputs.messages if kind == "display_data" and c["data"].get("text/plain") == "'first'"
    ]
    updates = [c for _, kind, c in outputs.messages if kind == "update_display_data"]
    assert shown[0]["transient"]["display_id"] in {c["transient"]["display_id"] for c in updates}


def test_an_exception_is_raised_here_with_the_lines_of_the_cell_and_no_frames_of_ours(kernel):
    outputs = kernel.run("%%gcs run\n\ndef f(x):\n    return 1 / x\n\nf(0)")
    error = outputs.error()
    assert error["ename"] == "ZeroDivisionError"
    text = outputs.traceback()
    assert "line 6" in text
    assert "----> 4     return 1 / x" in text
    assert "gcs_lab" not in text
    assert "runner" not in text


def test_the_magics_line_may_go_on_below_and_lines_keep_their_numbers(kernel):
    outputs = kernel.run(
        "%%gcs run -N long \\\n    -l h_rt=60 \\\n    --env COLOUR=red\nimport os\nprint(os.environ['COLOUR'])\n1 / 0"
    )
    assert "red" in outputs.text("stdout")
    assert "line 6" in outputs.traceback()
    assert "long" in outputs.data("text/plain")[-1]


def test_what_was_bound_before_an_exception_comes_back_and_the_rest_keeps_its_value(kernel):
    kernel.run("later = 'old'")
    outputs = kernel.run("%%gcs run\nearly = 1\nraise ValueError('no')\nlater = 2")
    assert outputs.error()["ename"] == "ValueError"
    assert kernel.value("early, later") == "(1, 'old')"


def test_an_exception_class_of_the_notebook_is_the_same_class(kernel):
    kernel.run("class Odd(Exception):\n    pass")
    outputs = kernel.run("%%gcs run\nraise Odd('really')")
    assert outputs.error()["ename"] == "Odd"


def test_a_syntax_error_is_shown_as_ipython_shows_it_and_nothing_is_sent(kernel):
    before = kernel.value("len(__import__('gcs_lab.cells.journal', fromlist=['x']).Journal().everything())")
    outputs = kernel.run("%%gcs run\nx = = 1")
    assert "SyntaxError: invalid syntax" in outputs.traceback()
    assert "line 2" in outputs.traceback()
    assert "gcs_lab" not in outputs.traceback()
    assert kernel.value("len(__import__('gcs_lab.cells.journal', fromlist=['x']).Journal().everything())") == before


def test_an_undefined_name_is_told_with_its_line_and_nothing_is_sent(kernel):
    outputs = kernel.run("%%gcs run\nx = 1\ny = nothing_like_it + x")
    assert "nothing_like_it" in outputs.traceback()
    assert "line 3: y = nothing_like_it + x" in outputs.traceback()
    assert "Nothing was sent" in outputs.traceback()
    assert len(outputs.traceback().splitlines()) < 6


def test_an_object_that_cannot_be_pickled_is_named_with_its_type(kernel):
    kernel.run("import threading\nlock = threading.Lock()\ngood = 1")
    outputs = kernel.run("%%gcs run\nprint(lock, good)")
    assert "lock, of type _thread.lock" in outputs.traceback()
    assert "good, of type" not in outputs.traceback()


def test_an_unknown_flag_is_refused_with_the_nearest(kernel):
    outputs = kernel.run("%%gcs run --explian\n1")
    assert "--explain" in outputs.text("stderr") + outputs.traceback()


def test_bad_values_are_refused_before_anything_is_sent(kernel):
    for flags, said in [
        ("-l h_rt=soon", "not a time"),
        ("-l h_vmem=4GB", "not a memory value"),
        ("-l no_such=1", "no complex is called 'no_such'"),
        ("-q no.q", "no queue is called 'no.q'"),
        ("-pe no_pe 2", "no parallel environment is called 'no_pe'"),
        ("-pe smp 0", "slots start at 1"),
        ("-p 5000", "-1023 to 1024"),
        ("--cwd /no/such/folder", "no such folder"),
        ("--python /no/such/python", "no such program"),
        ("--on nowhere", "no cluster is called 'nowhere'"),
        ("--in nothing_here", "not defined"),
        ("--out nothing_here", "neither assigns nor uses"),
        ("--env =x", "no name of a variable"),
    ]:
        outputs = kernel.run(f"%%gcs run {flags}\n1")
        assert said in outputs.traceback(), (flags, outputs.traceback())
        assert len(outputs.traceback().splitlines()) < 4, outputs.traceback()


def test_explain_shows_names_types_and_sizes_and_sends_nothing(kernel):
    kernel.run("import numpy as np\ndata = np.zeros(1000)")
    outputs = kernel.run("%%gcs submit --explain -l h_rt=60\ny = np.sum(data)")
    text = outputs.result()
    assert "data  ndarray  7.9 KiB" in text
    assert "import numpy" in text
    assert "h_rt=60" in text
    assert "nothing was sent" in text
    assert kernel.run("y").error()["ename"] == "NameError"


def test_modules_functions_and_classes_of_the_notebook_travel(kernel):
    kernel.run("import math as m\ndef area(r):\n    return m.pi * r ** 2\nclass P:\n    z = 3")
    outputs = kernel.run("%%gcs run\nv = area(P.z)\nclass Q(P):\n    pass\ndef g():\n    return v")
    assert outputs.error() is None, outputs.traceback()
    assert kernel.value("round(v, 3), Q().z, g() == v") == "(28.274, 3, True)"


def test_a_module_imported_in_a_job_is_there_afterwards_and_imported_when_it_is_used(kernel, tmp_path):
    (tmp_path / "beside.py").write_text("value = 3")
    kernel.run(f"import sys; sys.path.append({str(tmp_path)!r}); sys.modules.pop('beside', None)")
    kernel.run("%%gcs run\nimport beside as b\nimport json.tool")
    assert kernel.value("'beside' in __import__('sys').modules") == "False"
    assert kernel.value("b.value, json.__name__") == "(3, 'json')"
    kernel.run("def get():\n    return b.value")
    kernel.run("%%gcs run\nagain = get(), b.value")
    assert kernel.value("again") == "(3, 3)"


def test_a_module_that_only_the_job_has_is_told_when_it_is_used_here(kernel, tmp_path):
    (tmp_path / "only_there.py").write_text("value = 3")
    outputs = kernel.run(
        f"%%gcs run --env PYTHONPATH={tmp_path}\nimport sys; sys.path.append({str(tmp_path)!r})\nimport only_there"
    )
    assert outputs.error() is None, outputs.traceback()
    assert kernel.run("only_there.value").error()["ename"] == "ModuleNotFoundError"


def test_arrays_come_back_writable_and_what_is_shared_stays_shared(kernel):
    kernel.run("import numpy as np\na = np.arange(5)\nb = [a, a]")
    kernel.run("%%gcs run\na[0] = 9\nsame = b[0] is a\nc = [a]")
    assert kernel.value("same, a[0], c[0] is a, a.flags.writeable") == "(True, np.int64(9), True, True)"


def test_the_hint_about_objects_that_change_in_the_job_only(kernel):
    kernel.run("found = []")
    outputs = kernel.run("%%gcs run\nfound.append(1)\nn = len(found)")
    assert "--out found brings it back" in outputs.text("stderr")
    assert kernel.value("found, n") == "([], 1)"
    kernel.run("%%gcs run --out found\nfound.append(1)\nn = len(found)")
    assert kernel.value("found") == "[1]"


def test_magics_and_shell_commands_in_the_cell_run_in_the_job(kernel):
    outputs = kernel.run("%%gcs run\nout = !echo $((6*7))\n!echo shown\nwhere = %pwd")
    assert outputs.error() is None, outputs.traceback()
    assert "shown" in outputs.text("stdout")
    assert kernel.value("list(out)") == "['42']"


def test_environment_and_folder(kernel, tmp_path):
    kernel.run("import os\nos.environ['SET_HERE'] = 'yes'\nos.environ['MY_TOKEN'] = 'hush'")
    kernel.run(
        f"%%gcs run --cwd '{tmp_path}' --env 'ODD=a b;$(c)' \nimport os\n"
        "got = [os.environ.get(k) for k in ('SET_HERE', 'MY_TOKEN', 'ODD')], os.getcwd()"
    )
    assert kernel.value("got") == repr((["yes", None, "a b;$(c)"], str(tmp_path)))


def test_odd_characters_in_every_place(kernel, tmp_path, cluster):
    folder = tmp_path / "a 'b' ;$(c) \"d\" é"
    folder.mkdir()
    quoted, value = shlex.quote(str(folder)), shlex.quote("q'uo;te\t$(id) é")
    # Grid Engine takes no white space in a job's name; the embedded cluster does.
    name = ODD_NAME if cluster == "embedded" else "a'b;$(c)"
    outputs = kernel.run(
        f"%%gcs run -N {shlex.quote(name)} --cwd {quoted} --env X={value}\n"
        "import os\nhere = os.getcwd()\nx = os.environ['X']"
    )
    assert outputs.error() is None, outputs.traceback()
    assert kernel.value("here, x") == repr((str(folder), "q'uo;te\t$(id) é"))
    assert name in kernel.value("get_ipython().run_line_magic('gcs', 'jobs -n 1').loc[0, 'name']")


@pytest.mark.parametrize("name", ["two\nlines", "a/b", "1st", "with*star", "tab\tbed", "\x1b[31m"])
def test_names_that_no_scheduler_takes_are_refused_with_what_is_allowed(kernel, name):
    outputs = kernel.run(f"get_ipython().run_cell_magic('gcs', 'run -N ' + {shlex.quote(name)!r}, 'x = 1')")
    assert "name" in outputs.traceback()
    assert outputs.error()["ename"] == "InvalidArgument"


def test_a_missing_module_in_the_job_is_told_with_the_python(kernel):
    outputs = kernel.run("%%gcs run\nimport no_such_module_at_all")
    assert outputs.error()["ename"] == "ModuleNotFoundError"
    assert "has no module 'no_such_module_at_all'" in outputs.traceback()


def test_sys_exit_ends_the_job_with_that_status(kernel):
    outputs = kernel.run("%%gcs run\nimport sys\nsys.exit(3)")
    assert "exit status 3" in outputs.traceback()


def test_a_process_that_dies_is_told_by_its_signal(kernel):
    outputs = kernel.run("%%gcs run\nprint('before', flush=True)\nimport ctypes\nctypes.string_at(0)")
    assert "before" in outputs.text("stdout")
    assert "SIGSEGV" in outputs.traceback()


def test_top_level_await_works(kernel):
    kernel.run("%%gcs run\nimport asyncio\nv = await asyncio.sleep(0, 'slept')")
    assert kernel.value("v") == "'slept'"


def test_help_lists_the_flags(kernel):
    outputs = kernel.run("print(get_ipython().find_cell_magic('gcs').__doc__)")
    for flag in (
        "-N",
        "-q",
        "-l",
        "-pe",
        "-p",
        "-hold",
        "--in",
        "--out",
        "--cwd",
        "--env",
        "--explain",
        "--python",
        "--on",
    ):
        assert flag in outputs.text("stdout")
