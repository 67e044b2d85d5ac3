"""How a backend offers itself: an entry point of group ``gcs_lab.backends`` that names a provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.jobs.protocol import Catalogue, JobsBackend
    from gcs_lab.status.protocol import StatusBackend

__all__ = ["BackendProvider", "CatalogueReader", "Offer", "RecordsReader", "SystemBackend"]


@dataclass(frozen=True)
class Offer:
    """A cluster that a provider could connect to here.

    ``affinity`` orders the offers when the user names none: 0 only on request, 1 always possible, 2 a private
    demo cluster that runs, 3 a site's own cluster. ``why`` ends the sentence "… was chosen because".
    """

    cluster: str
    affinity: int
    why: str


@runtime_checkable
class SystemBackend(Protocol):
    """A connected system; which areas it has is told by which of these are not None."""

    #: Stable name by which ``connect(name)`` finds it again: ``"embedded"``, ``"gridengine"``, ``"demo"`` …
    cluster: str
    #: Name and version for people: ``"Grid Engine 8.1.9"``.
    system: str
    jobs: JobsBackend
    status: StatusBackend | None
    accounting: AccountingBackend | None

    def close(self) -> None:
        """Release connections and helper processes; jobs go on."""
        ...


@runtime_checkable
class BackendProvider(Protocol):
    """What the entry point names."""

    name: str

    def offers(self) -> list[Offer]:
        """Return the clusters that can be connected to here, without starting anything; fast (< 50 ms)."""
        ...

    def explain(self) -> str:
        """Say in one line what was looked for and found, for ``connect`` errors and ``gcs-lab doctor``."""
        ...

    def connect(self, cluster: str) -> SystemBackend:
        """Connect to one of the clusters offered (starting it, if that is how it is used).

        Raises
        ------
        GcsError
            If it cannot be reached or started; the message says why and what to do.
        """
        ...


@runtime_checkable
class CatalogueReader(Protocol):
    """What a provider may have besides: the names of a cluster without a connection to it."""

    def catalogue(self, cluster: str) -> Catalogue:
        """Return the names that submissions may use on one of the clusters offered.

        Called in a thread while somebody types a line of ``%%gcs``, before any job was sent. Nothing is started, and
        nothing stays open.

        Raises
        ------
        GcsError
            If the cluster does not answer, or cannot be asked without being started.
        """
        ...


@runtime_checkable
class RecordsReader(Protocol):
    """What a provider may have besides: a cluster's records of accounting without a connection to it."""

    def accounting(self, cluster: str) -> AccountingBackend:
        """Return what tells where the records of one of the clusters offered are. Nothing is started or asked.

        Called by ``gcs-lab doctor``.

        Raises
        ------
        GcsError
            If there is no such cluster.
        """
        ...
