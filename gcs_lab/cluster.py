"""A cluster: five areas over one backend; and how to connect to one."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import warnings
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NoReturn

from gcs_lab.errors import ClusterNotFound, UnsupportedOperation
from gcs_lab.jobs import Jobs
from gcs_lab.status import Status

if TYPE_CHECKING:
    import pyarrow as pa

    from gcs_lab.accounting import Accounting
    from gcs_lab.backends.provider import BackendProvider, Offer, SystemBackend
    from gcs_lab.vocabulary import Capability

__all__ = ["Cluster", "connect", "offers", "providers"]

AREAS = ("jobs", "status", "accounting", "configuration", "control")


class Cluster:
    """A connected cluster.

    Parameters
    ----------
    backend
        The system.
    why
        Why this one was chosen, in a few words.
    """

    def __init__(self, backend: SystemBackend, why: str = "it was asked for") -> None:
        self._backend = backend
        self.why = why
        self.jobs = Jobs(backend.jobs, cluster=backend.cluster)
        self._status: Status | None = None
        self._accounting: Accounting | None = None
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"<Cluster {self.name}: {self.system}; chosen because {self.why}>"

    @property
    def name(self) -> str:
        """Name by which :func:`connect` finds it again."""
        return self._backend.cluster

    @property
    def system(self) -> str:
        """What runs it, with its version."""
        return self._backend.system

    @property
    def status(self) -> Status:
        """What the cluster does now. Raises UnsupportedOperation if the system does not tell."""
        if self._backend.status is None:
            self._refuse("status")
        with self._guard:
            if self._status is None:
                self._status = Status(
                    self._backend.status,
                    cluster=self.name,
                    system=self.system,
                    pending_reasons=self.jobs.pending_reasons,
                )
            return self._status

    @property
    def accounting(self) -> Accounting:
        """What the cluster did. Raises UnsupportedOperation if the system does not tell."""
        if self._backend.accounting is None:
            self._refuse("accounting")
        # It reads with a big library, which not everybody needs.
        from gcs_lab.accounting import Accounting

        with self._guard:
            if self._accounting is None:
                self._accounting = Accounting(
                    self._backend.accounting,
                    cluster=self.name,
                    system=self.system,
                    live=None if self._backend.status is None else self._live_tasks,
                )
            return self._accounting

    @property
    def configuration(self) -> NoReturn:
        """How it is set up; no backend of this version has it: raises UnsupportedOperation."""
        self._refuse("configuration")

    @property
    def control(self) -> NoReturn:
        """Operating it; no backend of this version has it: raises UnsupportedOperation."""
        self._refuse("control")

    def supports(self, what: str | Capability) -> bool:
        """Tell whether an area (``"jobs"``, ``"status"`` …) or a DRMAA2 capability is there.

        Raises
        ------
        ValueError
            If `what` is the name of no area.
        """
        if not isinstance(what, str):
            return self._backend.jobs.supports(what)
        if what not in AREAS:
            raise ValueError(f"{what!r} is no area; the areas are {', '.join(AREAS)}.")
        return what == "jobs" or (what in {"status", "accounting"} and getattr(self._backend, what) is not None)

    def dashboard(self, **options: Any) -> Any:
        """Return the cockpit: what the cluster does now, live, in the cell (docs/dashboard.md).

        Parameters
        ----------
        options
            As :func:`gcs_lab.widgets.cockpit.dashboard` takes them.

        Raises
        ------
        UnsupportedOperation
            If the system does not tell what it does, or no dashboard is installed.
        """
        if self._backend.status is None:
            self._refuse("status, so there is nothing for a dashboard to show,")
        # By name: the faces live on a higher floor.
        for point in entry_points(group="gcs_lab.faces", name="dashboard"):
            return point.load()(self, **options)
        raise UnsupportedOperation(
            "no dashboard is installed: the package's entry point gcs_lab.faces/dashboard is missing. Install it "
            "again (`pip install --force-reinstall --no-deps gcs-lab`, in a checkout `make lab`)."
        )

    def close(self) -> None:
        """Release the connection, end the polls and the callbacks of its jobs' events; the jobs go on."""
        # First, so that nobody asks a closed backend.
        if self._accounting is not None:
            self._accounting.close()
        if self._status is not None:
            self._status.close()
        self.jobs.close()
        self._backend.close()
        with _lock:
            for key in [key for key, cluster in _connected.items() if cluster is self]:
                del _connected[key]

    def _live_tasks(self) -> pa.Table:
        """Return what the cluster's jobs do now (``TASK_COLUMNS``); the question is shared with whoever asks."""
        return self.status.snapshot().tasks

    def _refuse(self, area: str) -> NoReturn:
        raise UnsupportedOperation(f"{self.system} offers no {area} through gcs_lab {_version()}.")


