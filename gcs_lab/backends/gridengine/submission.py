"""Submit jobs once and only once, whatever dies on the way."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import PurePath
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.drmaa_transport import DrmaaTransport, HelperUnavailable
from gcs_lab.backends.gridengine.job_details_xml import parse_contexts
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs
from gcs_lab.backends.gridengine.qsub_transport import CONTEXT, Batch, QsubTransport
from gcs_lab.errors import DrmCommunication, GcsError, Internal, InvalidArgument, PartlySubmitted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.qsub_transport import Transport
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import TaskRange

__all__ = ["Submitter"]

_TRIES = 3
#: The request of a helper that died may still be on its way through the qmaster; seconds.
_ON_ITS_WAY = 0.1
#: Jobs that are asked for their context in one command.
_AT_ONCE = 200
#: Jobs that are sent in one go; so many have to be looked for when the answers are lost.
_PIPELINE = 200
#: The qmaster counts whole seconds, by its own clock.
_CLOCKS = timedelta(seconds=3)
_NOT_SENT = re.compile(
    r"connection refused|unable to send message|SGE_ROOT directory|cannot be started", re.IGNORECASE
)
#: Job numbers go up to 9,999,999 and start anew then.
_NUMBERS = 10_000_000
_TOKEN = re.compile(r"[0-9a-f]{32}\Z")


class Submitter:
    """Submits by libdrmaa where the cell has it, else by qsub.

    Every job carries a marker of its own in its context (``qsub -ac``). When the answer to a submission was lost, the
    marker tells whether the job was taken, so that it is neither lost nor submitted twice.

    Parameters
    ----------
    cell
        The cell to submit to.
    user
        Whose jobs they are.
    transport
        ``"drmaa"`` or ``"qsub"`` to have that one; None: the best there is.
    """

    def __init__(self, cell: SgeCell, user: str, transport: str | None = None) -> None:
        self._cell, self._user = cell, user
        self._qsub = QsubTransport(cell)
        self._mine: set[str] = set()
        self._last = 0
        library = cell.drmaa_library() if transport != "qsub" else None
        self.drmaa = DrmaaTransport(cell, library) if library is not None else None

    @property
    def transport(self) -> str:
        """Name of the transport that a plain job takes."""
        return self._qsub.name if self.drmaa is None else self.drmaa.name

    def start(self) -> None:
        """Start the helper in the background, if there is to be one."""
        if self.drmaa is not None:
            self.drmaa.start()

    def close(self) -> None:
        """End the helper."""
        if self.drmaa is not None:
            self.drmaa.close()

    def submit(
        self,
        request: JobRequest,
        tasks: TaskRange | None = None,
        max_parallel: int | None = None,
        *,
        token: str | None = None,
    ) -> str:
        """Submit one job, or an array job, and return its id.

        Raises
        ------
        GcsError
            If it was not taken; or, with words that say so, if that could not be found out.
        """
        return self._submit(Batch([request], [_marker(token)], tasks, max_parallel))[0]

    def submit_many(self, requests: Sequence[JobRequest], tokens: Sequence[str] | None = None) -> list[str]:
        """Submit many jobs and return their ids, in order.

        Raises
        ------
        PartlySubmitted
            If one was refused after others had been taken.
        GcsError
            If the first one was refused, or as :meth:`submit`.
        """
        markers = [_marker(token) for token in tokens or repeat(None, len(requests))]
        ids: list[str] = []
        for batch in _batches(requests, markers):
            try:
                ids += self._submit(batch)
            except PartlySubmitted as error:
                raise PartlySubmitted([*ids, *error.job_ids], error.reason) from error.reason
            except GcsError as error:
                if not ids:
                    raise
                raise PartlySubmitted(ids, error) from error
        return ids

    def find(self, tokens: Collection[str]) -> dict[str, str]:
        """Return the ids of the jobs in the queue that were submitted with `tokens`, by token.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        return self._find_alive(set(tokens), set()) if tokens else {}

    def _submit(self, batch: Batch) -> list[str]:
        """Submit the jobs of a batch, which take the same transport.

        Raises
        ------
        PartlySubmitted
            If one was refused after others had been taken.
        """
        qsub = self.drmaa is None or batch.requests[0].needs_qsub()
        transport: Transport = self._qsub if qsub or self.drmaa is None else self.drmaa
        since, attempt = datetime.now(UTC) - _CLOCKS, 1
        ids: list[str] = []
        while rest := batch.without(len(ids)):
            try:
                transport.submit(rest, ids)
            except HelperUnavailable:
                transport = self._qsub
            except DrmCommunication as error:
                if _NOT_SENT.search(str(error)):
                    if transport is self._qsub:
                        raise _partly(ids, error) from error
                    # The helper's connection may be one to a qmaster that was started anew since; qsub makes its own.
                    transport.close()
                    transport = self._qsub
                    continue
                self._note(ids)
                try:
                    found = self._find(batch.without(len(ids)), since, error)
                except GcsError as unclear:
                    raise _partly(ids, unclear) from error
                attempt += not found
                if attempt > _TRIES:
                    raise _partly(ids, error) from error
                ids += found
            except GcsError as error:
                raise _partly(ids, error) from error
        self._note(ids)
        return ids

    def _note(self, ids: list[str]) -> None:
        self._mine.update(ids)
        if ids:
            self._last = int(ids[-1])

    def _find(self, batch: Batch, since: datetime, error: DrmCommunication) -> list[str]:
        """Return the ids of the first jobs of `batch`, those that the qmaster took: surely none, if it is empty."""
        try:
            time.sleep(_ON_ITS_WAY)
            alive = self._find_alive(set(batch.markers), self._mine)
            ids: list[str] = []
            for request, marker in zip(batch.requests, batch.markers, strict=True):
                # Jobs are taken in order: one that is not there was not taken if no later one is.
                later = any(other in alive for other in batch.markers[len(ids) :])
                found = alive.get(marker) or self._find_ended(request, since, surely=later)
                if found is None:
                    break
                ids.append(found)
                self._note([found])
        except GcsError as second:
            raise DrmCommunication(
                f"{error} Whether the job was taken could not be found out ({second}). Before you submit it again, "
                "look with `qstat` and `qstat -s z`."
            ) from error
        return ids

    def _find_alive(self, markers: set[str], known: set[str]) -> dict[str, str]:
        """Return the jobs in the queue with `markers`; the latest are looked at first, `known` ones not at all."""
        rows = parse_jobs(ask(self._cell, ["qstat", "-u", self._user, "-xml"]).stdout)
        ids = sorted({row.job_id for row in rows} - known, key=int, reverse=True)
        found: dict[str, str] = {}
        for first in range(0, len(ids), _AT_ONCE):
            some = ",".join(ids[first : first + _AT_ONCE])
            # 9.x exits with 1 if one of them has ended meanwhile.
            for job_id, context in parse_contexts(
                run_command(self._cell, ["qstat", "-j", some, "-xml"]).stdout
            ).items():
                if (marker := context.get(CONTEXT, "")) in markers:
                    found[marker] = job_id
            if len(found) == len(markers):
                break
        return found

    def _find_ended(self, request: JobRequest, since: datetime, *, surely: bool) -> str | None:
        """Look among the jobs that ended since (``qstat -s z``); they have no context, only name, owner and time."""
        answer = run_command(self._cell, ["qstat", "-u", self._user, "-s", "z", "-xml"])
        name = request.name or PurePath(request.command).name
        ended = sorted(
            {
                row.job_id
                for row in (parse_jobs(answer.stdout) if answer.exit_status == 0 else [])
                if row.name == name and self._is_later(row.job_id) and (row.submission_time or since) >= since
            },
            key=int,
        )
        if len(ended) > 1 or (surely and not ended):
            which = f"one of the jobs {', '.join(ended)} may be it" if ended else "no job of its name is listed"
            raise Internal(f"{which}, and it has ended")
        return ended[0] if ended else None

    def _is_later(self, job_id: str) -> bool:
        """Tell whether a job is later than the last one of ours; numbers start anew after a while."""
        return not self._last or 0 < (int(job_id) - self._last) % _NUMBERS < _NUMBERS // 2


def _marker(token: str | None) -> str:
    if token is not None and not _TOKEN.match(token):
        raise InvalidArgument(f"the token {token!r} is not of 32 hexadecimal digits (0-9a-f), as uuid4().hex is.")
    return token or uuid.uuid4().hex


def _batches(requests: Sequence[JobRequest], markers: Sequence[str]) -> Iterator[Batch]:
    """Yield batches of jobs in order, each of jobs that take the same transport."""
    start = 0
    while start < len(requests):
        qsub, end = requests[start].needs_qsub(), start + 1
        while end < len(requests) and end - start < _PIPELINE and requests[end].needs_qsub() == qsub:
            end += 1
        yield Batch(list(requests[start:end]), list(markers[start:end]))
        start = end


def _partly(job_ids: list[str], reason: GcsError) -> GcsError:
    return PartlySubmitted(job_ids, reason) if job_ids else reason
