"""Ask ``qacct`` where the accounting file itself cannot be read from here."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_record import FIELDS, AccountingRecord, parse_record
from gcs_lab.backends.gridengine.commands import run_command

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["parse_qacct", "read_qacct"]

_TIMES = {"qsub_time": "submission_time", "start_time": "start_time", "end_time": "end_time"}
_ALIASES = {"jobname": "job_name", "jobnumber": "job_number", "taskid": "task_number"}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([\d.]+)([KMGT]?)B?\Z")
_FORMATS = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f",
            "%Y-%m-%d %H:%M:%S.%f")  # fmt: skip


def _epoch(text: str) -> float:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).astimezone(UTC).timestamp()
        except ValueError:
            continue
    return 0.0  # "-/-": it never began


def _bytes(text: str) -> float:
    match = _SIZE.match(text)
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


def _value(name: str, text: str) -> str:
    if name in _TIMES.values():
        return f"{_epoch(text):.0f}"
    if name in {"maxvmem", "ru_maxrss"}:  # 8.1.9 prints both with K, M … of 1024 of their units
        return f"{_bytes(text):.0f}"
    if name in {"failed", "exit_status", "slots", "task_number", "job_number"}:
        first = text.split(maxsplit=1)[0] if text.strip() else "0"  # "37  : qmaster enforced h_rt limit"
        return first if first.isdigit() else "0"
    if name in {"cpu", "ru_wallclock"}:
        number = re.match(r"[\d.]+", text)
        return number[0] if number else "0"
    return text.replace(":", " ") if name != "category" else text


def parse_qacct(text: str) -> dict[str, AccountingRecord]:
    """Return the last record of each job and task in the output of ``qacct -j`` (8.1.9 and 9.x), by id."""
    found: dict[str, AccountingRecord] = {}
    for block in re.split(r"^=+\s*$", text, flags=re.MULTILINE):
        pairs = dict(line.rstrip().partition(" ")[::2] for line in block.splitlines() if line.strip())
        if "jobnumber" not in pairs:
            continue
        values = dict.fromkeys(FIELDS, "0") | {"category": "NONE", "group": "NONE"}
        for key, value in pairs.items():
            name = _ALIASES.get(key) or _TIMES.get(key) or key
            if name in values:
                values[name] = _value(name, value.strip())
        record = parse_record(":".join(values[name] for name in FIELDS))
        if record is not None:
            found[record.id] = record
    return found


def read_qacct(cell: SgeCell) -> dict[str, AccountingRecord]:
    """Return the last records of all jobs and tasks of the last two days, by id, from one command.

    Raises
    ------
    GcsError
        If it does not answer in time.
    """
    since = time.strftime("%Y%m%d%H%M", time.localtime(time.time() - 2 * 86400))
    # It exits with 1 as long as nothing has run yet.
    answer = run_command(cell, ["qacct", "-b", since, "-j"])
    return parse_qacct(answer.text) if answer.exit_status == 0 else {}
