"""Understands the terms of a filter: which column, which comparison, which values."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import FilterError, nearest
from gcs_lab.status import filter_tests as tests
from gcs_lab.status.filter_columns import views_with
from gcs_lab.status.filter_states import QUEUE_WORDS, STATE_WORDS, is_near_state, read_job_state
from gcs_lab.status.filter_values import (
    BYTES,
    DURATION,
    MOMENT,
    read_boolean,
    read_bytes,
    read_duration,
    read_moment,
    read_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.status.filter_columns import Word
    from gcs_lab.status.filter_grammar import Term, Value

__all__ = ["test_of", "unknown_name"]

#: Columns that a bare word is looked for in.
_BARE = ("job_id", "name", "owner", "queue", "host")
_TASK_ID = re.compile(r"(\d{1,12})\.(\d{1,9})", re.ASCII)
_LETTERS = frozenset("auACdDsSEcoP")
#: Characters of one value: a longer one is no name.
_MOST_CHARACTERS = 200
#: How a moment begins, while somebody types it.
_BEGINS_MOMENT = re.compile(r"\d{1,4}(-(\d\d?(-(\d\d?([Tt ](\d\d?(:\d{0,2}){0,2})?)?)?)?)?)?", re.ASCII)


class _TermReader:
    """Reads one term with the name that it has."""

    def __init__(self, term: Term, word: Word, ends: int) -> None:
        self._term, self._word, self._ends = term, word, ends
        # What is other than a value is all that is not equal to it: the filter turns the answer over.
        self._operator = ":" if term.operator == "!=" else term.operator

    def wrong(self, value: Value | None, error: str, *, begins: bool = False) -> FilterError:
        """Return the error about `value`; `begins`: it is how a right one begins, if the text ends there."""
        where = value or self._term
        # What may still become right is what somebody types now: the last characters of the text.
        return FilterError(error, where.start, where.end, incomplete=begins and where.end == self._ends)

    def read(self) -> tests.RowTest:
        """Return the test that the term asks for."""
        return getattr(self, f"_{self._word.kind.replace(' ', '_')}")()  # type: ignore[no-any-return]

    def _one_value(self) -> Value:
        if len(self._term.values) > 1:
            raise self.wrong(
                self._term.values[1],
                f"`{self._operator}` compares with one value; alternatives by comma go with `:`.",
            )
        return self._term.values[0]

    def _only_equal(self, kinds: str) -> None:
        if self._operator not in {":", "="}:
            raise self.wrong(
                None, f"`{self._term.name}` {kinds}; it is compared with `:`, not with `{self._operator}`."
            )

    def _no_piece(self, expected: str) -> None:
        if self._operator == "~":
            raise self.wrong(
                None,
                f"`~` looks for a piece of a text, and `{self._term.name}` is none; compare it with > < >= <= or `:` "
                f"and {expected}.",
            )

    def _text(self) -> tests.RowTest:
        if self._operator == "~":
            return tests.TextTest(self._word.column, pieces=self._pieces())
        self._only_equal("is a text")
        exact, patterns = self._split()
        if self._word.column == "parallel_environment":
            # The column says "smp 4"; people ask for smp.
            patterns += tuple(f"{value.text} *" for value in self._term.values if value.text and not value.literal)
        return tests.TextTest(self._word.column, exact, patterns)

    def _pieces(self) -> tuple[str, ...]:
        empty = next((value for value in self._term.values if not value.text), None)
        if empty is not None:
            raise self.wrong(empty, "an empty text is a piece of every other; write what to look for.", begins=True)
        return tuple(value.text for value in self._term.values)

    def _split(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the values that are whole texts, and those that are patterns."""
        values = self._term.values
        patterns = tuple(value.text for value in values if not value.literal and set(value.text) & set("*?"))
        return tuple(value.text for value in values if value.literal or not set(value.text) & set("*?")), patterns

    def _id(self) -> tests.RowTest:
        if self._operator == "~":
            return tests.IdTest(pieces=self._pieces())
        if self._operator not in {":", "="}:
            value = self._one_value()
            bound = read_number(value.text)
            if bound is None:
                raise self.wrong(value, f"`{value.text}` is no number of a job; expected one such as 4711.")
            return tests.IdTest(comparison=self._operator, bound=bound)
        exact, patterns = self._split()
        matches = {text: _TASK_ID.fullmatch(text) for text in exact}
        tasks = tuple((match[1], int(match[2])) for match in matches.values() if match is not None)
        return tests.IdTest(tuple(text for text in exact if matches[text] is None), tasks, patterns)

    def _numbers(self, read: Callable[[str], float | None], expected: str) -> tests.RowTest:
        self._no_piece(expected)
        comparison = self._operator
        values = self._term.values if comparison in {":", "="} else (self._one_value(),)
        bounds = []
        for value in values:
            bound = read(value.text)
            if bound is None:
                raise self.wrong(value, self._no_number(value, expected), begins=_may_become_number(value.text))
            bounds.append(bound)
        return tests.NumberTest(self._word.column, comparison, tuple(bounds))

    def _no_number(self, value: Value, expected: str) -> str:
        text = value.text
        if text[:1] in {">", "<"}:
            return f"write {self._term.name}{text}, without `{self._operator}`."
        hint = ""
        if expected == BYTES and re.fullmatch(r"[\d.]+[kmgtKMGT][bB]", text):
            hint = f" Did you mean {text[:-2]}{text[-2].upper()} (1024) or {text[:-2]}{text[-2].lower()} (1000)?"
        return f"`{text}` does not fit `{self._term.name}`; expected {expected}.{hint}"

    def _number(self) -> tests.RowTest:
        return self._numbers(read_number, "a number")

    def _bytes(self) -> tests.RowTest:
        return self._numbers(read_bytes, BYTES)

    def _duration(self) -> tests.RowTest:
        return self._numbers(read_duration, DURATION)

    def _time(self) -> tests.RowTest:
        expected = f"{MOMENT}, or how long ago: 30m, 2h, 3d"
        self._no_piece(expected)
        comparison = self._operator
        values = self._term.values if comparison in {":", "="} else (self._one_value(),)
        spans = [read_duration(value.text, plain=False) for value in values]
        if spans[0] is not None:
            if comparison in {":", "="}:
                raise self.wrong(
                    values[0], f"write {self._term.name}<{values[0].text} for the time since then, > for before it."
                )
            # Read aloud: submitted more than two hours ago.
            ago = "age" if self._word.column == "submission_time" else "runtime"
            return tests.NumberTest(ago, comparison, (spans[0],))
        for value in values:
            if read_moment(value.text, 1e9) is None:
                begins = _BEGINS_MOMENT.fullmatch(value.text) or _begins(value.text, ("today", "yesterday"))
                raise self.wrong(
                    value,
                    f"`{value.text}` does not fit `{self._term.name}`; expected {expected}.",
                    begins=bool(begins),
                )
        return tests.MomentTest(
            self._word.column, comparison, tuple(partial(_moment, value.text) for value in values)
        )

    def _boolean(self) -> tests.RowTest:
        self._only_equal("is yes or no")
        told = []
        for value in self._term.values:
            answer = read_boolean(value.text)
            if answer is None:
                begins = _begins(value.text, ("true", "false"))
                raise self.wrong(
                    value, f"`{value.text}` does not fit `{self._term.name}`; expected yes or no.", begins=begins
                )
            told.append(answer)
        return tests.BooleanTest(self._word.column, tuple(told))

    def _job_state(self) -> tests.RowTest:
        self._only_equal("is a state")
        states = []
        for value in self._term.values:
            state = read_job_state(value.text)
            if state is None:
                near = nearest(value.text, STATE_WORDS)
                hint = f" Did you mean {' or '.join(near)}?" if near else ""
                raise self.wrong(
                    value,
                    f"`{value.text}` is no state; expected {', '.join(STATE_WORDS)}, a name of DRMAA2, or letters as "
                    f"qstat shows them (r, qw, hqw, Eqw).{hint}",
                    begins=is_near_state(value.text),
                )
            states.append(state)
        return tests.JobStateTest(tuple(states))

    def _letters(self) -> tests.RowTest:
        self._only_equal("is a state")
        all_of, one_of, is_open = [], [], []
        words = (*QUEUE_WORDS, "open", "closed")
        for value in self._term.values:
            word = value.text.lower()
            if word in QUEUE_WORDS:
                one_of.append(QUEUE_WORDS[word])
            elif word in {"open", "closed", ""}:
                is_open.append(word != "closed")
            elif set(value.text) <= _LETTERS:
                all_of.append(value.text)
            else:
                near = nearest(word, words)
                hint = f" Did you mean {' or '.join(near)}?" if near else ""
                raise self.wrong(
                    value,
                    f"`{value.text}` is no state of a queue or host; expected {', '.join(words)}, or letters as "
                    f"qstat -f shows them (d, au).{hint}",
                    begins=_begins(value.text, words),
                )
        return tests.LettersTest(self._word.column, tuple(all_of), tuple(one_of), tuple(is_open))


