"""The grammar of the filter language, and what becomes of a text: terms, and how they are joined."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from gcs_lab.errors import FilterError

__all__ = ["MOST_CHARACTERS", "All", "Any_", "Node", "Not", "Term", "Value", "parse"]

#: Characters of a filter, and how deep brackets and alternatives may stand in each other.
MOST_CHARACTERS = 10_000
_MOST_DEEP = 40

# The lookahead tells `slots > 4` from the words `slots` and `4`: what stands before an operator is a name.
_GRAMMAR = r"""
    start: either
    either: all (_OR all)*
    all: _one (_AND? _one)*
    _one: negated | _OPEN either _CLOSE | comparison | bare
    negated: (_NOT | _MINUS) _one
    comparison: NAME OPERATOR _value (_COMMA _value)*
    bare: (WORD | QUOTED) (_COMMA (WORD | QUOTED))*
    _value: VALUE | QUOTED

    NAME.3: /[^\W\d]\w*(?=\s*(!=|>=|<=|[:~<>=]))/
    OPERATOR: /!=|>=|<=|[:~<>=]/
    _OR.2: /or(?![^\s()"'])/i
    _AND.2: /and(?![^\s()"'])/i
    _NOT.2: /not(?![^\s()"'])/i
    _MINUS: "-"
    _COMMA: ","
    _OPEN: "("
    _CLOSE: ")"
    WORD: /[^\s()"',:~<>=\-][^\s()",:~<>=]*/
    VALUE: /[^\s()"',][^\s()",]*/
    QUOTED: /"(\\.|[^"\\])*"|'[^']*'/s
    %ignore /\s+/
"""
_EXPECTED = {
    "NAME": "a word or a term such as owner:alice",
    "OPERATOR": "one of : ~ > < >= <= =",
    "VALUE": "a value",
    "_CLOSE": "`)`",
}


@dataclass(frozen=True)
class Value:
    """One value of a term; ``literal`` where it stood in quotes: ``*`` and ``?`` are then themselves."""

    text: str
    literal: bool
    start: int
    end: int


@dataclass(frozen=True)
class Term:
    """``name operator value,value…``; a bare word has no name and no operator."""

    name: str
    operator: str
    values: tuple[Value, ...]
    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True)
class Not:
    """What is not so."""

    part: Node
    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class All:
    """What is all so."""

    parts: tuple[Node, ...]
    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class Any_:  # noqa: N801 - typing has the other name
    """Of which one is so."""

    parts: tuple[Node, ...]
    start: int
    end: int
    depth: int


Node = Term | Not | All | Any_


class _Builder(Transformer[Token, Node]):
    """Makes nodes of what the parser found, from the innermost outwards."""

    def start(self, found: list[Any]) -> Node:
        return found[0]  # type: ignore[no-any-return]

    def either(self, found: list[Any]) -> Node:
        return _joined(Any_, found)

    def all(self, found: list[Any]) -> Node:
        return _joined(All, found)

    def negated(self, found: list[Any]) -> Node:
        part: Node = found[0]
        if isinstance(part, Not):
            return part.part
        return Not(part, part.start, part.end, _deeper(part))

    def comparison(self, found: list[Any]) -> Node:
        name, operator, *values = found
        return Term(str(name), str(operator), tuple(map(_value, values)), name.start_pos, values[-1].end_pos)

    def bare(self, found: list[Any]) -> Node:
        return Term("", "", tuple(map(_value, found)), found[0].start_pos, found[-1].end_pos)


def _joined(kind: type[All | Any_], parts: list[Node]) -> Node:
    if len(parts) == 1:
        return parts[0]
    return kind(tuple(parts), parts[0].start, parts[-1].end, max(map(_deeper, parts)))


def _deeper(part: Node) -> int:
    if part.depth >= _MOST_DEEP:
        raise FilterError(
            f"terms stand in brackets more than {_MOST_DEEP} deep; write the filter with fewer.", part.start, part.end
        )
    return part.depth + 1


def _value(token: Token) -> Value:
    text, start, end = str(token), token.start_pos or 0, token.end_pos or 0
    if token.type != "QUOTED":
        return Value(text, False, start, end)
    inner = text[1:-1]
    return Value(re.sub(r"(?s)\\(.)", r"\1", inner) if text[0] == '"' else inner, True, start, end)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder())


def parse(text: str) -> Node | None:
    """Return what `text` says; None: nothing, it is empty.

    Raises
    ------
    FilterError
        If it is no filter.
    """
    if len(text) > MOST_CHARACTERS:
        raise FilterError(
            f"the filter has {len(text):,} characters; {MOST_CHARACTERS:,} at the most can be read.", 0, len(text)
        )
    unreadable = re.search("[\ud800-\udfff]", text)
    if unreadable is not None:
        raise FilterError("half a character stands here; type it again.", unreadable.start(), unreadable.end())
    if not text.strip():
        return None
    try:
        return _parser().parse(text)  # type: ignore[return-value]
    except UnexpectedInput as error:
        _explain(error, text)


def _explain(error: UnexpectedInput, text: str) -> NoReturn:
    if isinstance(error, UnexpectedToken):
        expected = _expected(error.accepts or error.expected)
        if error.token.type == "$END":
            raise FilterError(
                f"the filter ends too early: {expected} is expected.", len(text), len(text), incomplete=True
            )
        start, end = error.token.start_pos or 0, error.token.end_pos or 0
        raise FilterError(f"`{text[start:end]}` cannot stand here: {expected} is expected.", start, end)
    start = error.pos_in_stream or 0
    found = text[start]
    if found in "\"'" and not re.match(r""""(\\.|[^"\\])*"|'[^']*'""", text[start:], re.DOTALL):
        raise FilterError(f"the {found} has no second one that closes it.", start, len(text), incomplete=True)
    expected = _expected(error.allowed if isinstance(error, UnexpectedCharacters) and error.allowed else set())
    advice = "" if found in "()," else " To look for such a character, put the word in quotes."
    raise FilterError(f"`{found}` cannot stand here: {expected} is expected.{advice}", start, start + 1)


def _expected(terminals: set[str]) -> str:
    there = [words for terminal, words in _EXPECTED.items() if terminal in terminals]
    return " or ".join(there) if there else "a word or a term such as owner:alice"
