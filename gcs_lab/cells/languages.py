"""The languages that a cell can be written in: which program runs them, and what their files are called."""

from __future__ import annotations

import difflib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from gcs_lab.errors import InvalidArgument

__all__ = ["LANGUAGES", "Language", "find_language", "with_interpreter"]


@dataclass(frozen=True)
class Language:
    """A language.

    ``program`` is a path, or a name that is looked up where the job runs; ``arguments`` stand between it and the
    script's file; ``suffix`` is that of the file; ``is_shell`` says that ``$name`` is a variable there.
    """

    name: str
    program: str
    suffix: str = ""
    arguments: tuple[str, ...] = ()
    is_shell: bool = False


def _table() -> dict[str, Language]:
    shells = [Language(name, name, ".sh", is_shell=True) for name in ("bash", "sh", "dash", "ksh", "zsh")]
    shells += [Language(name, name, f".{name}", is_shell=True) for name in ("csh", "tcsh")]
    others = [
        Language("R", "Rscript", ".R"),
        Language("julia", "julia", ".jl"),
        Language("ruby", "ruby", ".rb"),
        Language("perl", "perl", ".pl"),
        Language("python", "python3", ".py"),
        Language("awk", "awk", ".awk", ("-f",)),
        Language("lua", "lua", ".lua"),
        Language("octave", "octave", ".m"),
        Language("tcl", "tclsh", ".tcl"),
        Language("node", "node", ".js"),
    ]
    return {language.name.lower(): language for language in (*shells, *others)}


#: By their names in small letters.
LANGUAGES = _table()


def find_language(word: str, *, elsewhere: bool = False) -> Language:
    """Return the language that ``--lang`` names: one of the table, or any program by its name or path.

    Parameters
    ----------
    word
        What the user wrote.
    elsewhere
        Whether an environment is made first where the job runs (``--conda``, ``--module``): then a program is looked
        for there, and not here.

    Raises
    ------
    InvalidArgument
        If there is no such program here.
    """
    language = LANGUAGES.get(word.lower()) or _of_program(word)
    if elsewhere and os.sep not in language.program:
        return language
    found = shutil.which(str(Path(language.program).expanduser()))
    if found is None:
        raise InvalidArgument(_no_program_text(word, language))
    return replace(language, program=str(Path(found).absolute()))


def with_interpreter(language: Language, program: str, arguments: tuple[str, ...] = ()) -> Language:
    """Return the language with the interpreter that the script itself names (``#$ -S PATH``, ``#!PATH``).

    It need not be here: the script is written for the job's hosts.
    """
    # `#!/usr/bin/env bash` and `#!/usr/bin/env -S python3 -u` name the program as an argument.
    named = next((word for text in arguments for word in text.split() if not word.startswith("-")), program)
    own = _of_program(named if Path(program).name == "env" else program)
    known = own if own.suffix else replace(own, suffix=language.suffix)
    return replace(known, program=program, arguments=arguments or known.arguments)


def _of_program(word: str) -> Language:
    """Return the language of a program, by its file name: ``/opt/R/bin/Rscript`` is R, ``python3.11`` Python."""
    name = Path(word).name
    stem = name.rstrip("0123456789.-") or name
    for language in LANGUAGES.values():
        if stem in (language.program, language.program.rstrip("0123456789"), language.name):
            return replace(language, program=word)
    return Language(name, word)


def _no_program_text(word: str, language: Language) -> str:
    if word.lower() in LANGUAGES:
        there = sorted(other.name for other in LANGUAGES.values() if shutil.which(other.program))
        return (
            f"--lang {word}: there is no program {language.program} here. Install {language.name}, give the path of "
            f"its program (--lang /path/to/{language.program}), or name the environment that has it (--conda, "
            f"--module). Languages that can be run here: {', '.join(there)}. Nothing was sent."
        )
    names = {other.name.lower(): other.name for other in LANGUAGES.values()}
    near = [names[name] for name in difflib.get_close_matches(word.lower(), names, n=2)]
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(names.values())}."
    return (
        f"--lang {word}: there is no such language, and no such program here. {hint} Any program that takes a script "
        "as its argument will do, by its path. Nothing was sent."
    )
