"""What axe-core finds on a part of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from live_lab import LabPage

__all__ = ["needs_axe", "serious_faults"]

_AXE = Path(__file__).resolve().parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"

needs_axe = pytest.mark.skipif(not _AXE.is_file(), reason="axe-core is not installed; run `npm ci` in labextension")


def serious_faults(page: LabPage, part: str = ".gcs-card", *, only: str | None = None) -> list[str]:
    """Return what axe-core finds on the parts of the page that a selector names, "serious" or worse; by one rule only."""
    page.page.add_script_tag(path=_AXE)
    found: dict[str, Any] = page.page.evaluate(
        "([part, only]) => axe.run(part, only ? { runOnly: [only] } : {})", [part, only]
    )
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{fault['id']}: {node['html']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]
