"""One row a cluster queue, made of the rows of its instances."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.status.keys import named_keys
from gcs_lab.status.state_kinds import codes_and_values
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["closed_instances", "queues_of"]


def closed_instances(queue_instances: pa.Table) -> NDArray[np.bool_]:
    """Tell of each queue instance whether it takes no job now: it has a state letter.

    Each letter of qstat(1), STATUS, keeps jobs away: a, A (alarm), u (unknown), s, S, C (suspended), d, D (disabled),
    E (error), c (ambiguous), o (orphaned), P (preempted).
    """
    import numpy as np

    codes, letters = codes_and_values(queue_instances["state"])
    closed: NDArray[np.bool_] = np.array([bool(text) for text in letters] + [False])[codes]
    return closed


def queues_of(queue_instances: pa.Table) -> pa.Table:
    """Return the cluster queues (``QUEUE_COLUMNS``) of ``QUEUE_INSTANCE_COLUMNS`` rows, in order of names."""
    import numpy as np
    import pyarrow as pa

    wanted = schema("queues")
    if not queue_instances.num_rows:
        return wanted.empty_table()
    codes, names = codes_and_values(queue_instances["queue"])
    closed = closed_instances(queue_instances)
    letters, words = codes_and_values(queue_instances["state"])
    slots = {
        name: np.asarray(queue_instances[f"slots_{name}"].fill_null(0), np.int64)
        for name in ("used", "reserved", "total")
    }
    free = np.maximum(slots["total"] - slots["used"] - slots["reserved"], 0)
    load = np.asarray(queue_instances["load_avg"].fill_null(np.nan), np.float64)
    known_load = ~np.isnan(load)
    width = len(names)

    def sums(weights: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(codes, weights, width).astype(np.float64)

    states = [Counter[str]() for _ in names]
    for (queue, letter), count in Counter(zip(codes[closed].tolist(), letters[closed].tolist(), strict=True)).items():
        states[queue][words[letter]] += count
    loaded = sums(known_load.astype(np.int64))
    columns = {
        "key": named_keys(pa.array(names, pa.string())),
        "queue": pa.array(names, pa.string()),
        "instances": np.bincount(codes, minlength=width),
        "slots_used": sums(slots["used"]),
        "slots_reserved": sums(slots["reserved"]),
        "slots_available": sums(np.where(closed, 0, free)),
        "slots_total": sums(slots["total"]),
        "slots_closed": sums(np.where(closed, slots["total"], 0)),
        "load_avg": pa.array(sums(np.where(known_load, load, 0.0)) / np.maximum(loaded, 1), mask=loaded == 0),
        "states": pa.array([", ".join(f"{n} {word}" for word, n in some.most_common()) for some in states]),
    }
    arrays = [pa.array(columns[name]).cast(wanted.field(name).type) for name in wanted.names]
    table = pa.table(arrays, schema=wanted)
    # Dictionaries may hold names that no row has.
    return table.filter(pa.array(np.bincount(codes, minlength=width) > 0)).sort_by("queue")
