from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from gcs_lab.errors import InvalidArgument
from gcs_lab.magics.arguments import cell_parser, parse_flags, to_options


def _options(line):
    return to_options(parse_flags(cell_parser(), line))


def test_grid_engine_flags_mean_what_they_mean_for_qsub():
    options = _options("submit -N fit -q all.q -l h_rt=1:00:00,h_vmem=4G -l arch=lx-amd64 -pe smp 2-4 -p -10 -hold")
    assert options.name == "fit"
    assert options.queue == "all.q"
    assert options.requests == {"h_rt": "1:00:00", "h_vmem": "4G", "arch": "lx-amd64"}
    assert (options.parallel_environment, options.slots) == ("smp", (2, 4))
    assert (options.priority, options.hold) == (-10, True)


def test_quotes_work_as_in_a_shell_and_nothing_else_of_a_shell_does():
    options = _options("""run -N 'a b "c" $(id);' --env X="it's" """)
    assert options.name == 'a b "c" $(id);'
    assert options.environment == {"X": "it's"}


def test_names_are_taken_with_commas_and_again():
    options = _options("run --in a,b --in c --out d,a")
    assert (options.inputs, options.outputs) == (["a", "b", "c"], ["d", "a"])


@pytest.mark.parametrize("line", ["run --nope", "walk", "run -N", "run -p much", "run -N 'open", ""])
def test_wrong_use_is_a_usage_error_of_one_line(line):
    with pytest.raises(UsageError) as caught:
        parse_flags(cell_parser(), line)
    assert "\n" not in str(caught.value)


def test_an_unknown_flag_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean --explain"):
        parse_flags(cell_parser(), "run --explan")


@pytest.mark.parametrize(
    "line", ["run -pe smp x", "run -pe smp 4-2", "run -pe smp 0", "run -p 2000", "run -N ''", "run --in a-b"]
)
def test_impossible_values_are_refused(line):
    with pytest.raises(InvalidArgument):
        _options(line)
