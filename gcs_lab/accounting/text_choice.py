"""Names and numbers that records are chosen by, as expressions: wildcards, queue expressions, hosts, lists."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "COMPARISON",
    "compared",
    "host_is",
    "pattern_expression",
    "queue_is",
    "read_numbers",
    "read_texts",
    "text_is",
]

_WILD = re.compile(r"[*?\[]")
#: What systems write where there is none.
_MISSING = {"NONE", "none"}
COMPARISON = re.compile(r"(>=|<=|!=|==|=|>|<)?\s*(.*)", re.DOTALL)


def read_texts(word: str, value: Any) -> list[str]:
    """Return the texts of a keyword.

    Raises
    ------
    InvalidArgument
        If it is no text and no list of texts, or an empty one.
    """
    texts = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise InvalidArgument(
                f"{word}={value!r}: expected a name or several in a list, as text; *, ? and [a-z] are wildcards, and "
                '"NONE" means that there is none.'
            )
    if not texts:
        raise InvalidArgument(f"{word}={value!r} lets nothing through: the list is empty. Leave it out for all.")
    return texts


def pattern_expression(pattern: str, *, folded: bool = False) -> str:
    """Return a pattern of fnmatch(3) as a regular expression of Rust's ``regex``, which polars uses."""
    inner = fnmatch.translate(pattern.replace("[^", "[!"))
    inner = re.sub(r"\(\?>(.*?)\)", r"(?:\1)", inner)  # 3.11 makes atomic groups, which that one does not know
    inner = inner.removeprefix("(?s:").removesuffix(")\\Z").removesuffix(")\\z")
    return rf"(?s{'i' if folded else ''})\A(?:{inner})\z"


def text_is(column: str, wanted: Iterable[str]) -> pl.Expr:
    """Return whether a column is one of some texts or fits one of some patterns."""
    import polars as pl

    return _fits(pl.col(column), list(wanted))


def _fits(column: pl.Expr, wanted: list[str], *, folded: bool = False) -> pl.Expr:
    import polars as pl

    plain = [text for text in wanted if not _WILD.search(text)]
    tests = []
    if folded:
        texts = column.cast(pl.String).str.to_lowercase()
        plain = [text.lower() for text in plain]
    else:
        texts = column
    if len(plain) == 1:
        tests.append((texts == plain[0]).fill_null(value=False))
    elif plain:
        tests.append(texts.is_in(plain).fill_null(value=False))
    tests += [
        column.cast(pl.String).str.contains(pattern_expression(text, folded=folded)).fill_null(value=False)
        for text in wanted
        if _WILD.search(text)
    ]
    if _MISSING & set(plain):
        tests.append(column.is_null())
    return reduce(or_, tests)


def host_is(wanted: list[str]) -> pl.Expr:
    """Return whether a record's host is one of some, in any case of letters; without a dot also with a domain."""
    import polars as pl

    short = [text for text in wanted if "." not in text]
    full = [text for text in wanted if "." in text]
    host = pl.col("host")
    tests = []
    if short:
        tests.append(_fits(host.cast(pl.String).str.split(".").list.first(), short, folded=True))
        tests.append(_fits(host, short, folded=True))
    if full:
        tests.append(_fits(host, full, folded=True))
    return reduce(or_, tests)


def queue_is(wanted: list[str]) -> pl.Expr:
    """Return whether a record's queue instance fits an expression of ``qacct -q``.

    Raises
    ------
    InvalidArgument
        If an expression names a host group: who is in it today says nothing about then.
    """
    import polars as pl

    plain = [text.removesuffix("@").removesuffix("@*") for text in wanted]
    plain = [text for text in plain if "@" not in text]
    tests = [_fits(pl.col("queue"), plain)] if plain else []
    for text in wanted:
        queue, at, host = text.partition("@")
        if host.startswith("@"):
            raise InvalidArgument(
                f"queue={text!r} names the host group {host}, and who was in it then is written nowhere. Name its "
                f'hosts: queue={queue!r}, host=["node1", "node2"].'
            )
        if at and host not in {"", "*"}:
            # As fnmatch(3) of "queue@host", taken apart so that each of the few names is looked at once.
            tests.append(_fits(pl.col("queue"), [queue or "*"]) & _fits(pl.col("host"), [host], folded=True))
    return reduce(or_, tests)


def compared(values: pl.Expr, comparison: str, bound: float) -> pl.Expr:
    """Return whether numbers are as ``>``, ``<``, ``>=``, ``<=``, ``!=`` or ``=`` says; null is not so."""
    told = {
        ">": values > bound,
        "<": values < bound,
        ">=": values >= bound,
        "<=": values <= bound,
        "!=": values != bound,
    }.get(comparison, values == bound)
    return told.fill_null(value=False)


def read_numbers(word: str, value: Any) -> pl.Expr:
    """Return whether the column `word` is a number, one of several, or as a comparison (``">4"``) says.

    Raises
    ------
    InvalidArgument
        If it says no whole number.
    """
    import polars as pl

    column = pl.col(word)
    if isinstance(value, str):
        match = COMPARISON.fullmatch(value.strip())
        if match is not None and re.fullmatch(r"\d{1,9}", match[2], re.ASCII):
            return compared(column, match[1] or "=", int(match[2]))
    else:
        several = list(value) if isinstance(value, Iterable) else [value]
        if several and all(isinstance(one, int) and not isinstance(one, bool) for one in several):
            return column.is_in(several).fill_null(value=False)
    raise InvalidArgument(f'{word}={value!r}: expected a whole number, several in a list, or a comparison: ">4".')
