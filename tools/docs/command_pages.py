"""The pages of the ``gcs-lab`` command and of the magics' flags, made from their argument parsers."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command_line_page", "magics_page"]

_NONE = {None, "", argparse.SUPPRESS}


def command_line_page() -> str:
    """Return the page of ``gcs-lab``: each verb with its help, in markdown."""
    from gcs_lab import cli

    parser = cli._parser()  # noqa: SLF001  (the page is about it)
    lines = ["# The `gcs-lab` command", "", "Made from the command itself: what `gcs-lab VERB --help` says.", ""]
    seen: set[str] = set()
    for command in _commands(parser):
        shown = command
        if command.prog.endswith(" submit-notebook"):  # its flags are those of the magic, read when it is called
            shown = cli._notebook_parser()  # noqa: SLF001
        if shown.prog not in seen:
            seen.add(shown.prog)
            lines += _section(shown, f"## `{shown.prog}`", description=shown.description)
    return "\n".join(lines)


def magics_page() -> str:
    """Return the page of ``%%gcs`` and of each ``%gcs`` command, in markdown."""
    from gcs_lab.magics.arguments import FlagParser, cell_parser
    from gcs_lab.magics.commands import COMMANDS

    lines = ["# Flags of the magics", ""]
    lines += [
        "Made from the magics themselves: what `%%gcs?` and `%gcs COMMAND --help` say. How they are used is told",
        "",
    ]
    lines[-2] += " in [magics](../magics.md)."
    lines += _section(cell_parser(), "## `%%gcs run` and `%%gcs submit`")
    for word, (add_flags, method) in sorted(COMMANDS.items()):
        parser = FlagParser(prog=f"%gcs {word}", description=method.__doc__)
        add_flags(parser)
        lines += _section(parser, f"## `%gcs {word}`", description=parser.description)
    return "\n".join(lines)


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers that do something: the leaves of the tree of verbs."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    if not below:
        yield parser
    for action in below:
        for child in action.choices.values():
            yield from _commands(child)


def _section(parser: argparse.ArgumentParser, title: str, description: str | None = None) -> list[str]:
    lines = [title, ""]
    if description:
        lines += [_words(description), ""]
    lines += ["```text", _usage(parser), "```", ""]
    for group in parser._action_groups:  # noqa: SLF001
        rows = [_row(action) for action in group._group_actions if _is_shown(action)]  # noqa: SLF001
        if rows:
            named = group.title not in {None, "options", "positional arguments"}
            lines += [f"| {group.title if named else ''} | |", "|---|---|", *rows, ""]
    return lines


def _usage(parser: argparse.ArgumentParser) -> str:
    return parser.format_usage().removeprefix("usage: ").replace("%%%%", "%%").strip()


def _is_shown(action: argparse.Action) -> bool:
    return action.help != argparse.SUPPRESS and not isinstance(
        action,
        argparse._HelpAction | argparse._SubParsersAction,  # noqa: SLF001
    )


def _row(action: argparse.Action) -> str:
    if action.option_strings:
        metavar = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
        if action.choices is not None and not action.metavar:
            metavar = "{" + ",".join(map(str, action.choices)) + "}"
        value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
        name = ", ".join(f"{flag} {value}".strip() for flag in action.option_strings)
    else:
        name = str(action.metavar or action.dest)
    return f"| {_code(name)} | {_cell(_help(action))} |"


def _help(action: argparse.Action) -> str:
    if action.help in _NONE:
        return ""
    values = vars(action) | {"prog": "gcs-lab"}
    return str(action.help) % values


def _code(text: str) -> str:
    marks = "``" if "`" in text else "`"
    return f"{marks}{text}{marks}".replace("|", "\\|")


def _cell(text: str) -> str:
    return _words(text).replace("|", "\\|").replace("\n", " ")


def _words(text: str) -> str:
    """Return help as markdown: what docstrings mark as code is code, the rest is plain text."""
    text = re.sub(r"``([^`]+)``", r"`\1`", " ".join(text.split()))
    parts = text.split("`")
    return "`".join(part if at % 2 else re.sub(r"([\[\]<>*_])", r"\\\1", part) for at, part in enumerate(parts))
