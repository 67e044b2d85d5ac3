"""All of it in one screen."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from gcs_lab._version import __version__
from gcs_lab.backends.provider import RecordsReader
from gcs_lab.cells.job_folder import jobs_folder
from gcs_lab.cells.journal import Journal
from gcs_lab.cluster import offers, providers
from gcs_lab.doctor.jupyterlab_halves import explain_jupyterlab
from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import format_memory
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from gcs_lab.backends.provider import BackendProvider

__all__ = ["diagnose"]

_PACKAGES = ("ipython", "ipykernel", "jupyterlab", "anywidget", "cloudpickle", "pandas", "drmaa")


def diagnose() -> str:
    """Return what was found: versions, folders, clusters, which one would be used and why, and what is missing.

    Last, whether JupyterLab has both halves of its extension.
    """
    lines = [f"gcs_lab {__version__}, Python {platform.python_version()} ({sys.executable})", _packages()]
    for path, what in ((state_folder(), "state"), (jobs_folder(), "job folders")):
        free = shutil.disk_usage(path).free
        lines.append(f"{what}: {path} ({format_memory(free)} free)")
    lines.append(f"journal: {len(Journal().everything())} jobs remembered")
    lines.append("clusters:")
    found = offers()
    wanted = os.environ.get("GCS_LAB_CLUSTER")
    chosen = next((o for _, o in found if o.cluster == wanted or (not wanted and o.affinity > 0)), None)
    for _, offer in found:
        mark = "→" if offer is chosen else " "
        why = "GCS_LAB_CLUSTER names it" if wanted and offer is chosen else offer.why
        lines.append(f" {mark} {offer.cluster}: {why}")
    if chosen is None:
        lines.append(f"   none would be used{f': GCS_LAB_CLUSTER={wanted} names none of them' if wanted else ''}")
    lines += [f"   {name}: {_explain(provider)}" for name, provider in providers().items()]
    lines += [f"accounting of {offer.cluster}: {_records(provider, offer.cluster)}" for provider, offer in found]
    lines += explain_jupyterlab()
    return "\n".join(lines)


def _explain(provider: object) -> str:
    try:
        return str(provider.explain())  # type: ignore[attr-defined]
    except GcsError as error:
        return f"could not look: {error}"


def _records(provider: BackendProvider, cluster: str) -> str:
    """Say where a cluster's records are, and whether they can be read from here; nothing is asked or started."""
    if not isinstance(provider, RecordsReader):
        return "it does not tell without a connection"
    try:
        files = provider.accounting(cluster).record_files()
        size = sum(path.stat().st_size for path in files)
    except (GcsError, OSError) as error:
        return f"could not look: {error}"
    if not files:
        return "no file of records can be read from here; nothing has ended yet, or `qacct` is asked for them"
    where = f"{len(files)} files in {files[-1].parent}" if len(files) > 1 else str(files[0])
    return f"{where} ({format_memory(size)}) can be read"


def _packages() -> str:
    told = []
    for package in _PACKAGES:
        try:
            told.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            told.append(f"{package} missing (pip install {package})")
    return ", ".join(told)
