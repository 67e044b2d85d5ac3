"""The plan of a cell in another language: program, inputs, outputs, hints."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gcs_lab.cells.languages import find_language
from gcs_lab.cells.placeholder import Placeholder
from gcs_lab.cells.plan import CellOptions, CellRequest
from gcs_lab.cells.runner.script_values import LONGEST_VARIABLE, place_value
from gcs_lab.cells.script_plan import plan_script, script_source
from gcs_lab.errors import CellSourceError, InvalidArgument, NotReady


def _plan(cell, namespace=None, *, parameters=(), **options):
    request = CellRequest(
        source=script_source(cell),
        filename="<cell>",
        display_name="Cell In[3]",
        display_source=cell,
        namespace=namespace or {},
        options=CellOptions(**{"lang": "bash", **options}),
        execution_count=3,
        parameters=parameters,
    )
    return plan_script(request)


def _script(plan):
    return plan.spec()["script"]


# -- languages ---------------------------------------------------------------------------------------------------


def test_a_language_is_a_program_that_is_here():
    plan = _plan("true")
    assert plan.language == "bash"
    assert plan.kind == "script"
    assert os.access(_script(plan)["program"], os.X_OK)
    assert plan.name == "cell_3"
    assert plan.inputs == {}


def test_windows_line_ends_are_taken_as_line_ends_and_told():
    plan = _plan("#$ -N fit\r\necho hi\r\n")
    assert plan.request.source == "\n#$ -N fit\necho hi\n"
    assert plan.warnings == ["the script's Windows line ends (CR LF) were taken as line ends."]
    mixed = _plan("cat <<EOF\na\r\nEOF\n")
    assert (mixed.request.source, mixed.warnings) == ("\ncat <<EOF\na\r\nEOF\n", [])


def test_any_program_will_do(tmp_path):
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\ncat $1\n")  # a fake: it shows that a path is taken, and what R's files are called
    program.chmod(0o755)
    plan = _plan("x", lang=str(program))
    assert (plan.language, _script(plan)["program"], _script(plan)["suffix"]) == ("R", str(program), ".R")
    assert find_language("cat").name == "cat"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("rubby", "Did you mean ruby"),
        ("cobol85", "Known are bash"),
        ("/nowhere/x", "--lang /nowhere/x: there is no such"),
    ],
)
def test_a_program_that_is_not_here_is_refused_with_what_is_near(word, told):
    with pytest.raises(InvalidArgument, match=told):
        _plan("x", lang=word)


def test_a_language_of_the_table_that_is_not_installed_is_told_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidArgument, match=r"no program julia here\. Install julia, give the path"):
        _plan("x", lang="julia")


@pytest.mark.parametrize(
    ("first", "program", "arguments", "language"),
    [
        ("#!/bin/dash", "/bin/dash", [], "dash"),
        ("#!/usr/bin/perl -w", "/usr/bin/perl", ["-w"], "perl"),
        ("#!/usr/bin/env -S python3 -u", "/usr/bin/env", ["-S python3 -u"], "python"),
        ("#!/usr/bin/env Rscript", "/usr/bin/env", ["Rscript"], "R"),
        ("#!/usr/bin/awk -f", "/usr/bin/awk", ["-f"], "awk"),
        ("#$ -S /opt/only/there/ksh", "/opt/only/there/ksh", [], "ksh"),
    ],
)
def test_the_scripts_own_interpreter_counts(first, program, arguments, language):
    script = _script(plan := _plan(f"{first}\ntrue"))
    assert (script["program"], script["arguments"], plan.language) == (program, arguments, language)


@pytest.mark.parametrize(
    ("cell", "login"),
    [
        ("true", False),
        ("#$ -N x\ntrue", True),
        ("#$ -N x\n#$ -S /bin/tcsh", True),
        ("#!/bin/bash\n#$ -N x", True),
        ("#!/bin/bash -e\n#$ -N x", False),
        ("#$ -N x -S /usr/bin/perl", False),
    ],
)
def test_the_shell_of_a_script_for_qsub_is_a_login_shell(cell, login):
    assert _script(_plan(cell))["login"] is login


def test_a_program_given_as_a_path_counts_more_than_the_scripts_own():
    assert _script(_plan("#!/bin/dash", lang="/bin/sh"))["program"] == "/bin/sh"


def test_line_numbers_of_the_source_are_the_cells():
    assert _plan("one\ntwo").spec()["source"].splitlines() == ["", "one", "two"]


# -- inputs ------------------------------------------------------------------------------------------------------


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b\n", "a b\n"),
        (3, "3"),
        (0.1, "0.1"),
        (True, "true"),
        (None, ""),
        (Path("/a/b"), "/a/b"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),  # noqa: DTZ001
        (dt.date(2026, 1, 2), "2026-01-02"),
        (pd.Timestamp("2026-01-02 03:04"), "2026-01-02T03:04:00"),
        (pd.NaT, ""),
        (np.float32(0.1), "0.1"),
        (np.int64(7), "7"),
        (np.bool_(False), "false"),
        (np.array(5), "5"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (decimal.Decimal("1.50"), "1.50"),
        (Colour.RED, "1"),
        ([1, "zwei", None], '[1, "zwei", null]'),
        ({"a": np.arange(2), "when": dt.date(2026, 1, 2)}, '{"a": [0, 1], "when": "2026-01-02"}'),
        ((1, 2), "[1, 2]"),
        (np.array([1.5, 2.0]), "[1.5, 2.0]"),
        (np.zeros((1, 1, 2)), "[[[0.0, 0.0]]]"),
    ],
)
def test_values_become_text(tmp_path, value, text):
    assert place_value(str(tmp_path), "x", value) == (text, "")


FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (FRAME, "a,b\n1,x\n2,y\n"),
        (FRAME.set_index("b"), "b,a\nx,1\ny,2\n"),
        (pd.Series([1, 2], name="s"), "s\n1\n2\n"),
        (np.array([[1, 2], [3, 4]]), "c0,c1\n1,2\n3,4\n"),
    ],
)
def test_tables_become_csv_files(tmp_path, value, content):
    text, path = place_value(str(tmp_path), "t", value)
    assert text == path == str(tmp_path / "t.csv")
    assert Path(path).read_text() == content


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        (".parquet", pd.read_parquet),
        (".feather", pd.read_feather),
        (".tsv", lambda path: pd.read_csv(path, sep="\t")),
        (".json", lambda path: pd.DataFrame(json.loads(Path(path).read_text()))),
    ],
)
def test_tables_become_the_files_that_are_asked_for(tmp_path, suffix, read):
    _, path = place_value(str(tmp_path), "t", FRAME, suffix)
    assert path == str(tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(read(path), FRAME, check_dtype=False)


def test_arrow_tables_are_tables(tmp_path):
    import pyarrow as pa

    assert Path(place_value(str(tmp_path), "t", pa.table({"a": [1]}))[1]).read_text() in ('"a"\n1\n', "a\n1\n")


def test_what_is_too_large_for_a_variable_becomes_a_file(tmp_path):
    text, path = place_value(str(tmp_path), "x", "ä" * LONGEST_VARIABLE)
    assert text == path == str(tmp_path / "x.txt")
    assert place_value(str(tmp_path), "y", [0] * LONGEST_VARIABLE)[1] == str(tmp_path / "y.json")


def test_text_and_lists_become_files_where_that_is_asked_for(tmp_path):
    assert Path(place_value(str(tmp_path), "q", "select 1", ".sql")[1]).read_text() == "select 1"
    assert Path(place_value(str(tmp_path), "l", [1], ".json")[1]).read_text() == "[1]"
    assert Path(place_value(str(tmp_path), "b", b"\0\1", ".bin")[1]).read_bytes() == b"\0\1"


@pytest.mark.parametrize(
    ("entry", "value", "told"),
    [
        ("x", object(), "--in x is of type object, which a script cannot take. Send text, numbers"),
        ("x", {1, 2}, "of type set"),
        ("x", b"ab", "send it as a file (--in x.bin)"),
        ("x", [float("nan")], "cannot be written as JSON"),
        ("x", [object()], "it has a object in it"),
        ("x", 1 + 2j, "of type complex"),
        ("x", "a\0b", "it has a NUL character; send it as a file: --in x.txt"),
        ("x.csv", 3, "sent as text itself: leave the suffix out"),
        ("x.csv", [1], "JSON: --in x, or --in x.json"),
        ("x.xlsx", FRAME, "can be sent as .csv, .tsv, .parquet"),
        ("x.", 3, "is no variable"),
        ("a-b", 3, "is no variable"),
    ],
)
def test_what_a_script_cannot_take_is_refused_before_anything_is_sent(entry, value, told):
    name = entry.partition(".")[0]
    with pytest.raises(InvalidArgument) as caught:
        _plan("true", {name: value}, inputs=[entry])
    assert told in str(caught.value)


def test_an_input_that_is_not_defined_is_told_with_what_is_near():
    with pytest.raises(CellSourceError, match=r"'treshold' is not defined in this notebook\. Did you mean threshold"):
        _plan("true", {"threshold": 1}, inputs=["treshold"])


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "SGE_ROOT", "JOB_ID", "BASH_ENV", "IFS", "PYTHONPATH"]
)
def test_names_with_a_meaning_of_their_own_are_refused(name):
    with pytest.raises(InvalidArgument, match=f"use --env {name}=VALUE"):
        _plan("true", {name: "x"}, inputs=[name])


@pytest.mark.parametrize("name", ["PATHS", "home", "LCM", "LDA", "R_MAX", "Language", "python", "job_id", "RUBY_RED"])
def test_names_like_them_are_not(name):
    assert name in _plan("true", {name: "x"}, inputs=[name]).inputs


def test_a_placeholder_without_a_job_is_told():
    waiting = Placeholder("x", lambda name: f"{name} is still being computed by job 7.")
    with pytest.raises(NotReady, match="needs x, and x is still being computed by job 7"):
        _plan("true", {"x": waiting}, inputs=["x"])


def test_parameters_of_a_sweep_need_not_be_in_the_notebook():
    assert _plan("true", parameters=["x"], inputs=["x"]).inputs == {}


# -- outputs -----------------------------------------------------------------------------------------------------


def test_files_and_values_come_back_under_names_that_python_takes():
    plan = _plan(
        "true", outputs=["result.csv", "tables/my-plot.png", "2024.txt", "class.json", "count", "f-$x.csv", "./raw"]
    )
    assert _script(plan)["files"] == {
        "result": "result.csv",
        "my_plot": "tables/my-plot.png",
        "_2024": "2024.txt",
        "class_": "class.json",
        "f": "f-$x.csv",
        "raw": "./raw",
    }
    assert _script(plan)["names"] == ["count"]
    assert (
        plan.outputs
        == plan.spec()["explicit_outputs"]
        == ["result", "my_plot", "_2024", "class_", "f", "raw", "count"]
    )
    assert "--out tables/my-plot.png: it comes back as my_plot." in plan.warnings


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        (["/etc/passwd.txt"], "expected a file below the folder"),
        (["../x.csv"], "expected a file below the folder"),
        (["a/../../x.csv"], "expected a file below the folder"),
        (["~/x.csv"], "expected a file below the folder"),
        (["folder/"], "expected a file below the folder"),
        (["a/x.csv", "b/x.tsv"], "--out a/x.csv and --out b/x.tsv would both become the variable x"),
        (["x.csv", "x"], "would both become the variable x"),
        (["my-plot"], "cannot be the name of a variable"),
        (["$x.csv"], "no variable can be called after"),
    ],
)
def test_names_that_are_not_clear_are_refused(outputs, told):
    with pytest.raises(InvalidArgument) as caught:
        _plan("true", outputs=outputs)
    assert told in str(caught.value)


def test_the_tasks_of_a_sweep_may_not_share_a_file():
    with pytest.raises(InvalidArgument, match=r"--out 'result-\$x.csv'"):
        _plan("true", parameters=["x"], outputs=["result.csv"])
    assert _plan("true", parameters=["x"], outputs=["result-$x.csv"]).outputs == ["result"]


# -- hints -------------------------------------------------------------------------------------------------------

NOTEBOOK = {"threshold": 3, "i": 4, "df": FRAME, "os": os, "f": len, "name": "x", "line": ""}


def test_variables_of_the_notebook_that_a_shell_script_uses_are_hinted_at_once():
    (hint,) = _plan('echo $threshold ${threshold} "$df"', NOTEBOOK).warnings
    assert (
        hint
        == "$threshold, $df are variables of the notebook, and not set in the script; --in threshold,df sends them."
    )


@pytest.mark.parametrize(
    "cell",
    [
        "threshold=4; echo $threshold",
        "for i in 1 2; do echo $i; done",
        "while read -r name line; do echo $name $line; done",
        "f() { local i=1; echo $i; }",
        r"echo \$threshold $os $f $undefined $HOME",
    ],
)
def test_variables_that_the_script_sets_itself_are_not(cell):
    assert _plan(cell, NOTEBOOK).warnings == []


def test_other_languages_get_no_such_hint():
    assert _plan("print $threshold", NOTEBOOK, lang="perl").warnings == []


def test_inputs_that_are_sent_are_not_hinted_at():
    assert _plan("echo $threshold", NOTEBOOK, inputs=["threshold"]).warnings == []
    assert _plan("echo $threshold", NOTEBOOK, environment={"threshold": "1"}).warnings == []


# -- what the template gets --------------------------------------------------------------------------------------


def test_directives_reach_the_template():
    plan = _plan("#$ -N fit -l h_rt=60 -q all.q -pe smp 2-4 -p -3 -h -hold_jid prep,7 -hold_jid_ad 8 -P proj -r y")
    template = plan.template("runner", "folder", "out", "err")
    assert template.job_name == "fit"
    assert template.resource_requests == {"h_rt": "60"}
    assert (template.queue_name, template.priority, template.submit_as_hold) == ("all.q", -3, True)
    assert (template.parallel_environment, template.min_slots, template.max_slots) == ("smp", 2, 4)
    assert (template.hold_jid, template.hold_jid_ad) == (["prep", "7"], ["8"])
    assert template.native_specification == "-r y -P proj"
