"""Grid Engine's patterns for names (``sge_types(1)``)."""

from __future__ import annotations

from fnmatch import fnmatchcase

__all__ = ["WILD", "matches"]

#: Characters by which a pattern is known.
WILD = frozenset("*?[|!")


def matches(pattern: str, name: str) -> bool:
    """Tell whether `name` matches a pattern of Grid Engine: ``|`` between alternatives, ``*?[]``, ``!`` negates."""
    if pattern.startswith("!"):
        return not matches(pattern[1:], name)
    return any(fnmatchcase(name, part) for part in pattern.split("|"))
