"""What the cell did: where its records stand, and ``qacct`` where the files themselves cannot be read."""

from __future__ import annotations

import os
import pwd
import re
import stat
import time
from typing import TYPE_CHECKING

from gcs_lab.accounting.source_file import rotated_files
from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.backends.gridengine.qhost_tables import QHOST, read_hosts
from gcs_lab.backends.gridengine.record_ends import RecordEnds
from gcs_lab.backends.gridengine.status_files import xml_of
from gcs_lab.errors import GcsError, InvalidArgument, NotAuthorized

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gcs_lab.backends.gridengine.commands import Answer
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["GridEngineAccounting"]

#: Seconds that ``qacct`` may take: 8.1.9 needs some 4 a million records, and prints all of them.
_QACCT_TIMEOUT = 1800.0
#: One hour a year is there twice in local time: what is asked for begins before it.
_HOUR = 3600.0
#: What it says, with exit status 1 in 8.1.9 and 0 in 9.x, as long as no record was ever written.
_NONE_YET = "no jobs running since startup"
_END_OPTION = re.compile(r"^\s*\[-E\]", re.MULTILINE)
#: Names of the other files in the ``common`` folder: that of 9.x first (``sge_reporting(5)``, ``sge_monitoring(5)``).
_OTHER_FILES = {
    "reporting": ("reporting.jsonl", "reporting"),
    "monitoring": ("monitoring.jsonl",),
    # sge_share_mon writes where it is told to; there is no usual place.
    "share_tree": (),
}


class GridEngineAccounting:
    """The ``accounting`` area of a cell; methods as in :class:`~gcs_lab.accounting.protocol.AccountingBackend`.

    The files are those in the cell's ``common`` folder: ``accounting.jsonl`` (Open Cluster Scheduler 9.x), else
    ``accounting``, each with the rotated ones beside it. Where there are both, ``accounting`` is either what the cell
    wrote before it became 9.x, or what ``reporting_params old_accounting=true`` writes besides, where each record
    stands in both: of ``accounting`` and its rotated files only those are taken whose last record is older than the
    first one of ``accounting.jsonl``.

    Parameters
    ----------
    cell
        The cell.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self._ends = RecordEnds()
        self._selects_by_end: bool | None = None
        self.identity = f"{cell.root} {cell.name} {cell.qmaster_host()}:{cell.port()}"

    def record_files(self) -> Sequence[Path]:
        """Return the readable files of accounting: rotated ones first, the growing one last."""
        json_lines = _readable(rotated_files(self._cell.common / "accounting.jsonl"))
        classic = _readable(rotated_files(self._cell.common / "accounting"))
        if not json_lines or not classic:
            return json_lines or classic
        begins = next(filter(None, map(self._first_end, json_lines)), None)
        if begins is None:  # 9.x has not written a record yet
            return [*classic, *json_lines]
        return [*(path for path in classic if self._ended_before(path, begins)), *json_lines]

    def qacct(self, since: float | None) -> bytes | None:
        """Return what ``qacct -j`` prints of records that ended at `since` or later, in this host's local time.

        8.1.9 selects by end (``-E -b``). 9.x only by start, by which a long job would be missed: there all is asked
        for, and the store leaves out what it has.

        Raises
        ------
        NotAuthorized
            If the file is there and this user may not read it.
        GcsError
            If it does not answer.
        """
        options = [] if since is None or not self._can_select_by_end() else ["-E", "-b", _local(since - _HOUR)]
        answer = self._run(["qacct", *options, "-j"])
        if _NONE_YET in answer.said:
            return b""
        if answer.exit_status:
            raise self._refused(answer)
        return answer.stdout

    def other_files(self, kind: str) -> Sequence[Path]:
        """Return the readable files of ``"reporting"``, ``"monitoring"`` or ``"share_tree"``, the growing one last.

        Of ``reporting`` and ``reporting.jsonl`` those of one format, so that nothing is there twice. The share
        tree's have no usual place: ``sge_share_mon`` writes where it is told to.

        Raises
        ------
        InvalidArgument
            If there is no such kind.
        """
        if kind not in _OTHER_FILES:
            raise InvalidArgument(f"{kind!r} is no kind of record file; there are {', '.join(_OTHER_FILES)}.")
        for name in _OTHER_FILES[kind]:
            if files := _readable(rotated_files(self._cell.common / name)):
                return files
        return []

    def capacity(self) -> int | None:
        """Return the slots of all queue instances, as ``qhost`` tells them.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        import pyarrow.compute as pc

        with xml_of(self._cell, QHOST, "qhost") as document:
            queue_instances, _ = read_hosts(document.read())
        total = pc.sum(queue_instances["slots_total"]).as_py()
        return None if total is None else int(total)

    def _first_end(self, path: Path) -> float | None:
        try:
            return self._ends.first(path)
        except OSError:  # rotated away since it was listed, or damaged
            return None

    def _ended_before(self, path: Path, moment: float) -> bool:
        try:
            last = self._ends.last(path)
        except OSError:
            return False
        return last is not None and last < moment

    def _can_select_by_end(self) -> bool:
        if self._selects_by_end is None:
            # -help exits with 0 on some versions and with 1 on others.
            self._selects_by_end = _END_OPTION.search(self._run(["qacct", "-help"]).said) is not None
        return self._selects_by_end

    def _run(self, argv: list[str]) -> Answer:
        return run_command(self._cell, argv, timeout=_QACCT_TIMEOUT)

    def _refused(self, answer: Answer) -> GcsError:
        for name in ("accounting.jsonl", "accounting"):
            path = self._cell.common / name
            if path.exists() and not os.access(path, os.R_OK):
                return NotAuthorized(
                    f"the records of accounting in {path} cannot be read: {_owner_and_mode(path)}. `qacct` says: "
                    f"{answer.said!r}. Ask whoever runs the cluster for the right to read it (`chmod a+r`), or for a "
                    "copy, which `gcs_lab.open_accounting(PATH)` reads."
                )
        return error_of(answer.said, answer.argv, answer.exit_status)


def _readable(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if os.access(path, os.R_OK)]


def _local(since: float) -> str:
    """Return `since` as ``-b`` takes it: local time, rounded down to the second."""
    return time.strftime("%Y%m%d%H%M.%S", time.localtime(since))


def _owner_and_mode(path: Path) -> str:
    found = path.stat()
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = f"uid {found.st_uid}"
    return f"it belongs to {owner} with mode {stat.filemode(found.st_mode)}"
