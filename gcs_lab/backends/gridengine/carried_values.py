"""What reaches a job unchanged by way of Grid Engine's clients, and what is refused because it would not.

What gets lost on the way was found by trying it on 8.1.9: an argument ends at its first newline and after 99,990
bytes; an environment entry after 9,999 bytes (newline and backslash count twice); ``-v`` splits values at commas,
unless only the names are given and the values stand in the submitting program's own environment. Paths of ``-i``,
``-o``, ``-e`` and ``-wd`` expand ``$HOME``, ``$TASK_ID`` and their like where the job runs; but a relative path is
put behind the working directory as it was written, not as it was expanded.
"""

from __future__ import annotations

import re
from pathlib import Path

from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import HOME_DIRECTORY, PARAMETRIC_INDEX, WORKING_DIRECTORY

__all__ = [
    "bad_characters",
    "carried_command",
    "carried_environment",
    "carried_name",
    "carried_path",
    "carried_text",
    "carried_working_directory",
]

_ARGUMENT_BYTES = 99_000
#: A quarter of the usual stack limit of 8 MiB is what Linux takes of arguments and environment (execve(2)); each
#: argument also costs a pointer. The job's own environment needs some of it.
_ALL_ARGUMENTS_BYTES = 1_900_000
_POINTER_BYTES = 9
_ENVIRONMENT_BYTES = 9_999
_NAME_LENGTH = 512
_FORBIDDEN_IN_NAME = set('/:@\\*?"')
_KEYWORDS = {"NONE", "ALL", "TEMPLATE"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_PSEUDO = re.compile(r"\$(HOME|USER|JOB_ID|JOB_NAME|HOSTNAME|TASK_ID)")
#: Variables that would change the submitting program itself if they stood in its environment.
_TRANSPORT = ("SGE_", "LD_", "GLIBC_", "DRMAA_", "MALLOC_", "PYTHON")


def carried_text(what: str, value: str, *, newline: bool = False) -> str:
    """Return `value` if it can be carried at all; `newline` allows line breaks."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"{what} {value!r} is not valid Unicode; Grid Engine carries UTF-8 text only."
        ) from None
    if "\0" in value or (not newline and ("\n" in value or "\r" in value)):
        raise InvalidArgument(f"{what} {value!r} has a line break or a NUL in it, which Grid Engine does not carry.")
    return value


def carried_command(command: str, args: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return command and arguments such that they arrive as they are; arguments may have line breaks."""
    for value in args:
        _check_size("an argument", carried_text("the argument", value, newline=True))
    words = [carried_text("the command", command), *args]
    size = sum(len(word.encode()) + _POINTER_BYTES for word in words)
    if size > _ALL_ARGUMENTS_BYTES:
        raise InvalidArgument(
            f"the command has {len(args)} arguments of {size} bytes in all (files to stage count), more than the "
            f"{_ALL_ARGUMENTS_BYTES} with which a program can be started. Write them into a file, or stage a folder."
        )
    if not any("\n" in word for word in args):
        return words[0], tuple(args)
    # env(1) of GNU and BSD splits one word into many, with escapes for what Grid Engine would cut.
    line = " ".join(_env_word(word) for word in words)
    _check_size("a command with line breaks in its arguments travels as one argument, which", line)
    return "/usr/bin/env", ("-S", line)


def _check_size(what: str, value: str) -> None:
    size = len(value.encode())
    if size > _ARGUMENT_BYTES:
        raise InvalidArgument(
            f"{what} has {size} bytes; Grid Engine cuts it at {_ARGUMENT_BYTES} without a word. Write it into a file "
            "and pass the file's path."
        )


def _env_word(word: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
    return '"' + "".join(escapes.get(char, char) for char in word) + '"'


def carried_environment(given: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that go by name (their values in the submitter's environment) and those by value."""
    environment, inline = {}, {}
    for name, value in given.items():
        if not _VARIABLE.match(name):
            raise InvalidArgument(
                f"{name!r} cannot be a variable's name in a job; use letters, digits and '_', not a digit first."
            )
        carried_text(f"the value of {name}", value, newline=True)
        size = len(name) + 1 + len(value.encode()) + value.count("\n") + value.count("\\")
        if size > _ENVIRONMENT_BYTES:
            raise InvalidArgument(
                f"the variable {name} has {size} bytes; Grid Engine cuts it at {_ENVIRONMENT_BYTES} without a word. "
                "Write it into a file and pass the file's path."
            )
        if not name.startswith(_TRANSPORT):
            environment[name] = value
        elif any(c in value for c in ",\n\r"):
            raise InvalidArgument(
                f"the value of {name} has a comma or a line break, which qsub -v cannot carry for a variable that "
                "would change qsub itself. Set it in the job's own code."
            )
        else:
            inline[name] = value
    return environment, inline


def bad_characters(name: str) -> list[str]:
    """Return the characters in `name` that Grid Engine's names may not have (sge_types(1), ``name``)."""
    return sorted({c for c in name if c in _FORBIDDEN_IN_NAME or not c.isascii() or not c.isprintable() or c == " "})


def carried_name(what: str, name: str) -> str:
    """Return the name of a job or a reservation, if Grid Engine takes it."""
    bad = bad_characters(name)
    if not name or bad or name[0].isdigit() or len(name) > _NAME_LENGTH or name.upper() in _KEYWORDS:
        why = f"; it has {' '.join(map(repr, bad))}" if bad else ""
        raise InvalidArgument(
            f"Grid Engine does not take {name!r} as a {what}'s name{why}. A name has up to {_NAME_LENGTH} ASCII "
            'letters, digits and signs other than / : @ \\ * ? ", no white space, does not begin with a digit, and '
            "is not NONE, ALL or TEMPLATE."
        )
    return name


def _expanded(path: str) -> str:
    """Return `path` with Grid Engine's own words for the placeholders at its beginning and for the task's index."""
    for placeholder, word in ((HOME_DIRECTORY, "$HOME"), (WORKING_DIRECTORY, ".")):
        if path.startswith(placeholder):
            path = word + path.removeprefix(placeholder)
    return path.replace(PARAMETRIC_INDEX, "$TASK_ID")


def carried_working_directory(folder: str | None) -> str | None:
    """Return the folder for ``-wd``."""
    if folder is None:
        return None
    folder = carried_text("the working directory", folder)
    bare = folder.removeprefix(HOME_DIRECTORY)
    if not bare.startswith("/") and folder != HOME_DIRECTORY:
        raise InvalidArgument(f"the working directory {folder!r} is not absolute; give the whole path.")
    if _PSEUDO.search(bare):
        raise InvalidArgument(
            f"the working directory {folder!r} has a '$' word that Grid Engine replaces ($HOME, $USER, $JOB_ID, "
            "$JOB_NAME, $HOSTNAME, $TASK_ID). Use a folder without it."
        )
    return _expanded(folder)


def carried_path(what: str, path: str | None, folder: str | None = None) -> str | None:
    """Return a path for ``-i``, ``-o`` or ``-e``; the leading colon says "no host", so that it may have colons.

    `folder` is what :func:`carried_working_directory` returned. Where that has a word that is expanded only where the
    job runs, relative paths are given in full, and what the job prints goes there by name, too.
    """
    moving = folder is not None and ("$TASK_ID" in folder or folder.startswith("$HOME"))
    if path is None:
        return f":{folder}" if moving and what != "input_path" else None
    path = carried_text(f"the {what}", path)
    if not path:
        raise InvalidArgument(f"the {what} is empty; leave it out, or name a file or a folder.")
    parent = Path(path.removeprefix(HOME_DIRECTORY).removeprefix(WORKING_DIRECTORY)).parent
    if _PSEUDO.search(str(parent)) and parent.is_dir():
        raise InvalidArgument(
            f"the {what} {path!r} lies in a folder whose name Grid Engine would replace ($HOME, $USER, $JOB_ID …). "
            "Use another folder."
        )
    path = _expanded(path).removeprefix("./").removeprefix(":")
    return f":{folder}/{path}" if moving and not path.startswith(("/", "$HOME")) else f":{path}"