#: By home and name: each ``GCS_LAB_HOME`` has an embedded cluster, and a demo cluster, of its own.
_connected: dict[tuple[str, str], Cluster] = {}
_lock = threading.RLock()


@atexit.register
def _close_all() -> None:
    """Close what the program left open, so that no helper and no socket is torn down by chance."""
    for cluster in list(_connected.values()):
        with contextlib.suppress(Exception):
            cluster.close()


def _version() -> str:
    from gcs_lab._version import __version__

    return __version__


def providers() -> dict[str, BackendProvider]:
    """Return the installed backends by name (entry points of group ``gcs_lab.backends``).

    A backend that cannot be loaded (a third party's, perhaps) is left out with a warning; the others work on.
    """
    found: dict[str, BackendProvider] = {}
    for point in entry_points(group="gcs_lab.backends"):
        try:
            found[point.name] = point.load()
        except Exception as error:
            warnings.warn(
                f"the backend {point.name!r} ({point.value}) could not be loaded and is left out: {error!r}. Update "
                "or uninstall the package that brings it.",
                stacklevel=2,
            )
    return found


def offers() -> list[tuple[BackendProvider, Offer]]:
    """Return every cluster that can be connected to here, the one that ``connect()`` takes first."""
    found = [(provider, offer) for provider in providers().values() for offer in provider.offers()]
    return sorted(found, key=lambda pair: -pair[1].affinity)


def connect(cluster: str | None = None) -> Cluster:
    """Connect to a cluster; the same cluster is connected to once.

    Parameters
    ----------
    cluster
        Its name (``"embedded"``, ``"gridengine"``, ``"demo"`` …). None: the one ``GCS_LAB_CLUSTER`` names, else
        Grid Engine if there is one here, else a private demo cluster that runs, else the embedded cluster. The
        cluster says which and why.

    Raises
    ------
    ClusterNotFound
        If there is none of that name.
    GcsError
        If it cannot be reached or started.
    """
    wanted = cluster or os.environ.get("GCS_LAB_CLUSTER") or None
    with _lock:
        home = os.environ.get("GCS_LAB_HOME", "")
        here = {name: cluster for (of_home, name), cluster in _connected.items() if of_home == home}
        if wanted in here:
            return here[wanted]
        if wanted is None and here:
            return next(iter(here.values()))
        candidates = offers()
        for provider, offer in candidates:
            if offer.cluster == wanted or (wanted is None and offer.affinity > 0):
                why = offer.why if cluster is None and wanted is None else "it was asked for"
                if cluster is None and wanted is not None:
                    why = "GCS_LAB_CLUSTER names it"
                connected = Cluster(provider.connect(offer.cluster), why)
                _connected[home, offer.cluster] = connected
                return connected
    raise ClusterNotFound(_not_found(wanted, [offer.cluster for _, offer in candidates]))


def _not_found(wanted: str | None, names: list[str]) -> str:
    looked = " ".join(f"{name}: {provider.explain()}" for name, provider in providers().items())
    asked = f"no cluster is called {wanted!r}" if wanted else "no cluster was found"
    return f"{asked}. There is: {', '.join(names) or 'none'}. {looked}"
