"""One task of a sweep: its parameters, its state, what it printed and what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cells.later_result import LaterResult, load_results
from gcs_lab.cells.printed_text import log_text
from gcs_lab.errors import NotReady
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.cells.sweep_job import SweepJob

__all__ = ["SweepTask"]


class SweepTask:
    """One task of a sweep. What it left is there by attribute too: ``sweep[3].model``.

    Parameters
    ----------
    sweep
        The sweep.
    number
        Which of its tasks: 1, 2 …
    """

    def __init__(self, sweep: SweepJob, number: int) -> None:
        self._sweep = sweep
        self.number = number

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r:.40}" for name, value in self.parameters.items())
        error = f": {self.error}" if self.error else ""
        return f"<task {self.number} of sweep {self._sweep.id} ({told}): {self.state.name}{error}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            f"task {self.number} of sweep {self._sweep.name} cannot be copied or pickled; take what you need of "
            "it: its parameters, results, or what load() returns."
        )

    @property
    def _place(self) -> int:
        return self.number - 1

    @property
    def folder(self) -> JobFolder:
        """Its folder; it is there once the task has started."""
        return self._sweep.folder.of_task(self.number)

    @property
    def job_id(self) -> str:
        """The scheduler's id of the task (of its latest run)."""
        return self._sweep.job_id_of(self.number)

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters by name."""
        return self._sweep.points.of_task(self.number)

    @property
    def state(self) -> JobState:
        """Its state."""
        return JobState(int(self._sweep.table.states[self._place]))

    @property
    def error(self) -> str:
        """Why it failed, in a line; empty if it did not."""
        return self._sweep.table.errors.get(self._place, "")

    @property
    def host(self) -> str:
        """The host that it ran on; empty until it has ended."""
        table = self._sweep.table
        return table.hosts[int(table.host[self._place])]

    @property
    def wall(self) -> float:
        """Seconds that it took; NaN until it has ended."""
        return float(self._sweep.table.wall[self._place])

    @property
    def memory(self) -> int:
        """Peak memory (resident set of the process tree) in bytes; 0 until it has ended."""
        return int(self._sweep.table.max_rss[self._place])

    @property
    def exit_status(self) -> int | None:
        """Its exit status; None until it has ended, and where it is not known."""
        status = int(self._sweep.table.exit[self._place])
        return None if status < 0 else status

    @property
    def results(self) -> dict[str, Any]:
        """What it left, by name; for what is not plain, an object that says its type and has ``load()``."""
        with self._sweep.lock:
            columns = self._sweep.table.results
            return {name: column.value(self._place) for name, column in columns.items() if column.has(self._place)}

    def output(self, lines: int | None = None, *, stderr: bool = False) -> str:
        """Return what it printed in its latest run.

        Parameters
        ----------
        lines
            Only that many of the last lines; None: all of them.
        stderr
            Only what it wrote to standard error.
        """
        return log_text(self.folder, {"stderr"} if stderr else {"stdout", "stderr"}, lines, last_try=True)

    def load(self, name: str) -> Any:
        """Return a value that the task left under `name`.

        Raises
        ------
        NotReady
            If it has not ended, or left no such value.
        Exception
            Whatever the value raises when it is rebuilt.
        """
        found = self.results.get(name, self)
        if found is not self and not isinstance(found, LaterResult):
            return found
        values = load_results(self.folder)
        if name in values:
            return values[name]
        there = ", ".join(values) or "nothing"
        error = f" ({self.error})" if self.error else ""
        raise NotReady(
            f"task {self.number} has left no {name}: it is {self.state.name}{error}. It has left: {there}."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.load(name)
        except NotReady as error:
            # hasattr, copy and Tab must hear the usual "there is none".
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.results]
