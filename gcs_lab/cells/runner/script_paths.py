# ruff: noqa: PTH111, PTH112, PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""The files of ``-o``, ``-e`` and ``-i``, and paths with variables in them, where the job runs (``submit(1)``)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["expanded", "standard_path"]

_VARIABLE = r"\$(?:(\w+)|\{(\w+)\})"
#: What Grid Engine puts for the task of a job that is no array (seen on 8.1.9).
_NO_TASK = "0"


def standard_path(paths: str, letter: str, cwd: str, environment: Mapping[str, str]) -> str:
    """Return the absolute path that ``-o``, ``-e`` or ``-i`` names.

    Parameters
    ----------
    paths
        The option's value: ``[[host]:]path,…``; a path for this host counts more than one for all. ``$HOME``,
        ``$USER``, ``$JOB_ID``, ``$JOB_NAME``, ``$HOSTNAME``, ``$TASK_ID`` and ``~`` are put in.
    letter
        ``o``, ``e`` or ``i``. In a folder the file is called ``NAME.o5``, of a task ``NAME.o5.3``.
    cwd
        Where relative paths begin.
    environment
        The job's.
    """
    host = environment.get("HOSTNAME") or os.uname().nodename
    chosen = ""
    for entry in paths.split(","):
        where, colon, path = entry.partition(":")
        if not colon or not where:
            chosen = chosen or (path if colon else entry)
        elif host in (where, where.partition(".")[0]) or host.partition(".")[0] == where:
            chosen = path
            break
    task = environment.get("SGE_TASK_ID", "undefined")
    known = {
        "HOME": environment.get("HOME", ""),
        "USER": environment.get("USER") or environment.get("LOGNAME", ""),
        "JOB_ID": environment.get("JOB_ID", ""),
        "JOB_NAME": environment.get("JOB_NAME", ""),
        "HOSTNAME": host,
        "TASK_ID": task if task.isdigit() else _NO_TASK,
    }
    default = f"{known['JOB_NAME'] or 'job'}.{letter}{known['JOB_ID']}{f'.{task}' if task.isdigit() else ''}"
    # Without a path for this host the file has its usual name, in the working folder.
    path = os.path.join(cwd, os.path.expanduser(expanded(chosen, known)))
    return os.path.join(path, default) if os.path.isdir(path) else path


def expanded(text: str, known: Mapping[str, str]) -> str:
    """Return `text` with ``$NAME`` and ``${NAME}`` of `known` put in; others are left as they are."""
    if "$" not in text:
        return text
    import re

    return re.sub(_VARIABLE, lambda match: known.get(match[1] or match[2], match[0]), text)
