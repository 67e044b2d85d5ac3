"""The kinds of record in ``reporting`` and ``reporting.jsonl``, and their columns.

Sources: sge_reporting(5), OCS ``ocs_JsonReportingFileWriter.cc``, and what SGE 8.1.9 wrote. Against the manual page,
its ``job_log`` has the priority between ``state_time`` and ``submission_time``, and ``ar_attribute`` is ``ar_attr``.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

__all__ = ["KINDS", "NAMES", "Field", "Kind", "kind_schema"]


class Field(NamedTuple):
    """A field: its name in JSON (empty: only the text has it), and the column that it becomes (empty: none)."""

    source: str
    column: str
    type: str


class Kind(NamedTuple):
    """A kind of record: its fields in the order of the text, and what its last field lists.

    ``values``: ``name=value``; ``consumables``: ``name=used=capacity``; one row each. Empty: it lists nothing.
    """

    fields: tuple[Field, ...]
    lists: str = ""
    list_source: str = ""


def _f(source: str, column: str | None = None, kind: str = "word") -> Field:
    return Field(source, source if column is None else column, kind)


_REPORT = _f("report_time", kind="time")
_HOST, _QUEUE, _STATE = _f("hostname", "host"), _f("qname", "queue"), _f("state")
_JOB = (_f("job_number", "job_id", "id"), _f("task_number", "task", "task"), _f("pe_taskid", "pe_task"))
_WHOSE = (
    _f("job_name", "name", "free"), _f("owner"), _f("group"), _f("project"), _f("department"), _f("account"),
)  # fmt: skip
_SUBMITTED = _f("submission_time", kind="time")
_PRIORITY = _f("priority", "posix_priority", "priority")
_AR = (_f("ar_submission_time", "submission_time", "time"), _f("ar_number", "reservation_id", "id"))

#: Kinds by their name, which JSON uses. ``acct`` has the columns of a record of accounting.
KINDS = {
    "new_job": Kind((_SUBMITTED, *_JOB, *_WHOSE, _PRIORITY)),
    "job_log": Kind(
        (
            _f("event_time", kind="time"),
            _f("event"),
            *_JOB,
            _STATE,
            _f("user"),
            _f("host"),
            Field("", "", "word"),
            _PRIORITY,
            _SUBMITTED,
            *_WHOSE,
            _f("message", kind="rest"),
        )
    ),
    "online_usage": Kind(_JOB, "values", "usage"),
    "queue": Kind((_QUEUE, _HOST, _REPORT, _STATE)),
    "queue_consumable": Kind((_QUEUE, _HOST, _REPORT, _STATE), "consumables", "consumables"),
    "host": Kind((_HOST, _REPORT, _STATE), "values", "load_values"),
    "host_consumable": Kind((_HOST, _REPORT, _STATE), "consumables", "consumables"),
    "sharelog": Kind(
        (
            *(_f(name, kind="time") for name in ("curr_time", "usage_time")),
            *(_f(name) for name in ("node_name", "user_name", "project_name")),
            _f("shares", kind="count"),
            _f("job_count", kind="count"),
            _f("level%", "level", "double"),
            _f("total%", "total", "double"),
            *(_f(name, kind="double") for name in ("long_target_share", "short_target_share", "actual_share")),
            *(_f(name, kind="double") for name in ("usage", "cpu")),
            _f("mem", "memory", "gib"),
            _f("io", kind="gib"),
            _f("ltcpu", "long_term_cpu", "double"),
            _f("ltmem", "long_term_memory", "gib"),
            _f("ltio", "long_term_io", "gib"),
        )
    ),
    "new_ar": Kind((*_AR, _f("ar_owner", "owner"))),
    "ar_attribute": Kind(
        (
            Field("", "event_time", "time"),
            *_AR,
            _f("ar_name", "name", "free"),
            _f("ar_account", "account"),
            _f("ar_start_time", "start_time", "time"),
            _f("ar_end_time", "end_time", "time"),
            _f("ar_granted_pe", "parallel_environment"),
            _f("ar_granted_resources", "granted_resources", "rest"),
        )
    ),
    "ar_log": Kind(
        (
            _f("ar_state_change_time", "event_time", "time"),
            *_AR,
            _f("ar_state", "state"),
            _f("ar_event", "event"),
            _f("ar_message", "message", "rest"),
        )
    ),
    "ar_acct": Kind(
        (
            _f("ar_termination_time", "event_time", "time"),
            *_AR,
            _f("ar_qname", "queue"),
            _f("ar_hostname", "host"),
            _f("ar_slots", "slots", "count"),
        )
    ),
}
#: What the systems call them.
NAMES = {**{name: name for name in KINDS}, "acct": "acct", "ar_attr": "ar_attribute"}

_TYPES: dict[str, pl.DataType] = {
    "time": pl.Datetime("us", "UTC"), "word": pl.Categorical(), "free": pl.String(), "rest": pl.String(),
    "id": pl.String(), "task": pl.Int32(), "count": pl.Int64(), "double": pl.Float64(), "gib": pl.Float64(),
    "priority": pl.Int32(),
}  # fmt: skip
_LISTED: dict[str, dict[str, pl.DataType]] = {
    "": {},
    "values": {"variable": pl.Categorical(), "value": pl.String(), "number": pl.Float64()},
    "consumables": {"variable": pl.Categorical(), "used": pl.Float64(), "capacity": pl.Float64()},
}


def kind_schema(name: str) -> pl.Schema:
    """Return the columns of a kind: ``time``, when it was written, its own, and those of what it lists."""
    kind = KINDS[name]
    own = {field.column: _TYPES[field.type] for field in kind.fields if field.column}
    return pl.Schema({"time": _TYPES["time"], **own, **_LISTED[kind.lists]})
