"""A sweep shown in one cell: one card for all its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.magics.live_output import retire
from gcs_lab.models import SweepFeed
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.magics.cell_channel import CellChannel
    from gcs_lab.widgets.sweep_card import TaskRow

__all__ = ["SweepActions", "SweepView"]

_MOST_TASKS = 100
_LONGEST_VALUE = 40


class SweepActions:
    """What the buttons and the strip of a sweep's card do.

    Parameters
    ----------
    sweep
        The sweep.
    feed
        What keeps the card's model up to date.
    """

    def __init__(self, sweep: Sweep, feed: SweepFeed) -> None:
        self._sweep, self._feed = sweep, feed

    def cancel(self) -> None:
        """End all tasks that have not ended."""
        self._sweep.cancel()

    def hold(self) -> None:
        """Keep queued tasks from starting."""
        self._sweep.hold()

    def release(self) -> None:
        """Take the hold off."""
        self._sweep.release()

    def rerun_failed(self) -> None:
        """Run the failed tasks again."""
        self._sweep.rerun(failed=True)

    def tasks_of_cell(self, cell: int) -> Sequence[TaskRow]:
        """Return the tasks of a cell of the strip (from 0), failed ones first, at most 100."""
        per_cell = self._feed.model.tasks_per_cell
        places = np.arange(cell * per_cell, min((cell + 1) * per_cell, len(self._sweep)))
        with self._sweep.lock:
            failed = self._sweep.table.states[places] == JobState.FAILED
        ordered = [*places[failed].tolist(), *places[~failed].tolist()]
        return [self._row(place + 1) for place in ordered[:_MOST_TASKS]]

    def _row(self, number: int) -> TaskRow:
        task = self._sweep[number]
        return {
            "task": number,
            "state": task.state.name,
            "parameters": ", ".join(f"{name}={_short(value)}" for name, value in task.parameters.items()),
            "host": task.host,
            "wall": -1.0 if np.isnan(task.wall) else task.wall,
            "memory": task.memory or -1,
            "error": task.error,
        }

    def task_output(self, task: int, lines: int) -> str:
        """Return the last lines of what a task printed."""
        return self._sweep[task].output(lines)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


class SweepView:
    """Shows `sweep` in the cell that runs now; when it is run again after its end, its card is live again.

    Parameters
    ----------
    sweep
        The sweep.
    channel
        The cell.
    """

    def __init__(self, sweep: Sweep, channel: CellChannel) -> None:
        from gcs_lab.widgets import SweepCard

        self.feed = SweepFeed(sweep)
        self.card = SweepCard(self.feed.model, SweepActions(sweep, self.feed))
        self._channel = channel
        self._card_id = f"gcs-card-{sweep.folder.path.name}-{id(self):x}"
        self._is_final = False
        channel.display(*self.card.bundle(), self._card_id)
        sweep.draw = self.card.bundle
        sweep.listen(self)

    def on_change(self, sweep: SweepJob) -> None:
        """Put the live card back if the sweep goes on after its end."""
        if self._is_final and not sweep.concluded.is_set():
            self._is_final = False
            self._channel.update_display(*self.card.bundle(), self._card_id)

    def on_silence(self, sweep: SweepJob, since: float) -> None:
        """Nothing to show: the card tells."""

    def on_concluded(self, sweep: SweepJob) -> None:
        """Put the card's last words in its place, unless tasks failed: then its buttons are of use."""
        self.card.flush()
        if sweep.state is JobState.FAILED or self._is_final:
            return
        self._is_final = True
        self._channel.update_display(*self.card.final_bundle(), self._card_id)
        retire(self.card)
