"""Where the cursor stands in a magic's line."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import CompletionContext

from gcs_lab.magics.arguments import cell_parser
from gcs_lab.magics.completion import Completion
from gcs_lab.magics.completion_line import asked_at_cursor, find_line, with_lines_before
from gcs_lab.magics.session import Session


@pytest.mark.parametrize(
    ("line", "number"),
    [("%gcs ", 0), ("  %gcs wait ", 3), ("x = %gcs jobs ", 1), ("a, b = %gcs jobs ", 1), ("%%gcs run ", 0)],
)
def test_a_magics_line_is_found(line, number):
    assert find_line(line, number) is not None


@pytest.mark.parametrize(
    ("line", "number"),
    [("%gcs", 0), ("%%gcs", 0), ("%%gcs run ", 1), ("%gcsx ", 0), ("x % gcs ", 0), ("f('%gcs ", 0)],
)
def test_what_is_no_line_of_the_magics_is_left_to_ipython(line, number):
    assert find_line(line, number) is None


@pytest.mark.parametrize(
    ("line", "words", "word", "typed"),
    [
        ("%%gcs run -N a", ["run", "-N"], "a", "a"),
        ("%%gcs run -N 'a b", ["run", "-N"], "a b", "a b"),
        ('%%gcs run -l "h_rt=1,h', ["run", "-l"], "h_rt=1,h", "h_rt=1,h"),
        (r"%%gcs run --cwd a\ b", ["run", "--cwd"], "a b", r"a\ b"),
        (r'%%gcs run --cwd "a\"b', ["run", "--cwd"], 'a"b', r"a\"b"),
        (r'%%gcs run --cwd "a\nb', ["run", "--cwd"], r"a\nb", r"a\nb"),
        ("%%gcs run '' ", ["run", ""], "", ""),
        ("%%gcs   run\t", ["run"], "", ""),
        ("%%gcs run a\\", ["run"], "a", "a\\"),
    ],
)
def test_words_before_and_at_the_cursor(line, words, word, typed):
    found = find_line(line, 0)
    assert found is not None
    assert (list(found.words), found.word, found.typed(0)) == (words, word, typed)


@given(st.lists(st.text(min_size=0, max_size=8), max_size=5))
def test_whole_words_are_those_that_shlex_finds(words):
    line = "%%gcs " + "".join(f"{shlex.quote(word)} " for word in words)
    found = find_line(line, 0)
    assert found is not None
    assert list(found.words) == shlex.split(line)[1:]
    assert found.word == ""


@given(st.text(max_size=60))
def test_any_text_up_to_the_cursor_has_a_word_whose_characters_stand_where_it_says(text):
    found = find_line("%%gcs " + text, 0)
    assert found is not None
    assert len(found.places) == len(found.word)
    assert list(found.places) == sorted(found.places)
    if "\\" not in text:
        assert [found.line[place] for place in found.places] == list(found.word)


def _asked(line):
    found = find_line(f"%%gcs {line}", 0)
    asked = asked_at_cursor(cell_parser(), found.words, found.word)
    return (asked.action.dest if asked.action else None), asked.value_number, asked.begin, asked.flags_fit


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("submit -q ", ("queue", 0, 0, False)),
        ("submit -pe ", ("pe", 0, 0, False)),
        ("submit -pe smp ", ("pe", 1, 0, False)),
        ("submit -pe smp 4 ", (None, 0, 0, True)),
        ("submit -hold ", (None, 0, 0, True)),
        ("submit -", (None, 0, 0, True)),
        ("submit --in=a", ("inputs", 0, 5, False)),
        ("submit --in=a ", (None, 0, 0, True)),
        ("submit -l h_rt=1 -l ", ("requests", 0, 0, False)),
        ("submit -p -1", ("priority", 0, 0, False)),
        ("submit --native '-q ", ("native", 0, 0, False)),
    ],
)
def test_the_flag_whose_value_is_typed(line, expected):
    assert _asked(line) == expected


FLAGS = [flag for action in cell_parser()._actions for flag in action.option_strings]
PIECES = [
    *FLAGS,
    "a",
    "'",
    '"',
    "\\",
    ",",
    "=",
    "@",
    "x=ra",
    "h_rt=",
    "%gcs",
    "run",
    "submit",
    "/",
    "~",
    "-",
    "\n",
    "b = 1",
]
SHELL = SimpleNamespace(
    user_ns={"a": 1, "table": []}, user_ns_hidden={}, transform_cell=lambda cell: cell, Completer=SimpleNamespace()
)


@given(st.sampled_from(["%%gcs ", "%gcs "]), st.lists(st.sampled_from([*PIECES, " ", " "]), max_size=12))
def test_whatever_was_typed_the_words_stand_for_what_is_before_the_cursor(magic, pieces):
    text = magic + "".join(pieces)
    first = text.split("\n")[0]
    magics = SimpleNamespace(connected=None, cluster="", session=Session())
    found = Completion(SHELL, magics).match(CompletionContext("", text, len(first), 0, None))
    assert first.endswith(found["matched_fragment"])
    assert found["suppress"]
    assert len(found["completions"]) > 0
    assert all(one.text for one in found["completions"])


def test_a_line_that_goes_on_below_is_one_line():
    joined, number = with_lines_before(["", "%%gcs submit -N fit \\", "  -q all.q \\"], "  -l h_v")
    found = find_line(joined, number)
    assert found.words == ("submit", "-N", "fit", "-q", "all.q", "-l")
    assert (found.word, found.typed(0)) == ("h_v", "h_v")
    assert find_line(*with_lines_before(["%%gcs submit", "x = 1"], "y = h_v")) is None
