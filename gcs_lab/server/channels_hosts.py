"""Makes the hosts that channels open, by the name of the face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.errors import UnknownName
from gcs_lab.server.channels_words import FACES

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.server.clusters import Clusters
    from gcs_lab.server.sessions_channel import Host

__all__ = ["HostMaker"]


class HostMaker:
    """Makes hosts of panel, cockpit and explorer.

    Parameters
    ----------
    clusters
        Those that can be used.
    contents_path
        Maps an absolute path to the page's; ``""`` for what is outside of the contents.
    """

    def __init__(self, clusters: Clusters, contents_path: Callable[[str], str]) -> None:
        self._clusters, self._contents_path = clusters, contents_path

    def __call__(self, face: str, start: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> Host:
        """Make one, in a thread.

        Raises
        ------
        UnknownName
            If there is no such face.
        GcsError
            If the cluster cannot be reached, or the host cannot be made.
        """
        if face not in FACES:
            raise UnknownName("face", face, FACES)
        cluster = self._clusters.connect(start["cluster"], wake=start.get("wake"))
        if face == "panel":
            from gcs_lab.panel import PanelHost

            panel: Host = PanelHost(cluster, send, contents_path=self._contents_path)
            return panel
        if face == "cockpit":
            from gcs_lab.cockpit import CockpitHost

            return CockpitHost(cluster, send, mine=start.get("mine", False), filter=start.get("filter", ""))
        from gcs_lab.explorer.host import ExplorerHost

        return ExplorerHost(cluster.accounting, send)
