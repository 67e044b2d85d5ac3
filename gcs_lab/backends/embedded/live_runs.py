"""The runs that go on: shepherds, forked on our order or found again after the scheduler was restarted.

Simulated runs need no shepherd (:mod:`gcs_lab.backends.embedded.simulated_runs`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.run_orders import run_order, write_host_file
from gcs_lab.backends.embedded.simulated_runs import SimulatedRuns
from gcs_lab.backends.embedded.spool import RunFolder

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.places import Places
    from gcs_lab.backends.embedded.process_tree import ProcessIdentity
    from gcs_lab.backends.embedded.spawner import Spawner
    from gcs_lab.backends.embedded.task import Task

__all__ = ["LiveRuns"]


class LiveRuns:
    """Starts, watches and signals shepherds; the kernel tells of each one's end through a pidfd.

    Parameters
    ----------
    places
        Where run folders are.
    layout
        Where limits of queues are.
    spawner
        Who forks shepherds.
    """

    def __init__(self, places: Places, layout: Layout, spawner: Spawner) -> None:
        self._spawner = spawner
        self._places = places
        self.layout = layout
        self.simulated = SimulatedRuns(layout)
        self._poll = select.epoll()
        self._poll.register(self.simulated.fileno(), select.EPOLLIN)
        self._by_descriptor: dict[int, tuple[int, int]] = {}
        self._by_key: dict[tuple[int, int], tuple[int, int]] = {}

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when a shepherd ends."""
        return self._poll.fileno()

    def folder(self, task: Task) -> RunFolder:
        """Return the folder of the task's present run."""
        return RunFolder(self._places.run_folder(*task.key, task.run))

    def pid(self, task: Task) -> int | None:
        """Return the process id of the task's shepherd, if it is alive."""
        found = self._by_key.get(task.key)
        return None if found is None else found[1]

    def watches(self, task: Task) -> bool:
        """Tell whether the end of the task's present run will be told."""
        return task.key in self._by_key or self.simulated.watches(task)

    def start(self, task: Task) -> None:
        """Have a shepherd forked for the present run of `task`; on a simulated host there is none.

        Raises
        ------
        OSError
            If there is no room for its folder or for another process; nothing was started then.
        """
        if self.simulated.takes(task):
            self.simulated.start(task)
            return
        folder = self.folder(task)
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if task.job.request.parallel_environment:
            write_host_file(task, folder.path)
        self._watch(task, *self._spawner.start(run_order(task, self.layout, folder.path)))

    def adopt(self, task: Task, shepherd: ProcessIdentity) -> bool:
        """Watch a shepherd that another scheduler forked; return False if it is gone."""
        if not shepherd.alive():
            return False
        try:
            self._watch(task, shepherd.pid, os.pidfd_open(shepherd.pid))
        except ProcessLookupError:
            return False
        if shepherd.alive():
            return True
        self._unwatch(task.key)
        return False

    def tell(self, task: Task, wanted: str) -> None:
        """Tell the task's shepherd what is wanted: ``running``, ``suspended`` or ``removed``.

        Raises
        ------
        OSError
            If it cannot be written down.
        """
        if self.simulated.takes(task):
            # As in Grid Engine it can be ended, and not be suspended.
            if wanted == "removed":
                self.simulated.end(task)
            return
        with contextlib.suppress(FileNotFoundError):  # the run has ended, and its folder is gone
            self.folder(task).want(wanted)
        if found := self._by_key.get(task.key):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(found[0], signal.SIGUSR1)

    def ended(self) -> list[tuple[int, int]]:
        """Return the keys of the tasks whose shepherds have ended since the last call."""
        ready = [descriptor for descriptor, _ in self._poll.poll(0)]
        keys = [self._by_descriptor[descriptor] for descriptor in ready if descriptor in self._by_descriptor]
        for key in keys:
            self._unwatch(key)
        return keys + self.simulated.ended() if self.simulated.fileno() in ready else keys

    def _watch(self, task: Task, pid: int, descriptor: int) -> None:
        self._by_descriptor[descriptor] = task.key
        self._by_key[task.key] = (descriptor, pid)
        self._poll.register(descriptor, select.EPOLLIN)

    def _unwatch(self, key: tuple[int, int]) -> None:
        descriptor, _ = self._by_key.pop(key)
        del self._by_descriptor[descriptor]
        self._poll.unregister(descriptor)
        os.close(descriptor)
