"""All that is looked at, in the order in which it is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from gcs_lab.doctor.choice import Choice, ClusterLine, choice
from gcs_lab.doctor.finding import Finding, Level, looked
from gcs_lab.doctor.gridengine_parts import grid_engine
from gcs_lab.doctor.jupyterlab_halves import jupyterlab
from gcs_lab.doctor.machine import folders, journal, packages, python, start_notes, version_line

__all__ = ["Examination", "examine"]


@dataclass
class Examination:
    """What was found on this machine.

    Attributes
    ----------
    version
        gcs_lab's, and the variables that choose for it.
    clusters
        Which there are, the one that would be used first.
    findings
        Everything else.
    """

    version: str
    clusters: list[ClusterLine] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def first(self) -> list[Finding]:
        """What is broken, in the order in which it is to be mended."""
        return [one for one in self.findings if one.level is Level.BROKEN]

    @property
    def good(self) -> bool:
        """Whether all that is needed works."""
        return not self.first

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for support: ``good``, ``version``, ``clusters``, ``findings``."""
        return {"good": self.good, **asdict(self)}


def examine(in_use: str = "") -> Examination:
    """Look at this machine; nothing is started, and nothing is raised.

    Parameters
    ----------
    in_use
        Name of the cluster that the asking kernel is connected to.
    """
    chosen = Choice((), ())

    def look_at_clusters() -> list[Finding]:
        nonlocal chosen
        chosen = choice(in_use)
        return list(chosen.findings)

    findings = looked("Python", python)
    findings += looked("packages", packages)
    findings += looked("folders", folders)
    # Without its folder there is no journal: that is told once.
    if not any(one.about == "state" and one.level is Level.BROKEN for one in findings):
        findings += looked("journal", journal)
        findings += looked("start", start_notes, otherwise=Level.NOTE)
    findings += looked("clusters", look_at_clusters)
    findings += looked("Grid Engine", grid_engine, otherwise=Level.NOTE)
    findings += looked("JupyterLab", jupyterlab, otherwise=Level.NOTE)
    return Examination(version_line(), list(chosen.clusters), findings)
