"""Choosing records by what they asked for (``-l`` in their category)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.derived import memory_request, request, time_request
from gcs_lab.accounting.text_choice import COMPARISON, compared, pattern_expression
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    import polars as pl

__all__ = ["is_time", "requests_are"]

_NAME = re.compile(r"[A-Za-z_][\w.\-]*", re.ASCII)
_PART = re.compile(r"\s*([A-Za-z_][\w.\-]*)\s*((?:>=|<=|!=|==|=|>|<)?.*)\Z", re.ASCII | re.DOTALL)
_EXAMPLE = 'requests={"h_vmem": ">4G", "gpu": None} or requests="h_vmem>4G,gpu"'


def is_time(name: str) -> bool:
    """Tell whether a complex of that name is a time: ``h_rt``, ``s_cpu``."""
    return name.endswith(("_rt", "_cpu"))


def requests_are(wanted: Mapping[str, Any] | str) -> list[pl.Expr]:
    """Return what must be true of the requests, one expression a complex.

    Raises
    ------
    InvalidArgument
        If a part of it says nothing.
    """
    if isinstance(wanted, str):
        pairs = []
        for part in wanted.split(","):
            match = _PART.match(part)
            if match is None:
                raise InvalidArgument(f"requests={wanted!r}: {part!r} is no request. Expected {_EXAMPLE}.")
            pairs.append((match[1], match[2].strip() or None))
    elif isinstance(wanted, Mapping):
        pairs = list(wanted.items())
    else:
        raise InvalidArgument(f"requests={wanted!r}: expected {_EXAMPLE}.")
    return [_is(name, value) for name, value in pairs]


def _is(name: Any, value: Any) -> pl.Expr:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgument(f"requests: {name!r} is no name of a complex. Expected {_EXAMPLE}.")
    if value is None:
        return request(name).is_not_null()
    if isinstance(value, bool):
        told = request(name).str.to_uppercase()
        return (told.is_in(["TRUE", "1"]) if value else told.is_in(["FALSE", "0"])).fill_null(value=False)
    match = COMPARISON.fullmatch(str(value).strip())
    comparison, text = (match[1] or "=", match[2].strip()) if match else ("=", str(value))
    if not text:
        raise InvalidArgument(f"requests: {name}{value!r} compares with nothing. Expected {_EXAMPLE}.")
    bound = _bound(name, text)
    if comparison not in {"=", "==", "!="}:
        if bound is None:
            raise InvalidArgument(
                f"requests: {text!r} is no amount, and {name} is compared by {comparison}. Expected a number, memory "
                "(4G, 500M) or a time (3600, 1:00:00)."
            )
        return compared(_amount(name), comparison, bound)
    # Other than 4G is also what was written 4096M not.
    equal = request(name).str.contains(pattern_expression(text)).fill_null(value=False)
    if bound is not None:
        equal |= compared(_amount(name), "=", bound)
    return request(name).is_not_null() & ~equal if comparison == "!=" else equal


def _amount(name: str) -> pl.Expr:
    return time_request(name) if is_time(name) else memory_request(name)


def _bound(name: str, text: str) -> float | None:
    try:
        return parse_time(text) if is_time(name) else parse_memory(text)
    except InvalidArgument:
        return None
