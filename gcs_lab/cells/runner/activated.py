"""The notebook's environment in a job whose host has loaded modules or activated a conda environment before it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ACTIVATED", "beside_activated"]


#: Names the variables that ``start.sh`` changed (docs/event-log.md).
ACTIVATED = "GCS_LAB_ACTIVATED"


def beside_activated(
    wanted: Mapping[str, str | None], named: Sequence[str], present: Mapping[str, str]
) -> dict[str, str | None]:
    """Return what of the notebook's environment `wanted` is set where `present` was activated for the job.

    What a module or conda set stays as it is there, but what the user `named` (``--env``) counts more. The notebook's
    PATH comes after the activated one.
    """
    activated = {*present.get(ACTIVATED, "").split(), "_"} - set(named)
    kept = {name: value for name, value in wanted.items() if name not in activated}
    theirs = wanted.get("PATH")
    if "PATH" in activated and theirs:
        ours = present.get("PATH", "").split(os.pathsep)
        kept["PATH"] = os.pathsep.join([*ours, *(entry for entry in theirs.split(os.pathsep) if entry not in ours)])
    return kept
