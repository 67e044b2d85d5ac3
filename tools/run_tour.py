"""``make tour``: execute the tour notebook without a browser, and say what ran where."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import start_cluster, stop_cluster

if TYPE_CHECKING:
    from gcs_lab.cells.journal import JournalEntry

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "tour.ipynb"
EXECUTED = ROOT / ".make" / "tour.ipynb"
#: Longer outputs are shown by their first lines and their last.
MANY_LINES = 8


def main() -> int:
    """Run the tour; return 0 if every cell did its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto", choices=["auto", "embedded", "gridengine"])
    choice = start_cluster(parser.parse_args().engine)
    os.environ["GCS_LAB_CLUSTER"] = choice.cluster
    started = time.time()
    try:
        with tempfile.TemporaryDirectory(prefix="gcs-lab-tour-") as runtime:
            os.environ["JUPYTER_RUNTIME_DIR"] = runtime
            good = _execute()
        print(f"\nWhat ran where ({time.time() - started:.0f} s in all):")
        _print_jobs(since=started)
    finally:
        stop_cluster(choice)
    print(f"\nThe notebook with its outputs: {EXECUTED.relative_to(ROOT)}")
    return 0 if good else 1


def _execute() -> bool:
    """Execute the notebook, print each cell's outputs in short, and keep it with them."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        # It would warn of its loopback ports, whose messages are signed with a key that only this user can read.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        on_cell_executed=lambda cell, **_: _print_cell(cell),
    )
    EXECUTED.parent.mkdir(exist_ok=True)
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\nthe tour stopped: {error.ename}: {error.evalue}", file=sys.stderr)
        return False
    finally:
        nbformat.write(notebook, EXECUTED)
    return True


def _print_cell(cell: Any) -> None:
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    print(f"\n[{cell.execution_count}] {first}")
    for output in cell.outputs:
        for line in _in_short(output):
            print(f"    {line}", flush=True)


def _in_short(output: Any) -> list[str]:
    """Return an output as a few lines of text; a figure as its size."""
    if output.output_type == "error":
        return [f"{output.ename}: {output.evalue}"]
    if output.output_type == "stream":
        # A progress bar draws itself again after each carriage return; its last state tells all.
        lines = [line.rpartition("\r")[2] for line in output.text.rstrip().removesuffix("\r").split("\n")]
    else:
        data = output.data
        if "image/png" in data:
            return [f"(figure, {len(data['image/png']) * 3 // 4096} KiB)"]
        lines = str(data.get("text/plain", f"({', '.join(data)})")).splitlines()
    kept = lines if len(lines) <= MANY_LINES else [*lines[:5], f"… {len(lines) - 6} more lines …", lines[-1]]
    return [line[:150] for line in kept]


def _print_jobs(since: float) -> None:
    from gcs_lab.cells.journal import Journal

    entries = [entry for entry in Journal().everything() if entry.submitted >= since]
    header = ("name", "id", "cluster", "queue@host", "state", "wall time", "peak memory")
    rows = [header, *(_row(entry) for entry in reversed(entries))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _row(entry: JournalEntry) -> tuple[str, ...]:
    """Return one job's line, from the journal and its event log (docs/event-log.md)."""
    from gcs_lab.jobs.requests import format_memory, format_time

    last: dict[str, dict[str, Any]] = {}
    log = Path(entry.folder) / "events.jsonl"
    for line in log.read_text().splitlines() if log.exists() else []:
        event = json.loads(line)
        last[event["type"]] = event
    begin, end = last.get("started", {}), last.get("finished", {})
    place = "@".join(part for part in (begin.get("queue"), begin.get("host")) if part)
    return (
        entry.name,
        entry.job_id,
        entry.cluster,
        place or "not started",
        entry.state.lower(),
        format_time(end["wall"]) if end else "unknown",
        format_memory(end["max_rss"]) if end else "unknown",
    )


if __name__ == "__main__":
    sys.exit(main())
