"""The open tables of records of one explorer: each grid has its own order and window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.messages import grid_of
from gcs_lab.errors import InvalidArgument
from gcs_lab.explorer.records_table import MatchingRecords, RecordsTable, matching_records
from gcs_lab.models.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.explorer.shown import Shown

__all__ = ["RecordsDesk"]

#: Grids that are kept up to date: a notebook may show one output more than once.
_MOST_GRIDS = 4


class RecordsDesk:
    """Answers the requests of grids; one thread at a time calls it.

    Parameters
    ----------
    send
        Sends a message.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._grids: dict[int, tuple[RecordsTable, Viewport]] = {}
        self._unanswered: dict[int, dict[str, Any]] = {}
        self._shown: MatchingRecords | None = None
        self._mark: object = None
        #: Whether the rows are those of the state.
        self.is_loaded = False

    @property
    def is_open(self) -> bool:
        """Whether a grid is open."""
        return bool(self._grids)

    def forget(self) -> None:
        """Take it that the browser knows nothing."""
        self._grids.clear()
        self._unanswered.clear()

    def view(self, message: Mapping[str, Any]) -> None:
        """Answer with a window, and keep it up to date. Before anything was loaded it is empty."""
        grid = grid_of(message)
        table, viewport = self._grids.pop(grid, (None, None))
        if table is None or viewport is None:
            for one in list(self._grids)[: max(len(self._grids) + 1 - _MOST_GRIDS, 0)]:
                del self._grids[one]
            table = RecordsTable()
            viewport = Viewport(table)
            if self._shown is not None:
                table.show(self._shown)
        self._grids[grid] = (table, viewport)
        request = {name: part for name, part in message.items() if name != "filter"}
        rows = viewport.request(request)
        if self.is_loaded:
            self._send(self._told(rows))
        else:
            # Nothing is known yet: it is answered when it is, even if there are no rows.
            self._unanswered[grid] = request

    def unview(self, grid: int | None) -> None:
        """Keep a grid up to date no more; None: all of them."""
        for one in [one for one in self._grids if grid in {None, one}]:
            del self._grids[one]

    def load(self, shown: Shown) -> None:
        """Take in the rows that match, and send the windows that are open."""
        mark = shown.mark()
        if self.is_loaded and mark == self._mark:
            # Another tab of the same records.
            return
        self._shown, self._mark = matching_records(shown), mark
        self.is_loaded = True
        unanswered, self._unanswered = self._unanswered, {}
        for grid, (table, viewport) in self._grids.items():
            table.show(self._shown)
            rows = viewport.request(unanswered[grid]) if grid in unanswered else viewport.push()
            if rows is not None:
                self._send(self._told(rows))

    def _told(self, rows: dict[str, Any]) -> dict[str, Any]:
        held = self._shown
        if held is None or held.matching == len(held.records):
            return rows
        # Told, so that nobody takes the newest for all.
        return rows | {"left_out": held.matching - len(held.records)}

    def copy(self, message: Mapping[str, Any]) -> None:
        """Answer with rows as text. Raises InvalidArgument if there are too many, or none was shown."""
        if not self._grids:
            raise InvalidArgument("the table of records is not open, so there is nothing to copy.")
        # That of the grid that asked last.
        table, _ = list(self._grids.values())[-1]
        text, rows = table.copied(message["keys"], message["columns"], message["format"])
        self._send({"kind": "copied", "id": message["id"], "text": text, "rows": rows})
