"""The spool folder of one run of a job: how shepherd and scheduler tell each other things that outlive both.

Each record is one JSON file, written under a temporary name and then linked or renamed, so that it is whole when
it is seen. They are safe against the death of any process; they are not flushed to the disk, because a machine
that goes down takes the job with it anyway.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (dataclass fields are inspected at run time)
from typing import Any

from gcs_lab.backends.embedded.process_tree import ProcessIdentity

__all__ = ["RunFolder", "ShepherdRecord"]


@dataclass(frozen=True)
class ShepherdRecord:
    """Who watches a run, and the private temporary folder that the job was given."""

    shepherd: ProcessIdentity
    scratch: str


class RunFolder:
    """Records of one run.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self, record: ShepherdRecord) -> bool:
        """Make this shepherd the one of the run; return False if another was first.

        The link is the decision: of two shepherds for one run, however they came about, one gets it.

        Raises
        ------
        OSError
            If the folder is gone or the disk is full.
        """
        who = record.shepherd
        told = {"pid": who.pid, "start": who.start, "boot": who.boot, "scratch": record.scratch}
        temporary = self._write_aside("shepherd", told)
        try:
            os.link(temporary, self.path / "shepherd")
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def shepherd(self) -> ShepherdRecord | None:
        """Return who claimed the run; None if nobody has."""
        told = self._read("shepherd")
        if told is None:
            return None
        return ShepherdRecord(ProcessIdentity(told["pid"], told["start"], told["boot"]), told["scratch"])

    def write_ending(self, ending: dict[str, Any]) -> None:
        """Record how the run ended. Raises OSError if it cannot be written."""
        self._write_aside("ended", ending).rename(self.path / "ended")

    def ending(self) -> dict[str, Any] | None:
        """Return how the run ended; None while that is not recorded."""
        return self._read("ended")

    def want(self, state: str) -> None:
        """Record what is wanted of the run: ``running``, ``suspended`` or ``removed``; the last word counts."""
        self._write_aside("wanted", {"state": state}).rename(self.path / "wanted")

    def wanted(self) -> str:
        """Return what is wanted of the run."""
        told = self._read("wanted")
        return "running" if told is None else str(told["state"])

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            with open(self.path / name, "rb") as file:  # noqa: PTH123  (in the path of every job's end)
                told = json.load(file)
        except FileNotFoundError:
            return None
        assert isinstance(told, dict)  # noqa: S101  (written by this class)
        return told

    def _write_aside(self, name: str, told: dict[str, Any]) -> Path:
        temporary = self.path / f".{name}.{os.getpid()}"
        try:
            temporary.write_text(json.dumps(told), encoding="ascii")
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return temporary
