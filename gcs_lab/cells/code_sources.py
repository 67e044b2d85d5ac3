"""The source of the notebook code that travels with a job, so that tracebacks can show its lines anywhere."""

from __future__ import annotations

import linecache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["sources_of"]

_MOST = 200


def sources_of(values: Iterable[Any], display_name: Callable[[str], str | None]) -> dict[str, list[str]]:
    """Return ``{file name: [display name, source]}`` of the cells that define the functions and classes in `values`.

    Functions that these call are followed through the notebook's namespace, as cloudpickle does.

    Parameters
    ----------
    values
        What travels.
    display_name
        What a cell's file name is called in tracebacks (``Cell In[3]``); None if it is no cell's.
    """
    sources: dict[str, list[str]] = {}
    for function in _functions(values):
        filename = function.__code__.co_filename
        shown = None if filename in sources else display_name(filename)
        if shown is not None and (lines := linecache.getlines(filename)):
            sources[filename] = [shown, "".join(lines)]
    return sources


def _functions(values: Iterable[Any]) -> Iterator[FunctionType]:
    """Yield the notebook's functions among `values` and in what they refer to, each once, up to a bound."""
    left, seen = list(values), set[int]()
    while left and len(seen) < _MOST:
        value = left.pop()
        if id(value) in seen or getattr(value, "__module__", None) != "__main__":
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield value
            left += [value.__globals__[name] for name in _names(value.__code__) if name in value.__globals__]
        elif isinstance(value, type):
            left += vars(value).values()
        else:
            left.append(type(value))


def _names(code: CodeType) -> set[str]:
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return set(code.co_names).union(*map(_names, inner))
