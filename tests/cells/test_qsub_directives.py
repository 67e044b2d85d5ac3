"""``#$`` lines are read as qsub 8.1.9 reads them, and stand under the magic's flags."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gcs_lab.cells.plan import CellOptions
from gcs_lab.cells.qsub_directives import read_directives, read_interpreter
from gcs_lab.cells.script_options import with_directives
from gcs_lab.errors import InvalidArgument, UnsupportedAttribute

#: What Debian's gridengine-common brings; the manuals' scripts, if it is not installed.
EXAMPLES = Path("/usr/share/doc/gridengine-common/examples")


def _read(*lines, **flags):
    return with_directives(CellOptions(lang="sh", **flags), "\n" + "\n".join(lines))


def test_only_lines_that_begin_with_the_mark_count():
    found = read_directives("\n#$ -N a\n #$ -N b\n#$-j y\n# $ -N c\n#$# -N d\n#$\necho '#$ -N e'")
    assert [(one.line, str(one)) for one in found] == [(2, "-N a"), (4, "-j y")]


def test_quotes_comments_and_windows_line_ends_are_read_as_qsub_does():
    found = read_directives("#$ -N foo # why\n#$ -v A=\"b c\",B='d e'\n#$ -v A=x#y\n#$ -N bar\r\n#$ -v P=a\\b")
    assert [one.values for one in found] == [("foo",), ("A=b c,B=d e",), ("A=x",), ("bar",), ("P=a\\b",)]


def test_later_lines_win_and_lists_add_up():
    options = _read(
        "#$ -N a -l h_rt=10 -v A=1,B=2", "#$ -N b -l h_rt=20,h_vmem=1G -v A=3", "#$ -hold_jid x,y -hold_jid 7"
    )
    assert options.name == "b"
    assert options.requests == {"h_rt": "20", "h_vmem": "1G"}
    assert options.environment == {"A": "3", "B": "2"}
    assert options.script.hold_jid == ["x", "y", "7"]


def test_flags_of_the_magic_win():
    options = _read(
        "#$ -N a -l h_rt=10,h_vmem=1G -q short.q -v A=1 -pe smp 4 -p -5 -t 1-4 -P proj",
        name="mine", requests={"h_rt": "60"}, queue="all.q", environment={"A": "2"}, parallel_environment="make",
        slots=(2, 2), priority=0, over=["x=range(2)"], project="other",
    )  # fmt: skip
    assert options.name == "mine"
    assert options.requests == {"h_rt": "60", "h_vmem": "1G"}
    assert (options.queue, options.priority, options.project) == ("all.q", 0, "other")
    assert options.environment == {"A": "2"}
    assert (options.parallel_environment, options.slots) == ("make", (2, 2))
    assert options.over == ["x=range(2)"]
    assert {one.option for one in options.script.overruled} == {"-N", "-q", "-pe", "-p", "-t", "-P"}


def test_what_plans_have_words_for_goes_there_and_the_rest_to_the_scheduler():
    options = _read(
        "#$ -pe smp 2-8 -h -p -5 -P proj", "#$ -m abe -M a@b -r y -R y -a 203001010000 -A acc -notify -masterq all.q"
    )
    assert (options.parallel_environment, options.slots) == ("smp", (2, 8))
    assert options.hold
    assert (options.priority, options.project) == (-5, "proj")
    assert options.native == "-m abe -M a@b -r y -R y -a 203001010000 -A acc -notify -masterq all.q"


def test_native_flags_of_the_magic_come_after_the_scripts():
    assert _read("#$ -m a", native="-m b").native == "-m a -m b"


def test_soft_requests_stay_soft_and_end_before_other_options():
    options = _read("#$ -l h_vmem=1G -soft -l h_rt=10 -q all.q", "#$ -hard -q short.q", "#$ -soft -l a=b")
    assert options.requests == {"h_vmem": "1G"}
    assert options.queue == "short.q"
    assert options.native == "-soft -l h_rt=10 -q all.q -hard -soft -l a=b -hard"


def test_files_and_interpreter():
    script = _read("#$ -o $HOME/out -e err -j y -i in.txt -S /bin/ksh", "#!/bin/sh").script
    assert (script.stdout, script.stderr, script.stdin, script.join) == ("$HOME/out", "err", "in.txt", True)
    assert script.interpreter == ("/bin/ksh", ())


def test_the_first_line_names_the_interpreter_with_one_argument():
    assert read_interpreter("\n#!/usr/bin/env -S python3 -u\nx") == ("/usr/bin/env", ("-S python3 -u",))
    assert read_interpreter("\n#! /bin/sh\n") == ("/bin/sh", ())
    assert read_interpreter("\necho\n#!/bin/sh") is None


@pytest.mark.parametrize(
    ("text", "over", "variables"),
    [
        ("1-10", "SGE_TASK_ID=range(1, 11, 1)", ("1", "10", "1")),
        ("4", "SGE_TASK_ID=range(4, 5, 1)", ("4", "4", "1")),
        ("2-20:3", "SGE_TASK_ID=range(2, 21, 3)", ("2", "20", "3")),
    ],
)
def test_an_array_becomes_a_sweep_over_its_indices(text, over, variables):
    options = _read(f"#$ -t {text} -tc 3")
    assert options.over == [over]
    assert options.max_parallel == 3
    assert tuple(options.script.variables.values()) == variables


def test_clear_forgets_what_stands_before_it():
    options = _read("#$ -N a -l h_rt=1 -m a", "#$ -clear -j y")
    assert (options.name, options.requests, options.native, options.script.join) == (None, {}, None, True)


def test_a_variable_that_is_not_set_here_is_set_to_nothing(monkeypatch):
    monkeypatch.setenv("GCS_H_SET", "here")
    assert _read("#$ -v GCS_H_SET,GCS_H_UNSET").environment == {"GCS_H_SET": "here", "GCS_H_UNSET": ""}


def test_what_qsub_takes_without_effect_is_taken():
    assert _read("#$ -C % -b n -shell n -terse -V -now n -sync n -w n").native is None


@pytest.mark.parametrize(
    ("line", "error", "told"),
    [
        ("#$ -foo bar", InvalidArgument, "line 2: #$ … -foo: it is no option of qsub"),
        ("#$ -hold_id 7", InvalidArgument, "Did you mean -hold_jid"),
        ("#$ hello", InvalidArgument, "hello: it stands where an option of qsub"),
        ("#$ -N", InvalidArgument, "line 2: #$ -N: expected a value after -N"),
        ("#$ -N -j y", InvalidArgument, "line 2: #$ -N: expected a value after -N"),
        ("#$ -pe smp", InvalidArgument, "line 2: #$ -pe: expected two values"),
        ("#$ -N 'a", InvalidArgument, "line 2: #$ -N 'a: a quote is not closed"),
        ("#$ -p much", InvalidArgument, "line 2: #$ -p much: expected a whole number"),
        ("#$ -p 2000", InvalidArgument, "a priority from -1023 to 1024"),
        ("#$ -t 5-1", InvalidArgument, "line 2: #$ -t 5-1: expected n, n-m or n-m:s"),
        ("#$ -tc 3", InvalidArgument, "line 2: #$ -tc 3: expected -t with it"),
        ("#$ -l =", InvalidArgument, "line 2: #$ -l"),
        ("#$ -j maybe", InvalidArgument, "line 2: #$ -j maybe: expected y or n"),
        ("#$ -v 1=2", InvalidArgument, "line 2: #$ -v 1=2: '1' is no name of a variable"),
        ("#$ -S /bin/sh,node1:/bin/ksh", InvalidArgument, "one path"),
        ("#$ -wd /nowhere", InvalidArgument, "line 2: #$ -wd /nowhere: expected a folder that is here"),
        ("#$ -sync y", UnsupportedAttribute, "%%gcs run waits"),
        ("#$ -w v", UnsupportedAttribute, "--explain shows"),
        ("#$ -@ file", UnsupportedAttribute, "line 2: #$ -@: options are not read from further files"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_line(line, error, told):
    with pytest.raises(error) as caught:
        _read(line)
    assert told in str(caught.value)
    assert "Nothing was sent" in str(caught.value)


def test_debians_example_scripts_are_all_understood():
    if not EXAMPLES.exists():
        pytest.skip("gridengine-common is not installed: there are no example scripts")
    scripts = sorted(EXAMPLES.glob("*.sh"))
    assert scripts
    options = {path.name: with_directives(CellOptions(lang="sh"), "\n" + path.read_text()) for path in scripts}
    assert options["sleeper.sh"].name == "Sleeper"
    assert options["pminiworm.sh"].native == "-m a"
    assert options["pminiworm.sh"].script.stdout == "/dev/null"
    assert shutil.which("sh")
    assert all(
        one.script.interpreter == ("/bin/sh", ()) for name, one in options.items() if name != "jobnet_submitter.sh"
    )
