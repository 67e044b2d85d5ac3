"""What the tool finds wrong with a lesson before it is run, and a lesson with its exercises solved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from lesson_notebook import LessonFault, exercises, faults, solved
from lesson_run import checks

SOLUTION = "<details><summary>Solution</summary>\n\n```python\n%%gcs run -N mine\nx = 1\n```\n\n</details>"


def _exercise(**other: Any) -> list[Any]:
    sources = {"asked": "# a job", "solution": SOLUTION, "check": "check.mine()"} | other
    return [
        new_code_cell(sources["asked"], id="mine", metadata={"tags": ["exercise"]}),
        new_markdown_cell(sources["solution"], id="mine-solution", metadata={"tags": ["solution"]}),
        new_code_cell(sources["check"], id="mine-check", metadata={"tags": ["check"]}),
    ]


def _lesson(*cells: Any) -> Any:
    title = new_markdown_cell("# 9 · A lesson\n\nAfter this lesson you can test it.", id="title")
    start = [new_code_cell("%load_ext gcs_lab", id="load"), new_code_cell("%gcs connect", id="connect")]
    lesson = new_notebook()
    # Given at once, nbformat would mend some of what is wrong.
    lesson.cells = [title, *start, *cells, new_markdown_cell("What you have learned", id="end")]
    return lesson


def test_a_whole_lesson_has_no_fault_and_is_solved_in_a_copy(tmp_path: Path) -> None:
    lesson = _lesson(*_exercise())
    assert faults(lesson, tmp_path) == []
    (exercise,) = exercises(lesson)
    assert exercise.check == "mine"
    assert solved(lesson).cells[exercise.place].source == "%%gcs run -N mine\nx = 1"
    assert lesson.cells[exercise.place].source == "# a job"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (_exercise()[:2], "followed by its solution and check"),
        ([*_exercise()[1:]], "belongs to no exercise"),
        (_exercise(asked="%%gcs run\nx = 1"), "no cell magic yet"),
        (_exercise(solution="```python\nx = 1\n```"), "a solution is <details>"),
        (_exercise(solution=SOLUTION.replace("\n\n```python", "\n```python")), "with an empty line"),
        (_exercise(check="print(1)"), "a check is one call"),
        ([new_code_cell("x", id="title")], "2 cells of that id"),
        ([new_code_cell("x", id="deadbeef")], "an id is words"),
        ([new_code_cell("x", id="ran", execution_count=3)], "comes without"),
        ([new_code_cell('open("/home/ann/x")', id="path")], "/home/ann is a path of one machine"),
        ([new_markdown_cell("[there](nowhere.md#top)", id="link")], "the link to nowhere.md leads nowhere"),
    ],
)
def test_a_fault_is_told(cells: list[Any], fault: str, tmp_path: Path) -> None:
    (told,) = faults(_lesson(*cells), tmp_path)
    assert fault in told


def test_what_every_lesson_has_is_missed(tmp_path: Path) -> None:
    told = faults(new_notebook(cells=[new_code_cell("1", id="one")]), tmp_path)
    assert len(told) == 5
    assert all(one.startswith("missing: ") for one in told)


def test_links_that_lead_somewhere_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](https://example.org/x) [c](#below) `[d](code.md)`"
    assert faults(_lesson(new_markdown_cell(text, id="links")), tmp_path) == []


def test_an_unsolvable_notebook_is_refused() -> None:
    with pytest.raises(LessonFault, match="followed by its solution"):
        solved(_lesson(*_exercise()[:1]))


def test_verdicts_are_read_from_an_executed_notebook() -> None:
    cells = _exercise() + _exercise() + _exercise()
    for cell, text in zip(cells[2::3], ["One: done\n  ✓ it", "Two: 1 of 2, not yet\n  ✗ done", ""], strict=True):
        cell.outputs = [new_output("execute_result", {"text/plain": text})] if text else []
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    assert checks(new_notebook(cells=cells)) == {"cell-2": True, "cell-5": False, "cell-8": False}
