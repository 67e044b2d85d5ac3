"""gcs_lab: the cluster cockpit for notebooks.

In a notebook: ``%load_ext gcs_lab``, then ``%%gcs submit`` in a cell. In a program: ``gcs_lab.connect()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.accounting import open_accounting
    from gcs_lab.cluster import Cluster, connect
    from gcs_lab.jobs import Job
    from gcs_lab.vocabulary import JobInfo, JobState, JobTemplate

__all__ = [
    "Cluster",
    "Job",
    "JobInfo",
    "JobState",
    "JobTemplate",
    "__version__",
    "connect",
    "load_ipython_extension",
    "open_accounting",
]

_HOMES = {
    "Cluster": "gcs_lab.cluster",
    "connect": "gcs_lab.cluster",
    "Job": "gcs_lab.jobs",
    "JobInfo": "gcs_lab.vocabulary",
    "JobState": "gcs_lab.vocabulary",
    "JobTemplate": "gcs_lab.vocabulary",
    "open_accounting": "gcs_lab.accounting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the built extension is (used by ``jupyter labextension develop``)."""
    return [{"src": "labextension", "dest": "gcs-lab"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server what to load."""
    from gcs_lab.server.extension import GcsLabServer

    return [{"module": "gcs_lab.server.extension", "app": GcsLabServer}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%gcs`` and ``%%gcs``; called by ``%load_ext gcs_lab``."""
    from gcs_lab.magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Undo :func:`load_ipython_extension`; called by ``%unload_ext gcs_lab``. Jobs go on."""
    from gcs_lab.magics import unregister

    unregister(shell)
