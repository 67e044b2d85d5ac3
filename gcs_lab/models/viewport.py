"""What one browser is told of a table: the window that it asked for, then only what changed in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.models.table_model import Window

__all__ = ["Viewport", "WindowModel"]


class WindowModel(Protocol):
    """What a viewport needs of a table: :class:`~gcs_lab.models.table_model.TableModel` has it."""

    view: str
    sort: Any
    expanded: Any
    filter: Any
    filter_error: Any

    def window(self, first: int, count: int, columns: Sequence[str] | None = None) -> Window:
        """Return some of its rows."""
        ...


class Viewport:
    """Answers the requests of one grid, and remembers what it was told: the rows of its last window, no more.

    Requests set the model's ``sort``, ``expanded`` and, if they have one, ``filter``: grids that should differ have a
    model each. Any thread may call anything.

    Parameters
    ----------
    model
        The table.
    """

    def __init__(self, model: WindowModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._request: tuple[int, int, int, list[str]] | None = None
        self._told: dict[str, list[Any]] = {}
        self._last: dict[str, Any] = {}

    def request(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer (``IRows``) to a request (``IViewRequest``): rows that were told already are left out.

        Raises
        ------
        InvalidArgument
            If it asks for a column or a sort that cannot be; the last request goes on.
        """
        model = self._model
        with self._lock:
            columns = [str(name) for name in message["columns"]]
            # Before anything is changed: an unknown column is refused.
            model.window(0, 0, columns)
            model.sort = [tuple(pair) for pair in message["sort"]]
            model.expanded = [str(key) for key in message["expanded"]]
            if "filter" in message and message["filter"] is not None:
                model.filter = message["filter"]
            if message["anew"] or self._request is None or self._request[3] != columns:
                self._told = {}
            self._request = (int(message["id"]), int(message["first"]), int(message["count"]), columns)
            return self._rows()

    def push(self) -> dict[str, Any] | None:
        """Return what changed in the window since the browser was last told (``IRows``); None: nothing."""
        with self._lock:
            if self._request is None:
                return None
            before = self._last
            message = self._rows()
            same = not message["rows"] and all(
                message.get(name) == before.get(name)
                for name in (*message, *before)
                if name not in {"version", "rows"}
            )
            return None if same else message

    def close(self) -> None:
        """Tell nothing more until the next request."""
        with self._lock:
            self._request, self._told, self._last = None, {}, {}

    def _rows(self) -> dict[str, Any]:
        """Return the window with the rows that differ from what was told, and remember it."""
        assert self._request is not None  # noqa: S101 - callers looked
        number, first, count, columns = self._request
        window = self._model.window(first, count, columns)
        message: dict[str, Any] = {
            "kind": "rows",
            "view": self._model.view,
            "id": number,
            "version": window.version,
            "total": window.total,
            "matching": window.matching,
            "first": window.first,
            "keys": window.keys,
            "columns": columns,
            "rows": self._news(window),
        }
        if 2 in window.levels:  # noqa: PLR2004 - tasks below their job
            message["levels"] = window.levels
        message["filter_error"] = self._model.filter_error
        self._last = message
        return message

    def _news(self, window: Window) -> dict[str, list[Any]]:
        told, self._told = self._told, dict(zip(window.keys, window.rows, strict=True))
        return {key: row for key, row in self._told.items() if key not in told or told[key] != row}
