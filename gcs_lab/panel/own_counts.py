"""How many of a user's tasks run and wait: what the rows that are shown say, and the queue of those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.state_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.panel.own_rows import OwnRows

__all__ = ["own_counts"]

_KIND_OF = {
    "RUNNING": "running",
    "SUSPENDED": "suspended",
    "FAILED": "error",
    "QUEUED": "pending",
    "QUEUED_HELD": "held",
    "REQUEUED": "pending",
    "REQUEUED_HELD": "held",
}


def own_counts(own: OwnRows, live: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    """Return ``mine`` of ``IPanel``: tasks by what they do.

    A row may know more than the queue: of jobs that are not in it yet or any more, of tasks that said their end.

    Parameters
    ----------
    own
        The jobs in the queue. One of its ``rows`` that no row of `live` speaks for has ended: the queue shows it for
        a moment longer.
    live
        The rows (``IPanelJob``) by key.
    """
    counts = dict(own.kinds)
    for row in own.rows.values():
        for kind in KINDS:
            counts[kind] -= row.kinds[kind]
    for shown in live.values():
        tasks = shown["tasks"]
        if tasks is not None:
            for kind in KINDS:
                counts[kind] += tasks[kind]
        else:
            counts[_KIND_OF.get(shown["state"], "pending")] += 1
    return {
        "running": counts["running"],
        "suspended": counts["suspended"],
        "pending": counts["pending"],
        "held": counts["held"],
        "error": counts["error"],
    }
