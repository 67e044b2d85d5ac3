"""What was found, in one screen."""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TYPE_CHECKING

from gcs_lab.doctor.examination import Examination, examine
from gcs_lab.doctor.finding import Level

if TYPE_CHECKING:
    from typing import TextIO

    from gcs_lab.doctor.choice import ClusterLine

__all__ = ["Pen", "diagnose", "drawn"]

#: Columns of a line: in a notebook's cell, and the most in a terminal.
_CELL_WIDTH, _TERMINAL_WIDTH = 80, 100
_NAMES = 12
_MARKS = {Level.GOOD: ("✓", "+", "32"), Level.NOTE: ("!", "!", "33"), Level.BROKEN: ("✗", "x", "31")}
_ARROW = ("→", ">", "36")


class Pen:
    """How lines are drawn.

    Parameters
    ----------
    signs
        Whether signs beyond ASCII can be shown.
    colour
        Whether escape sequences for colours (ECMA-48) are understood.
    width
        Columns of a line; commands may be longer.
    """

    def __init__(self, *, signs: bool = True, colour: bool = False, width: int = _CELL_WIDTH) -> None:
        self.signs, self.colour, self.width = signs, colour, width

    @classmethod
    def of(cls, stream: TextIO) -> Pen:
        """Return the one for a stream; colours on terminals alone (https://no-color.org is kept)."""
        try:
            "✓→✗·".encode(stream.encoding or "ascii")
            signs = True
        except (UnicodeEncodeError, LookupError):
            signs = False
        dull = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        columns = shutil.get_terminal_size((_TERMINAL_WIDTH, 1)).columns
        width = max(_CELL_WIDTH, min(_TERMINAL_WIDTH, columns))
        return cls(signs=signs, colour=stream.isatty() and not dull, width=width)

    def mark(self, sign: str, plain: str, code: str) -> str:
        """Return a mark of one column."""
        said = sign if self.signs else plain
        return f"\x1b[{code}m{said}\x1b[0m" if self.colour else said

    def title(self, text: str) -> str:
        """Return the title of a part."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def line(self, mark: str, name: str, text: str, remedy: str = "") -> list[str]:
        """Return a line, continued where it is too long, with what to do below it; commands are never broken."""
        room = self.width - _NAMES - 5
        first, *rest = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        gap = " " * (_NAMES + 5)
        lines = [f"  {mark} {name:{_NAMES}} {first}", *(gap + more for more in rest)]
        if remedy:
            lines.append(f"{gap}$ {remedy}" if not remedy.startswith("%") else f"{gap}{remedy}")
        return lines if self.signs else [line.encode("ascii", "replace").decode() for line in lines]


def diagnose(in_use: str = "") -> str:
    """Return what was found on this machine, which cluster would be used and why, and what is missing.

    Parameters
    ----------
    in_use
        As :func:`gcs_lab.doctor.examination.examine` takes it.
    """
    return drawn(examine(in_use), Pen())


def drawn(found: Examination, pen: Pen) -> str:
    """Return an examination as one screen."""
    lines = [pen.title(found.version), "", pen.title("Clusters: the first is the one that jobs go to")]
    if not found.clusters or not found.clusters[0].used:
        lines[-1] = pen.title("Clusters: none would be used")
    for one in found.clusters:
        lines += _cluster(one, pen)
    lines += ["", pen.title("This machine")]
    for finding in found.findings:
        # What is broken is told at the end, with what to do.
        if finding.level is not Level.BROKEN:
            lines += pen.line(pen.mark(*_MARKS[finding.level]), finding.about, finding.text, finding.remedy)
    lines += ["", *_to_do(found, pen)]
    return "\n".join(lines)


def _cluster(one: ClusterLine, pen: Pen) -> list[str]:
    text = one.why + (f"; records: {one.records}" if one.records else "")
    return pen.line(pen.mark(*_ARROW) if one.used else " ", one.name, text, one.remedy)


def _to_do(found: Examination, pen: Pen) -> list[str]:
    if found.good:
        return [pen.title("All that is needed works.")]
    lines = [pen.title("What is broken, and what to do, in this order")]
    for one in found.first:
        lines += pen.line(pen.mark(*_MARKS[one.level]), one.about, one.text, one.remedy)
    return lines
