"""The words of the filter language for completion, with the values that a table has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.filter_columns import HELP, VIEW_COLUMNS, words_of
from gcs_lab.status.filter_states import QUEUE_WORDS, STATE_WORDS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["filter_words"]

#: Values of a column are offered if there are no more.
_MOST_VALUES = 200
#: The words that are offered: of several names the one that people use.
_OFFERED = {
    "job_id": "id",
    "submission_time": "submitted",
    "start_time": "started",
    "parallel_environment": "pe",
    "requests": "request",
    "load_avg": "load",
    "slots_used": "used",
    "slots_total": "total",
    "slots_free": "free",
    "slots_closed": "closed",
    "states": "state",
}
_LETTERS = ("r", "qw", "hqw", "Eqw")


def filter_words(view: str, table: pa.Table | None = None) -> list[dict[str, Any]]:
    """Return the words that a filter of a table may use (``IFilterWord`` of the protocol: word, help, values).

    Parameters
    ----------
    view
        ``"jobs"``, ``"tasks"``, ``"queues"``, ``"queue_instances"`` or ``"hosts"``.
    table
        The table at hand: its owners, queues, hosts … are the values; None: only the states have values.
    """
    words = []
    for name, word in words_of(VIEW_COLUMNS[view]).items():
        if name != word.column:
            continue
        values: list[str] = []
        if word.kind == "job state":
            values = [*STATE_WORDS, *_LETTERS]
        elif word.kind == "letters":
            values = ["open", "closed", *QUEUE_WORDS]
        elif word.kind == "boolean":
            values = ["yes", "no"]
        elif word.kind == "text" and table is not None:
            values = _values(table, name)
        offered = _OFFERED.get(name, name)
        words.append({"word": offered, "help": HELP.get(name, ""), "values": values})
    return words


def _values(table: pa.Table, column: str) -> list[str]:
    """Return the values of a column, the most frequent first, if they are few and none is told by a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # Names of jobs are as many as jobs; what few of something have is in a dictionary, or names a queue or host.
    if not (pa.types.is_dictionary(table[column].type) or column in {"queue", "host"}):
        return []
    counted = pc.value_counts(table[column].cast(pa.string()))
    if not 0 < len(counted) <= _MOST_VALUES:
        return []
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return [value for value, _ in sorted(pairs, key=lambda pair: (-pair[1], pair[0] or "")) if value]
