"""Route: what a form of a job offers."""

from __future__ import annotations

from typing import Any

from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.openapi_types import BOOLEAN, COUNT, TEXT, by_name, list_of, nullable, record, text
from gcs_lab.server.operation import Query, operation

__all__ = ["ROUTES"]

CATALOGUE = record(
    cluster=TEXT,
    queues=list_of(record(name=TEXT, slots_free=nullable(COUNT), slots_total=nullable(COUNT), state=TEXT)),
    parallel_environments=list_of(record(name=TEXT, slots=nullable(COUNT))),
    complexes=list_of(
        record(name=TEXT, shortcut=TEXT, type=TEXT, requestable=BOOLEAN, consumable=BOOLEAN, default=TEXT)
    ),
    projects=list_of(TEXT),
    hosts=list_of(TEXT),
    job_categories=list_of(TEXT),
    last=by_name(TEXT),
    defaults=by_name(TEXT),
)


class CatalogueHandler(ApiHandler):
    """What a form offers."""

    @operation(
        "Return the names that a job may ask for, the slots that are free, and what was asked for before.",
        query=[Query("notebook", text(4096), "", "Path of the notebook whose last values count most.")],
        answer=CATALOGUE,
    )
    async def get(self, name: str) -> dict[str, Any]:
        """Look it up."""
        return await self.in_thread(self._look_up, name, self.argument("notebook"))

    def _look_up(self, name: str, notebook: str) -> dict[str, Any]:
        from gcs_lab.server.catalogue import catalogue_of
        from gcs_lab.server.catalogue_flags import default_flags, last_flags

        file = str(self.paths.to_file(notebook)) if notebook else ""
        return {
            **catalogue_of(self.cluster(name)),
            "last": last_flags(name, file),
            "defaults": default_flags(self.log),
        }


ROUTES: list[tuple[str, type[ApiHandler]]] = [("clusters/{name}/catalogue", CatalogueHandler)]
