"""Clusters of the user's own that can be started and stopped here: a private Grid Engine, and the embedded one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.errors import DrmCommunication, GcsError

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["EMBEDDED", "PrivateCluster", "embedded_cluster", "private_clusters", "start_private", "stop_private"]

DEMO, EMBEDDED = "demo", "embedded"
RUNNING, STOPPED, UNREACHABLE = "running", "stopped", "unreachable"


@dataclass(frozen=True)
class PrivateCluster:
    """One of them as it stands. ``startable`` is False if what it needs is missing; ``text`` says what."""

    name: str
    backend: str
    state: str
    text: str
    startable: bool = True


def private_clusters() -> dict[str, PrivateCluster]:
    """Return them by name, whether they run or not; nothing is started, no command is run."""
    from gcs_lab.backends.gridengine import demo

    try:
        found = {state.cluster: _demo(state) for state in demo.status()}
    except GcsError as error:
        # The others are there nevertheless.
        found = {DEMO: PrivateCluster(DEMO, "gridengine", UNREACHABLE, str(error))}
    if DEMO not in found:
        found[DEMO] = _demo_to_be()
    found[EMBEDDED] = embedded_cluster()
    return found


def _demo(state: DemoState) -> PrivateCluster:
    if state.state == RUNNING:
        shape = "" if state.settings is None else f", {state.settings.shape.in_words()}"
        seeming = "; jobs execute nothing on simulated hosts" if state.simulated else ""
        return PrivateCluster(state.cluster, "gridengine", RUNNING, f"A private Grid Engine{shape}{seeming}.")
    ended = [name for name, pid in state.daemons.items() if pid is None]
    why = f"{', '.join(ended)} of it is dead" if state.state == "broken" else "its start was broken off"
    # Without a host it still answers; without its master all of it is there, and comes back with the same ports.
    dead = STOPPED if state.settings is None else UNREACHABLE
    now = RUNNING if state.daemons.get("sge_qmaster") else dead
    return PrivateCluster(state.cluster, "gridengine", now, f"A private Grid Engine; {why}: start it again.")


def _demo_to_be() -> PrivateCluster:
    from gcs_lab.backends.gridengine.demo.layout import installed

    try:
        installed()
    except GcsError as error:
        return PrivateCluster(DEMO, "gridengine", STOPPED, str(error), startable=False)
    text = "A private Grid Engine on this machine, of your own; it takes about three seconds to start."
    return PrivateCluster(DEMO, "gridengine", STOPPED, text)


def embedded_cluster() -> PrivateCluster:
    """Return the embedded one as it stands; nothing is started."""
    from gcs_lab.backends.embedded import service

    try:
        status = service.status()
    except GcsError as error:
        return PrivateCluster(EMBEDDED, EMBEDDED, UNREACHABLE, str(error))
    if status.pid is None:
        text = "A small scheduler that gcs_lab brings along; it starts by itself when it is first used."
        return PrivateCluster(EMBEDDED, EMBEDDED, STOPPED, text)
    tasks = f"{status.running} running, {status.waiting} waiting"
    return PrivateCluster(EMBEDDED, EMBEDDED, RUNNING, f"A small scheduler that gcs_lab brings along; {tasks}.")


def start_private(name: str) -> None:
    """Start one of them, or mend it; good if it runs already.

    Raises
    ------
    ClusterNotFound
        If packages that it needs are missing; the message says how to install them.
    GcsError
        If it does not come up.
    """
    if name == EMBEDDED:
        from gcs_lab.backends.embedded import service

        service.start()
        return
    from gcs_lab.backends.gridengine import demo

    try:
        demo.start(_demo_name(name))
    except OSError as error:
        raise DrmCommunication(f"the private Grid Engine {name!r} could not be started: {error}.") from error


def stop_private(name: str) -> None:
    """Stop one of them. Jobs of the embedded one go on; those of a private Grid Engine end with it.

    Raises
    ------
    GcsError
        If it does not end.
    """
    if name == EMBEDDED:
        from gcs_lab.backends.embedded import service

        service.stop()
        return
    from gcs_lab.backends.gridengine import demo

    demo.stop(_demo_name(name))


def _demo_name(cluster: str) -> str:
    """Return the name of a demo cell by its cluster's: ``demo``, or ``demo-NAME`` of further ones."""
    return cluster.removeprefix(f"{DEMO}-")
