"""What stands in a sweep's table for a result that is not plain: its type, and the way to have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cells.later_module import module_now_or_later
from gcs_lab.cells.runner.result_files import read_outputs
from gcs_lab.errors import NotReady

if TYPE_CHECKING:
    from gcs_lab.cells.job_folder import JobFolder

__all__ = ["LaterResult", "load_results"]


class LaterResult:
    """A result that lies in the folder of its task.

    Parameters
    ----------
    folder
        The task's folder.
    task
        The task's number.
    name
        The name under which the cell left it.
    kind
        The name of its type.
    """

    __slots__ = ("_folder", "kind", "name", "task")

    def __init__(self, folder: JobFolder, task: int, name: str, kind: str) -> None:
        self._folder, self.task, self.name, self.kind = folder, task, name, kind

    def __repr__(self) -> str:
        return f"<{self.kind} of task {self.task}; .load() reads it>"

    def load(self) -> Any:
        """Return the value itself.

        Raises
        ------
        NotReady
            If it is not there (any more).
        Exception
            Whatever the value raises when it is rebuilt.
        """
        values = load_results(self._folder)
        if not self._folder.path.exists():
            raise NotReady(f"task {self.task} left {self.name} in {self._folder.path}, and that folder was deleted.")
        if self.name not in values:
            raise NotReady(f"task {self.task} left no {self.name}; it may run again now.")
        return values[self.name]


def load_results(folder: JobFolder) -> dict[str, Any]:
    """Return all values that a task left; none if it has left nothing (yet).

    Raises
    ------
    UntrustedFile
        If another user could have written the file.
    Exception
        Whatever a value raises when it is rebuilt.
    """
    if not folder.outputs.exists():
        return {}
    folder.check_trusted(folder.outputs)
    values, header = read_outputs(str(folder.path))
    modules = {name: module_now_or_later(module) for name, module in header.get("modules", {}).items()}
    return {**values, **modules}
