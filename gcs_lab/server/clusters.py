"""The clusters that pages can use from this server: which there are, connected to once, started and stopped."""

from __future__ import annotations

import functools
import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec, TypedDict, TypeVar

from gcs_lab.errors import ClusterNotFound, DeniedByDrms, GcsError, InvalidState, UnsupportedOperation
from gcs_lab.server.clusters_private import (
    EMBEDDED,
    RUNNING,
    STOPPED,
    UNREACHABLE,
    PrivateCluster,
    embedded_cluster,
    private_clusters,
    start_private,
    stop_private,
)
from gcs_lab.server.clusters_threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import Logger

    from gcs_lab.cluster import Cluster

__all__ = ["ClusterInfo", "Clusters"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What the first picture of a panel loads; pyarrow loads pandas at the first table if it is there.
_FIRST_NEEDED = ("gcs_lab.panel", "gcs_lab.cockpit", "pyarrow.compute", "pandas")


class ClusterInfo(TypedDict):
    """``IClusterInfo`` of rest.ts."""

    name: str
    why: str
    backend: str
    state: str
    text: str
    chosen: bool
    startable: bool


class Clusters:
    """What one Jupyter server reaches.

    All methods but :meth:`in_thread`, its like and :meth:`warm_up_soon` may take their time: call them in a thread.

    Parameters
    ----------
    allowed
        Names of those that pages may use; empty: all.
    default
        Name of the one that is taken first; ``""``: the one that ``gcs_lab.connect()`` would take.
    allow_start
        Whether pages may start and stop clusters of the user's own.
    log
        Where faults are told.
    """

    def __init__(
        self, log: Logger, *, allowed: Sequence[str] = (), default: str = "", allow_start: bool = True
    ) -> None:
        self.log, self._allowed, self._default, self._allow_start = log, tuple(allowed), default, allow_start
        self._connected: dict[str, Cluster] = {}
        self._guard = threading.Lock()
        self._changing: dict[str, threading.Lock] = {}
        #: Stopped here, and not started since, as far as is known.
        self._stopped: set[str] = set()
        self._threads = Threads()
        self._warm = self._closed = False
        #: Called with the name of a cluster before it is stopped.
        self.before_stop: Callable[[str, GcsError], None] | None = None

    # -- threads ----------------------------------------------------------------------------------------------------

    async def in_thread(self, work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        """Do something that takes long in a thread. Raises what it raises, and InvalidState when the server ends."""
        return await self._threads.run(functools.partial(work, *args, **options), "")

    async def in_thread_of(self, name: str, work: Callable[[], _T]) -> _T:
        """Do something with a cluster in a thread, as :meth:`in_thread`: one that hangs keeps no other waiting."""
        # No more rows than there are clusters: a name that nobody knows yet is looked up with the others.
        return await self._threads.run(work, name if name in self._changing else "")

    async def to_the_end(self, work: Callable[[], _T]) -> _T:
        """Do what ends something, in a thread, whatever else is going on."""
        return await self._threads.run(work, None)

    def warm_up_soon(self) -> None:
        """Load in a thread what the first panel needs, and connect to the cluster that it will show, if that runs.

        Only the first call does something.
        """
        if not self._warm:
            self._warm = True
            threading.Thread(target=self._warm_up, name="gcs-lab-server", daemon=True).start()

    def _warm_up(self) -> None:
        try:
            for name in _FIRST_NEEDED:
                import_module(name)
            chosen = next((info for info in self.list() if info["chosen"]), None)
            if chosen is not None and chosen["state"] == RUNNING:
                cluster = self.connect(chosen["name"])
                cluster.jobs.catalogue()
                if cluster.status.poller.latest() is None:
                    cluster.status.poller.fresh()
        except GcsError as error:
            # Whoever asks for it is told.
            self.log.debug("gcs_lab: nothing could be warmed up: %s", error)
        except Exception:
            self.log.exception("gcs_lab: nothing could be warmed up")

    # -- which there are --------------------------------------------------------------------------------------------

    def list(self) -> list[ClusterInfo]:
        """Return what can be used from here, the one that is taken first in front; nothing is started."""
        from gcs_lab.cluster import offers

        own = private_clusters()
        self._leave_stopped(own)
        found: list[ClusterInfo] = []
        chosen = self._default or os.environ.get("GCS_LAB_CLUSTER") or ""
        for provider, offer in offers():
            is_chosen = (
                offer.cluster == chosen if chosen else offer.affinity > 0 and not any(f["chosen"] for f in found)
            )
            private = own.pop(offer.cluster, None)
            answers = offer.affinity > 0
            found.append(
                {
                    "name": offer.cluster,
                    "why": offer.why,
                    "backend": private.backend if private else provider.name,
                    "state": private.state if private else RUNNING if answers else UNREACHABLE,
                    "text": private.text if private else "" if answers else f"It cannot be used now: {offer.why}.",
                    "chosen": is_chosen and self._may(offer.cluster),
                    "startable": private is not None and private.startable and self._allow_start,
                }
            )
        found += [
            {
                "name": private.name,
                "why": "it can be started from here" if private.startable else "Debian's packages for it are missing",
                "backend": private.backend,
                "state": private.state,
                "text": private.text,
                "chosen": private.name == chosen and self._may(private.name),
                "startable": private.startable and self._allow_start,
            }
            for private in own.values()
        ]
        allowed = [info for info in found if self._may(info["name"])]
        if allowed and not chosen and not any(info["chosen"] for info in allowed):
            # The one that would be taken may not be.
            next((i for i in allowed if i["state"] == RUNNING), allowed[0])["chosen"] = True
        return sorted(allowed, key=lambda info: not info["chosen"])

    def _leave_stopped(self, own: dict[str, PrivateCluster]) -> None:
        """Let go of demo clusters that were stopped elsewhere: one that is made anew has other ports.

        One whose master died is kept: its last picture stays, and it goes on when it is started again.
        """
        for name in list(self._connected):
            if name in own and own[name].state == STOPPED and own[name].backend != EMBEDDED:
                with self._changing_of(name):
                    self._disconnect(name)

    def info(self, name: str) -> ClusterInfo:
        """Return one of them. Raises ClusterNotFound if there is none of that name."""
        found = self.list()
        for info in found:
            if info["name"] == name:
                return info
        there = ", ".join(info["name"] for info in found) or "none"
        limit = " This server is configured to offer no others (c.GcsLabServer.clusters)." if self._allowed else ""
        raise ClusterNotFound(f"no cluster is called {name!r} here. There is: {there}.{limit}")

    def _may(self, name: str) -> bool:
        return not self._allowed or name in self._allowed

    # -- connected --------------------------------------------------------------------------------------------------

    def connect(self, name: str, *, wake: bool | None = None) -> Cluster:
        """Return a cluster; it is connected to once. The embedded one may be started for it, others are not.

        Parameters
        ----------
        name
            Its name.
        wake
            Whether the embedded one is started if it does not run. None: unless somebody stopped it here.

        Raises
        ------
        ClusterNotFound
            If there is none of that name.
        InvalidState
            If it does not run.
        GcsError
            If it cannot be reached.
        """
        if (there := self._connected.get(name)) is not None:
            return there
        from gcs_lab.cluster import connect

        info = self.info(name)
        is_dead = info["state"] == UNREACHABLE and info["startable"] and info["backend"] != EMBEDDED
        if is_dead or (info["state"] == STOPPED and (info["backend"] != EMBEDDED or not self._allow_start)):
            raise InvalidState(f"the cluster {name!r} does not run. {info['text']}")
        with self._changing_of(name):
            # It may have been stopped while this waited.
            if info["backend"] == EMBEDDED and embedded_cluster().state == STOPPED:
                self._check_may_wake(name, wake=wake)
            cluster = connect(name)
            self._stopped.discard(name)
            with self._guard:
                if self._closed:
                    raise InvalidState("the Jupyter server ends; start it again.")
                self._connected[name] = cluster
        return cluster

    def _check_may_wake(self, name: str, *, wake: bool | None) -> None:
        if wake is None and name in self._stopped:
            raise InvalidState(f"the cluster {name!r} was stopped; start it again to see it.")
        if wake is False or not self._allow_start:
            raise InvalidState(f"the cluster {name!r} does not run; start it to see it.")

    def connected(self, name: str) -> Cluster | None:
        """Return a cluster if it is connected to; at once."""
        return self._connected.get(name)

    # -- started and stopped ----------------------------------------------------------------------------------------

    def start(self, name: str) -> ClusterInfo:
        """Start a cluster of the user's own; good if it runs already.

        Raises
        ------
        ClusterNotFound
            If there is none of that name, or packages that it needs are missing.
        DeniedByDrms
            If this server does not let pages start clusters.
        UnsupportedOperation
            If it is none that could be started from here.
        GcsError
            If it does not come up.
        """
        self._check_changeable(name, "started")
        with self._changing_of(name):
            start_private(name)
            self._stopped.discard(name)
        return self.info(name)

    def stop(self, name: str) -> ClusterInfo:
        """Stop a cluster of the user's own. Jobs of the embedded one go on, those of a demo cluster end.

        Raises
        ------
        GcsError
            As :meth:`start`.
        """
        self._check_changeable(name, "stopped")
        with self._changing_of(name):
            # First: pages open again what is closed.
            self._stopped.add(name)
            self._disconnect(name)
            stop_private(name)
        return self.info(name)

    def _disconnect(self, name: str) -> None:
        if self.before_stop is not None:
            self.before_stop(name, InvalidState(f"the cluster {name!r} was stopped; start it again to see it."))
        with self._guard:
            cluster = self._connected.pop(name, None)
        if cluster is not None:
            cluster.close()

    def _check_changeable(self, name: str, what: str) -> None:
        info = self.info(name)
        own = private_clusters().get(name)
        if own is None:
            raise UnsupportedOperation(
                f"the cluster {name!r} cannot be {what} from here: {info['why']}. Only clusters of your own can."
            )
        if not self._allow_start:
            raise DeniedByDrms(
                f"the cluster {name!r} cannot be {what} from a page: this Jupyter server does not allow it "
                "(c.GcsLabServer.allow_start). Use the command `gcs-lab` in a terminal."
            )
        if not own.startable:
            raise ClusterNotFound(own.text)

    def _changing_of(self, name: str) -> threading.Lock:
        with self._guard:
            return self._changing.setdefault(name, threading.Lock())

    # -- the end ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Begin nothing more.

        Connections are the program's (:func:`gcs_lab.connect`), and closed when it ends; clusters and jobs go on.
        """
        with self._guard:
            self._closed = True
            self._connected.clear()
        self._threads.close()
