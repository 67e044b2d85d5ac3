"""Reading ``qstat -xml`` of 57,000 tasks into columns, beside lxml and Python's own parser that build the same rows.

CPU seconds are medians of rounds in one process; memory is what a fresh process needs at most for one document, and
for one four times as large, so that what a parser's heap needs once is told from what grows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.qstat_tasks import COLUMNS, tasks_with
from gcs_lab.backends.gridengine.status_columns import ArrowReader, PlainReader
from gcs_lab.backends.gridengine.status_files import XmlFile
from gcs_lab.backends.gridengine.task_ranges import parse_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[str, float, str, str]

ROUNDS = {"columns": 15}
FEW_ROUNDS = 3
NAMES = {
    "columns": "xml2arrow to columns",
    "plain": "expat to columns (fallback)",
    "lxml": "lxml.iterparse to the same values",
    "lxml text": "lxml.iterparse to text",
    "etree": "xml.etree.iterparse to the same values",
}
TIMES_LARGER = 4
SMALL = (
    b"<job_info><queue_info></queue_info><job_info><job_list><JB_name>a</JB_name></job_list></job_info></job_info>"
)


def columns_of(path: Path, reader: type[ArrowReader | PlainReader]) -> tuple[int, int]:
    """Return rows and bytes of the table that one of our readers makes."""
    file = XmlFile(path.open("rb"), "job_info")
    try:
        table = tasks_with(reader(COLUMNS), file)
    finally:
        file.close()
    return table.num_rows, table.nbytes


def text_rows(events: Iterable[tuple[str, Any]]) -> int:
    """Count rows of text with the same fields, built from the elements of an ``iterparse``."""
    names = [name for name, path in COLUMNS.rows[0].fields if "@" not in path]
    rows = []
    for _, element in events:
        found = dict.fromkeys(names)
        for child in element:
            if child.tag in found:
                found[child.tag] = child.text
        rows.append(tuple(found.values()))
        element.clear()
    return len(rows)


def same_rows(events: Iterable[tuple[str, Any]]) -> int:
    """Count rows of the same values (numbers, times, queue and host, state), built as one writes it in Python."""
    rows = []
    for _, element in events:
        text = {child.tag: child.text for child in element if child.text}
        queue, _, host = text.get("queue_name", "").partition("@")
        tasks, letters = text.get("tasks"), text.get("state", "")
        ranges = parse_ranges(tasks) if tasks and not tasks.isdecimal() else [range(1)]
        started, submitted = text.get("JAT_start_time"), text.get("JB_submission_time")
        rows.append(
            (
                text.get("JB_job_number"),
                tasks,
                int(tasks) if tasks and tasks.isdecimal() else None,
                sum(map(len, ranges)),
                text.get("JB_name"),
                text.get("JB_owner"),
                letters,
                job_state(letters).name,
                float(text.get("JAT_prio", "nan")),
                int(text.get("slots", 0)),
                queue or None,
                host or None,
                datetime.fromisoformat(submitted).replace(tzinfo=UTC) if submitted else None,
                datetime.fromisoformat(started).replace(tzinfo=UTC) if started else None,
            )
        )
        element.clear()
    return len(rows)


def parse(method: str, path: Path) -> tuple[int, int]:
    """Read a document in one of the ways."""
    if method == "columns":
        return columns_of(path, ArrowReader)
    if method == "plain":
        return columns_of(path, PlainReader)
    parser, _, kind = method.partition(" ")
    if parser == "lxml":
        from lxml import etree

        events = etree.iterparse(str(path), tag="job_list")
    else:
        from xml.etree import ElementTree as ET

        events = ((event, element) for event, element in ET.iterparse(path) if element.tag == "job_list")
    return (text_rows if kind == "text" else same_rows)(events), 0


def memory(field: str) -> float:
    """Return one of this process's figures of ``/proc/self/status`` in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1000


def measure(method: str, path: Path, *, rounds: int) -> dict[str, float]:
    """Read a document here; return CPU seconds, rows, MB of the table and MB that the first reading needed."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as small:
        small.write(SMALL)
        small.flush()
        parse(method, Path(small.name))  # what is imported is no part of it
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    count, size = parse(method, path)
    needed = memory("VmHWM") - before
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        parse(method, path)
        taken.append(time.process_time() - began)
    seconds = statistics.median(taken) if taken else 0.0
    return {"seconds": seconds, "rows": count, "table": size / 1e6, "memory": needed}


def fresh(method: str, path: Path, *, rounds: int = 0) -> dict[str, float]:
    """Measure in a new process."""
    said = subprocess.run(
        [sys.executable, __file__, method, str(path), str(rounds)], check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, float] = json.loads(said.stdout)
    return figures


def larger(path: Path, folder: Path) -> Path:
    """Return a document that has the waiting rows of `path` several times."""
    text = path.read_bytes()
    start, end = (
        text.rindex(b"<job_info>") + len(b"<job_info>"),
        text.rindex(b"</job_info>", 0, text.rindex(b"</job_info>")),
    )
    made = folder / "larger.xml"
    made.write_bytes(text[:start] + text[start:end] * TIMES_LARGER + text[end:])
    return made


def peers() -> list[str]:
    """Return the ways that can be measured here; lxml is no part of this project."""
    try:
        import lxml  # noqa: F401
    except ImportError:
        return ["etree"]
    return ["lxml", "lxml text", "etree"]


def run() -> list[Row]:
    """Return rows of what was measured: what it is, its value, the unit, the goal (empty for a peer)."""
    from status_sections._documents import documents

    each_task, polled = documents()
    size = each_task.stat().st_size / 1e6
    found = {
        method: fresh(method, each_task, rounds=ROUNDS.get(method, FEW_ROUNDS))
        for method in ["columns", "plain", *peers()]
    }
    ours = found["columns"]
    if len({figures["rows"] for figures in found.values()}) != 1:
        raise RuntimeError(f"not all saw the same rows: {found}")
    what = f"qstat -g d, {ours['rows']:,.0f} rows, {size:.1f} MB"
    rows: list[Row] = [
        (
            f"{what}: {NAMES[method]}",
            size / figures["seconds"],
            "MB/s",
            ">= 100" if method == "columns" else "",
        )
        for method, figures in found.items()
    ]
    peer = peers()[0]
    for other in peers():
        ratio = found[other]["seconds"] / ours["seconds"]
        rows.append((f"  times as quick as {NAMES[other]}", ratio, "x", ">= 5" if other == peer else ""))
    poll = fresh("columns", polled, rounds=ROUNDS["columns"])
    megabytes = polled.stat().st_size / 1e6
    rows.append(
        (
            f"a poll's qstat, {poll['rows']:,.0f} rows, {megabytes:.1f} MB",
            megabytes / poll["seconds"],
            "MB/s",
            ">= 100",
        )
    )
    rows.append(("  CPU seconds of it", poll["seconds"], "s", ""))
    with tempfile.TemporaryDirectory() as folder:
        much = fresh("columns", larger(each_task, Path(folder)))
    grown = (much["memory"] - ours["memory"]) / (much["table"] - ours["table"])
    rows += [
        ("columns that are made", ours["table"], "MB", ""),
        *((f"memory that {NAMES[m]} needs", f["memory"], "MB", "") for m, f in found.items()),
        (f"  for a document {TIMES_LARGER} times as large", much["memory"], "MB", ""),
        ("  more memory for each byte of columns more", grown, "x", "<= 3"),
    ]
    return rows


if __name__ == "__main__":
    method, path, rounds = sys.argv[1:]
    print(json.dumps(measure(method, Path(path), rounds=int(rounds))))
