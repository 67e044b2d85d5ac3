"""What the scheduler hands to a shepherd: everything about one run of a job."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003

from gcs_lab.backends.embedded.mail import Letter  # noqa: TC001
from gcs_lab.backends.embedded.staging import Copy  # noqa: TC001

__all__ = ["RunOrder", "StartFault"]


@dataclass(frozen=True)
class RunOrder:
    """One run. ``limits`` are seconds and bytes by name (``h_rt``, ``s_rt``, ``h_cpu``, ``h_vmem`` …).

    ``scratch_prefix`` is where the private temporary folder is made: the shepherd adds a random end. ``mark`` is
    found again in the environment of all that the job starts. ``open_files`` are the limits of open files that
    the job gets (soft, hard): the scheduler raises its own. ``stage_in`` and ``stage_out`` are copied before the
    start and after the end; ``letter`` is sent when the job has started.
    """

    folder: Path
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    input_path: str
    output_path: str
    error_path: str
    join_files: bool
    limits: Mapping[str, float]
    slots: int
    mark: str
    scratch_prefix: str
    open_files: tuple[int, int]
    stage_in: tuple[Copy, ...] = ()
    stage_out: tuple[Copy, ...] = ()
    letter: Letter | None = None


class StartFault(Exception):
    """A job could not be started, for a reason that its owner must mend (Grid Engine's error state ``E``).

    Parameters
    ----------
    failed
        Grid Engine's failure code (``execution_states.h``): 26 input or output file, 27 command, 28 folder.
    reason
        Why, in words.
    """

    def __init__(self, failed: int, reason: str) -> None:
        self.failed, self.reason = failed, reason
        super().__init__(reason)
