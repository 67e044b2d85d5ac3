"""What fits where in a line of ``%gcs``: for each flag and argument, the words to offer."""

from __future__ import annotations

import builtins
import itertools
import logging
import os
import re
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_source import read_cell
from gcs_lab.cells.conda import conda_environments
from gcs_lab.cells.languages import LANGUAGES
from gcs_lab.errors import GcsError
from gcs_lab.magics import completion_names as names
from gcs_lab.magics.completion_catalogue import CatalogueCache
from gcs_lab.magics.completion_line import Asked, TypedLine, asked_at_cursor
from gcs_lab.magics.completion_words import Answer, Word, brief, fitting, list_answer
from gcs_lab.magics.stale_value import StaleValue

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.jobs.protocol import Catalogue
    from gcs_lab.magics.gcs_magics import GcsMagics

__all__ = ["Answers"]

_log = logging.getLogger(__name__)
_TIMES = ("0:10:00", "1:00:00", "4:00:00", "12:00:00", "24:00:00", "72:00:00")
_SIZES = ("500M", "1G", "2G", "4G", "8G", "16G", "32G", "64G")
_SLOTS = ("2", "4", "8", "16", "32", "64", "2-8")
_AGES = ("30m", "12h", "1d", "7d", "30d")
_EXAMPLES = {"TIME": _TIMES, "MEMORY": _SIZES, "BOOL": ("TRUE", "FALSE"), "INT": ("1", "2", "4")}
_RECENT_JOBS = 200


@dataclass(frozen=True)
class _Value:
    """A value that is being typed: its text up to the cursor, and where in the word it begins."""

    text: str
    asked: Asked
    cell: str
    catalogue: Callable[[], Catalogue]

    @property
    def begin(self) -> int:
        return self.asked.begin


