"""Clusters of the user's own, which may be filled with invented work: private Grid Engines, the embedded cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded import CLUSTER as EMBEDDED
from gcs_lab.errors import InvalidState, UnsupportedOperation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["own_cluster", "records_file"]


def own_cluster(name: str | None = None) -> str:
    """Return the name of a cluster of the user's own; None: the private Grid Engine that runs, else the embedded one.

    Raises
    ------
    InvalidState
        If it is a private Grid Engine that is not there (any more).
    UnsupportedOperation
        If the cluster is somebody else's: invented work is sent to no site.
    """
    demos = _demos()
    if name is None:
        running = [cluster for cluster, state in demos.items() if state == "running"]
        return next(iter(sorted(running, key=lambda cluster: cluster != "demo")), EMBEDDED)
    if name != EMBEDDED and name not in demos:
        if name.partition("-")[0] == "demo":
            raise InvalidState(
                f"the private Grid Engine {name!r} is not there: `gcs-lab demo status` lists those that are, "
                "`gcs-lab demo start` starts one. What had been sent to it went with it."
            )
        raise UnsupportedOperation(
            f"{name!r} is no cluster of your own, and invented work is sent to no other: it would take slots from "
            f"people, and falsify their records. Expected one of {', '.join([*demos, EMBEDDED])}; "
            "`gcs-lab demo start` starts a private Grid Engine."
        )
    return name


def records_file(cluster: str) -> Path:
    """Return the file to which a cluster of the user's own appends its records of accounting; it may not exist yet.

    Raises
    ------
    InvalidState, UnsupportedOperation
        As :func:`own_cluster`.
    """
    if own_cluster(cluster) == EMBEDDED:
        from gcs_lab.backends.embedded.places import Places

        return Places.of_user().accounting
    from gcs_lab.backends.gridengine.demo import status
    from gcs_lab.backends.gridengine.demo.layout import DemoFolder

    name = next(state.name for state in status() if state.cluster == cluster)
    return DemoFolder.of(name).common / "accounting"


def _demos() -> dict[str, str]:
    from gcs_lab.backends.gridengine.demo import status

    return {state.cluster: state.state for state in status()}
