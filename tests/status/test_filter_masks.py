"""The rows that a filter lets through, for all rows at once, against one row after the other in plain Python."""

from __future__ import annotations

import fnmatch
import operator
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from status.made_jobs import NOW, tasks_table

from gcs_lab.status.filter_language import parse_filter
from gcs_lab.status.tables import TASK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]
OPERATORS = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    ":": operator.eq,
    "=": operator.eq,
}
WORD = st.sampled_from(["a", "ab", "AB", "b.c", "a b", "x-1", "(", "a*", "é", "q\\", 'say "a"', "", "[b]", "\n"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "job_id": st.integers(1, 12).map(str),
            "letters": st.sampled_from(["r", "dr", "s", "qw", "hqw", "Eqw"]),
            "task": st.none() | st.integers(1, 3),
            "name": WORD,
            "owner": st.none() | WORD,
            "queue": st.none() | WORD,
            "host": st.none() | WORD,
            "slots": st.none() | st.integers(0, 4),
            "priority": st.none() | st.sampled_from([0.0, 0.5, 2.0]),
            "submission_time": st.none() | st.sampled_from([NOW - 60, NOW - 7200, NOW - 90000]),
            "start_time": st.none() | st.sampled_from([NOW - 30, NOW - 3600]),
        }
    ),
    max_size=8,
)

#: A filter as text, and what it means for one row.
Meaning = tuple[str, "Callable[[Row], bool]"]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _equal(column: str, values: list[str]) -> Meaning:
    return f"{column}:{','.join(map(_quoted, values))}", lambda row: (row[column] or "") in values


def _contains(column: str, value: str) -> Meaning:
    return f"{column}~{_quoted(value)}", lambda row: row[column] is not None and value.lower() in row[column].lower()


def _pattern(column: str, pattern: str) -> Meaning:
    fits = re.compile(fnmatch.translate(pattern)).match
    return f"{column}:{pattern}", lambda row: row[column] is not None and fits(row[column]) is not None


def _bare(word: str) -> Meaning:
    columns = ("job_id", "name", "owner", "queue", "host")
    return _quoted(word), lambda row: any(word.lower() in (row[column] or "").lower() for column in columns)


def _number(column: str, sign: str, value: float) -> Meaning:
    return f"{column} {sign} {value}", lambda row: row[column] is not None and OPERATORS[sign](row[column], value)


def _ago(name: str, column: str, sign: str, seconds: int) -> Meaning:
    return (
        f"{name}{sign}{seconds}s",
        lambda row: row[column] is not None and OPERATORS[sign](NOW - row[column], seconds),
    )


def _waiting(sign: str, seconds: int) -> Meaning:
    waits = {"qw", "hqw", "Eqw"}
    age = _ago("waiting", "submission_time", sign, seconds)
    return age[0], lambda row: row["letters"] in waits and age[1](row)


def _state(word: str) -> Meaning:
    letters = {
        "r": {"r", "dr"},
        "running": {"r", "dr"},
        "p": {"qw", "hqw", "Eqw"},
        "queued": {"qw"},
        "h": {"hqw"},
        "suspended": {"s"},
        "FAILED": {"Eqw"},
        "E": {"Eqw"},
        "hqw": {"hqw"},
        "d": {"dr"},
        "?qw": {"hqw", "Eqw"},
    }[word]
    return f"state:{word}", lambda row: row["letters"] in letters


def _not(sign: str, part: Meaning) -> Meaning:
    return f"{sign}({part[0]})", lambda row: not part[1](row)


def _all(parts: list[Meaning]) -> Meaning:
    return " ".join(f"({text})" for text, _ in parts), lambda row: all(test(row) for _, test in parts)


def _any(parts: list[Meaning]) -> Meaning:
    return " or ".join(text for text, _ in parts), lambda row: any(test(row) for _, test in parts)


TEXTS = st.sampled_from(["name", "owner", "queue", "host"])
SIGNS = st.sampled_from(list(OPERATORS))
ORDERS = st.sampled_from([">", "<", ">=", "<="])
SECONDS = st.sampled_from([0, 30, 60, 3600, 7200])
TERMS: st.SearchStrategy[Meaning] = st.one_of(
    st.builds(_equal, TEXTS, st.lists(WORD, min_size=1, max_size=3)),
    st.builds(_contains, TEXTS, WORD.filter(bool)),
    st.builds(_pattern, TEXTS, st.sampled_from(["*", "a*", "?b", "*.*", "**b?"])),
    st.builds(_bare, WORD.filter(bool)),
    st.builds(_number, st.sampled_from(["slots", "priority", "task"]), SIGNS, st.sampled_from([0, 1, 2, 0.5])),
    st.builds(_ago, st.just("submitted"), st.just("submission_time"), ORDERS, SECONDS),
    st.builds(_ago, st.just("runtime"), st.just("start_time"), ORDERS, SECONDS),
    st.builds(_waiting, ORDERS, SECONDS),
    st.builds(_state, st.sampled_from(["r", "running", "p", "queued", "h", "suspended", "FAILED", "E", "hqw", "d", "?qw"])),
    st.builds(lambda ids: (f"id:{','.join(map(str, ids))}", lambda row: int(row["job_id"]) in ids),
              st.lists(st.integers(1, 12), min_size=1, max_size=3)),
    st.builds(lambda sign, bound: (f"id{sign}{bound}", lambda row: OPERATORS[sign](int(row["job_id"]), bound)),
              ORDERS, st.integers(1, 12)),
)  # fmt: skip
FILTERS = st.recursive(
    TERMS,
    lambda parts: st.one_of(
        st.builds(_not, st.sampled_from(["-", "not "]), parts),
        st.builds(_all, st.lists(parts, min_size=1, max_size=3)),
        st.builds(_any, st.lists(parts, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(FILTERS, ROWS, st.booleans())
def test_all_rows_at_once_are_as_one_after_the_other(meaning: Meaning, rows: list[Row], chunked: bool) -> None:
    text, test = meaning
    # Tables of the poller have one chunk; those of a user's own making may have more, each with its dictionary.
    table = pa.concat_tables([tasks_table(rows), tasks_table(rows[::-1])]) if chunked else tasks_table(rows)
    every = [*rows, *rows[::-1]] if chunked else rows
    assert parse_filter(text, TASK_COLUMNS).mask(table, NOW).tolist() == [test(row) for row in every], text
