"""What a check found, point by point: drawn in a notebook, printed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

__all__ = ["CheckReport", "Point"]


@dataclass(frozen=True)
class Point:
    """One thing that an exercise asks for.

    Parameters
    ----------
    text
        What is asked for, as a statement: "the job was called `penguins`".
    met
        Whether that is so.
    hint
        Where to look if it is not so; it does not give the answer away.
    """

    text: str
    met: bool
    hint: str = ""


@dataclass(frozen=True)
class CheckReport:
    """The points of one exercise, in the order in which they are worked on.

    Parameters
    ----------
    exercise
        Its name, as in the lesson.
    points
        What is asked for.
    """

    exercise: str
    points: tuple[Point, ...]

    @property
    def passed(self) -> bool:
        """Whether all is as it was asked for."""
        return bool(self.points) and all(point.met for point in self.points)

    def __repr__(self) -> str:
        lines = [f"{self.exercise}: {self._verdict()}"]
        lines += [f"  {'✓' if p.met else '✗'} {p.text}{self._hint(p)}" for p in self.points]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            # A line that is broken goes on behind the sign, not below it.
            '<li style="list-style:none;padding-left:1.25em;text-indent:-1.25em">'
            f'<span style="display:inline-block;width:1.25em;text-indent:0;color:var({color}, {plain})">{sign}</span>'
            f"{_code(p.text)}{_muted(self._hint(p))}</li>"
            for p in self.points
            for sign, color, plain in [
                ("✓", "--jp-success-color0", "#1b5e20") if p.met else ("✗", "--jp-error-color0", "#b71c1c")
            ]
        )
        return (
            f"<div><strong>{escape(self.exercise)}: {escape(self._verdict())}</strong>"
            f'<ul style="margin:0.25em 0 0;padding-left:0.5em">{rows}</ul></div>'
        )

    def _verdict(self) -> str:
        met = sum(point.met for point in self.points)
        return "done" if self.passed else f"{met} of {len(self.points)}, not yet"

    @staticmethod
    def _hint(point: Point) -> str:
        return f" — {point.hint}" if point.hint and not point.met else ""


def _muted(text: str) -> str:
    return f'<span style="color:var(--jp-ui-font-color2, #616161)">{_code(text)}</span>' if text else ""


def _code(text: str) -> str:
    """Escape, and draw what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
