"""What completion knows of clusters: catalogues from memory or a file, renewed in the background.

A Tab never waits for a cluster, and starts none: what is known is shown, however old.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import threading
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.provider import CatalogueReader
from gcs_lab.cells.runner.private_file import write_all, write_whole
from gcs_lab.cluster import offers
from gcs_lab.errors import ClusterNotFound
from gcs_lab.jobs.protocol import Catalogue, Complex
from gcs_lab.magics.stale_value import StaleValue
from gcs_lab.user_paths import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gcs_lab.cluster import Cluster

__all__ = ["CatalogueCache", "catalogue_from_json", "catalogue_to_json"]

#: Seconds that the first Tab of all waits for names; the whole answer shall take less than 0.1 s.
_PATIENCE = 0.05
_VERSION = 1


class CatalogueCache:
    """Catalogues by cluster.

    Parameters
    ----------
    connected
        Returns the cluster that jobs go to, None if none was used yet.
    configured
        Returns the name of the cluster that the user's configuration names; empty if it names none.
    """

    def __init__(self, connected: Callable[[], Cluster | None], configured: Callable[[], str] = str) -> None:
        self._connected, self._configured = connected, configured
        self._catalogues: dict[str, StaleValue[Catalogue]] = {}
        self._lock = threading.Lock()
        self._offers = StaleValue(lambda: [(offer.cluster, offer.why) for _, offer in offers()], fresh_seconds=20)

    def clusters(self) -> list[tuple[str, str]]:
        """Return name and description of the clusters that can be connected to, as last seen."""
        return self._offers.get(_PATIENCE) or []

    def catalogue(self, cluster: str | None = None) -> Catalogue:
        """Return the names of a cluster as last seen; none if they never were.

        Parameters
        ----------
        cluster
            Its name; None: the one that jobs go to.
        """
        return self._kept(cluster).get(_PATIENCE) or Catalogue()

    def warm_up(self) -> None:
        """Read the file of the cluster that jobs go to; if there is none, ask the cluster."""
        kept = self._kept(None)
        if not kept.known:
            kept.get()

    def _kept(self, cluster: str | None) -> StaleValue[Catalogue]:
        present = self._connected()
        key = cluster or (present.name if present else os.environ.get("GCS_LAB_CLUSTER") or self._configured())
        with self._lock:
            if key not in self._catalogues:
                self._catalogues[key] = StaleValue(partial(self._read, key), _from_file(key))
            return self._catalogues[key]

    def _read(self, name: str) -> Catalogue:
        """Ask the cluster `name` (empty: the one that ``connect()`` would take) and note the answer in the file."""
        for provider, offer in offers():
            if offer.cluster == name or (not name and offer.affinity > 0):
                if isinstance(provider, CatalogueReader):
                    catalogue = provider.catalogue(offer.cluster)
                    break
                present = self._connected()
                if present is not None and present.name == offer.cluster:
                    catalogue = present.jobs.catalogue()
                    break
        else:
            raise ClusterNotFound(f"{name!r} is not offered, or can only be asked once it is connected")
        with contextlib.suppress(OSError):
            data = json.dumps(catalogue_to_json(catalogue)).encode()
            write_whole(str(_file(name)), lambda descriptor: write_all(descriptor, data))
        return catalogue


def catalogue_to_json(catalogue: Catalogue) -> dict[str, Any]:
    """Return a catalogue as JSON data."""
    data = asdict(catalogue)
    del data["by_name"]
    return {"version": _VERSION, **data}


def catalogue_from_json(data: Any) -> Catalogue | None:
    """Return the catalogue that :func:`catalogue_to_json` gave; None if `data` is something else."""
    try:
        if data.pop("version") != _VERSION:
            return None
        complexes = tuple(Complex(**one) for one in data.pop("complexes"))
        slots = {str(name): int(number) for name, number in data.pop("pe_slots").items()}
        names = {str(kind): tuple(str(name) for name in listed) for kind, listed in data.items()}
        return Catalogue(complexes=complexes, pe_slots=slots, **names)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _file(name: str) -> Path:
    """Return where a cluster's catalogue is kept: ``gridengine`` may be another cell on another host."""
    which = [socket.gethostname(), *(os.environ.get(variable, "") for variable in ("SGE_ROOT", "SGE_CELL"))]
    digest = hashlib.sha256("\0".join([name, *which]).encode()).hexdigest()[:12]
    folder = cache_folder() / "catalogues"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', name)[:40] or 'default'}-{digest}.json"


def _from_file(name: str) -> Catalogue | None:
    with contextlib.suppress(OSError, ValueError):
        return catalogue_from_json(json.loads(_file(name).read_text(encoding="utf-8")))
    return None
