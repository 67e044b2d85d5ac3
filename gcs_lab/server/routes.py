"""All routes, from the modules of each feature."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from gcs_lab.server.api_handler import ApiHandler

__all__ = ["api_routes", "routes"]

#: Modules with a list ``ROUTES`` of paths and handlers. The document has them in this order.
_MODULES = (
    "about_routes",
    "clusters_routes",
    "catalogue_routes",
    "job_routes",
    "log_routes",
    "form_routes",
    "accounting_routes",
)


def api_routes() -> list[tuple[str, type[ApiHandler]]]:
    """Return path (below ``<base>gcs-lab/api/``, with ``{names}``) and handler of every REST route."""
    found: list[tuple[str, type[ApiHandler]]] = []
    for module in _MODULES:
        found += import_module(f"gcs_lab.server.{module}").ROUTES
    return found


def routes() -> list[tuple[str, type[RequestHandler]]]:
    """Return pattern (below ``<base>gcs-lab/``) and handler of every route."""
    from gcs_lab.server.channels import ChannelsSocket

    found: list[tuple[str, type[RequestHandler]]] = [("channels", ChannelsSocket)]
    for path, handler in api_routes():
        parts = re.split(r"(\{\w+\})", path)
        pattern = "".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
        found.append((f"api/{pattern}", handler))
    return found
