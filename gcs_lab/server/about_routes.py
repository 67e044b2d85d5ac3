"""Routes: what this server is, and the document of all routes."""

from __future__ import annotations

import asyncio
import getpass
import platform
import socket
from pathlib import Path
from typing import Any

from gcs_lab._version import __version__
from gcs_lab.server.api_handler import ApiHandler
from gcs_lab.server.openapi_types import TEXT, list_of, record
from gcs_lab.server.operation import operation

__all__ = ["DOCUMENT", "FEATURES", "ROUTES"]

#: What a page of another version can ask for.
FEATURES = ("accounting", "actions", "catalogue", "channels", "jobs", "logs", "outputs", "plan", "start", "submit")
#: The OpenAPI document, as ``python -m gcs_lab.server.openapi`` writes it.
DOCUMENT = Path(__file__).with_name("openapi.json")


class AboutHandler(ApiHandler):
    """What this server is."""

    @operation(
        "Return versions and features. The first page that asks lets the server get ready for it.",
        answer=record(version=TEXT, python=TEXT, user=TEXT, host=TEXT, features=list_of(TEXT)),
    )
    async def get(self) -> dict[str, Any]:
        """Tell, and warm up beside it."""
        if self.settings["gcs_lab_warm_up"]:
            self.clusters.warm_up_soon()
        return {
            "version": __version__,
            "python": platform.python_version(),
            "user": getpass.getuser(),
            "host": socket.gethostname(),
            "features": list(FEATURES),
        }


class DocumentHandler(ApiHandler):
    """The document of all routes."""

    @operation("Return this document.", answer={"type": "object"})
    async def get(self) -> None:
        """Send the file."""
        self.finish(await asyncio.to_thread(DOCUMENT.read_bytes))


ROUTES: list[tuple[str, type[ApiHandler]]] = [("about", AboutHandler), ("openapi.json", DocumentHandler)]
