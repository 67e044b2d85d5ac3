"""``--help`` and ``-h``, wherever a user tries them."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from gcs_lab.magics.arguments import FlagParser, cell_parser, parse_flags
from gcs_lab.magics.command_help import asked_help
from gcs_lab.magics.commands import COMMANDS
from gcs_lab.magics.gcs_magics import GcsMagics


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    text = asked_help(f"{command} --help", in_cell=False)
    assert text == asked_help(f"{command} 1 -h", in_cell=False) == asked_help(f"help {command}", in_cell=False)
    assert text.startswith(f"usage: %gcs {command}")
    assert "%%%" not in text


@pytest.mark.parametrize("line", ["run --help", "submit -N x -h", "-h"])
def test_a_cell_that_asks_for_help_is_not_submitted(line):
    assert asked_help(line, in_cell=True).startswith("usage: %%gcs [-N NAME]")


@pytest.mark.parametrize("line", ["help", "--help", "-h", "?"])
def test_without_a_command_it_is_the_help_of_all(line, capsys):
    GcsMagics(None).gcs(line)
    assert "%gcs submit-notebook PATH" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["status", "nosuch -h", "help nosuch", "cancel 'open", "run -N 'a -h'", ""])
def test_other_lines_ask_for_none(line):
    assert asked_help(line, in_cell=False) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("submit -h", "unrecognized arguments: -h"),
        ("submit -ho", "Did you mean -hold?"),
        ("submit -t 1-10", "For an array job use --over"),
        ("submit -cwd", "--cwd FOLDER"),
        ("submit -V", "The environment travels anyway"),
        ("submit -l", "-l: a value must follow."),
        ("submit -pe smp", "-pe: 2 values must follow."),
        ("submit -p high", "-p: 'high' is not a whole number."),
        ("", "run|submit is missing."),
    ],
)
def test_what_qsub_or_a_user_would_write_is_refused_in_plain_words(line, told):
    with pytest.raises(UsageError) as caught:
        parse_flags(cell_parser(), line)
    assert told in str(caught.value)


def test_a_flag_with_one_minus_may_have_its_value_at_once():
    flags = parse_flags(cell_parser(), "submit -lh_rt=1:0:0 -p5")
    assert (flags.requests, flags.priority) == (["h_rt=1:0:0"], 5)


def test_an_error_names_the_help_of_its_own_command():
    parser = FlagParser(prog="%gcs status")
    COMMANDS["status"][0](parser)
    with pytest.raises(UsageError, match=r"It has no flags\. `%gcs status --help` explains them all\."):
        parse_flags(parser, "--foo")
