"""A sweep as its user holds it: the table, single tasks, and what can be done to them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

from gcs_lab.cells.follower import follower
from gcs_lab.cells.sweep_again import chosen_tasks
from gcs_lab.cells.sweep_frame import expected_results, parameter_arrays, sweep_frame
from gcs_lab.cells.sweep_job import SweepJob
from gcs_lab.cells.sweep_task import SweepTask
from gcs_lab.errors import InvalidArgument, NotReady, Timeout
from gcs_lab.jobs import JobAction
from gcs_lab.jobs.requests import parse_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence

    import pandas as pd

    from gcs_lab.vocabulary import JobState

__all__ = ["Sweep"]


class Sweep(SweepJob):
    """One cell run once for each of many points; ``frame`` is its table, ``sweep[k]`` its k-th task (1, 2 …).

    Made by ``%%gcs submit --over`` and ``%gcs attach``. What it shows is as new as the follower's last look, a tenth
    of a second or so.
    """

    #: Draws it, where a face can: returns a MIME bundle and its metadata.
    draw: Callable[[], tuple[dict[str, Any], dict[str, Any]]] | None = None
    _parameters: dict[str, Any] | None = None
    _expected: Sequence[str] = ()

    def __getitem__(self, task: SupportsIndex) -> SweepTask:
        # A table's index gives numpy's whole numbers.
        number = 0 if isinstance(task, bool) or not hasattr(task, "__index__") else operator.index(task)
        if not 1 <= number <= len(self):
            raise IndexError(f"sweep {self.name} has no task {task!r}; its tasks are 1 to {len(self):,}.")
        return SweepTask(self, number)

    def __iter__(self) -> Iterator[SweepTask]:
        return (SweepTask(self, task) for task in range(1, len(self) + 1))

    @property
    def frame(self) -> pd.DataFrame:
        """The table of all tasks, as they are now.

        The index is the task's number. Columns: the parameters; ``state``; ``host``; ``wall`` (seconds); ``memory``
        (peak of the resident set, bytes); ``exit`` (status); ``error`` (a line, empty if none); then what the tasks
        left, by name: numbers, short texts, booleans and None as they are, anything else as an object that says its
        type and has ``load()``. What is not known yet is missing (NaN, NA or None). A parameter called ``memory``
        makes the column of that name ``task_memory``; a result of a name that is taken is called ``result_…``.
        """
        self.read_log(now=True)
        with self.lock:
            if self._parameters is None:
                self._parameters = parameter_arrays(self.points)
                self._expected = expected_results(self.spec)
            return sweep_frame(self.table, self._parameters, self._expected)

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in each state, by its name; states that no task is in are left out."""
        with self.lock:
            return {state.name: number for state, number in self.table.counts().items()}

    def load(self, name: str) -> pd.Series[Any]:
        """Return what the tasks left under `name`, read from their folders where need be; None where there is none.

        Raises
        ------
        NotReady
            If no task has left it.
        Exception
            Whatever a value raises when it is rebuilt.
        """
        import pandas as pd

        self.read_log(now=True)
        values: list[Any] = [None] * len(self)
        with self.lock:
            ended = self.table.ended.nonzero()[0].tolist()
        there = False
        for place in ended:
            try:
                values[place] = SweepTask(self, place + 1).load(name)
                there = True
            except NotReady:
                continue
        if not there:
            left = ", ".join(self.table.results) or "nothing yet"
            raise NotReady(f"no task of sweep {self.name} has left {name}. They have left: {left}.")
        index = pd.RangeIndex(1, len(self) + 1, name="task")
        return pd.Series(values, index=index, name=name, dtype=object).infer_objects()

    # -- actions -------------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait until all tasks have ended; return DONE, or FAILED if one failed (nothing is raised then).

        Parameters
        ----------
        timeout
            Seconds; None: without end.

        Raises
        ------
        Timeout
            If it runs out; the sweep goes on.
        """
        follower().follow(self)
        if not self.concluded.wait(timeout):
            raise Timeout(f"sweep {self.id} ({self.name}) has not ended after {timeout:g} s; it goes on.")
        return self.state

    def cancel(self) -> None:
        """End all tasks that have not ended. Raises InvalidState if there is none."""
        self.control(JobAction.TERMINATE)

    def hold(self) -> None:
        """Keep queued tasks from starting. Raises InvalidState if none is queued."""
        self.control(JobAction.HOLD)

    def release(self) -> None:
        """Take the hold off. Raises InvalidState if there is none."""
        self.control(JobAction.RELEASE)

    def rerun(
        self,
        *,
        failed: bool = False,
        tasks: Iterable[int] | None = None,
        points: Callable[[pd.DataFrame], Any] | None = None,
        requests: Mapping[str, str] | str | None = None,
    ) -> None:
        """Run tasks that have ended once more, as a new array job; what they left before is replaced.

        Parameters
        ----------
        failed
            All those that failed.
        tasks
            These, by number.
        points
            Those for which this is true: it gets :attr:`frame` and returns a boolean for each row.
        requests
            What they shall ask for instead, as after ``-l``: ``"h_vmem=4G,h_rt=1:00:00"`` or a dict. What is not
            named stays as it was; later reruns ask for the same.

        Raises
        ------
        InvalidArgument
            If not exactly one of the first three is given, it is something else, or a request cannot be.
        InvalidState
            If a task has not ended, or there is none to run.
        GcsError
            If the cluster refuses.
        """
        if failed + (tasks is not None) + (points is not None) != 1:
            raise InvalidArgument(
                "say what to run again: rerun(failed=True), rerun(tasks=[3, 7]) or "
                "rerun(points=lambda frame: frame.x > 3)."
            )
        wanted = parse_requests(requests.strip().removeprefix("-l ")) if isinstance(requests, str) else requests
        if failed:
            self.read_log(now=True)
            with self.lock:
                tasks = (self.table.failed() + 1).tolist()
        elif points is not None:
            frame = self.frame
            tasks = chosen_tasks(frame, points(frame))
        self.run_again(() if tasks is None else tasks, wanted)
        follower().follow(self)
        self.watch()

    # -- faces ---------------------------------------------------------------------------------------------------

    def deliver_to(self, namespace: MutableMapping[str, Any], *, replace: bool = True) -> bool:
        """Bind the sweep to its variable (``--as``); return False if that has another value, which it keeps.

        With ``replace=False`` (after a restart) only a sweep that stands there is replaced.
        """
        name = self.spec["sweep"]["variable"]
        if not replace and name in namespace and not isinstance(namespace[name], SweepJob):
            return False
        namespace[name] = self
        return True

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return ({"text/plain": repr(self)}, {}) if self.draw is None else self.draw()
