"""``#$`` lines: options of ``qsub`` that stand in a script (``submit(1)``), taken apart.

How they are read was tried with qsub 8.1.9: only lines that begin with ``#$`` count; ``#`` ends the options, even
within quotes; a backslash is a character like any other; ``-C``, ``-b`` and ``-shell`` have no effect there.
"""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute

__all__ = ["Directive", "read_directives", "read_interpreter"]

#: Options that have no value, and the one that has two; all others have one.
_FLAGS = frozenset(("-V", "-clear", "-cwd", "-h", "-hard", "-notify", "-soft", "-terse"))
_TWO = frozenset(("-pe",))
_WITH_VALUE = frozenset(
    (
        "-A", "-C", "-M", "-N", "-P", "-R", "-S", "-a", "-ac", "-ar", "-b", "-binding", "-c", "-ckpt", "-dc", "-dl",
        "-e", "-hold_jid", "-hold_jid_ad", "-i", "-j", "-js", "-jsv", "-l", "-m", "-masterq", "-now", "-o", "-p",
        "-q", "-r", "-sc", "-shell", "-sync", "-t", "-tc", "-v", "-w", "-wd",
    )
)  # fmt: skip
#: Options that qsub knows and that cannot be in a script, or not in a cell.
_REFUSED = {
    "-@": "options are not read from further files; write them into the cell",
    "-display": "it belongs to interactive jobs",
    "-help": "`%%gcs?` explains all flags",
    "-inherit": "it belongs to interactive jobs",
    "-nostdin": "it belongs to interactive jobs",
    "-noshell": "it belongs to interactive jobs",
    "-ot": "it belongs to qalter",
    "-pty": "it belongs to interactive jobs",
    "-u": "it belongs to qalter",
    "-verbose": "it belongs to interactive jobs",
    "-verify": "to see what would be sent use --explain",
}
_BINDING_INSTANCES = ("env", "pe", "set")


@dataclass(frozen=True)
class Directive:
    """One option of a ``#$`` line; ``line`` is its number in the cell as the user sees it."""

    line: int
    option: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return shlex.join([self.option, *self.values])

    def wrong(self, expected: str) -> InvalidArgument:
        """Return the error that says what was expected instead."""
        return InvalidArgument(f"line {self.line}: #$ {self}: expected {expected}. Nothing was sent.")

    def unsupported(self, why: str) -> UnsupportedAttribute:
        """Return the error that says why it cannot be honoured."""
        return UnsupportedAttribute(f"line {self.line}: #$ {self}: {why}. Nothing was sent.")


def read_directives(source: str) -> list[Directive]:
    """Return the options of the ``#$`` lines of a script, in their order.

    Parameters
    ----------
    source
        The script; its line numbers are those that messages name.

    Raises
    ------
    InvalidArgument
        If a line is not of options and their values.
    UnsupportedAttribute
        If it has an option that cannot be honoured; the message says why.
    """
    found: list[Directive] = []
    for number, line in enumerate(source.split("\n"), 1):
        if line.startswith("#$"):
            found += _of_line(number, line)
    return found


def _of_line(number: int, line: str) -> list[Directive]:
    lexer = shlex.shlex(line[2:].partition("#")[0], posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    try:
        words = list(lexer)
    except ValueError:
        raise InvalidArgument(f"line {number}: {line.strip()}: a quote is not closed. Nothing was sent.") from None
    found = []
    at = 0
    while at < len(words):
        option = words[at]
        if option in _REFUSED:
            raise Directive(number, option).unsupported(_REFUSED[option])
        if option not in _FLAGS | _TWO | _WITH_VALUE:
            raise InvalidArgument(_unknown_text(number, option))
        count = 0 if option in _FLAGS else 2 if option in _TWO else 1
        if option == "-binding" and words[at + 1 : at + 2] and words[at + 1] in _BINDING_INSTANCES:
            count = 2
        values = tuple(words[at + 1 : at + 1 + count])
        if len(values) < count or (count and values[0].startswith("-") and values[0] in _FLAGS | _WITH_VALUE):
            raise Directive(number, option).wrong(f"{'two values' if count > 1 else 'a value'} after {option}")
        found.append(Directive(number, option, values))
        at += 1 + count
    return found


def _unknown_text(number: int, option: str) -> str:
    near = difflib.get_close_matches(option, sorted(_FLAGS | _TWO | _WITH_VALUE), n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near and option.startswith("-") else ""
    what = (
        "is no option of qsub" if option.startswith("-") else "stands where an option of qsub (-l, -N …) is expected"
    )
    return (
        f"line {number}: #$ … {option}: it {what}.{hint} A comment that is no directive begins with a # "
        "and a blank. Nothing was sent."
    )


def read_interpreter(source: str) -> tuple[str, tuple[str, ...]] | None:
    """Return program and argument of a first line ``#!PROGRAM ARGUMENT``; None if there is none.

    What follows the program is one argument, as the kernel takes it (``execve(2)``).
    """
    match = re.match(r"\s*#![ \t]*(\S+)[ \t]*(.*)", source)
    if match is None:
        return None
    argument = match[2].strip()
    return match[1], (argument,) if argument else ()
