"""What the Jupyter server loads.

Loading it only registers routes: nothing heavy is imported, no cluster is asked, and no thread is started before a
page wants something.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, List, Unicode

from gcs_lab.server.channels_hosts import HostMaker
from gcs_lab.server.clusters import Clusters
from gcs_lab.server.contents_paths import ContentsPaths
from gcs_lab.server.notebook_renames import CONTENTS_EVENTS, NotebookRenames
from gcs_lab.server.routes import routes
from gcs_lab.server.sessions import SessionLimits, Sessions

__all__ = ["GcsLabServer"]


class GcsLabServer(ExtensionApp):
    """Clusters, their jobs and their accounting, for JupyterLab."""

    name = "gcs_lab"
    extension_url = "/gcs-lab/api/about"

    clusters = List(
        Unicode(),
        help="Names of the clusters that pages may use, e.g. ['gridengine']; empty: all that are found.",
    ).tag(config=True)
    default_cluster = Unicode(
        "",
        help="Name of the cluster that a page shows first; empty: the one that gcs_lab.connect() would take.",
    ).tag(config=True)
    resume_seconds = Float(
        60.0,
        min=0.0,
        help="Seconds that all is kept for a page whose connection broke, so that it goes on where it was.",
    ).tag(config=True)
    beat_seconds = Float(
        30.0,
        min=0.05,
        help="Seconds between two heartbeats of an idle connection; less than what a proxy waits for.",
    ).tag(config=True)
    allow_start = Bool(
        True,
        help="Whether pages may start and stop clusters of the user's own: the demo cluster and the embedded one.",
    ).tag(config=True)
    warm_up = Bool(
        True,
        help="Whether the first page that opens lets the server load, in a thread, what its panel will need.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Make what the handlers use; called by the Jupyter server."""
        assert self.serverapp is not None  # noqa: S101  (the server calls it)
        renames = NotebookRenames(self.log)
        paths = ContentsPaths(getattr(self.serverapp.contents_manager, "root_dir", ""), renames)
        if (events := self.serverapp.event_logger) is not None:
            events.add_listener(schema_id=CONTENTS_EVENTS, listener=renames.listener(paths.to_file))
        self._clusters = Clusters(
            self.log, allowed=self.clusters, default=self.default_cluster, allow_start=self.allow_start
        )
        limits = SessionLimits(resume_seconds=self.resume_seconds)
        self._sessions = Sessions(self._clusters, HostMaker(self._clusters, paths.of_file), limits)
        self._clusters.before_stop = self._sessions.fail_cluster
        self.settings.update(
            gcs_lab_clusters=self._clusters,
            gcs_lab_sessions=self._sessions,
            gcs_lab_paths=paths,
            gcs_lab_beat_seconds=self.beat_seconds,
            gcs_lab_warm_up=self.warm_up,
        )

    def initialize_handlers(self) -> None:
        """Register all routes; called by the Jupyter server."""
        found: list[tuple[str, Any]] = [(f"/gcs-lab/{pattern}", handler) for pattern, handler in routes()]
        self.handlers.extend(found)

    async def stop_extension(self) -> None:
        """End all that pages opened; called when the server ends. Clusters and jobs go on."""
        await self._sessions.close()
        self._clusters.close()
