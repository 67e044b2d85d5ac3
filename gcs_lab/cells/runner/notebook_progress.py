"""How far a notebook's run has come: what the card says, and a list of its cells with their times."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .channel import Channel
    from .displays import Displays

__all__ = ["NotebookProgress", "heading_of"]


_LONGEST_HEADING = 60
#: Cells shown in the list while it runs, and at the end.
_SHOWN_LIVE, _SHOWN_AT_END = 6, 200
_DISPLAY = "notebook-cells"


class NotebookProgress:
    """Counts the cells that are run: the same number as ``In[n]`` in the output notebook.

    Parameters
    ----------
    channel
        Where ``progress`` events go.
    displays
        Where the list goes, as one display that is updated.
    """

    def __init__(self, channel: Channel, displays: Displays) -> None:
        self._channel = channel
        self._displays = displays
        #: Number, heading, seconds (None: it runs) and whether it failed, of each cell that began.
        self._rows: list[tuple[int, str, float | None, bool]] = []
        #: Of each cell by its place in the notebook: its number and heading.
        self._cells: dict[int, tuple[int, str]] = {}
        self._began = 0.0
        self._is_shown = False

    def begin(self, notebook: Any) -> None:
        """Look at the notebook that will be run."""
        self._rows = []
        self._cells = {}
        for index, cell in enumerate(notebook.cells):
            if is_run(cell):
                self._cells[index] = (len(self._cells) + 1, heading_of(notebook.cells, index))

    @property
    def last(self) -> tuple[int, str]:
        """Number and heading of the cell that began last."""
        return self._rows[-1][:2] if self._rows else (0, "")

    def numbered(self, index: int) -> tuple[int, str]:
        """Return number and heading of the cell at a place in the notebook."""
        return self._cells.get(index, (0, ""))

    def cell_begins(self, index: int) -> bool:
        """Tell that a cell begins; return whether it is one that is run."""
        if index not in self._cells:
            return False
        number, heading = self._cells[index]
        self._began = time.monotonic()
        self._rows.append((number, heading, None, False))
        self._tell(number - 1, f"cell {number} of {len(self._cells)}" + (f": {heading}" if heading else ""), heading)
        self._show()
        return True

    def cell_ends(self, index: int, *, failed: bool) -> None:
        """Tell that it has ended."""
        if index not in self._cells:
            return
        number, heading = self._cells[index]
        # The next cell's beginning, or the end, shows it.
        self._rows[-1] = (number, heading, time.monotonic() - self._began, failed)

    def end(self, *, died: bool = False) -> None:
        """Tell that the notebook has ended; `died`: with its kernel, in the cell that began last."""
        if died and self._rows:
            number, heading, seconds, _ = self._rows[-1]
            self._rows[-1] = (number, heading, seconds or time.monotonic() - self._began, True)
        done = sum(not failed for *_, failed in self._rows)
        self._tell(done, f"{done} of {len(self._cells)} cells", "", done=True)
        self._show(final=True)

    def _tell(self, n: int, text: str, heading: str, *, done: bool = False) -> None:
        event = {"type": "progress", "id": "notebook", "n": n, "total": len(self._cells), "desc": heading}
        self._channel.event({**event, "unit": "cells", "done": done, "text": text})

    def _show(self, *, final: bool = False) -> None:
        most = _SHOWN_AT_END if final else _SHOWN_LIVE
        earlier, rows = self._rows[:-most], self._rows[-most:]
        lines = (
            [(f"… {len(earlier)}", "earlier cells", _clock(sum(row[2] or 0 for row in earlier)))] if earlier else []
        )
        for number, heading, seconds, failed in rows:
            state = "runs" if seconds is None else _clock(seconds)
            lines.append((str(number), heading, f"{state}, failed" if failed else state))
        kind = "update_display" if self._is_shown else "display"
        self._displays.send(kind, _drawn(lines), {}, display_id=_DISPLAY)
        self._is_shown = True


def is_run(cell: Any) -> bool:
    """Tell whether a cell is sent to the kernel (nbclient's rule)."""
    skipped = "skip-execution" in (cell.get("metadata", {}).get("tags") or [])
    return cell.cell_type == "code" and bool(cell.source.strip()) and not skipped


def heading_of(cells: Any, index: int) -> str:
    """Return what a cell is called: the last heading above it, else its first comment; empty if there is neither."""
    tags = cells[index].get("metadata", {}).get("tags") or []
    if "injected-parameters" in tags or "parameters" in tags:
        return "parameters"
    for cell in reversed(cells[:index]):
        lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
        found = [line.lstrip("#").strip() for line in lines if line.startswith("#") and line.lstrip("#")[:1] == " "]
        if found:
            return _short(found[-1])
    first = next((line.strip() for line in cells[index].source.splitlines() if line.strip()), "")
    return _short(first.lstrip("#").strip()) if first.startswith("#") else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_HEADING else text[: _LONGEST_HEADING - 1] + "…"


def _clock(seconds: float) -> str:
    if seconds < 59.95:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _drawn(lines: list[tuple[str, str, str]]) -> dict[str, str]:
    import html

    widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
    text = "\n".join(f"{number:>{widths[0]}}  {name:<{widths[1]}}  {took}" for number, name, took in lines)
    style = "style='text-align:left'"
    rows = "".join(
        f"<tr><td style='text-align:right'>{html.escape(number)}</td><td {style}>{html.escape(name)}</td>"
        f"<td {style}>{html.escape(took)}</td></tr>"
        for number, name, took in lines
    )
    head = f"<tr><th style='text-align:right'>cell</th><th {style}></th><th {style}>time</th></tr>"
    return {"text/plain": text, "text/html": f"<table>{head}{rows}</table>"}
