"""What the ``accounting`` area asks of a system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["AccountingBackend"]


@runtime_checkable
class AccountingBackend(Protocol):
    """A system that tells what it did. Its methods may block, may run in any thread, and raise only GcsError."""

    #: What tells this cluster from another of the same name: of Grid Engine its root, cell and port, as text.
    identity: str

    def record_files(self) -> Sequence[Path]:
        """Return the files of accounting that can be read from here: rotated ones first, the growing one last.

        Empty where there are none (yet), or where they cannot be read from this host.
        """
        ...

    def qacct(self, since: float | None) -> bytes | None:
        """Return what ``qacct -j`` prints of records that ended at `since` (seconds since the epoch) or later.

        Asked only where :meth:`record_files` is empty. None: this system has no such command.
        """
        ...

    def other_files(self, kind: str) -> Sequence[Path]:
        """Return the files of another kind, as above: ``"reporting"``, ``"monitoring"`` or ``"share_tree"``."""
        ...

    def capacity(self) -> int | None:
        """Return the slots that the cluster has now; None: not known."""
        ...
