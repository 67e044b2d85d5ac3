"""Routes: which clusters there are; start and stop those of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.openapi_types import BOOLEAN, TEXT, choice, list_of, record
from gcs_lab.server.operation import operation

if TYPE_CHECKING:
    from gcs_lab.server.clusters import ClusterInfo

__all__ = ["ROUTES"]

CLUSTER = record(
    name=TEXT,
    why=TEXT,
    backend=TEXT,
    state=choice("running", "stopped", "unreachable"),
    text=TEXT,
    chosen=BOOLEAN,
    startable=BOOLEAN,
)


class ClustersHandler(ApiHandler):
    """What can be used from here."""

    @operation(
        "Return the clusters that can be used from here, the one that is taken first in front; nothing is started.",
        answer=list_of(CLUSTER),
    )
    async def get(self) -> list[ClusterInfo]:
        """List them."""
        return await self.in_thread(self.clusters.list)


class StartHandler(ApiHandler):
    """Start a cluster."""

    @operation("Start a cluster of your own, and wait until it runs; good if it does already.", answer=CLUSTER)
    async def post(self, name: str) -> ClusterInfo:
        """Start it."""
        return await self.in_thread(self.clusters.start, name)


class StopHandler(ApiHandler):
    """Stop a cluster."""

    @operation(
        "Stop a cluster of your own: jobs of the embedded cluster go on, those of a private Grid Engine end with it.",
        answer=CLUSTER,
    )
    async def post(self, name: str) -> ClusterInfo:
        """Stop it."""
        return await self.in_thread(self.clusters.stop, name)


ROUTES: list[tuple[str, type[ApiHandler]]] = [
    ("clusters", ClustersHandler),
    ("clusters/{name}/start", StartHandler),
    ("clusters/{name}/stop", StopHandler),
]
