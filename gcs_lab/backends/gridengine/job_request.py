"""From a job template to what Grid Engine's transports carry, with everything refused that would arrive changed.

What gets lost on the way was found by trying it on 8.1.9: an argument ends at its first newline and after 99,990
bytes; an environment entry after 9,999 bytes (newline and backslash count twice); ``-v`` splits values at commas,
unless only the names are given and the values stand in the submitting program's own environment; paths expand
``$HOME`` and its like.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute

if TYPE_CHECKING:
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["SUPPORTED_ATTRIBUTES", "JobRequest", "make_request"]

_HONOURED = """
remote_command args submit_as_hold rerunnable job_environment working_directory job_name input_path output_path
error_path join_files queue_name min_slots max_slots parallel_environment priority resource_requests
native_specification accounting_id
"""
#: What :func:`make_request` honours of a template.
SUPPORTED_ATTRIBUTES = frozenset(_HONOURED.split())
_ARGUMENT_BYTES = 99_000
_ENVIRONMENT_BYTES = 9_999
_NAME_LENGTH = 512
_FORBIDDEN_IN_NAME = set('/:@\\*?"')
_KEYWORDS = {"NONE", "ALL", "TEMPLATE"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_PSEUDO = re.compile(r"\$(HOME|USER|JOB_ID|JOB_NAME|HOSTNAME|TASK_ID)")
#: Variables that would change the submitting program itself if they stood in its environment.
_TRANSPORT = ("SGE_", "LD_", "GLIBC_", "DRMAA_", "MALLOC_", "PYTHON")
_HOME, _WORKING = "$DRMAA2_HOME_DIR$", "$DRMAA2_WORKING_DIR$"
#: Options of qsub(1) that change what submitting one job means, or how its answer reads.
_REFUSED = {
    "-t": "array jobs", "-tc": "array jobs", "-sync": "waiting", "-now": "immediate jobs", "-terse": "the "
    "answer's form",
    "-verify": "the answer's form", "-help": "the answer's form", "-b": "how the command runs",
    "-shell": "how the command runs", "-V": "the environment", "-C": "how the command runs",
    "-@": "options from a file", "-inherit": "interactive jobs",
}  # fmt: skip


@dataclass(frozen=True)
class JobRequest:
    """A job as both transports take it. ``inline`` variables go as ``-v NAME=VALUE``, the others by name.

    ``options`` are qsub's, one a word; paths begin with ``:`` (no host).
    """

    command: str
    args: tuple[str, ...]
    name: str | None
    hold: bool
    working_directory: str | None
    input_path: str | None
    output_path: str | None
    error_path: str | None
    join_files: bool
    environment: dict[str, str]
    inline: dict[str, str]
    options: tuple[str, ...]

    def variables(self) -> list[str]:
        """Return the items of ``-v``."""
        return [*self.environment, *(f"{name}={value}" for name, value in self.inline.items())]

    def needs_qsub(self) -> bool:
        """Tell whether an option has white space, at which libdrmaa splits its native specification."""
        return any(not word or any(c.isspace() for c in word) for word in (*self.options, *self.variables()))


def make_request(template: JobTemplate) -> JobRequest:
    """Return the request for `template`.

    Raises
    ------
    InvalidArgument
        If a value cannot reach the job unchanged; the message says what can.
    UnsupportedAttribute
        If slots are asked for without a parallel environment.
    """
    command, args = _command(template.remote_command or "", template.args or [])
    environment, inline = _environment(template.job_environment or {})
    return JobRequest(
        command=command,
        args=args,
        name=None if template.job_name is None else _job_name(template.job_name),
        hold=bool(template.submit_as_hold),
        working_directory=_working_directory(template.working_directory),
        input_path=_path("input_path", template.input_path),
        output_path=_path("output_path", template.output_path),
        error_path=_path("error_path", template.error_path),
        join_files=bool(template.join_files),
        environment=environment,
        inline=inline,
        options=(*_options(template), *_native(template.native_specification)),
    )


def _clean(what: str, value: str, *, newline: bool = False) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"{what} {value!r} is not valid Unicode; Grid Engine carries UTF-8 text only."
        ) from None
    if "\0" in value or (not newline and ("\n" in value or "\r" in value)):
        raise InvalidArgument(f"{what} {value!r} has a line break or a NUL in it, which Grid Engine does not carry.")
    return value


def _command(command: str, args: list[str]) -> tuple[str, tuple[str, ...]]:
    for value in args:
        _clean("the argument", value, newline=True)
        if len(value.encode()) > _ARGUMENT_BYTES:
            raise InvalidArgument(
                f"an argument has {len(value.encode())} bytes; Grid Engine cuts it at {_ARGUMENT_BYTES} "
                f"without a word. "
                "Write it into a file and pass the file's path."
            )
    words = [_clean("the command", command), *args]
    if not any("\n" in word for word in args):
        return words[0], tuple(args)
    # env(1) of GNU and BSD splits one word into many, with escapes for what Grid Engine would cut.
    return "/usr/bin/env", ("-S", " ".join(_env_word(word) for word in words))


def _env_word(word: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
    return '"' + "".join(escapes.get(char, char) for char in word) + '"'


def _environment(given: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    environment, inline = {}, {}
    for name, value in given.items():
        if not _VARIABLE.match(name):
            raise InvalidArgument(
                f"{name!r} cannot be a variable's name in a job; use letters, digits and '_', not a digit first."
            )
        _clean(f"the value of {name}", value, newline=True)
        size = len(name) + 1 + len(value.encode()) + value.count("\n") + value.count("\\")
        if size > _ENVIRONMENT_BYTES:
            raise InvalidArgument(
                f"the variable {name} has {size} bytes; Grid Engine cuts it at {_ENVIRONMENT_BYTES} without a "
                f"word. Write "
                "it into a file and pass the file's path."
            )
        if not name.startswith(_TRANSPORT):
            environment[name] = value
        elif any(c in value for c in ",\n\r"):
            raise InvalidArgument(
                f"the value of {name} has a comma or a line break, which qsub -v cannot carry for a variable "
                f"that would "
                "change qsub itself. Set it in the job's own code."
            )
        else:
            inline[name] = value
    return environment, inline


def _bad_characters(name: str) -> list[str]:
    return sorted({c for c in name if c in _FORBIDDEN_IN_NAME or not c.isascii() or not c.isprintable() or c == " "})


def _job_name(name: str) -> str:
    bad = _bad_characters(name)
    if not name or bad or name[0].isdigit() or len(name) > _NAME_LENGTH or name.upper() in _KEYWORDS:
        why = f"; it has {' '.join(map(repr, bad))}" if bad else ""
        raise InvalidArgument(
            f"Grid Engine does not take {name!r} as a job's name{why}. A name has up to {_NAME_LENGTH} ASCII "
            f"letters, "
            'digits and signs other than / : @ \\ * ? ", no white space, does not begin with a digit, and is '
            "not NONE, "
            "ALL or TEMPLATE."
        )
    return name


def _working_directory(folder: str | None) -> str | None:
    if folder is None:
        return None
    folder = _clean("the working directory", folder)
    folder = str(Path.home()) + folder.removeprefix(_HOME) if folder.startswith(_HOME) else folder
    if not folder.startswith("/"):
        raise InvalidArgument(f"the working directory {folder!r} is not absolute; give the whole path.")
    if _PSEUDO.search(folder):
        raise InvalidArgument(
            f"the working directory {folder!r} has a '$' word that Grid Engine replaces ($HOME, $USER, "
            f"$JOB_ID, $JOB_NAME, "
            "$HOSTNAME, $TASK_ID). Use a folder without it."
        )
    return folder


def _path(what: str, path: str | None) -> str | None:
    """Return a path for -i, -o or -e; the leading colon says "no host", so that the path may have colons."""
    if path is None:
        return None
    path = _clean(f"the {what}", path)
    if path.startswith(_HOME):
        path = "$HOME" + path.removeprefix(_HOME)
    path = path.removeprefix(_WORKING + "/").replace("$DRMAA2_INDEX$", "$TASK_ID")
    if not path:
        raise InvalidArgument(f"the {what} is empty; leave it out, or name a file or a folder.")
    folder = Path(path).parent
    if _PSEUDO.search(str(folder)) and folder.is_dir():
        raise InvalidArgument(
            f"the {what} {path!r} lies in a folder whose name Grid Engine would replace ($HOME, $USER, "
            f"$JOB_ID …). Use "
            "another folder."
        )
    return ":" + path.removeprefix(":")


def _slots(template: JobTemplate) -> list[str]:
    least, most = template.min_slots, template.max_slots
    if template.parallel_environment is None:
        if (least or 1) > 1 or (most or 1) > 1:
            raise UnsupportedAttribute(
                "Grid Engine gives a job more than one slot only within a parallel environment: name one "
                "(parallel_environment, `-pe NAME SLOTS`; `qconf -spl` lists them)."
            )
        return []
    low = least if least is not None else 1
    high = most if most is not None else low
    if low < 1 or high < low:
        raise InvalidArgument(f"min_slots={low}, max_slots={high}: expected 1 <= min_slots <= max_slots.")
    return ["-pe", template.parallel_environment, f"{low}" if low == high else f"{low}-{high}"]


def _options(template: JobTemplate) -> list[str]:
    options = _slots(template)
    if template.rerunnable is not None:
        options += ["-r", "y" if template.rerunnable else "n"]
    if template.queue_name is not None:
        options += ["-q", _clean("the queue", template.queue_name)]
    if template.priority is not None:
        options += ["-p", str(template.priority)]
    for name, value in template.resource_requests.items():
        if "," in value or any(c.isspace() for c in value):
            raise InvalidArgument(f"-l {name}={value}: Grid Engine takes no comma and no white space in a request.")
        options += ["-l", f"{name}={value}"]
    if template.accounting_id is not None:
        account = _clean("the accounting id", template.accounting_id)
        if not account or _bad_characters(account):
            raise InvalidArgument(
                f"Grid Engine does not take {account!r} as an accounting id. It is of ASCII letters, digits "
                f"and signs other "
                'than / : @ \\ * ? ", without white space.'
            )
        options += ["-A", account]
    return options


def _native(specification: str | None) -> list[str]:
    try:
        words = shlex.split(specification or "")
    except ValueError as error:
        raise InvalidArgument(f"native_specification {specification!r}: {error}. Close every quote.") from None
    for word in words:
        _clean("native_specification", word)
        if word in _REFUSED:
            raise InvalidArgument(
                f"native_specification may not have {word} ({_REFUSED[word]}), for gcs_lab would "
                f"misunderstand the answer."
            )
    if words and not words[0].startswith("-"):
        raise InvalidArgument(f"native_specification {specification!r} must begin with an option of qsub(1), as -l.")
    return words
