"""The one place that runs Grid Engine's commands, and says what their complaints mean."""

from __future__ import annotations

import re
import subprocess
from typing import IO, TYPE_CHECKING

from gcs_lab.errors import CommandFailed, DeniedByDrms, GcsError, InvalidArgument, OutOfResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["Answer", "ask", "error_of", "run_command"]

#: Seconds that a command may take; Grid Engine's own limit for a request is 60 (``gdi_timeout``, sge_conf(5)).
TIMEOUT = 60.0

_UNREACHABLE = re.compile(
    r"commlib error|unable to (send message|contact|reach)|can't (reach|connect|send|get)"
    r"|got (send|select|read) error"
    r"|gdi (send|receive)|failed (sending|receiving) gdi|communication error|cannot contact|is not reachable"
    r"|SGE_ROOT directory|unresolvable|can't determine|act_qmaster",
    re.IGNORECASE,
)
_INVALID = re.compile(
    r"unknown|does not exist|do not exist|invalid|not a valid|not allowed (in|as) object|illegal|must be an integer"
    r"|can't resolve|not contain|too long|no job_name|unrecognized|is not defined|could not read|wrong|ERROR!",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"denied|not allowed|privilege|permission|must be (a )?(manager|operator)|no (submit|admin) host|rejected"
    r"|no suitable queues|not granted|exceed",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left|disk quota|too many open|cannot allocate|out of memory", re.IGNORECASE)
_START_IT = (
    "The Grid Engine master does not answer. Ask whoever runs the cluster (`qping`, the qmaster's messages "
    "file), or for "
    "your own demo cell run `gcs-lab demo start`, which starts again what died and keeps its jobs."
)


class Answer:
    """What a command said: exit status, standard output and standard error."""

    __slots__ = ("argv", "exit_status", "stderr", "stdout")

    def __init__(self, argv: Sequence[str], exit_status: int, stdout: bytes, stderr: str) -> None:
        self.argv, self.exit_status, self.stdout, self.stderr = argv, exit_status, stdout, stderr

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """All that it said to people, on whichever stream."""
        return (self.stderr.strip() + "\n" + self.text.strip()).strip()


def error_of(said: str, argv: Sequence[str], exit_status: int | None) -> GcsError:
    """Return the error that Grid Engine's words mean."""
    said = said.strip().removesuffix("Exiting.").removesuffix("\n").strip() or "it gave no reason"
    what = said.removeprefix("Unable to run job: ")
    if _UNREACHABLE.search(said):
        return CommandFailed(argv, exit_status, f"{said} — {_START_IT}")
    if _FULL.search(said):
        return OutOfResource(f"Grid Engine ran out of a resource: {what} Free some, then try again.")
    if _INVALID.search(said):
        return InvalidArgument(f"Grid Engine does not take this: {what}")
    if _DENIED.search(said):
        return DeniedByDrms(
            f"Grid Engine refused: {what} Ask the cluster's managers (`qconf -sm`) if this is not meant."
        )
    return CommandFailed(argv, exit_status, said)


def run_command(
    cell: SgeCell,
    argv: Sequence[str],
    *,
    timeout: float = TIMEOUT,
    extra_env: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> Answer:
    """Run one of the cell's commands to its end and return what it said, whatever its exit status.

    Parameters
    ----------
    cell
        The cell; its environment is used.
    argv
        The command's name and arguments; no shell sees them.
    timeout
        Seconds after which it is killed.
    extra_env
        More variables for this command.
    output
        A file that takes its standard output, which is then no part of the answer.

    Raises
    ------
    CommandFailed
        If it cannot be started or does not end in time, or if the qmaster does not answer.
    """
    full = [cell.command(argv[0]), *argv[1:]]
    try:
        done = subprocess.run(
            full,
            env={**cell.environment(), **(extra_env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
            # A Ctrl-C in the notebook goes to the whole process group; it must not stop a submission half way.
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise CommandFailed(full, None, f"no answer within {timeout:g} s. {_START_IT}") from None
    except (OSError, ValueError) as error:
        raise CommandFailed(full, None, f"{error}. Are Grid Engine's client programs in {cell.binaries}?") from error
    answer = Answer(full, done.returncode, done.stdout or b"", done.stderr.decode("utf-8", "replace"))
    if done.returncode and _UNREACHABLE.search(answer.stderr):
        raise error_of(answer.stderr, full, done.returncode)
    return answer


def ask(cell: SgeCell, argv: Sequence[str], *, timeout: float = TIMEOUT) -> Answer:
    """Run a command that must succeed.

    Raises
    ------
    GcsError
        By what it said, if its exit status is not 0.
    """
    answer = run_command(cell, argv, timeout=timeout)
    if answer.exit_status:
        raise error_of(answer.said, answer.argv, answer.exit_status)
    return answer
