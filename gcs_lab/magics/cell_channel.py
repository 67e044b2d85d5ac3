"""Publish into the outputs of one cell, from any thread, however long after that cell has ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CellChannel"]


class CellChannel:
    """The outputs of the cell that runs when the channel is made.

    In a kernel every message carries that cell's request as its parent (Jupyter messaging, "Parent header"), so that
    the outputs of two jobs never mix. In a terminal there is only one place to print to.

    Parameters
    ----------
    shell
        The running shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._kernel: Any = getattr(shell, "kernel", None)
        self._parent: Any = self._kernel.get_parent("shell") if self._kernel is not None else None

    @property
    def cell_id(self) -> str:
        """The id of the cell in its notebook, if the front end tells it."""
        return str(((self._parent or {}).get("metadata") or {}).get("cellId") or "")

    def _send(self, message: str, content: dict[str, Any], *, parent: Any = None) -> None:
        # Session.send with the kernel's own IOPub socket is what ipykernel's publishers do; the socket hands the
        # message to the IOPub thread, so that any thread may call this.
        kernel = self._kernel
        kernel.session.send(
            kernel.iopub_socket,
            message,
            content,
            parent=parent or self._parent,
            ident=kernel._topic(message),  # noqa: SLF001
        )

    def stream(self, name: str, text: str) -> None:
        """Append text to stdout or stderr."""
        if self._kernel is not None:
            self._send("stream", {"name": name, "text": text})
        else:
            file = sys.stderr if name == "stderr" else sys.stdout
            file.write(text)
            file.flush()

    def display(self, data: dict[str, Any], metadata: dict[str, Any], display_id: str | None = None) -> None:
        """Show a MIME bundle."""
        transient = {"display_id": display_id} if display_id else {}
        if self._kernel is not None:
            self._send("display_data", {"data": data, "metadata": metadata, "transient": transient})
        else:
            self._shell.display_pub.publish(data, metadata, transient=transient)

    def update_display(self, data: dict[str, Any], metadata: dict[str, Any], display_id: str) -> None:
        """Replace what was shown under `display_id`, wherever it stands."""
        transient = {"display_id": display_id}
        if self._kernel is not None:
            # Front ends find the output by its id. A client that runs notebooks (nbclient) listens only to the cell
            # that runs now, so an update names that one as its parent.
            running = self._kernel.get_parent("shell")
            self._send(
                "update_display_data", {"data": data, "metadata": metadata, "transient": transient}, parent=running
            )
        else:
            self._shell.display_pub.publish(data, metadata, transient=transient, update=True)

    def result(self, data: dict[str, Any], metadata: dict[str, Any], execution_count: int) -> None:
        """Show the value of the cell's last expression, as ``Out[n]``."""
        if self._kernel is not None:
            content = {"data": data, "metadata": metadata, "execution_count": execution_count}
            self._send("execute_result", content)
        else:
            self._shell.display_pub.publish(data, metadata)

    def clear(self, *, wait: bool) -> None:
        """Clear the cell's outputs (with `wait`: when the next one comes)."""
        if self._kernel is not None:
            self._send("clear_output", {"wait": wait})
        else:
            self._shell.display_pub.clear_output(wait=wait)  # type: ignore[no-untyped-call]

    def error(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Show an error as the front end shows errors."""
        if self._kernel is not None:
            self._send("error", {"ename": ename, "evalue": evalue, "traceback": traceback})
        else:
            sys.stderr.write("\n".join(traceback) + "\n")
