"""``%gcs --help``, ``%gcs COMMAND -h`` and ``%%gcs run --help``: what is shown instead of being done."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser

__all__ = ["asked_help", "help_of"]

_FLAGS = frozenset(("-h", "--help"))
_WORDS = frozenset((*_FLAGS, "help", "?"))


def asked_help(line: str, *, in_cell: bool) -> str | None:
    """Return the help that a magic's line asks for; "" for that of all commands, None if it asks for none.

    Parameters
    ----------
    line
        What stands behind ``%gcs`` or ``%%gcs``.
    in_cell
        Whether it is a cell's first line.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if not in_cell and words and words[0] in _WORDS:
        return _help_of_command(words[1]) if len(words) > 1 else ""
    if not _FLAGS.intersection(words):
        return None
    return _help_of_command(words[0] if not in_cell else "run")


def _help_of_command(word: str) -> str | None:
    from gcs_lab.magics.arguments import FlagParser, cell_parser
    from gcs_lab.magics.commands import COMMANDS

    if word in {"run", "submit"}:
        return help_of(cell_parser())
    if word not in COMMANDS:
        return None  # whoever runs it says that there is no such command
    add_flags, method = COMMANDS[word]
    parser = FlagParser(prog=f"%gcs {word}", description=method.__doc__)
    add_flags(parser)
    return help_of(parser)


def help_of(parser: ArgumentParser) -> str:
    """Return the help of a parser whose name begins with a percent sign (argparse doubles it)."""
    return parser.format_help().replace("%%%%", "%%").strip()