class Answers:
    """Answers a Tab.

    Parameters
    ----------
    shell
        The running shell.
    magics
        They know the session and the cluster.
    """

    def __init__(self, shell: InteractiveShell, magics: GcsMagics) -> None:
        self._shell, self._magics = shell, magics
        self._clusters = CatalogueCache(lambda: magics.connected, lambda: magics.cluster)
        self._conda = StaleValue(conda_environments)
        self._modules = StaleValue(names.module_names)
        #: By the name under which argparse keeps the value.
        self._sources: dict[str, Callable[[_Value], Answer]] = {
            "queue": self._queues,
            "requests": self._requests,
            "pe": self._parallel_environments,
            "project": lambda value: self._any(value, _named("project", value.catalogue().projects)),
            "inputs": lambda value: list_answer(self._variables(), value.text, value.begin),
            "outputs": self._outputs,
            "over": self._over,
            "after": lambda value: list_answer(self._upstream(), value.text, value.begin),
            "after_each": lambda value: self._any(value, self._upstream()),
            "job": lambda value: self._any(value, self._jobs()),
            "jobs": lambda value: self._any(value, self._jobs()),
            "cluster": lambda value: self._any(value, [Word(*pair) for pair in self._clusters.clusters()]),
            "cwd": lambda value: names.paths(value.text, value.begin, fits=names.no_file),
            "path": lambda value: names.paths(value.text, value.begin, fits=names.notebook_file),
            **dict.fromkeys(("files", "cache_files", "output"), lambda value: names.paths(value.text, value.begin)),
            "python": self._pythons,
            "conda": lambda value: self._any(value, (Word(name, where[0]) for name, where in self._environments())),
            "modules": lambda value: self._any(value, _named("module", self._modules.get(0.05) or ())),
            "lang": lambda value: self._any(
                value, _named("language", (language.name for language in LANGUAGES.values()))
            ),
            "environment": self._environment,
            "timeout": lambda value: self._any(value, _named("time", _TIMES)),
            "older": lambda value: self._any(value, _named("age", _AGES)),
        }

    def warm_up(self) -> None:
        """Load the names that an earlier notebook noted; only where there are none, ask the cluster for them."""
        self._clusters.warm_up()

    def at(self, line: TypedLine, parser: argparse.ArgumentParser, words: tuple[str, ...], cell: str) -> Answer:
        """Return what fits at the cursor.

        Parameters
        ----------
        line
            The line.
        parser
            Knows the flags.
        words
            The words before the cursor that are the parser's.
        cell
            The cell below the line, as Python.
        """
        asked = asked_at_cursor(parser, words, line.word)
        cluster = next((after for word, after in itertools.pairwise(words) if word == "--on"), None)
        value = _Value(line.word[asked.begin :], asked, cell, lambda: self._clusters.catalogue(cluster))
        answer = self._value(value)
        if not asked.flags_fit or (answer.words and line.word):
            return answer
        return Answer(answer.begin, (*answer.words, *fitting(_flags(parser, asked.given), line.word)))

    def _value(self, value: _Value) -> Answer:
        action = value.asked.action
        if action is None:
            return Answer(value.begin)
        if action.choices is not None:
            return self._any(value, (Word(str(choice)) for choice in action.choices))
        source = self._sources.get(action.dest)
        try:
            return source(value) if source else Answer(value.begin)
        except (GcsError, OSError, sqlite3.Error) as error:
            # A Tab is no place for an error; the submission tells it.
            _log.debug("completion of %s: %r", action.dest, error)
            return Answer(value.begin)

    @staticmethod
    def _any(value: _Value, words: Iterable[Word]) -> Answer:
        return Answer(value.begin, fitting(words, value.text))

    # -- the cluster's names -------------------------------------------------------------------------------------

    def _queues(self, value: _Value) -> Answer:
        there = value.catalogue()
        before, at, host = value.text.rpartition("@")
        if at and "," not in host:
            return Answer(value.begin + len(before) + 1, fitting(_named("host", there.hosts), host))
        return list_answer(_named("queue", there.queues), value.text, value.begin)

    def _requests(self, value: _Value) -> Answer:
        there = value.catalogue()
        before, comma, last = value.text.rpartition(",")
        begin = value.begin + len(before) + len(comma)
        name, equals, text = last.partition("=")
        if not equals:
            asked = {part.partition("=")[0] for part in before.split(",")}
            words = [
                Word(f"{c.name}=", c.type, (c.shortcut,))
                for c in there.complexes
                if c.requestable and not {c.name, c.shortcut} & asked
            ]
            return Answer(begin, fitting(sorted(words, key=lambda word: word.text), last))
        begin += len(name) + 1
        known = there.by_name.get(name)
        if known is None:
            return Answer(begin)
        if known.name == "qname":
            return Answer(begin, fitting(_named("queue", there.queues), text))
        if known.type == "HOST":
            return Answer(begin, fitting(_named("host", there.hosts), text))
        return Answer(begin, fitting((Word(one, known.type) for one in _EXAMPLES.get(known.type, ())), text))

    def _parallel_environments(self, value: _Value) -> Answer:
        there = value.catalogue()
        if value.asked.value_number == 0:
            kind, slots = "parallel environment", there.pe_slots
            return self._any(
                value,
                [
                    Word(pe, f"{kind}, {slots[pe]} slots" if pe in slots else kind)
                    for pe in there.parallel_environments
                ],
            )
        most = there.pe_slots.get(value.asked.values[0], 1 << 30)
        return self._any(value, (Word(one, "slots") for one in _SLOTS if int(one.rpartition("-")[2]) <= most))

    # -- the notebook's names ------------------------------------------------------------------------------------

    def _variables(self) -> list[Word]:
        return names.variables(self._shell.user_ns, self._shell.user_ns_hidden)

    def _outputs(self, value: _Value) -> Answer:
        assigned = names.assigned_names(value.cell)
        there = {word.text for word in assigned}
        return list_answer(
            [*assigned, *(w for w in self._variables() if w.text not in there)], value.text, value.begin
        )

    def _over(self, value: _Value) -> Answer:
        name, equals, expression = value.text.partition("=")
        if not equals:
            variables = self._variables()
            missing = [Word(f"{one}=", "read by the cell") for one in self._undefined(value.cell)]
            tables = [word for word in variables if word.note in {"DataFrame", "list"}]
            return self._any(value, [*missing, *tables, *(Word(f"{w.text}=", w.note) for w in variables)])
        last = re.search(r"(?:[^\W\d]\w*)?\Z", expression)
        typed = last[0] if last else ""
        begin = value.begin + len(name) + 1 + len(expression) - len(typed)
        return Answer(begin, fitting([*self._variables(), Word("range(", "function")], typed))

    def _undefined(self, cell: str) -> list[str]:
        try:
            needs = read_cell(cell).needs
        except (SyntaxError, ValueError):
            return []
        return [name for name in needs if name not in self._shell.user_ns and not hasattr(builtins, name)]

    def _jobs(self) -> list[Word]:
        return names.job_words(self._entries())

    def _upstream(self) -> list[Word]:
        connected = self._magics.connected
        entries = [entry for entry in self._entries() if connected is None or entry.cluster == connected.name]
        return [*names.upstream_variables(self._shell.user_ns), *names.job_words(entries)]

    def _entries(self) -> list[JournalEntry]:
        return self._magics.session.journal.recent(_RECENT_JOBS)

    # -- this machine's names ------------------------------------------------------------------------------------

    def _pythons(self, value: _Value) -> Answer:
        if value.text.startswith(("/", ".", "~")):
            return names.paths(value.text, value.begin, fits=lambda entry: os.access(entry.path, os.X_OK))
        return self._any(value, names.pythons())

    def _environments(self) -> list[tuple[str, list[str]]]:
        known = self._conda.get(0.05)
        return sorted((conda_environments(ask=False) if known is None else known).items())

    def _environment(self, value: _Value) -> Answer:
        if "=" in value.text:
            return Answer(value.begin)
        return self._any(value, _named("variable", sorted(os.environ)))


def _named(kind: str, found: Iterable[str]) -> list[Word]:
    return [Word(name, kind) for name in found]


def _flags(parser: argparse.ArgumentParser, given: frozenset[str]) -> list[Word]:
    """Return the parser's flags with their help; those that were given and count but once are left out."""
    found = []
    for action in parser._actions:  # noqa: SLF001
        again = isinstance(action.default, list)
        if action.help == "==SUPPRESS==" or (given & set(action.option_strings) and not again):
            continue
        note = brief(action.help or "")
        found += [Word(option, note) for option in action.option_strings]
    return found
