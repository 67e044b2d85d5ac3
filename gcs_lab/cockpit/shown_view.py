"""One table of a cockpit: its model, and the window of it that the browser sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.models.table_model import TableModel
from gcs_lab.models.viewport import Viewport
from gcs_lab.status.snapshot import TableChanges

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.status import Changes

__all__ = ["ShownView"]


class ShownView:
    """A view that is open in one cockpit.

    Parameters
    ----------
    name
        ``"jobs"``, ``"queues"``, ``"queue_instances"`` or ``"hosts"``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._picture: Picture | None = None
        self._model = TableModel(name, everywhere=True)
        self._model.restrict(related=self._related)
        self._viewport = Viewport(self._model)
        self._request: dict[str, Any] | None = None

    def show(self, picture: Picture, changes: Changes | None) -> None:
        """Take what is to be shown.

        Parameters
        ----------
        picture
            The snapshot and the filter, which can be read.
        changes
            What differs from the snapshot before; None: all may.
        """
        before, self._picture = self._picture, picture
        snapshot = picture.snapshot
        if self._model.filter != picture.filter_text:
            self._model.filter = picture.filter_text
        if before is None or before.snapshot is not snapshot:
            told = None if changes is None else changes.tables.get(self.name, TableChanges())
            tasks = snapshot.tasks if self.name == "jobs" else None
            self._model.update(snapshot.table(self.name), told, tasks, snapshot.time)

    def request(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the window that a message ``view`` asks for. Raises GcsError if it cannot be."""
        # The filter of the cockpit counts, not one of the grid.
        request = {name: part for name, part in message.items() if name != "filter"}
        rows = self._viewport.request(request)
        self._request = {**request, "anew": False}
        return rows

    def push(self) -> dict[str, Any] | None:
        """Return what of the window differs from what was told; None: nothing."""
        return self._viewport.push()

    def again(self) -> dict[str, Any] | None:
        """Return the window anew, without the rows that were told; None if nobody asked for one."""
        return None if self._request is None else self._viewport.request(self._request)

    def _related(self, table: pa.Table) -> NDArray[np.bool_]:
        """Return on which rows matching jobs run."""
        related = None if self._picture is None else self._picture.related(self.name)
        if related is None or len(related) != table.num_rows:
            # A filter is set before the table that it is for.
            return np.ones(table.num_rows, np.bool_)
        return related
