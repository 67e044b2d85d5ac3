"""What is behind a cockpit, wherever it is shown: the host that answers its messages (docs/cockpit-protocol.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcs_lab.cockpit.host import CockpitHost

__all__ = ["CockpitHost"]


def __getattr__(name: str) -> Any:
    # Live cards use a part of this room; they need no tables.
    if name != "CockpitHost":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gcs_lab.cockpit.host import CockpitHost

    return CockpitHost
