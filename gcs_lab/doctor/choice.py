"""Which cluster would be used and why, and of each other one why not; nothing is asked or started."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.provider import RecordsReader
from gcs_lab.cluster import providers
from gcs_lab.doctor.finding import Finding, Level
from gcs_lab.doctor.gridengine_parts import PRIVATE, missing
from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.backends.provider import BackendProvider, Offer

__all__ = ["Choice", "ClusterLine", "choice"]

_SITE, _DEMO = "gridengine", "demo"
VARIABLE = "GCS_LAB_CLUSTER"


@dataclass(frozen=True)
class ClusterLine:
    """One cluster that there is, or could be.

    Attributes
    ----------
    name
        Its name for ``%gcs connect``.
    used
        Whether it would be used.
    why
        Why it would be, or why not.
    records
        Where its records of ended jobs can be read; empty if they cannot.
    remedy
        The command that makes it usable, or chooses it; empty if there is none.
    """

    name: str
    used: bool
    why: str
    records: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Choice:
    """All of them, the one that would be used first, and what is wrong."""

    clusters: tuple[ClusterLine, ...]
    findings: tuple[Finding, ...]


def choice(in_use: str = "") -> Choice:
    """Return what ``gcs_lab.connect()`` would choose from.

    Parameters
    ----------
    in_use
        Name of the cluster that a kernel is connected to, which goes before everything else.
    """
    findings: list[Finding] = []
    found: list[tuple[BackendProvider, Offer]] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        there = providers()
    findings += [Finding("backends", Level.NOTE, str(one.message)) for one in told]
    for name, provider in there.items():
        try:
            found += [(provider, offer) for offer in provider.offers()]
        except Exception as error:
            text = f"gcs_lab.connect() fails, for its clusters could not be looked for: {_said(error)}"
            findings.append(Finding(name, Level.BROKEN, text))
    found.sort(key=lambda pair: -pair[1].affinity)
    wanted = in_use or os.environ.get(VARIABLE, "")
    used = None
    if not any(one.level is Level.BROKEN for one in findings):
        used = next((o for _, o in found if o.cluster == wanted or (not wanted and o.affinity > 0)), None)
        findings += _about_choice(wanted, used, [offer.cluster for _, offer in found], in_use=in_use)
    lines = [_offered(provider, offer, used, in_use) for provider, offer in found]
    names = {line.name for line in lines}
    if _SITE in there and _SITE not in names:
        line, finding = _no_site()
        lines.append(line)
        findings += [finding] if finding else []
    if _SITE in there and not any(name == _DEMO or name.startswith(f"{_DEMO}-") for name in names):
        lines.append(_no_demo())
    lines += [
        ClusterLine(name, used=False, why=_explained(provider))
        for name, provider in there.items()
        if name != _SITE and not any(provider is other for other, _ in found)
    ]
    return Choice(tuple(sorted(lines, key=lambda line: not line.used)), tuple(findings))


def _about_choice(wanted: str, used: Offer | None, names: list[str], *, in_use: str) -> list[Finding]:
    """Return what is wrong with the choice."""
    if used is None and wanted:
        if wanted == _DEMO or wanted.startswith(f"{_DEMO}-"):
            number = wanted.removeprefix(_DEMO).removeprefix("-")
            remedy = "gcs-lab demo start" + (f" --name {number}" if number else "")
            text = f"{VARIABLE}={wanted} names a private Grid Engine that does not run"
        else:
            text = f"{VARIABLE}={wanted} names no cluster; there is {', '.join(names) or 'none'}"
            remedy = f"unset {VARIABLE}"
        return [Finding("choice", Level.BROKEN, text, remedy)]
    if used is None:
        return [Finding("choice", Level.BROKEN, "there is no cluster that could be used")]
    if used.affinity == 0 and not in_use and (state := _demo_state(used.cluster)) is None:
        text = f"{VARIABLE} names {used.cluster}, and {used.why}"
        return [Finding("choice", Level.BROKEN, text, f"unset {VARIABLE}")]
    if used.affinity == 0 and not in_use and state is not None and state.state != "running":
        return [Finding("choice", Level.BROKEN, f"{used.cluster}: {used.why}", _start(state.name))]
    return []


def _offered(provider: BackendProvider, offer: Offer, used: Offer | None, in_use: str) -> ClusterLine:
    records = _records(provider, offer.cluster)
    if offer is used:
        named = os.environ.get(VARIABLE) == offer.cluster
        why = (
            "this kernel is connected to it"
            if in_use
            else f"{VARIABLE} names it; {offer.why}"
            if named
            else offer.why
        )
        return ClusterLine(offer.cluster, used=True, why=why, records=records)
    demo = _demo_state(offer.cluster)
    if demo is not None and demo.state != "running":
        return ClusterLine(offer.cluster, used=False, why=offer.why, records=records, remedy=_start(demo.name))
    if offer.affinity == 0 and demo is None:
        return ClusterLine(offer.cluster, used=False, why=offer.why, records=records)
    why = offer.why if used is None or used.affinity == offer.affinity else f"{offer.why}; {used.cluster} goes before"
    return ClusterLine(offer.cluster, used=False, why=why, records=records, remedy=f"%gcs connect {offer.cluster}")


def _no_site() -> tuple[ClusterLine, Finding | None]:
    """Say why there is no cell of a site."""
    from gcs_lab.backends.gridengine.discovery import find_site_cell

    named = os.environ.get("SGE_ROOT")
    cell = os.environ.get("SGE_CELL") or "default"
    if named:
        common = Path(named) / cell / "common"
        lacking = next((path for path in (Path(named), common, common / "act_qmaster") if not path.exists()), None)
        why = f"SGE_ROOT is {named}, and {lacking or common / 'act_qmaster'} "
        why += "is not there" if lacking else "names no master"
        remedy = ". /path/of/the/site/common/settings.sh   (or: unset SGE_ROOT)"
        return ClusterLine(_SITE, used=False, why=why), Finding("SGE_ROOT", Level.BROKEN, why, remedy)
    site = find_site_cell()
    if site is None:
        why = "no site's Grid Engine here: SGE_ROOT is not set, and no settings.sh is in the usual places"
    else:
        why = f"no site's Grid Engine here: programs are in {site.binaries}, no master was ever set up in {site.root}"
    return ClusterLine(_SITE, used=False, why=why), None


def _no_demo() -> ClusterLine:
    if missing(PRIVATE):
        return ClusterLine(_DEMO, used=False, why="Debian's packages for a private Grid Engine are missing")
    return ClusterLine(_DEMO, used=False, why="a private Grid Engine; it is not started", remedy=_start(_DEMO))


def _said(error: Exception) -> str:
    """Return what an exception says, without the number of an error of the system."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _start(name: str) -> str:
    return "gcs-lab demo start" + ("" if name == _DEMO else f" --name {name}")


def _demo_state(cluster: str) -> DemoState | None:
    """Return a private Grid Engine by its cluster's name; None if it is none."""
    from gcs_lab.backends.gridengine import demo

    try:
        return next((state for state in demo.status() if state.cluster == cluster), None)
    except (GcsError, OSError):
        return None


def _explained(provider: BackendProvider) -> str:
    try:
        return str(provider.explain())
    except Exception as error:
        return f"could not look: {_said(error)}"


def _records(provider: BackendProvider, cluster: str) -> str:
    """Say where a cluster's records are, if they can be read from here."""
    if not isinstance(provider, RecordsReader):
        return ""
    try:
        files = provider.accounting(cluster).record_files()
        size = sum(path.stat().st_size for path in files)
    except Exception as error:
        return f"could not look: {_said(error)}"
    if not files:
        return ""
    where = f"{len(files)} files in {files[-1].parent}" if len(files) > 1 else str(files[0])
    return f"{where} ({format_memory(size)})"
