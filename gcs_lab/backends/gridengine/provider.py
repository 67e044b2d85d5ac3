"""What this backend can connect to here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.provider import Offer
from gcs_lab.errors import ClusterNotFound

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.accounting_backend import GridEngineAccounting
    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.backends.gridengine.system import GridEngineSystem
    from gcs_lab.jobs.protocol import Catalogue

__all__ = ["GridEngineProvider"]

_SITE = "gridengine"


class GridEngineProvider:
    """Offers the site's cell and the private demo cells."""

    name = "gridengine"

    def offers(self) -> list[Offer]:
        """Return the site's cell, if one is set up, and the demo cells."""
        offers = []
        site = self._site()
        if site is not None and site.qmaster_host() is not None:
            where = f"{site.root}, cell {site.name}"
            if site.answers():
                offers.append(
                    Offer(_SITE, 3, f"this machine is set up for Grid Engine ({where}) and its master answers")
                )
            else:
                offers.append(Offer(_SITE, 0, f"its master does not answer ({where}, {site.qmaster_host()})"))
        for demo in self._demos():
            if demo.state == "running" and demo.simulated:
                # Never unasked: a job there does nothing and ends well.
                why = f"the private Grid Engine {demo.name!r} runs; its hosts are simulated, and execute no job"
                offers.append(Offer(demo.cluster, 0, why))
            elif demo.state == "running":
                offers.append(Offer(demo.cluster, 2, f"the private Grid Engine {demo.name!r} runs"))
            elif demo.settings is not None:
                offers.append(Offer(demo.cluster, 0, "a daemon of it is dead; `gcs-lab demo start` starts it again"))
        return offers

    def explain(self) -> str:
        """Say what was looked for and found."""
        site = self._site()
        if site is None:
            said = "no Grid Engine is set up here (no SGE_ROOT, no settings.sh in the usual places)"
        elif site.qmaster_host() is None:
            said = f"Grid Engine's files are in {site.root}, but no master was ever set up (no act_qmaster)"
        else:
            answers = "answers" if site.answers() else "does not answer"
            said = f"Grid Engine's cell {site.name} in {site.root} {answers} at {site.qmaster_host()}:{site.port()}"
        demos = ", ".join(f"{demo.cluster} ({demo.state})" for demo in self._demos())
        return f"{said}; demo cells: {demos or 'none (`gcs-lab demo start` makes one)'}."

    def connect(self, cluster: str) -> GridEngineSystem:
        """Connect to one of the clusters offered.

        Raises
        ------
        ClusterNotFound
            If there is none of that name.
        DrmCommunication
            If it does not answer.
        """
        from gcs_lab.backends.gridengine.system import GridEngineSystem

        return GridEngineSystem(cluster, self._cell(cluster))

    def catalogue(self, cluster: str) -> Catalogue:
        """Return the names that submissions may use, as ``qconf`` tells them.

        Raises
        ------
        ClusterNotFound, GcsError
            As :meth:`connect`.
        """
        from gcs_lab.backends.gridengine.catalogue import read_catalogue

        return read_catalogue(self._cell(cluster))

    def accounting(self, cluster: str) -> GridEngineAccounting:
        """Return where the records of a cell are; the cell need not answer.

        Raises
        ------
        ClusterNotFound
            As :meth:`connect`.
        """
        from gcs_lab.backends.gridengine.accounting_backend import GridEngineAccounting

        return GridEngineAccounting(self._cell(cluster))

    def _cell(self, cluster: str) -> SgeCell:
        if cluster == _SITE:
            site = self._site()
            if site is not None:
                return site
        for demo in self._demos():
            if demo.cluster == cluster:
                return demo.cell()
        raise ClusterNotFound(f"there is no Grid Engine cluster {cluster!r} here: {self.explain()}")

    @staticmethod
    def _site() -> SgeCell | None:
        from gcs_lab.backends.gridengine.discovery import find_site_cell

        return find_site_cell()

    @staticmethod
    def _demos() -> list[DemoState]:
        from gcs_lab.backends.gridengine.demo import status

        return status()
