"""All that is wrong with a line is said at once, with what was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from gcs_lab.cluster import connect
from gcs_lab.errors import InvalidArgument, SeveralProblems
from gcs_lab.magics.arguments import cell_parser, parse_flags, to_options
from gcs_lab.magics.flag_checks import checked_options, timeout_seconds
from gcs_lab.magics.session import Session

FLAGS = [flag for action in cell_parser()._actions for flag in action.option_strings]


@pytest.fixture
def session(monkeypatch, tmp_path):
    monkeypatch.setenv("GCS_LAB_CLUSTER", "embedded")
    yield Session()
    connect().close()


def test_flags_and_names_that_are_wrong_are_told_in_one_error(session):
    line = "submit -p 5000 -N '' -tc 0 -pe smp none -q al.q -l h_vmen=4G,h_rt=1h --in a-b"
    with pytest.raises(SeveralProblems) as caught:
        checked_options(parse_flags(cell_parser(), line), session)
    said = str(caught.value)
    assert said.startswith("8 things are wrong, and nothing was sent:")
    for part in ("-p 5000", "-N: the name is empty", "-tc 0", "-pe smp none", "--in a-b", "Did you mean all.q?",
                 "Did you mean h_vmem", "Did you mean 1:00:00?"):  # fmt: skip
        assert part in said


def test_one_thing_wrong_is_told_as_it_is(session):
    with pytest.raises(InvalidArgument, match=r"^-p 5000: a priority is a whole number from -1023 to 1024\.$"):
        checked_options(parse_flags(cell_parser(), "submit -p 5000 -q all.q"), session)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("sumbit", "Did you mean submit?"),
        ("RUN", "Did you mean run?"),
        ("run --Explain", "Did you mean --explain?"),
        ("run --exp", "Did you mean --explain?"),
        ("run --modul=x", "Did you mean --module"),
    ],
)
def test_a_misspelt_verb_or_flag_is_answered_with_the_nearest(line, meant):
    with pytest.raises(UsageError) as caught:
        parse_flags(cell_parser(), line)
    assert meant in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_timeout_that_is_no_time_is_refused_with_the_one_that_was_meant():
    assert timeout_seconds("1:30") == 90
    with pytest.raises(InvalidArgument, match=r"^--timeout 5min: .*Did you mean 0:05:00\?$"):
        timeout_seconds("5min")


def test_all_that_is_wrong_with_the_names_is_told_at_once_and_nothing_is_sent(kernel):
    kernel.run("%gcs connect")
    outputs = kernel.run("%%gcs submit -N refused_one -q al.q@nohost -l h_vmem=4GB,nope=1 -pe smq 2\nx = 1")
    said = outputs.traceback()
    assert "5 things are wrong, and nothing was sent" in said
    for part in (
        "Did you mean all.q?",
        "no host is called 'nohost'",
        "Did you mean 4G?",
        "'nope'",
        "Did you mean smp?",
    ):
        assert part in said
    assert "no job is called 'refused_one'" in kernel.run("%gcs logs refused_one").traceback()


def test_more_slots_than_the_parallel_environment_has_are_refused(kernel):
    outputs = kernel.run("%%gcs submit -N refused_two -pe smp 100000\nx = 1")
    assert "-pe smp 100000" in outputs.traceback()
    assert "no job is called 'refused_two'" in kernel.run("%gcs logs refused_two").traceback()


def test_a_misspelt_command_is_answered_with_the_nearest(kernel):
    kernel.run("%gcs stauts")
    outputs = kernel.run("%gcs stauts")
    assert "Did you mean %gcs status?" in outputs.text("stderr") + outputs.traceback()


@given(
    st.lists(
        st.sampled_from([*FLAGS, "4", "a=b", "x,y", "2-", "''", "'", "-1", "h_rt=1,h_vmem=", "--in=", "-"]),
        max_size=8,
    )
)
def test_any_line_becomes_options_or_is_refused_in_words(words):
    try:
        flags = parse_flags(cell_parser(), " ".join(["submit", *words]))
        to_options(flags)
    except (UsageError, InvalidArgument) as error:
        said = str(error)
    else:
        said = "fine"
    assert said.strip()
