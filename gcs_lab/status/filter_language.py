"""The language of filters: ``owner:alice state:r slots>4 name~fit``; docs/models.md has all of it.

Terms by white space are all needed; ``or`` is between alternatives; ``-`` or ``not`` before what should not be so;
brackets hold together, quotes keep a text as it is.
"""

from __future__ import annotations

import re
import time
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, TypeVar

from gcs_lab.errors import FilterError, InvalidArgument
from gcs_lab.status.filter_columns import VIEW_COLUMNS, words_of
from gcs_lab.status.filter_grammar import All, Any_, Node, Not, Term, parse
from gcs_lab.status.filter_terms import test_of, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.filter_columns import Word
    from gcs_lab.status.filter_tests import RowTest

__all__ = ["Filter", "FilterError", "parse_everywhere", "parse_filter"]

#: What a filter is translated into: it has ``&``, ``|`` and ``~``.
Expression = TypeVar("Expression", bound=Any)
#: What a value may look like without quotes.
_PLAIN = re.compile(r"[^\s()\"',:~<>=*?-][^\s()\"',:~<>=*?]*")
_ENDS_AND = re.compile(r"(?:(?<=[\s()])|^)and$", re.IGNORECASE)
_BEGINS_AND = re.compile(r"^and(?=[\s(])", re.IGNORECASE)
#: Columns that mean the same in tables of jobs and in those of queues and hosts.
_SHARED = ("queue", "host")


