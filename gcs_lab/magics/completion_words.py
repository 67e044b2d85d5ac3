"""Words that completion offers: how they match what was typed, and how they are written into the line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Answer", "Word", "brief", "fitting", "list_answer", "written"]

_MOST_OF_NOTE = 48

_NEEDS_QUOTES = re.compile(r"([\s'\"\\])")


@dataclass(frozen=True)
class Word:
    """A word to offer, with a note for people (its type, a line of help); ``also`` are other names to find it by."""

    text: str
    note: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The words that fit; they stand for what the word at the cursor has from its `begin`-th character on."""

    begin: int
    words: tuple[Word, ...] = ()


def fitting(words: Iterable[Word], typed: str) -> tuple[Word, ...]:
    """Return the words that begin with `typed`, in any case; where none does, those that have it in them."""
    folded = typed.casefold()
    words = list(words)
    found = tuple(w for w in words if any(name.casefold().startswith(folded) for name in (w.text, *w.also)))
    return found or tuple(w for w in words if folded in w.text.casefold())


def list_answer(words: Iterable[Word], value: str, begin: int = 0) -> Answer:
    """Answer for one of several names with commas between them; those that stand there already are left out."""
    before, comma, last = value.rpartition(",")
    there = set(before.split(","))
    start = begin + len(before) + len(comma)
    return Answer(start, fitting((w for w in words if w.text not in there), last))


def brief(text: str) -> str:
    """Return the beginning of a help text, up to the details: a list of completions is narrow."""
    first = re.split(r"[:;(]|\. |\.$", text.replace("%%", "%"), maxsplit=1)[0].strip()
    if len(first) <= _MOST_OF_NOTE:
        return first
    return first[:_MOST_OF_NOTE].rsplit(None, 1)[0] + " …"


def written(words: Sequence[Word], quote: str) -> list[tuple[str, str]]:
    """Return text and note of the words as they are to be typed, where `quote` is open (or none is).

    JupyterLab breaks a note at its spaces, over the lines below it; so they are such as do not break.
    """
    return [(_escaped(word.text, quote), word.note.replace(" ", "\N{NO-BREAK SPACE}")) for word in words]


def _escaped(text: str, quote: str) -> str:
    if not quote:
        return _NEEDS_QUOTES.sub(r"\\\1", text)
    return text if quote == "'" else re.sub(r'(["\\])', r"\\\1", text)
