"""The words of the filter that counts for all views, with their values, for completion in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status import filter_words

if TYPE_CHECKING:
    from gcs_lab.status import Snapshot

__all__ = ["words_of_all"]


def words_of_all(snapshot: Snapshot | None) -> list[dict[str, Any]]:
    """Return each word once (``IFilterWord``), those of jobs first; values are from the tables of `snapshot`."""
    words: dict[str, dict[str, Any]] = {}
    for view in ("jobs", "queues", "queue_instances", "hosts"):
        for word in filter_words.filter_words(view, None if snapshot is None else snapshot.table(view)):
            known = words.setdefault(word["word"], word)
            if word["word"] in {"queue", "host"}:
                # Queues and hosts of which no job has a slot are to be offered as well.
                known["values"] = list(dict.fromkeys([*known["values"], *word["values"]]))
    return list(words.values())