def _moment(text: str, now: float) -> tuple[float, float]:
    moment = read_moment(text, now)
    return moment or (float("nan"), float("nan"))


def _begins(text: str, words: tuple[str, ...]) -> bool:
    return any(word.startswith(text.lower()) for word in words)


def _may_become_number(text: str) -> bool:
    return (
        re.fullmatch(r"[+-]?(\d+(\.|\.\d+)?[kmgt]?i?|(\d+[smhdw])*\d*|\d+:(\d+:?)?)", text, re.ASCII | re.IGNORECASE)
        is not None
    )


def test_of(term: Term, words: Mapping[str, Word], ends: int) -> tests.RowTest:
    """Return what a term asks of the rows of a table that has `words`.

    Parameters
    ----------
    term
        The term; its name is one of `words`, or it is a bare word.
    words
        Names of the language by themselves.
    ends
        Characters of the whole text.

    Raises
    ------
    FilterError
        If a value does not fit.
    """
    for value in term.values:
        if len(value.text) > _MOST_CHARACTERS:
            raise FilterError(
                f"a value has {len(value.text):,} characters; expected {_MOST_CHARACTERS} at the most.",
                value.start,
                value.end,
            )
    if term.name:
        return _TermReader(term, words[term.name.lower()], ends).read()
    found: list[Any] = []
    for column in (name for name in _BARE if name in words):
        for value in term.values:
            if not value.literal and set(value.text) & set("*?"):
                found.append(tests.TextTest(column, patterns=(value.text,), folded=True))
            elif value.text:
                found.append(tests.TextTest(column, pieces=(value.text,)))
    if "job_id" in words:
        ids = [_TASK_ID.fullmatch(value.text) for value in term.values]
        tasks = tuple((match[1], int(match[2])) for match in ids if match is not None)
        found += [tests.IdTest(tasks=tasks)] if tasks else []
    if not all(value.text for value in term.values):
        raise FilterError(
            "there is nothing between the quotes; write what to look for.", term.start, term.end, incomplete=True
        )
    return tests.AnyTest(tuple(found))


def unknown_name(term: Term, known: Mapping[str, object]) -> FilterError:
    """Return the error about a name that is none of `known`, with those that are near to it."""
    near = nearest(term.name, known)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    others = views_with(term.name.lower())
    place = f" It is a word for {' and '.join(others)}." if others else ""
    there = "" if near or others else f" There is: {', '.join(sorted(known))}."
    return FilterError(
        f"nothing here is called `{term.name}`.{place}{there}{hint}",
        term.start,
        term.start + len(term.name),
    )
