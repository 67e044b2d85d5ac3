"""Whether this user may act on others' jobs, and raise priorities (``qconf(1)``, ``-sm``, ``-so``)."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import run_command

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["is_operator"]


def is_operator(cell: SgeCell) -> bool:
    """Tell whether this user is a manager or an operator of the cell.

    Raises
    ------
    CommandFailed
        If the cell does not answer.
    """
    user = getpass.getuser()
    # Where there is no operator, "qconf -so" says so in words, with exit status 1.
    return any(user in run_command(cell, ["qconf", flag]).text.split() for flag in ("-sm", "-so"))
