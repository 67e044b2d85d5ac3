"""The backends that the suite runs on. A further one is one line in :data:`SITES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.embedded_site import embedded_site
from conformance.gridengine_site import gridengine_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conformance.site import Site

__all__ = ["SITES", "site_parameters"]

#: Name to what makes a :class:`Site` with all that the suite asks of it, and takes it down again.
SITES: dict[str, Callable[[], AbstractContextManager[Site]]] = {
    "embedded": embedded_site,
    "gridengine": gridengine_site,
}


def site_parameters() -> list[object]:
    """Return the parameters of the fixture ``site``; a backend with a mark of its name bears it."""
    return [pytest.param(name, marks=[pytest.mark.gridengine] if name == "gridengine" else []) for name in SITES]
