"""What a lesson's notebook must have, and the notebook as it is with every exercise solved."""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exercise", "LessonFault", "exercises", "faults", "solved"]

#: The parts of an exercise, in their order: the tags of three cells in a row.
PARTS = ("exercise", "solution", "check")
_FOLDED = re.compile(
    r"<details><summary>Solution</summary>\n\n```python\n(?P<code>.+?)\n```\n\n</details>", re.DOTALL
)
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
#: Folders that only the machine has on which a notebook was written.
_MACHINE_PATH = re.compile(r"(?<![\w./~])/(?:home|root|work|Users|tmp|mnt|data)/[\w.-]+")
_CELL_ID = re.compile(r"[a-z]+[a-z0-9]*(?:-[a-z0-9]+)*")


class LessonFault(ValueError):
    """A notebook is no lesson: its exercises are not what they must be."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: the place of its first cell, the name of its check, and the code that solves it."""

    place: int
    check: str
    solution: str


def exercises(notebook: Any) -> list[Exercise]:
    """Return the exercises of a notebook, in order.

    Parameters
    ----------
    notebook
        As nbformat reads it.

    Raises
    ------
    LessonFault
        If a part is missing, stands elsewhere, or is not written as it must be.
    """
    found = []
    tags = [_part(cell) for cell in notebook.cells]
    for place, tag in enumerate(tags):
        if tag == "exercise":
            if tuple(tags[place : place + 3]) != PARTS:
                raise LessonFault(
                    f"cell {notebook.cells[place].id}: an exercise is followed by its solution and check"
                )
            found.append(_exercise(place, *notebook.cells[place : place + 3]))
    if sum(tag is not None for tag in tags) != len(PARTS) * len(found):
        raise LessonFault("a cell is tagged solution or check and belongs to no exercise")
    return found


def solved(notebook: Any) -> Any:
    """Return a copy in which each exercise's code is that of its solution. Raises LessonFault."""
    done = copy.deepcopy(notebook)
    for exercise in exercises(notebook):
        done.cells[exercise.place].source = exercise.solution
    return done


def faults(notebook: Any, folder: Path) -> list[str]:
    """Return what is wrong with a lesson before it is run, one sentence each.

    Parameters
    ----------
    notebook
        As nbformat reads it.
    folder
        Where it stands; its links are relative to it.
    """
    found = []
    try:
        exercises(notebook)
    except LessonFault as fault:
        found.append(str(fault))
    for cell_id, times in Counter(cell.id for cell in notebook.cells).items():
        if times > 1:
            found.append(f"cell {cell_id}: there are {times} cells of that id")
        if not _CELL_ID.fullmatch(cell_id) or re.fullmatch(r"[0-9a-f]{6,}", cell_id):
            found.append(f"cell {cell_id}: an id is words, joined by hyphens")
    for cell in notebook.cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            found.append(f"cell {cell.id}: it has outputs; a lesson comes without")
        found += [f"cell {cell.id}: {path} is a path of one machine" for path in _MACHINE_PATH.findall(cell.source)]
        if cell.cell_type == "markdown":
            found += [f"cell {cell.id}: the link to {link} leads nowhere" for link in _broken(cell.source, folder)]
    return found + _missing(notebook)


def _missing(notebook: Any) -> list[str]:
    """Return what each lesson has, and this one does not."""
    sources = [cell.source for cell in notebook.cells]
    wanted = {
        "its first cell is text with a title": notebook.cells[0].cell_type == "markdown" and sources[0][:2] == "# ",
        'its first cell says "After this lesson you can"': "After this lesson you can" in sources[0],
        "a cell loads the extension": any("%load_ext gcs_lab" in source for source in sources),
        "a cell says %gcs connect": any(re.search(r"^%gcs connect", source, re.MULTILINE) for source in sources),
        "its last cell is text": notebook.cells[-1].cell_type == "markdown",
    }
    return [f"missing: {what}" for what, there in wanted.items() if not there]


def _part(cell: Any) -> str | None:
    tags = [tag for tag in cell.metadata.get("tags", ()) if tag in PARTS]
    return tags[0] if tags else None


def _exercise(place: int, asked: Any, solution: Any, check: Any) -> Exercise:
    if (asked.cell_type, solution.cell_type, check.cell_type) != ("code", "markdown", "code"):
        raise LessonFault(f"cell {asked.id}: an exercise and its check are code, its solution is text")
    if asked.source.lstrip().startswith("%%"):
        raise LessonFault(f"cell {asked.id}: an exercise has no cell magic yet: that is the learner's to write")
    found = _FOLDED.fullmatch(solution.source.strip())
    if found is None:
        raise LessonFault(
            f"cell {solution.id}: a solution is <details><summary>Solution</summary>, one ```python block and "
            "</details>, with an empty line before and after the block"
        )
    called = re.findall(r"^check\.(\w+)\(", check.source, re.MULTILINE)
    if len(called) != 1:
        raise LessonFault(f"cell {check.id}: a check is one call, like check.first_job()")
    ast.parse(check.source)
    return Exercise(place, called[0], found["code"])


def _broken(text: str, folder: Path) -> list[str]:
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    links = [link.partition("#")[0] for link in _LINK.findall(prose) if not re.match(r"[a-z]+:", link)]
    return [link for link in links if link and not (folder / link).exists()]
