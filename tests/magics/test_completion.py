"""Tab in a kernel: what JupyterLab asks, and what it is answered."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time

import pytest
from kernel_session import KernelSession

EMBEDDED = pytest.mark.parametrize(
    "cluster", [pytest.param("embedded", id="embedded")], indirect=True, scope="session"
)


def tab(kernel, text):
    """Press Tab at the ``|`` in `text`; return the words, their notes, and the text that they stand for."""
    place = text.index("|")
    code = text.replace("|", "", 1)
    content = kernel.client.complete(code, place, reply=True, timeout=30)["content"]
    experimental = content["metadata"].get("_jupyter_types_experimental", ())
    notes = {one["text"]: (one["type"] or "").replace("\xa0", " ") for one in experimental}
    return content["matches"], notes, code[content["cursor_start"] : content["cursor_end"]]


def words(kernel, text):
    """Return the words; the cluster's names may come a moment after the first Tab."""
    deadline = time.monotonic() + 20
    while not (found := tab(kernel, text)[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_queues_complexes_and_parallel_environments_are_those_of_the_cluster(kernel):
    assert "all.q" in words(kernel, "%%gcs submit -q |")
    assert words(kernel, "%%gcs submit -pe |")
    assert words(kernel, "%%gcs submit -q all.q@|") == words(kernel, "%%gcs submit -l hostname=|")
    found, notes, typed = tab(kernel, "%%gcs submit -N fit -l h_rt=1:00:00,h_v|")
    assert (found, notes, typed) == (["h_vmem="], {"h_vmem=": "MEMORY"}, "h_v")
    assert "h_rt=" not in tab(kernel, "%%gcs submit -l h_rt=1:00:00,|")[0]
    # Slots are asked for by -pe: no job may request them.
    assert "slots=" not in tab(kernel, "%%gcs submit -l |")[0]


@EMBEDDED
@pytest.mark.parametrize(
    ("text", "expected", "typed"),
    [
        ("%%gcs su|", ["submit"], "su"),
        ("%gcs canc|", ["cancel"], "canc"),
        ("result = %gcs sta|", ["status"], "sta"),
        ("for job in jobs:\n    %gcs canc|", ["cancel"], "canc"),
        ("\n\n%%gcs run --expl|", ["--explain"], "--expl"),
        ("%%gcs run --env HOM|", ["HOME"], "HOM"),
        ("%%gcs run -l h_vmem=4|", ["4G"], "4"),
        ("%%gcs run -l 'h_rt=1:00:00,h_vm|", ["h_vmem="], "h_vm"),
        ("%%gcs run -l h_vm| -N fit", ["h_vmem="], "h_vm"),
        ("%%gcs run -l=h_vm|", [], ""),
        ("%%gcs run -N fit \\\n    -l h_vm|\nx = 1", ["h_vmem="], "h_vm"),
        ("%%gcs run --in=first_|", ["first_value"], "first_"),
        ("%%gcs run --in second,first_|", ["first_value"], "first_"),
        ("%%gcs run --out |\nbest_one = 1\n", ["best_one", "first_value", "second"], ""),
        ("%%gcs run --out b|\nif best_one = [", [], "b"),
        ("%%gcs run --out b|\nbest_one = [", ["best_one"], "b"),
        ("%%gcs run --over |\nprint(alpha)", ["alpha=", "second", "first_value=", "second="], ""),
        ("%%gcs run --over 'x=zip(sec|", ["second"], "sec"),
        ("%%gcs run --native '-l |", [], ""),
        ("%%gcs run -N fi|", [], "fi"),
        ("%%gcs run -q 'all.q'|", [], ""),
        ("%%gcs run --lang ju|", ["julia"], "ju"),
        ("%gcs wait --timeout 0:|", ["0:10:00"], "0:"),
        ("%gcs nothing |", [], ""),
    ],
)
def test_what_fits_at_the_cursor(kernel, text, expected, typed):
    kernel.run("first_value, second = 1, [2]")
    found, _, replaced = tab(kernel, text)
    assert found == expected
    assert replaced == (typed if expected else "")


@EMBEDDED
def test_flags_have_their_help_and_those_that_were_given_are_left_out(kernel):
    found, notes, _ = tab(kernel, "%%gcs submit -N fit -l h_rt=1 |")
    assert notes["--explain"] == "show what would be sent, and send nothing"
    assert "-N" not in found
    assert "-l" in found  # it may be given again


@EMBEDDED
def test_jobs_are_offered_by_name_and_by_id(kernel):
    kernel.run("%%gcs submit -N completed_fit\nvalue = 1")
    found, notes, _ = tab(kernel, "%gcs logs completed|")
    assert found == ["completed_fit"]
    job = notes["completed_fit"].partition(",")[0]
    assert job in tab(kernel, "%gcs wait |")[0]
    assert "completed_fit" in tab(kernel, "%%gcs submit --after other,comp|")[0]
    assert kernel.run("%gcs wait completed_fit").error() is None


@EMBEDDED
def test_folders_with_white_space_are_written_as_the_line_needs_them(kernel, tmp_path):
    (tmp_path / "my data").mkdir()
    (tmp_path / "my file").touch()
    assert tab(kernel, f"%%gcs run --cwd {tmp_path}/my|") == (["my\\ data/"], {"my\\ data/": "folder"}, "my")
    assert tab(kernel, f"%%gcs run --cwd '{tmp_path}/my d|")[::2] == (["my data/"], "my d")
    assert tab(kernel, f"%%gcs run --cwd {tmp_path}/nowhere/|")[0] == []


@EMBEDDED
def test_the_cells_further_lines_are_completed_as_python(kernel):
    kernel.run("first_value = 'text'")
    assert tab(kernel, "%%gcs run -N fit\nprint(first_v|")[0] == ["first_value"]
    assert "upper" in tab(kernel, "%%gcs run\nfirst_value.upp|")[0]
    assert "import" in tab(kernel, "%%gcs run\nimpo|")[0]


@EMBEDDED
def test_a_tab_starts_no_cluster_and_unloading_takes_the_matcher_away(cluster, tmp_path_factory):
    environment = {**os.environ, "GCS_LAB_CLUSTER": cluster, "GCS_LAB_HOME": str(tmp_path_factory.mktemp("home"))}
    with contextlib.closing(KernelSession(tmp_path_factory.mktemp("notebook"), environment)) as session:
        loaded = session.run("import sys\n%load_ext gcs_lab\nprint('gcs_lab.jobs' in sys.modules)")
        # Nobody waits for what a Tab needs: it is loaded when the kernel has answered.
        assert (loaded.text("stdout"), session.value("'gcs_lab.jobs' in sys.modules")) == ("False\n", "True")
        assert "all.q" in words(session, "%%gcs run -q |")
        assert "embedded" in words(session, "%gcs connect |")
        session.run("from gcs_lab.backends.embedded import service")
        assert session.value("service.status().pid") == "None"
        session.run("%reload_ext gcs_lab")
        assert session.value("len(get_ipython().Completer.custom_matchers)") == "1"
        session.run("%unload_ext gcs_lab")
        assert session.value("get_ipython().Completer.custom_matchers") == "[]"


def test_what_is_loaded_beside_the_first_cell_is_no_package_that_loads_its_own_modules():
    # Two threads that load such a package and one of its modules at once fail: the first cell does the same imports.
    program = """
        import ast, pathlib, sys, threading
        from IPython.core.interactiveshell import InteractiveShell

        def packages():
            return {name for name, found in sys.modules.items() if hasattr(found, "__path__")}

        shell, beside, start = InteractiveShell.instance(), [], threading.Thread.start
        # Those that ask a cluster have helpers, which must start.
        threading.Thread.start = lambda one: beside.append(one) if one.name == "gcs-lab completion" else start(one)
        shell.run_line_magic("load_ext", "gcs_lab")
        before = packages()
        for thread in beside:
            thread.run()
        for name in packages() - before:
            tree = ast.parse(pathlib.Path(sys.modules[name].__file__).read_text())
            # A system's package is loaded by its name alone, whoever needs it.
            if name.startswith("gcs_lab") and not name.startswith("gcs_lab.backends.") and any(
                isinstance(line, ast.ImportFrom) and (line.level or (line.module or "").startswith(f"{name}."))
                for line in tree.body
            ):
                print(name)
        print(len(beside) > 0, "gcs_lab.magics.cell_runner" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["True True"]


def test_terminal_ipython_shows_the_words_with_their_notes():
    program = """
        import json
        from IPython.terminal.interactiveshell import TerminalInteractiveShell
        from IPython.terminal.ptutils import IPythonPTCompleter
        from prompt_toolkit.completion import CompleteEvent
        from prompt_toolkit.document import Document

        shell = TerminalInteractiveShell.instance(simple_prompt=True)
        shell.run_line_magic("load_ext", "gcs_lab")
        completer = IPythonPTCompleter(shell=shell)
        shell.user_ns["first"] = 1
        found = completer.get_completions(Document("%%gcs submit --in a,fi"), CompleteEvent())
        print(json.dumps([(one.text, one.start_position, one.display_meta_text) for one in found]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [["first", -2, "int"]]
