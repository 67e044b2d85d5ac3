"""Which cluster ``make lab`` and ``make tour`` use, and starting it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Choice", "start_cluster", "stop_cluster"]

_INSTALL = Path(__file__).with_name("install_packages.sh")


@dataclass(frozen=True)
class Choice:
    """A started cluster: its name for ``gcs_lab.connect``, and whether it ran before.

    ``embedded_ran`` tells that of the embedded cluster, which a notebook may start beside it (``--on embedded``).
    """

    cluster: str
    ran_before: bool
    embedded_ran: bool = True

    def environment(self) -> dict[str, str]:
        """Return what notebooks need in their environment to take this cluster.

        Nothing, if they would anyway: then they can tell a better reason than that they were told to.
        """
        from gcs_lab.cluster import offers

        _, best = offers()[0]
        return {} if best.cluster == self.cluster else {"GCS_LAB_CLUSTER": self.cluster}


def start_cluster(engine: str) -> Choice:
    """Start the cluster that `engine` (``auto``, ``embedded``, ``gridengine``) means, and say which and why.

    Grid Engine that cannot be had is said in one line, and the embedded cluster is taken.
    """
    named = os.environ.get("GCS_LAB_CLUSTER")
    if named and engine == "auto":
        print(f"cluster: {named}, which GCS_LAB_CLUSTER names", flush=True)
        return Choice(named, ran_before=True)
    why_not = "ENGINE=embedded was asked for" if engine == "embedded" else _why_no_grid_engine(engine)
    if not why_not:
        ran_before = _runs("demo")
        done = _gcs_lab("demo", "start")
        if done.returncode == 0:
            print("cluster: a private Grid Engine (its Debian packages are installed here)", flush=True)
            return Choice("demo", ran_before, _runs("embedded"))
        why_not = f"the private Grid Engine did not start: {(done.stderr or done.stdout).strip()}"
    print(f"cluster: the embedded one, because {why_not}", flush=True)
    ran_before = _runs("embedded")
    done = _gcs_lab("embedded", "start")
    if done.returncode:
        sys.exit(done.stderr.strip())
    return Choice("embedded", ran_before)


def stop_cluster(choice: Choice) -> None:
    """Stop what :func:`start_cluster` started, and what a notebook did; a cluster that ran before goes on."""
    started = [] if choice.ran_before else [choice.cluster]
    if not choice.embedded_ran and _runs("embedded"):
        started.append("embedded")
    for cluster in started:
        done = _gcs_lab(cluster, "stop")
        if done.returncode:
            print(done.stderr.strip(), file=sys.stderr)


def _why_no_grid_engine(engine: str) -> str:
    """Return why a private Grid Engine cannot be had, after having tried to get it; empty if it can."""
    from gcs_lab.backends.gridengine.sge_cell import debian_binaries

    if debian_binaries():
        return ""
    if engine == "auto":
        return "Grid Engine's packages are not installed (make tour ENGINE=gridengine installs them)"
    done = subprocess.run([_INSTALL, "gridengine"], check=False, stderr=subprocess.PIPE, text=True, timeout=1800)
    if debian_binaries():
        return ""
    return (done.stderr.strip().splitlines() or ["its packages could not be installed"])[-1]


def _runs(cluster: str) -> bool:
    """Tell whether the cluster answers already; the backends' own providers know."""
    from gcs_lab.cluster import providers

    if cluster == "demo":
        return any(offer.cluster == "demo" for offer in providers()["gridengine"].offers())
    from gcs_lab.backends.embedded import service

    return service.status().pid is not None


def _gcs_lab(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gcs_lab.cli", *words]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