class Filter:
    """A filter that was read.

    Attributes
    ----------
    text : str
        As it was written.
    columns : frozenset of str
        The columns of the table that it asks for.
    foreign : bool
        Whether some of it is about other tables: see :func:`parse_everywhere`.
    """

    def __init__(self, text: str, words: Mapping[str, Word], foreign: Mapping[str, Word]) -> None:
        self.text = text
        self._words = words
        self._node = parse(text)
        self._has_foreign_words = bool(foreign)
        self._tests: dict[Term, RowTest | None] = {}
        for term in _terms(self._node):
            name = term.name.lower()
            if name in words or not name:
                self._tests[term] = test_of(term, words, len(text))
            elif name in foreign:
                test_of(term, foreign, len(text))
                self._tests[term] = None
            else:
                raise unknown_name(term, {**words, **foreign})
        self.columns = frozenset(
            words[term.name.lower()].column for term, test in self._tests.items() if test and term.name
        )
        self.foreign = any(self._is_foreign(term) for term in self._tests)

    def __bool__(self) -> bool:
        return self._node is not None

    def mask(
        self, table: pa.Table, now: float | None = None, related: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Return which rows it lets through: an array of ``table.num_rows`` booleans.

        Parameters
        ----------
        table
            With the columns that the filter was read for.
        now
            What "ago" counts from, seconds since the epoch; None: now.
        related
            In place of terms about other tables: for which rows they are so, as far as the caller knows (a job that
            they let through runs there). None: for all.
        """
        import numpy as np

        if self._node is None:
            return np.ones(table.num_rows, np.bool_)
        everywhere = np.ones(table.num_rows, np.bool_) if related is None else related
        return self._rows(self._node, table, time.time() if now is None else now, everywhere, so=True)

    def translated(self, told: Callable[[RowTest], Expression]) -> Expression | None:
        """Return the filter in another language; None: it lets everything through.

        Parameters
        ----------
        told
            Returns what a test asks, as something with ``&``, ``|`` and ``~``. It must be yes or no of every row:
            what is not known is not so.
        """
        return None if self._node is None else self._translated(self._node, told)

    def _translated(self, node: Node, told: Callable[[RowTest], Expression]) -> Expression:
        if isinstance(node, Not):
            turned: Expression = ~self._translated(node.part, told)
            return turned
        if isinstance(node, All | Any_):
            joined = and_ if isinstance(node, All) else or_
            whole: Expression = reduce(joined, [self._translated(part, told) for part in node.parts])
            return whole
        test = self._tests[node]
        if test is None:
            raise InvalidArgument(f"the filter {self.text!r} is about other tables; expected one of this table.")
        asked: Expression = ~told(test) if node.operator == "!=" else told(test)
        return asked

    def _is_foreign(self, term: Term) -> bool:
        return self._tests[term] is None or (self._has_foreign_words and not term.name)

    def _rows(
        self, node: Node, table: pa.Table, now: float, related: NDArray[np.bool_], *, so: bool
    ) -> NDArray[np.bool_]:
        """Return where `node` is as `so` says; what is not known is not so."""
        import numpy as np

        if isinstance(node, Not):
            return self._rows(node.part, table, now, related, so=not so)
        if isinstance(node, All | Any_):
            joined = np.logical_and if isinstance(node, All) is so else np.logical_or
            found: NDArray[np.bool_] = joined.reduce(
                [self._rows(part, table, now, related, so=so) for part in node.parts]
            )
            return found
        test = self._tests[node]
        if test is None:
            return related
        told = test.rows(table, now)
        # Before inverting: what cannot be told of a row (null) is not so, and "not" lets it through.
        told = np.logical_xor(told, (node.operator == "!=") is so)
        if not self._is_foreign(node):
            return told
        return told | related if so else told & related

    def narrowed(self, column: str, value: str) -> str:
        """Return the text with ``column:value`` added, or taken away if it is there.

        Values of one column are alternatives: ``owner:alice`` narrowed by bob is ``owner:alice,bob``.

        Raises
        ------
        FilterError
            If no column has that name.
        """
        wanted = self._words.get(column.lower())
        if wanted is None:
            raise unknown_name(Term(column, ":", (), 0, 0), self._words)
        for term in _needed(self._node):
            word = self._words.get(term.name.lower())
            if word is None or word.column != wanted.column or term.operator not in {":", "="}:
                continue
            values = [one.text for one in term.values]
            kept = [one for one in term.values if one.text != value]
            written = [self.text[one.start : one.end] for one in kept]
            if value not in values:
                written.append(_written(value))
            if not written:
                return _without(self.text, term)
            return f"{self.text[: term.start]}{term.name}{term.operator}{','.join(written)}{self.text[term.end :]}"
        term_text = f"{column}:{_written(value)}"
        if self._node is None:
            return term_text
        rest = f"({self.text.strip()})" if isinstance(self._node, Any_) else self.text.strip()
        return f"{rest} {term_text}"


def _written(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _without(text: str, term: Term) -> str:
    """Return the text without a term, the brackets around it alone, and an ``and`` beside it."""
    left, right = text[: term.start].rstrip(), text[term.end :].lstrip()
    while left.endswith("(") and right.startswith(")"):
        left, right = left[:-1].rstrip(), right[1:].lstrip()
    if _ENDS_AND.search(left):
        left = _ENDS_AND.sub("", left)
    elif left in {"", "("}:
        right = _BEGINS_AND.sub("", right)
    return f"{left} {right}".strip()


def _terms(node: Node | None) -> Iterator[Term]:
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Not):
        yield from _terms(node.part)
    elif node is not None:
        for part in node.parts:
            yield from _terms(part)


def _needed(node: Node | None) -> list[Term]:
    """Return the terms that every row must fulfil."""
    if isinstance(node, Term):
        return [node]
    return [part for part in node.parts if isinstance(part, Term)] if isinstance(node, All) else []


def parse_filter(text: str, columns: Mapping[str, str]) -> Filter:
    """Read a filter.

    Parameters
    ----------
    text
        The filter; empty lets everything through.
    columns
        The columns of the table: name to type, as in :mod:`gcs_lab.status.tables`.

    Raises
    ------
    FilterError
        If it cannot be read: the message says what was expected, `start` and `end` where, and `incomplete` that it
        only ends too early.
    """
    return Filter(text, words_of(columns), {})


def parse_everywhere(text: str, view: str, only: Collection[str] | None = None) -> Filter:
    """Read a filter that counts for jobs, queues and hosts at once, as it is for the table `view`.

    Words are those of jobs where jobs have them (``state:r`` is about jobs), else those of the other tables. A term
    about another table lets all rows through; those who know better give ``related`` to :meth:`Filter.mask`.

    Parameters
    ----------
    text
        The filter.
    view
        ``"jobs"``, ``"tasks"``, ``"queues"``, ``"queue_instances"`` or ``"hosts"``.
    only
        Names of the columns of `view` whose terms count; None: all.

    Raises
    ------
    FilterError
        As :func:`parse_filter`.
    """
    jobs = words_of(VIEW_COLUMNS["jobs"])
    every: dict[str, Word] = dict(jobs)
    for columns in VIEW_COLUMNS.values():
        for name, word in words_of(columns).items():
            every.setdefault(name, word)
    own = words_of(VIEW_COLUMNS[view])
    if view == "tasks":
        own = {name: word for name, word in own.items() if jobs.get(name, word).kind == word.kind}
    elif view != "jobs":
        own = {name: word for name, word in own.items() if name not in jobs or jobs[name].column in _SHARED}
    if only is not None:
        own = {name: word for name, word in own.items() if word.column in only}
    return Filter(text, own, every)
