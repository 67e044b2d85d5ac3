"""What the embedded cluster did: its one file of accounting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.source_file import rotated_files
from gcs_lab.backends.embedded.places import Places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gcs_lab.backends.embedded.client import Client

__all__ = ["EmbeddedAccounting"]


class EmbeddedAccounting:
    """The ``accounting`` area; methods as in :class:`~gcs_lab.accounting.protocol.AccountingBackend`.

    The file is the user's own, in Grid Engine's format, written as each run ends.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._places = Places.of_user()
        #: Each user has one in each ``GCS_LAB_HOME``.
        self.identity = f"embedded {self._places.folder}"

    def record_files(self) -> Sequence[Path]:
        """Return the file, and those that somebody rotated away, oldest first; empty as long as no job ended."""
        return rotated_files(self._places.accounting)

    def qacct(self, since: float | None) -> None:  # noqa: ARG002
        """Return None: there is no such command."""
        return

    def other_files(self, kind: str) -> Sequence[Path]:  # noqa: ARG002
        """Return nothing: accounting is all that is recorded."""
        return ()

    def capacity(self) -> int | None:
        """Return the slots of all queue instances. Raises DrmCommunication if the scheduler does not answer."""
        total: int = sum(self._client.ask("queue_instances")["slots_total"])
        return total
