"""Execute a notebook as it is, or as a lesson with every exercise solved, and keep all that its jobs sent."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesson_notebook import solved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Executed", "checks", "end_jobs_of", "execute"]

#: Seconds that one cell may take.
_CELL_SECONDS = 300


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs, its name in the journal, and why it stopped (empty: it did not)."""

    notebook: Any
    name: str
    stopped: str


def execute(path: Path, output: Path, *, solve: bool, show: Callable[[Any], None]) -> Executed:
    """Execute a notebook in its own folder, and return it with its outputs.

    A cell that raises ends it, unless it is tagged ``raises-exception``; what was done until then is kept.

    Parameters
    ----------
    path
        The notebook; it is left as it is.
    output
        Where the executed one is written.
    solve
        Whether the code of each exercise is replaced by its solution's.
    show
        Called with each code cell once it is done; its outputs are joined where they are one stream.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    if solve:
        notebook = solved(notebook)
    # As a Jupyter server tells its kernels; one of its own for each run, so that checks see this run's jobs alone.
    name = f"{path.name} ({time.strftime('%H:%M:%S')})"
    stopped = ""
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        # It would warn of its loopback ports, whose messages are signed with a key that only this user can read.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    late = _LateOutputs(client)
    client.on_notebook_start = late.listen

    def executed(cell: Any, cell_index: int, execute_reply: Any) -> None:
        _join_streams(cell)
        show(cell)
        late.remember(cell, cell_index, execute_reply)

    client.on_cell_executed = executed
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gcs-lab-tour-") as runtime:
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime
        try:
            client.execute(env=os.environ | {"JPY_SESSION_NAME": name})
        except CellExecutionError as error:
            stopped = f"{error.ename}: {error.evalue}"
        finally:
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    _join_streams(cell)
            nbformat.write(notebook, output)  # type: ignore[no-untyped-call]
    return Executed(notebook, name, stopped)


def checks(notebook: Any) -> dict[str, bool]:
    """Return whether each check of an executed lesson passed, by its cell's id; one that raised did not."""
    found = {}
    for cell in notebook.cells:
        if "check" in cell.metadata.get("tags", ()):
            told = [str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
            # The first line of a CheckReport: "my exercise: done", "my exercise: 2 of 3, not yet".
            found[cell.id] = bool(told) and told[-1].partition("\n")[0].endswith(": done")
    return found


def end_jobs_of(name: str) -> list[str]:
    """End the jobs that an executed notebook left running; return their names."""
    from gcs_lab.cells.journal import Journal
    from gcs_lab.cluster import connect
    from gcs_lab.jobs import JobAction

    left = [entry for entry in Journal().of_notebook(name) if not entry.finished]
    for entry in left:
        connect(entry.cluster).jobs.control(JobAction.TERMINATE, [entry.job_id])
    return [entry.name for entry in left]


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


def _join_streams(cell: Any) -> None:
    """Join pieces of one stream that follow one another; of each line leave what a terminal would show at the end.

    A progress bar draws itself again after each carriage return. JupyterLab obeys that; a page made of the notebook
    would show them all.
    """
    merged: list[Any] = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            lines = output.text.split("\n")
            output.text = "\n".join(line.removesuffix("\r").rpartition("\r")[2] for line in lines)
    cell.outputs = merged
