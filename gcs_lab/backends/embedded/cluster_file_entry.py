"""One table of ``cluster.toml``: values by kind, and messages that name the place."""

from __future__ import annotations

import re
from typing import Any

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory, parse_time

__all__ = ["COMPLEX_NAME", "Entry", "distinct"]

_NAME = re.compile(r"[A-Za-z0-9_][\w.\-]*\Z", re.ASCII)
COMPLEX_NAME = re.compile(r"[A-Za-z_][\w.\-]*\Z", re.ASCII)


class Entry:
    """One table of the file, with its place in it for messages. All methods raise InvalidArgument.

    Parameters
    ----------
    where
        Its place, in words.
    table
        What stands there.
    """

    def __init__(self, where: str, table: Any) -> None:
        if not isinstance(table, dict):
            raise InvalidArgument(f"{where} is {table!r}; expected a table of keys and values.")
        self.where, self.table = where, table

    def only(self, known: set[str]) -> None:
        """Refuse keys that are not `known`."""
        for key in self.table.keys() - known:
            raise InvalidArgument(f"{self.where} has an unknown key {key!r}; known are {', '.join(sorted(known))}.")

    def tables(self, key: str, *, needed: bool = True) -> list[Entry]:
        """Return the tables ``[[key]]``; if they are `needed` there is at least one."""
        if not needed and key not in self.table:
            return []
        found = self.table.get(key)
        if not isinstance(found, list) or (needed and not found):
            raise InvalidArgument(f"{key!r} is missing or empty; expected at least one [[{key}]].")
        return [Entry(f"[[{key}]] number {number}", table) for number, table in enumerate(found, 1)]

    def part(self, key: str) -> Entry:
        """Return the table at `key`; an empty one if it is not there."""
        return Entry(f"{self.where}: {key}", self.table.get(key, {}))

    def name(self) -> str:
        """Return its name; messages have it from now on."""
        name = self.table.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            raise InvalidArgument(f"{self.where}: name is {name!r}; expected letters, digits, '_', '.' and '-'.")
        self.where = f"{self.where} ({name})"
        return name

    def text(self, key: str, default: str) -> str:
        """Return a text that is not empty, in one line."""
        value = self.table.get(key, default)
        if not isinstance(value, str) or not value or not value.isprintable():
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a text in one line.")
        return value

    def one_of(self, key: str, default: str | None, known: tuple[str, ...]) -> str:
        """Return one of the `known` words."""
        value = self.table.get(key, default)
        if value not in known:
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected {', '.join(known)}.")
        return str(value)

    def truth(self, key: str) -> bool:
        """Return true or false; false if it is not there."""
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected true or false.")
        return value

    def count(self, key: str, default: int | None = None, least: int = 1) -> int:
        """Return a whole number of `least` or more."""
        value = self.table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a whole number of {least} or more.")
        return value

    def optional_count(self, key: str) -> int | None:
        """Return a whole number of 1 or more, None if there is none."""
        return self.count(key) if key in self.table else None

    def number(self, key: str, default: float) -> float:
        """Return a number above 0."""
        value = self.table.get(key, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a number above 0.")
        return float(value)

    def quantity(self, key: str, *, memory: bool) -> float:
        """Return bytes or seconds."""
        text = self.written(key)
        try:
            return parse_memory(text) if memory else parse_time(text)
        except InvalidArgument as error:
            raise InvalidArgument(f"{self.where}: {key}: {error}") from None

    def written(self, key: str) -> str:
        """Return a number, truth value or text as the text that a job would ask for."""
        value = self.table[key]
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if not isinstance(value, (str, int, float)) or (isinstance(value, str) and not value):
            raise InvalidArgument(f"{self.where}: {key} is {value!r}; expected a number or a text.")
        return str(value)


def distinct(kind: str, names: list[str]) -> list[str]:
    """Return `names`, which are those of one kind of thing. Raises InvalidArgument if two are the same."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            several = f"{kind}es" if kind.endswith("x") else f"{kind}s"
            raise InvalidArgument(f"there are two {several} called {name!r}; every {kind} has a name of its own.")
        seen.add(name)
    return names
