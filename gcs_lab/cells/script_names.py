"""Names that a script takes and leaves: ``--in df.parquet``, ``--out result.csv,count``."""

from __future__ import annotations

import difflib
import keyword
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gcs_lab.errors import CellSourceError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["check_variable", "input_names", "result_names", "undefined_input"]

_VARIABLE = r"\$(?:\w+|\{\w+\})"
#: Variables that decide how programs start and find each other, or that the scheduler and the shells set themselves.
_RESERVED = re.compile(
    r"(PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|IFS|ENV|PS\d|TERM|TMP|TEMP|TMPDIR|LANG|LANGUAGE|TZ|MAIL|HOSTNAME|"
    r"UID|EUID|PPID|GROUPS|RANDOM|SECONDS|LINENO|OPTARG|OPTIND|OPTERR|SHELLOPTS|SHLVL|NODE_OPTIONS|"
    r"JOB_ID|JOB_NAME|JOB_SCRIPT|QUEUE|NSLOTS|NHOSTS|NQUEUES|PE|PE_HOSTFILE|ARC|REQUEST|RESTARTED|ENVIRONMENT|_)\Z|"
    r"(LD|DYLD|GLIBC|MALLOC|LC|BASH|SGE|GCS_LAB|PERL|JULIA|SLURM)_|R_(HOME|LIBS|ENVIRON|PROFILE)|"
    r"(BASH|PYTHON|PERL5|RUBY)[A-Z]*\Z",
    re.ASCII,
)


def input_names(entries: Iterable[str]) -> dict[str, str]:
    """Return the variables that ``--in`` names, with the suffix of the file that each becomes (empty: none given).

    Raises
    ------
    InvalidArgument
        If one cannot be the name of a variable, or stands there twice with two suffixes.
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, dot, suffix = entry.partition(".")
        if not name.isidentifier() or (dot and not re.fullmatch(r"\w+", suffix, re.ASCII)):
            raise InvalidArgument(
                f"--in {entry}: {name!r} is no variable. Expected the name of one, for a file with its suffix: "
                "--in threshold,table.parquet. Nothing was sent."
            )
        wanted = f".{suffix.lower()}" if dot else ""
        if found.get(name, wanted) != wanted:
            raise InvalidArgument(f"--in {entry}: {name} is sent once, and stands there with two suffixes.")
        found[name] = wanted
    return found


def check_variable(name: str, flag: str) -> None:
    """Refuse a name that would change how the job's programs run.

    Raises
    ------
    InvalidArgument
        If it is such a name; the message says how to set it all the same.
    """
    if not name.isascii():
        raise InvalidArgument(
            f"{flag} {name}: shells take only ASCII letters, digits and _ in names. Nothing was sent."
        )
    if _RESERVED.match(name):
        raise InvalidArgument(
            f"{flag} {name}: the variable {name} of the job's environment has a meaning of its own there, and the "
            f"notebook's {name} would take its place. Give it another name; to set that variable on purpose use "
            f"--env {name}=VALUE. Nothing was sent."
        )


def undefined_input(name: str, names: Collection[str]) -> CellSourceError:
    """Return the error for a name that the notebook does not have."""
    near = difflib.get_close_matches(name, [known for known in names if not known.startswith("_")], n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return CellSourceError(f"--in {name}: {name!r} is not defined in this notebook.{hint} Nothing was sent.")


def result_names(entries: Iterable[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Return what ``--out`` names: files by the variable that each becomes, names of values, and what to say of it.

    A file is what has a dot or a slash in it; the variable is called after it, without the suffix.

    Raises
    ------
    InvalidArgument
        If a path leads out of the working folder, or two entries become one variable.
    """
    files: dict[str, str] = {}
    names: list[str] = []
    remarks = []
    seen: dict[str, str] = {}
    for entry in dict.fromkeys(entries):
        if "." in entry or "/" in entry:
            name = _name_of(entry)
            files[name] = entry
            plain = PurePosixPath(entry).name.partition(".")[0]
            if name != plain:
                remarks.append(f"--out {entry}: it comes back as {name}.")
        elif entry.isidentifier() and entry.isascii() and not keyword.iskeyword(entry):
            name = entry
            names.append(entry)
        else:
            raise InvalidArgument(
                f"--out {entry}: {entry!r} cannot be the name of a variable, and has no suffix as a file's. Expected "
                "for example --out result.csv,count. Nothing was sent."
            )
        if name in seen:
            raise InvalidArgument(
                f"--out {seen[name]} and --out {entry} would both become the variable {name}. Give one of "
                "them another file name. Nothing was sent."
            )
        seen[name] = entry
    return files, names, remarks


def _name_of(entry: str) -> str:
    """Return the variable for a file; refuse what is not below the working folder."""
    path = PurePosixPath(entry)
    if entry.startswith(("/", "~")) or ".." in path.parts or entry.endswith("/") or not path.name:
        raise InvalidArgument(
            f"--out {entry}: expected a file below the folder that the script runs in (--cwd), by its path from "
            "there, for example --out tables/result.csv. For one elsewhere have the script copy it, or read it from "
            "where it is. Nothing was sent."
        )
    stem = path.stem if path.suffix else path.name
    # Parameters of a sweep that stand in the file's name tell the tasks apart, and not the variables.
    name = re.sub(r"\W+", "_", re.sub(_VARIABLE, "", stem), flags=re.ASCII).strip("_")
    if not name:
        raise InvalidArgument(f"--out {entry}: no variable can be called after that name. Nothing was sent.")
    if name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
