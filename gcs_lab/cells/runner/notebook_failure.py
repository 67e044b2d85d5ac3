"""Why a notebook's run failed: the cell, its line, and the traceback that its kernel drew."""

from __future__ import annotations

import re

from .error_report import TellsItself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .notebook_progress import NotebookProgress

__all__ = ["NotebookCellFailed", "died_in_cell"]


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: How IPython names a cell in a traceback, with colours in between ("Cell In[3], line 4"; before 8.5 "Input In [3]").
_CELL = re.compile(r"(?:Cell|Input)(?:\x1b\[[0-9;]*m)* (?:\x1b\[[0-9;]*m)*In ?\[(\d+)\]")


class NotebookCellFailed(TellsItself):
    """A cell of a notebook raised."""

    @classmethod
    def of(cls, error: Any, notebook: str, progress: NotebookProgress) -> NotebookCellFailed:
        """Return it for papermill's ``PapermillExecutionError``.

        Parameters
        ----------
        error
            What papermill raised.
        notebook
            The notebook's name.
        progress
            Knows the cells' numbers and headings.
        """
        number, heading = progress.numbered(error.cell_index)
        drawn = [
            _CELL.sub(lambda found: f"{notebook}, cell {found[1]}", line)
            for text in error.traceback
            for line in text.splitlines()
        ]
        plain = [_COLOUR.sub("", line) for line in drawn]
        place = f"{notebook}, cell {number}"
        line = re.search(rf"^\s*{re.escape(place)}, line (\d+)", "\n".join(plain), re.MULTILINE)
        where = f"{place}{f' ({heading})' if heading else ''}{f', line {line[1]}' if line else ''}"
        ename, evalue = str(error.ename), str(error.evalue)
        told = {"ename": ename, "evalue": f"{where}: {evalue}", "traceback": plain, "drawn": [*drawn, f"in {where}"]}
        return cls(f"{where}: {ename}: {evalue}", told)


def died_in_cell(error: Exception, notebook: str, progress: NotebookProgress) -> Exception:
    """Return what to raise for an error outside of the notebook's code; a dead kernel's names the cell it died in."""
    if type(error).__name__ != "DeadKernelError":
        return error
    number, heading = progress.last
    where = f"{notebook}, cell {number}{f' ({heading})' if heading else ''}"
    why = "the kernel died; often that is for want of memory, and the scheduler's own messages may say so"
    evalue = f"{where}: {why}"
    told = {"ename": "DeadKernelError", "evalue": evalue, "traceback": [f"DeadKernelError: {evalue}"]}
    return NotebookCellFailed(evalue, told)
