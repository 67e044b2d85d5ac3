"""Tab in ``%gcs`` and ``%%gcs`` lines: the matcher that IPython asks (matcher API v2)."""

from __future__ import annotations

import asyncio
import importlib
import threading
from typing import TYPE_CHECKING

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from gcs_lab.magics.completion_line import TypedLine, find_line, with_lines_before
from gcs_lab.magics.completion_words import Answer, Word, brief, fitting, written

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.magics.completion_answers import Answers
    from gcs_lab.magics.gcs_magics import GcsMagics

__all__ = ["Completion"]

_IDENTIFIER = "gcs_lab"
#: Packages that import modules of their own. While one thread loads such a package, another that loads one of those
#: modules fails (``_DeadlockError``): they are there as a whole before a thread loads anything in a first cell's way.
_LOADED_FIRST = ("gcs_lab.vocabulary", "gcs_lab.jobs", "gcs_lab.status", "gcs_lab.cells.runner", "gcs_lab.models")


class _Nothing(list[SimpleCompletion]):
    """No completions, on purpose: IPython lets a matcher silence the others only if its answer has a length."""

    def __len__(self) -> int:
        return 1


class Completion:
    """Completes the lines of one shell's magics.

    Parameters
    ----------
    shell
        The running shell.
    magics
        They know the session and the cluster.
    """

    def __init__(self, shell: InteractiveShell, magics: GcsMagics) -> None:
        self._shell, self._magics = shell, magics
        self._answers: Answers | None = None
        self._parsers: dict[str, argparse.ArgumentParser] = {}

    @context_matcher(priority=100, identifier=_IDENTIFIER)  # type: ignore[untyped-decorator]
    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Answer IPython: our words on our lines, where they silence all other matchers; else none."""
        lines = context.full_text.split("\n")
        line = find_line(*with_lines_before(lines[: context.cursor_line], context.text_until_cursor))
        if line is None:
            return {"completions": []}
        below = "\n".join(lines[context.cursor_line + 1 :]) if line.cell else ""
        answer = Answer(0) if line.closed else self.answer(line, below)
        words = [SimpleCompletion(text, type=note or "name") for text, note in written(answer.words, line.quote)]
        return {
            "completions": words or _Nothing(),
            "matched_fragment": line.typed(answer.begin),
            "suppress": True,
            "ordered": True,
        }

    def answer(self, line: TypedLine, below: str) -> Answer:
        """Return the words that fit at the end of `line`; `below` is the rest of the cell."""
        if not line.words:
            return Answer(0, fitting(self._verbs(cell=line.cell), line.word))
        parser = self._parser(line.words[0], cell=line.cell)
        if parser is None:
            return Answer(0)
        # The cell's parser takes the verb as its first argument, a command's does not.
        words = line.words if line.cell else line.words[1:]
        cell = str(self._shell.transform_cell(below)) if below.strip() else ""  # type: ignore[no-untyped-call]
        return self._ready().at(line, parser, words, cell)

    def _ready(self) -> Answers:
        if self._answers is None:
            from gcs_lab.magics.completion_answers import Answers

            self._answers = Answers(self._shell, self._magics)
        return self._answers

    def _verbs(self, *, cell: bool) -> list[Word]:
        if cell:
            return [Word("run", "run the cell as a job and wait"), Word("submit", "submit the cell and go on")]
        from gcs_lab.magics.commands import COMMANDS

        return [
            Word(name, brief((method.__doc__ or "").split("\n", 1)[0]))
            for name, (_, method) in sorted(COMMANDS.items())
        ]

    def _parser(self, word: str, *, cell: bool) -> argparse.ArgumentParser | None:
        key = "%%" if cell else word
        if key in self._parsers:
            return self._parsers[key]
        from gcs_lab.magics.arguments import FlagParser, cell_parser

        parser = cell_parser() if cell else FlagParser(prog=f"%gcs {word}")
        if not cell:
            from gcs_lab.magics.commands import COMMANDS

            if word not in COMMANDS:
                return None
            COMMANDS[word][0](parser)
        self._parsers[key] = parser
        return parser

    # -- in and out ----------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Have the shell's completer ask :meth:`match`; one that was registered before is replaced."""
        self.unregister(self._shell)
        self._shell.Completer.custom_matchers.append(self.match)
        try:
            # As soon as the kernel has answered, so that `%load_ext` need not wait for it.
            asyncio.get_running_loop().call_soon(self._prepare)
        except RuntimeError:
            # A shell in a terminal has no loop that runs now.
            self._prepare()

    def _prepare(self) -> None:
        for package in _LOADED_FIRST:
            importlib.import_module(package)
        # What the first Tab would wait for is loaded meanwhile.
        threading.Thread(target=self._warm_up, name="gcs-lab completion", daemon=True).start()

    def _warm_up(self) -> None:
        self._parser("", cell=True)
        self._ready().warm_up()
        self._verbs(cell=False)

    @staticmethod
    def unregister(shell: InteractiveShell) -> None:
        """Have the shell's completer forget it."""
        matchers = shell.Completer.custom_matchers
        matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _IDENTIFIER]
