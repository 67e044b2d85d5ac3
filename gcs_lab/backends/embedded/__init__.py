"""The embedded cluster: a scheduler of the user's own, with Grid Engine's semantics, on this machine.

This module is all that is loaded to *offer* the cluster; everything else is imported when it is connected to.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gcs_lab.backends.provider import Offer
from gcs_lab.errors import ClusterNotFound

if TYPE_CHECKING:
    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.backends.provider import BackendProvider, SystemBackend
    from gcs_lab.jobs.protocol import Catalogue

__all__ = ["PROVIDER", "EmbeddedProvider"]

CLUSTER = "embedded"


class EmbeddedProvider:
    """Offers the embedded cluster on every Linux machine."""

    name = CLUSTER

    def offers(self) -> list[Offer]:
        """Return the one cluster there is; nothing is started."""
        if not sys.platform.startswith("linux"):
            return []
        return [Offer(CLUSTER, 1, "it is always there, for when no site's cluster is")]

    def explain(self) -> str:
        """Say whether it can run here."""
        if not sys.platform.startswith("linux"):
            return f"it needs Linux (pidfd, prctl, /proc), and this is {sys.platform}."
        return "always there: a scheduler of your own, started when it is first used."

    def connect(self, cluster: str) -> SystemBackend:
        """Connect, starting the scheduler if it does not run.

        Raises
        ------
        ClusterNotFound
            If `cluster` is not ``"embedded"``.
        GcsError
            If the scheduler cannot be started; the message says why.
        """
        if cluster != CLUSTER:
            raise ClusterNotFound(f"the embedded backend has no cluster {cluster!r}; it offers {CLUSTER!r} only.")
        from gcs_lab.backends.embedded.system import EmbeddedSystem

        return EmbeddedSystem.connect()

    def catalogue(self, cluster: str) -> Catalogue:  # noqa: ARG002  (there is but one)
        """Return the names that submissions may use, from the cluster's file; the scheduler is not started.

        Raises
        ------
        InvalidArgument
            If the file cannot be read.
        """
        from gcs_lab.backends.embedded.cluster_file import default_text, parse_layout, read_layout
        from gcs_lab.backends.embedded.places import Places

        path = Places.of_user().configuration
        return (read_layout(path) if path.exists() else parse_layout(default_text())).catalogue()

    def accounting(self, cluster: str) -> AccountingBackend:  # noqa: ARG002  (there is but one)
        """Return where the records are; the scheduler is not started for them."""
        from gcs_lab.backends.embedded.accounting_backend import EmbeddedAccounting
        from gcs_lab.backends.embedded.client import Client
        from gcs_lab.backends.embedded.places import Places
        from gcs_lab.backends.embedded.service import ensure_running

        places = Places.of_user()
        return EmbeddedAccounting(Client(lambda: ensure_running(places)))


PROVIDER: BackendProvider = EmbeddedProvider()
