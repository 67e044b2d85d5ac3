# ruff: noqa: PTH120
# Importing pathlib alone would add a tenth to the start of every job.
"""Trust: nothing is unpickled that another user could have written."""

from __future__ import annotations

import os
import stat

__all__ = ["check_trusted"]


def check_trusted(path: str) -> str:
    """Return the real path of `path` if only this user and root can write it and every folder above.

    A group may write if it is the user's private group (named like the user, with no other member). A folder that
    all may write to, like ``/tmp``, passes when its sticky bit keeps others from renaming what is in it.

    Raises
    ------
    PermissionError
        If someone else could have.
    FileNotFoundError
        If there is no such file.
    """
    real = os.path.realpath(path)
    step = real
    while True:
        status = os.lstat(step)
        who = _other_writer(status, is_parent=step != real)
        if who:
            raise PermissionError(
                f"{path} is not read: {step} {who}, so what it holds need not be yours. "
                f"Only files that nobody but you and root can write are unpickled; look at `ls -ld {step}`."
            )
        parent = os.path.dirname(step)
        if parent == step:
            return real
        step = parent


def _other_writer(status: os.stat_result, *, is_parent: bool) -> str:
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid}"
    if is_parent and status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "may be written by everybody"
    if status.st_mode & stat.S_IWGRP and status.st_gid != 0 and not _is_private_group(status.st_gid):
        return f"may be written by group {status.st_gid}"
    return ""


def _is_private_group(gid: int) -> bool:
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
