"""``make tour``: execute the tour, or another notebook, without a browser, and say what ran where."""

from __future__ import annotations

import argparse
import contextlib
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
#: Longer outputs are shown by their first lines and their last.
MANY_LINES = 14


def main() -> int:
    """Run the tour; return 0 if every cell did its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto", choices=["auto", "embedded", "gridengine"])
    parser.add_argument("--notebook", type=Path, default=NOTEBOOK, help="what is run; default: the tour")
    parser.add_argument("--output", type=Path, help="where the notebook with its outputs goes")
    flags = parser.parse_args()
    output = flags.output or ROOT / ".make" / flags.notebook.name
    choice = start_cluster(flags.engine)
    os.environ |= choice.environment()
    started = time.time()
    try:
        with tempfile.TemporaryDirectory(prefix="gcs-lab-tour-") as runtime:
            os.environ["JUPYTER_RUNTIME_DIR"] = runtime
            good = _execute(flags.notebook, output)
        print(f"\nWhat ran where ({time.time() - started:.0f} s in all):")
        _print_jobs(since=started)
    finally:
        stop_cluster(choice)
    print(f"\nThe notebook with its outputs: {output}")
    return 0 if good else 1


def _execute(path: Path, output: Path) -> bool:
    """Execute a notebook, print each cell's outputs in short, and keep it with them."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    printer = _Printer()
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        # It would warn of its loopback ports, whose messages are signed with a key that only this user can read.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    late = _LateOutputs(client)
    client.on_notebook_start = late.listen
    client.on_cell_executed = lambda cell, cell_index, execute_reply: (
        printer.show(cell),
        late.remember(cell, cell_index, execute_reply),
    )
    output.parent.mkdir(exist_ok=True)
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\n{path.name} stopped: {error.ename}: {error.evalue}", file=sys.stderr)
        return False
    finally:
        nbformat.write(notebook, output)
        printer.show_what_came_late(notebook)
    return True


class _LateOutputs:
    """Takes what a submitted cell's job sends after the cell itself is done; nbclient alone drops that.

    Parameters
    ----------
    client
        The client that executes the notebook.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executed: dict[str, tuple[Any, int]] = {}

    def remember(self, cell: Any, index: int, reply: Any) -> None:
        """Note under which message id the cell was executed."""
        self._executed[reply["parent_header"]["msg_id"]] = (cell, index)

    def listen(self, **_: Any) -> None:
        """Look at every message from the kernel before nbclient does."""
        from nbclient.exceptions import CellExecutionComplete

        channel = self._client.kc.iopub_channel
        get_message = channel.get_msg

        async def get_and_look(**options: Any) -> Any:
            message = await get_message(**options)
            place = self._executed.get(message["parent_header"].get("msg_id"))
            if place is not None:
                with contextlib.suppress(CellExecutionComplete):
                    self._client.process_message(message, *place)
            return message

        channel.get_msg = get_and_look


class _Printer:
    """Prints cells with their outputs in short."""

    def __init__(self) -> None:
        self._shown: dict[str, list[str]] = {}

    def show(self, cell: Any) -> None:
        """Print a code cell's first line and its outputs."""
        cell.outputs = _merged(cell.outputs)
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


def _merged(outputs: list[Any]) -> list[Any]:
    """Join pieces of one stream that follow one another."""
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


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
    kept = (
        lines
        if len(lines) <= MANY_LINES
        else [*lines[: MANY_LINES - 2], f"… {len(lines) - MANY_LINES + 1} more lines …", lines[-1]]
    )
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
