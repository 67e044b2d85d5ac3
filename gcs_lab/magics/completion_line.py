"""Where the cursor stands in a line of ``%gcs`` or ``%%gcs``: in which flag's value, or in a flag."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["Asked", "TypedLine", "asked_at_cursor", "find_line", "with_lines_before"]

_CELL = re.compile(r"%%gcs(?=\s)")
#: A line magic may stand alone, or its result be assigned.
_LINE = re.compile(r"\s*(?:[^\W\d][\w.,\s]*=\s*)?%gcs(?=\s)")
_FOR_EVER = 1 << 30


@dataclass(frozen=True)
class TypedLine:
    """A magic's line up to the cursor, in words as :mod:`shlex` finds them.

    ``words`` are the whole ones; ``word`` is what the one at the cursor means so far, without its quotes, and
    ``places`` where in the line each of its characters stands. ``quote`` is the quote that is open, or nothing;
    ``closed`` says that one was closed in this word.
    """

    cell: bool
    line: str
    words: tuple[str, ...]
    word: str
    quote: str
    closed: bool
    places: tuple[int, ...]

    def typed(self, begin: int) -> str:
        """Return the line's own characters from the `begin`-th of the word to the cursor."""
        return self.line[self.places[begin] :] if begin < len(self.places) else ""


def with_lines_before(before: list[str], line: str) -> tuple[str, int]:
    """Return what :func:`find_line` asks for: the line joined to those before it that it goes on from.

    Parameters
    ----------
    before
        The lines above the cursor's.
    line
        The line of the cursor, up to the cursor.
    """
    above = list(before)
    while above and above[-1].rstrip().endswith("\\"):
        line = f"{above.pop().rstrip()[:-1]} {line}"
    return line, sum(bool(one.strip()) for one in above)


def find_line(line: str, number: int) -> TypedLine | None:
    """Return the magic's line, or None if there is none before the cursor.

    Parameters
    ----------
    line
        The line of the cursor, up to the cursor.
    number
        How many lines that are not empty stand before it: a cell magic stands on the first.
    """
    cell = _CELL.match(line) if not number else None
    match = cell or _LINE.match(line)
    return _split(line, match.end(), cell=cell is not None) if match else None


def _split(line: str, begin: int, *, cell: bool) -> TypedLine:
    """Split as ``shlex.split`` does, and go on where that raises because the line is not finished."""
    words: list[str] = []
    word: list[str] = []
    places: list[int] = []
    quote, started, closed, escaped = "", False, False, False
    for place in range(begin, len(line)):
        char = line[place]
        if escaped:
            # Within double quotes a backslash is itself, unless before a quote or a backslash.
            if quote and char not in {quote, "\\"}:
                word.append("\\")
                places.append(place - 1)
            word.append(char)
            places.append(place - 1 if not quote or char in {quote, "\\"} else place)
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = started = True
        elif quote:
            if char == quote:
                quote, closed = "", True
            else:
                word.append(char)
                places.append(place)
        elif char in "\"'":
            quote, started = char, True
        elif char.isspace():
            if started:
                words.append("".join(word))
            word, places, started, closed = [], [], False, False
        else:
            word.append(char)
            places.append(place)
            started = True
    return TypedLine(cell, line, tuple(words), "".join(word), quote, closed, tuple(places))


@dataclass(frozen=True)
class Asked:
    """What the word at the cursor is to be.

    ``action`` is the flag or argument whose value it is (its ``value_number``-th, from 0), None if it can only be a
    flag; ``begin`` is where in the word the value begins (``--in=a``); ``flags_fit`` says that a flag may stand there
    as well. ``values`` are the action's values before it, ``given`` are all flags of the line so far.
    """

    action: argparse.Action | None
    value_number: int
    begin: int
    flags_fit: bool
    values: tuple[str, ...] = ()
    given: frozenset[str] = field(default_factory=frozenset)


def asked_at_cursor(parser: argparse.ArgumentParser, words: tuple[str, ...], word: str) -> Asked:
    """Return what `parser` expects for `word` after `words`."""
    flags = {option: action for action in parser._actions for option in action.option_strings}  # noqa: SLF001
    positionals = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001
    taking: argparse.Action | None = None
    values: list[str] = []
    given: set[str] = set()
    place, positional_values = 0, [0] * len(positionals)
    for one in words:
        name = one.partition("=")[0] if one.startswith("--") else one
        if taking is not None and len(values) < _least(taking):
            values.append(one)
        elif name in flags:
            given.add(name)
            taking, values = (None, []) if "=" in one else (flags[name], [])
        elif taking is not None and len(values) < _most(taking):
            values.append(one)
        elif place < len(positionals):
            taking, values = None, []
            positional_values[place] += 1
            place += positional_values[place] >= _most(positionals[place])
    known = frozenset(given)
    if taking is not None and len(values) < _least(taking):
        return Asked(taking, len(values), 0, flags_fit=False, values=tuple(values), given=known)
    name, equals, _ = word.partition("=")
    if equals and name in flags and name.startswith("--"):
        return Asked(flags[name], 0, len(name) + 1, flags_fit=False, given=known)
    if taking is not None and len(values) < _most(taking) and not word.startswith("-"):
        return Asked(taking, len(values), 0, flags_fit=not word, values=tuple(values), given=known)
    positional = positionals[place] if place < len(positionals) and not word.startswith("-") else None
    return Asked(positional, positional_values[place] if positional else 0, 0, flags_fit=True, given=known)


def _least(action: argparse.Action) -> int:
    return 1 if action.nargs in {None, "+"} else action.nargs if isinstance(action.nargs, int) else 0


def _most(action: argparse.Action) -> int:
    if isinstance(action.nargs, int):
        return action.nargs
    return 1 if action.nargs in {None, "?"} else _FOR_EVER
