"""The explorer of accounting: what every face of it (widget, JupyterLab panel, exported page) shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcs_lab.explorer.host import ExplorerHost
    from gcs_lab.explorer.plotly_figures import figures
    from gcs_lab.explorer.state import ExplorerState, Rate

__all__ = ["ExplorerHost", "ExplorerState", "Rate", "figures"]

_HOMES = {"ExplorerHost": "host", "ExplorerState": "state", "Rate": "state", "figures": "plotly_figures"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
