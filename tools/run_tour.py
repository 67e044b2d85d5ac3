"""``make tour``: execute the tour, or other notebooks, without a browser, and say what ran where."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import start_cluster, stop_cluster
from lesson_run import checks, end_jobs_of, execute

if TYPE_CHECKING:
    from gcs_lab.cells.journal import JournalEntry

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "0-tour.ipynb"
#: Longer outputs are shown by their first lines and their last.
MANY_LINES = 14


def main() -> int:
    """Run the notebooks; return 0 if every cell did its work, and with ``--solved`` every check passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto", choices=["auto", "embedded", "gridengine"])
    parser.add_argument(
        "--notebook",
        type=Path,
        nargs="+",
        default=[NOTEBOOK],
        help="what is run, one after the other; default: the tour",
    )
    parser.add_argument(
        "--output", type=Path, help="where the notebook with its outputs goes; of several notebooks, a folder"
    )
    parser.add_argument("--solved", action="store_true", help="with the solution in place of each exercise")
    flags = parser.parse_args()
    choice = start_cluster(flags.engine)
    os.environ |= choice.environment()
    good = True
    try:
        for path in flags.notebook:
            good &= _run(path, _place(flags.output, path, alone=len(flags.notebook) == 1), solve=flags.solved)
    finally:
        stop_cluster(choice)
    return 0 if good else 1


def _place(output: Path | None, path: Path, *, alone: bool) -> Path:
    """Return where the executed notebook goes."""
    if output is None:
        return ROOT / ".make" / path.name
    return output if alone and not output.is_dir() else output / path.name


def _run(path: Path, output: Path, *, solve: bool) -> bool:
    started = time.time()
    printer = _Printer()
    done = execute(path, output, solve=solve, show=printer.show)
    printer.show_what_came_late(done.notebook)
    if done.stopped:
        print(f"\n{path.name} stopped: {done.stopped}", file=sys.stderr)
    print(f"\nWhat ran where ({time.time() - started:.0f} s in all):")
    _print_jobs(done.name)
    if left := end_jobs_of(done.name):
        print(f"  ended, because nothing waited for them: {', '.join(left)}")
    passed = checks(done.notebook)
    if passed:
        print(f"\nChecks passed: {sum(passed.values())} of {len(passed)}")
    print(f"\nThe notebook with its outputs: {output}")
    return not done.stopped and not (solve and not all(passed.values()))


class _Printer:
    """Prints cells with their outputs in short."""

    def __init__(self) -> None:
        self._shown: dict[str, list[str]] = {}

    def show(self, cell: Any) -> None:
        """Print a code cell's first line and its outputs."""
        lines = [line for output in cell.outputs for line in _in_short(output)]
        if self._shown.get(cell.id) == lines:
            return
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        print(f"\n[{cell.execution_count}] {first}")
        for line in lines:
            print(f"    {line}", flush=True)
        self._shown[cell.id] = lines

    def show_what_came_late(self, notebook: Any) -> None:
        """Print those cells again whose outputs changed after they were done."""
        late = [cell for cell in notebook.cells if cell.id in self._shown]
        for cell in late:
            self.show(cell)


def _in_short(output: Any) -> list[str]:
    """Return an output as a few lines of text; a figure as its size."""
    if output.output_type == "error":
        return [f"{output.ename}: {output.evalue}"]
    if output.output_type == "stream":
        lines = output.text.rstrip().split("\n")
    else:
        data = output.data
        if "image/png" in data:
            return [f"(figure, {len(data['image/png']) * 3 // 4096} KiB)"]
        lines = str(data.get("text/plain", f"({', '.join(data)})")).splitlines()
    kept = (
        lines
        if len(lines) <= MANY_LINES
        else [*lines[: MANY_LINES - 2], f"… {len(lines) - MANY_LINES + 1} more lines …", lines[-1]]
    )
    return [line[:150] for line in kept]


def _print_jobs(notebook: str) -> None:
    from gcs_lab.cells.journal import Journal

    entries = Journal().of_notebook(notebook)
    header = ("name", "id", "cluster", "queue@host", "state", "wall time", "peak memory")
    rows = [header, *(_row(entry) for entry in reversed(entries))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _row(entry: JournalEntry) -> tuple[str, ...]:
    """Return one job's line, from the journal and its event log (docs/event-log.md)."""
    from gcs_lab.jobs.requests import format_memory, format_time

    if entry.tasks:
        wall = format_time(entry.finished - entry.submitted) if entry.finished else "unknown"
        return (entry.name, entry.job_id, entry.cluster, f"{entry.tasks} tasks", entry.state.lower(), wall, "")
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
