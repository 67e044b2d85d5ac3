"""What the cell does now, as tables: two commands a look, and one question for whatever a user opens."""

from __future__ import annotations

import getpass
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.beside import beside
from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask, error_of, run_command
from gcs_lab.backends.gridengine.job_details_status import read_details
from gcs_lab.backends.gridengine.job_rows import JobRows
from gcs_lab.backends.gridengine.operators import is_operator
from gcs_lab.backends.gridengine.qhost_tables import QHOST, read_hosts
from gcs_lab.backends.gridengine.qquota_table import QQUOTA, read_quotas
from gcs_lab.backends.gridengine.qstat_tasks import QSTAT, read_tasks
from gcs_lab.backends.gridengine.status_complexes import read_complexes
from gcs_lab.backends.gridengine.status_files import xml_of
from gcs_lab.backends.gridengine.status_submissions import KnownSubmissions
from gcs_lab.status.protocol import Poll
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.status.protocol import JobDetails

__all__ = ["GridEngineStatus"]

#: Commands that run at the same time.
_AT_ONCE = 4
#: Jobs in one command, so that its arguments do not become too many.
_MOST_JOBS = 500
#: What ``qconf`` says, with exit status 1, where there is none of a kind: "no operator defined".
_NONE = "no "


class GridEngineStatus:
    """The ``status`` area of a cell.

    Parameters
    ----------
    cell
        The cell.
    """

    poll_floor = 2.0

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self.identity = f"{cell.root} {cell.name} {cell.qmaster_host()}:{cell.port()}"
        self._rows = JobRows(cell, getpass.getuser())
        self._submissions = KnownSubmissions()
        self._lock = threading.Lock()
        self._types: dict[str, str] = {}

    def poll(self) -> Poll:
        """Look at all jobs, queue instances and hosts: one ``qstat`` and, beside it, one ``qhost``.

        A job that runs has no submission time in qstat's list; it is known if one of the earlier looks of this
        process saw the job wait.

        Raises
        ------
        GcsError
            If the cell does not answer, or what it answers cannot be read.
        """
        with beside(self._hosts) as hosts:
            with xml_of(self._cell, QSTAT, "job_info") as document:
                tasks = self._submissions.filled(read_tasks(document))
            queue_instances, machines = hosts.result()
        commands = (_typed(QSTAT), _typed(QHOST))
        return Poll(tasks=tasks, queue_instances=queue_instances, hosts=machines, commands=commands)

    def _hosts(self) -> tuple[pa.Table, pa.Table]:
        with xml_of(self._cell, QHOST, "qhost") as document:
            return read_hosts(document.read())

    def job_details(self, job_ids: Collection[str]) -> dict[str, JobDetails]:
        """Return all that is told of jobs that have not ended: ``qstat -j`` and, for where they run, ``qstat``.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        jobs = sorted({job for job in job_ids if job.isdecimal()}, key=int)
        if not jobs:
            return {}
        found: dict[str, JobDetails] = {}
        with beside(lambda: self._rows.of(set(jobs))) as listed:
            # Its exit status is 1 in 9.x if one of the jobs has ended.
            documents = [
                run_command(self._cell, ["qstat", "-j", ",".join(jobs[first : first + _MOST_JOBS]), "-xml"]).stdout
                for first in range(0, len(jobs), _MOST_JOBS)
            ]
            rows = listed.result()
        for document in documents:
            found |= read_details(document, rows)
        return found

    def host_groups(self) -> pa.Table:
        """Return the hosts of all host groups (``HOST_GROUP_COLUMNS``): one command, and one a group.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        import pyarrow as pa

        groups = self._names("-shgrpl")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            members = list(pool.map(self._members, groups))
        rows = [
            {"group": group, "host": host} for group, hosts in zip(groups, members, strict=True) for host in hosts
        ]
        return pa.Table.from_pylist(rows, schema=schema("host_groups"))

    def _members(self, group: str) -> list[str]:
        # It may have been removed since the list was made.
        answer = run_command(self._cell, ["qconf", "-shgrp_resolved", group])
        return [] if answer.exit_status else [host for host in answer.text.split() if host != "NONE"]

    def complexes(self) -> pa.Table:
        """Return all complexes (``COMPLEX_COLUMNS``), as ``qconf -sc`` lists them.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        table = read_complexes(ask(self._cell, ["qconf", "-sc"]).text)
        names, types = table.column("name").to_pylist(), table.column("type").to_pylist()
        with self._lock:
            self._types = dict(zip(names, types, strict=True))
        return table

    def quotas(self) -> pa.Table:
        """Return the resource quotas of all users that are in use (``QUOTA_COLUMNS``).

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        document = ask(self._cell, QQUOTA).stdout
        with self._lock:
            known = self._types
        if not known:
            # What is memory and what is time is told by the complexes; it hardly ever changes.
            self.complexes()
            with self._lock:
                known = self._types
        return read_quotas(document, known)

    def is_operator(self) -> bool:
        """Tell whether this user is a manager or an operator of the cell.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        return is_operator(self._cell)

    def _names(self, option: str) -> tuple[str, ...]:
        answer = run_command(self._cell, ["qconf", option])
        if answer.exit_status and not answer.said.startswith(_NONE):
            raise error_of(answer.said, answer.argv, answer.exit_status)
        return () if answer.exit_status else parse_names(answer.text)


def _typed(argv: Sequence[str]) -> str:
    """Return a command as a person types it."""
    return " ".join("'*'" if word == "*" else word for word in argv)
