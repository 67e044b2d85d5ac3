"""The class that IPython knows: ``%gcs`` and ``%%gcs``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.magics.command_help import asked_help, help_of
from gcs_lab.magics.defaults import DefaultTraits, blame_defaults

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cluster import Cluster
    from gcs_lab.magics.session import Session

__all__ = ["GcsMagics", "register", "unregister"]

_HELP = """Run cells as cluster jobs, and look after them.

A cell as a job::

    %%gcs run                     run the cell as a job and wait for it
    %%gcs submit -N fit -l h_rt=1:00:00,h_vmem=4G
                                  submit it and go on; its output appears here, its variables arrive when it ends

The names that the cell reads travel with it, the names that it assigns come back. What it prints and draws is shown
while it runs. Ctrl-C lets go of a job that `run` waits for; a second one within two seconds cancels it.

{flags}

Commands::

    %gcs connect [NAME]           choose the cluster, or say which it is and why
    %gcs status                   queues, and my jobs in figures
    %gcs jobs                     the jobs that my notebooks submitted
    %gcs why [JOB…]               why they have not started
    %gcs advice [JOB…]            what they asked for and used, with the flags that fit
    %gcs graph                    which of this notebook's jobs waits for which
    %gcs wait [JOB…]              wait for jobs (id or name)
    %gcs cancel|hold|release JOB…
    %gcs logs JOB                 what a job printed
    %gcs attach [JOB…]            after a restart: output and results of my jobs, here
    %gcs submit-notebook PATH -p NAME=VALUE
                                  run a whole notebook as a job; its output notebook can be read while it runs
    %gcs defaults [FLAGS]         what jobs are given where flags say nothing; --save keeps it
    %gcs cache [explain|clear]    results that --cache can take
    %gcs clean                    old job folders
    %gcs doctor                   what was found on this machine

`%gcs COMMAND --help` shows the flags of a command.
"""


@magics_class
class GcsMagics(DefaultTraits, Magics):
    """``%gcs`` and ``%%gcs``; its traits are the defaults of cells' jobs (``c.GcsMagics.queue = "all.q"``).

    Parameters
    ----------
    shell
        The running shell.
    """

    def __init__(self, shell: InteractiveShell, **more: Any) -> None:
        super().__init__(shell, **more)
        self._shell = shell
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """What the magics share; made when it is first needed."""
        from gcs_lab.magics.session import Session

        if self._session is None:
            self._session = Session()
            self._session.defaults = self
        return self._session

    @property
    def connected(self) -> Cluster | None:
        """The cluster that jobs go to; None as long as none was used."""
        return self._session.connected if self._session else None

    @line_cell_magic
    def gcs(self, line: str, cell: str | None = None) -> Any:
        """See ``_HELP``: the text is put here when the magics are registered."""
        if (text := asked_help(line, in_cell=cell is not None)) is not None:
            print(text or _help_text())  # noqa: T201
            return None
        self.session.used_defaults = {}
        try:
            return self._run(line, cell)
        except (InvalidArgument, UnsupportedAttribute) as error:
            blame_defaults(error, self.session.used_defaults)
            raise

    def _run(self, line: str, cell: str | None) -> Any:
        if cell is None:
            from gcs_lab.magics.commands import Commands

            if not line.strip():
                raise UsageError("%gcs: say what to do: status, jobs, wait … `%gcs --help` explains.")
            return Commands(self._shell, self.session).run(line)
        if not cell.strip():
            raise UsageError("%%gcs: the cell is empty; there is nothing to run.")
        from gcs_lab.magics.cell_runner import run_cell

        return run_cell(self._shell, self.session, line, cell)


def _help_text() -> str:
    from gcs_lab.magics.arguments import cell_parser

    return _HELP.format(flags=help_of(cell_parser()))


def register(shell: InteractiveShell) -> None:
    """Make the magics known to `shell`."""
    from gcs_lab.magics.completion import Completion

    magics = GcsMagics(shell)
    shell.register_magics(magics)
    for problem in magics.problems:
        print(f"gcs: {problem}", file=sys.stderr)  # noqa: T201
    Completion(shell, magics).register()


def unregister(shell: InteractiveShell) -> None:
    """Make `shell` forget the magics; jobs and what follows them go on."""
    from gcs_lab.magics.completion import Completion

    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("gcs", None)
    shell.magics_manager.registry.pop(GcsMagics.__name__, None)
    Completion.unregister(shell)


GcsMagics.gcs.__doc__ = _help_text()
