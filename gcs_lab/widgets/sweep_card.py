"""The live card of a sweep: one strip for all its tasks, and buttons to act on it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from traitlets import Bytes, Dict

from gcs_lab.models.sweep_model import STATES
from gcs_lab.widgets.card_line import printable
from gcs_lab.widgets.live_card import LiveCard, plain_text
from gcs_lab.widgets.sweep_html import SWEEP_TRAITS, sweep_html, sweep_state, sweep_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from gcs_lab.models.sweep_model import SweepModel

__all__ = ["SweepActions", "SweepCard", "TaskRow"]

_OUTPUT_LINES = 200
#: Tasks that the list below the strip shows.
_MOST_ROWS = 100
#: Characters of a task's parameters and of its error.
_MOST_CHARACTERS = 300


class TaskRow(TypedDict):
    """One task, as the list below the strip shows it.

    ``state`` is the name of a DRMAA2 state, ``parameters`` a short text (``"x=3, model='a'"``), ``wall`` seconds
    and ``memory`` bytes at the peak; '', 0 and -1 mean "not known".
    """

    task: int
    state: str
    parameters: str
    host: str
    wall: float
    memory: int
    error: str


class SweepActions(Protocol):
    """What the buttons and the strip of a sweep's card do. Called in a thread of its own, so each may take its time.

    Each may raise :class:`~gcs_lab.errors.GcsError`; its text is shown in the card.
    """

    def cancel(self) -> None:
        """End all tasks that have not ended."""
        ...

    def hold(self) -> None:
        """Keep the queued tasks from starting."""
        ...

    def release(self) -> None:
        """Take the hold off."""
        ...

    def rerun_failed(self) -> None:
        """Submit the failed tasks again."""
        ...

    def tasks_of_cell(self, cell: int) -> Sequence[TaskRow]:
        """Return the tasks of a cell of the strip (counted from 0), failed ones first, at most 100."""
        ...

    def task_output(self, task: int, lines: int) -> str:
        """Return the last `lines` lines of what the task printed (counted from 1)."""
        ...


class SweepCard(LiveCard):
    """The card of one sweep; how it lives is said by :class:`LiveCard`.

    Changes are sent at most four times a second. Each message has the strip (at most 4,000 bytes, however many tasks
    there are) and about 1 kB beside it.

    Parameters
    ----------
    model
        The sweep.
    actions
        What the buttons and the strip do.
    """

    front_end = "sweep_card"
    observed = (*SWEEP_TRAITS, "strip")
    continuous = frozenset(observed)
    buttons = frozenset({"cancel", "hold", "release", "rerun_failed"})

    #: What :func:`~gcs_lab.widgets.sweep_state` tells of the model.
    sweep = Dict().tag(sync=True, to_json=lambda value, _: {**value, "now": time.time()})
    #: The model's strip; a byte is a place in ``sweep["states"]``.
    strip = Bytes().tag(sync=True)

    _model: SweepModel
    _actions: SweepActions

    def __init__(self, model: SweepModel, actions: SweepActions) -> None:
        super().__init__(model, actions)

    def _described(self) -> dict[str, Any]:
        return {**sweep_state(self._model), "states": list(STATES)}

    def _synced(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"sweep": state, "strip": self._model.strip}

    def _line(self) -> dict[str, str]:
        state, strip = sweep_state(self._model), self._model.strip
        return {"text/plain": sweep_text(state, strip), "text/html": sweep_html(state, strip)}

    def _mark(self, state: Mapping[str, Any]) -> Hashable:
        # A sweep's counts change all the time: a press is answered by a change of what it is about.
        counts = state["counts"]
        held = counts.get("QUEUED_HELD", 0) + counts.get("REQUEUED_HELD", 0)
        return state["state"], counts.get("FAILED", 0), held

    def _on_question(self, content: Mapping[str, Any]) -> bool:
        match content:
            case {"kind": "cell", "cell": int(cell), "have": str(have)} if 0 <= cell < len(self._model.strip):
                question: dict[str, Any] = {"kind": "cell", "cell": cell}
                self._in_background(self._answer, question, have, "tasks", lambda: self._rows(cell))
            case {"kind": "output", "task": int(task), "have": str(have)} if 1 <= task <= self._model.tasks:
                question = {"kind": "output", "task": task}
                self._in_background(self._answer, question, have, "text", lambda: self._output(task))
            case _:
                return False
        return True

    def _rows(self, cell: int) -> list[TaskRow]:
        return [_sent_row(row) for row in self._actions.tasks_of_cell(cell)[:_MOST_ROWS]]

    def _output(self, task: int) -> str:
        return plain_text(self._actions.task_output(task, _OUTPUT_LINES))


def _sent_row(row: TaskRow) -> TaskRow:
    """Return the row as JSON takes it: short texts, plain numbers, no NaN."""
    wall = float(row["wall"])
    return {
        "task": int(row["task"]),
        "state": row["state"],
        "parameters": _clipped(row["parameters"]),
        "host": _clipped(row["host"]),
        "wall": wall if math.isfinite(wall) else -1.0,
        "memory": int(row["memory"]),
        "error": _clipped(row["error"]),
    }


def _clipped(text: str) -> str:
    line = printable(text)
    return line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…"
