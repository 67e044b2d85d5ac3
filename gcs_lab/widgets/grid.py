"""One live table in a notebook: ``Grid(cluster_model.jobs)``.

The kernel holds the rows, the browser the window that it shows (:class:`gcs_lab.models.Viewport`). All of it travels
as custom messages: a saved notebook has none of it. What the browser asks for reaches the kernel as in all live cards
(:mod:`gcs_lab.widgets.live_card`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import anywidget
from traitlets import HasTraits, List, Unicode

from gcs_lab.cockpit.copied_rows import cell_for_people, copied_rows
from gcs_lab.cockpit.front_end import front_end
from gcs_lab.cockpit.lane import Lane
from gcs_lab.errors import GcsError
from gcs_lab.models.columns import columns_of
from gcs_lab.models.viewport import Viewport
from gcs_lab.status.filter_words import filter_words
from gcs_lab.widgets.card_line import clock_text, printable
from gcs_lab.widgets.live_card import follow_the_browser
from gcs_lab.widgets.table_html import table_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.models.table_model import TableModel

__all__ = ["Grid"]

#: Seconds between two messages with rows, at the least.
_PACE_SECONDS = 0.25
#: Views of one widget that are kept up to date: an output, a new view for it, a page that was loaded again.
_MOST_VIEWS = 4
#: The number of a request tells in its upper digits which view asks: see `IViewRequest` of the protocol.
_VIEW_BITS = 32
#: Traits of the model that change what is shown.
_FOLLOWED = ("version", "matching", "total", "filter", "filter_error", "sort", "expanded")
_STATIC_ROWS = 20
_TEXT_CHARACTERS = 60


class Grid(anywidget.AnyWidget):
    """A table of the cluster's status that keeps itself up to date; put it where a widget can be.

    Sorting and the filter box set ``sort`` and ``filter`` of the model, so that others who observe it follow. Rows
    are sent from a thread, at most four times a second and only while the table can be seen: it keeps up while the
    kernel computes. Close it (:meth:`close`) when it is not shown any more.

    Parameters
    ----------
    model
        What is shown: ``ClusterModel(cluster).jobs``, ``.queues``, ``.hosts``, or any other.
    health
        What has the traits ``stale_since`` (seconds since the epoch; 0: all is well) and ``error``, as the
        ``ClusterModel`` does: the table then says since when it is old, and why. Its ``cluster`` and ``system``, if
        it has them, name the table. None: that is not known.

    Raises
    ------
    Internal
        If the front end was not built into this installation.
    """

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    #: Keys of the rows that are selected (decimal text), for those who observe them. Setting it selects nothing.
    selected: List[Any] = List()
    #: Key of the row that was opened last (Enter, double click); "" when it was closed.
    opened = Unicode()

    def __init__(self, model: TableModel, health: HasTraits | None = None) -> None:
        self._closed = True
        super().__init__(_esm=front_end("grid.js"), _css=front_end("grid.css"))
        self._closed = False
        self._model, self._health = model, health
        self._views: dict[int, Viewport] = {}
        self._visible = True
        self._sent_at = 0.0
        self._told: dict[str, Any] = {}
        self._lane = Lane("gcs-lab-grid")
        follow_the_browser(self.comm)
        self.on_msg(self._on_message)
        model.observe(self._on_model, names=list(_FOLLOWED))
        for name in self._health_traits():
            cast("HasTraits", health).observe(self._on_model, names=[name])

    def close(self) -> None:
        """Take the table out of the page and the kernel. The model goes on."""
        # Also called by the garbage collector, for one whose construction failed.
        if not getattr(self, "_closed", True):
            self._closed = True
            self._model.unobserve(self._on_model, names=list(_FOLLOWED))
            if self._health is not None:
                self._health.unobserve(self._on_model, names=self._health_traits())
            self._lane.close()
            self._views.clear()
        super().close()

    # -- from the model to the browser -----------------------------------------------------------------------------

    def _health_traits(self) -> list[str]:
        return [] if self._health is None else [n for n in ("stale_since", "error") if self._health.has_trait(n)]

    def _on_model(self, _: object) -> None:
        if self._visible and not self._closed:
            self._lane.do(self._push, "push", max(0.0, self._sent_at + _PACE_SECONDS - time.monotonic()))

    def _push(self) -> None:
        if not self._visible or not self._views:
            return
        self._sent_at = time.monotonic()
        self._tell_state()
        for viewport in list(self._views.values()):
            if (rows := viewport.push()) is not None:
                self._say(rows)

    def _tell_state(self, *, anew: bool = False) -> None:
        state = {
            "kind": "table_state",
            "filter": self._model.filter,
            "stale_since": float(getattr(self._health, "stale_since", 0.0) or 0.0),
            "error": printable(getattr(self._health, "error", "") or ""),
        }
        if anew or state != self._told:
            self._told = state
            self._say(state)

    def _say(self, message: Mapping[str, Any]) -> None:
        if not self._closed:
            self.send(message)

    # -- from the browser ------------------------------------------------------------------------------------------

    def _on_message(self, _widget: Grid, content: Any, _buffers: object) -> None:
        if not self._closed:
            self._lane.do(lambda: self._answer(content))

    def _answer(self, message: Any) -> None:
        try:
            self._take(message)
        except GcsError as reason:
            self._say({"kind": "trouble", "message": str(reason)})
        except (KeyError, TypeError, ValueError, AttributeError):
            self._say({"kind": "trouble", "message": f"this kernel does not understand {message!r:.200}."})

    def _take(self, message: Any) -> None:
        match message:
            case {"kind": "hello"}:
                self._visible = True
                self._say(self._welcome())
                self._tell_state(anew=True)
            case {"kind": "view", "id": int(number)}:
                self._say(self._viewport(number >> _VIEW_BITS).request(message))
                # Whoever types is not told what he typed: he may have typed on.
                self._told = self._told | {"filter": self._model.filter}
            case {"kind": "unview", "id": int(number)}:
                self._views.pop(number >> _VIEW_BITS, None)
            case {"kind": "visible", "visible": bool(visible)}:
                self._visible = visible
                self._push()
            case {"kind": "copy", "id": int(number)}:
                text, count = copied_rows(cast("Picture", _Shown(self._model)), message, self._system())
                self._say({"kind": "copied", "id": number, "text": text, "rows": count})
            case {"kind": "selected", "keys": list(keys)}:
                self.selected = [str(key) for key in keys]
            case {"kind": "opened", "key": str(key)}:
                self.opened = key
            case _:
                self._say({"kind": "trouble", "message": f"this kernel does not know the message {message!r:.200}."})

    def _viewport(self, view: int) -> Viewport:
        viewport = self._views.pop(view, None) or Viewport(self._model)
        # The one that asked last stands at the end.
        self._views[view] = viewport
        while len(self._views) > _MOST_VIEWS:
            self._views.pop(next(iter(self._views)))
        return viewport

    def _welcome(self) -> dict[str, Any]:
        view = self._model.view
        return {
            "kind": "table",
            "view": view,
            "label": self._label(),
            "columns": columns_of(view),
            "words": filter_words(view, self._model.table),
            "filter": self._model.filter,
        }

    # -- in words --------------------------------------------------------------------------------------------------

    def _label(self) -> str:
        cluster = printable(getattr(self._health, "cluster", "") or "")
        return f"{self._model.view.replace('_', ' ')}{f' of the cluster {cluster}' if cluster else ''}"

    def _system(self) -> str:
        return str(getattr(self._health, "system", "") or "")

    def _repr_mimebundle_(self, **keywords: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**keywords)
        data, metadata = ({}, {}) if bundle is None else bundle
        columns = [column for column in columns_of(self._model.view) if column["name"] in self._model.columns]
        window = self._model.window(0, _STATIC_ROWS, [column["name"] for column in columns])
        kinds = [column["type"] for column in columns]
        rows = [
            [cell_for_people(cell, kind)[:_TEXT_CHARACTERS] for cell, kind in zip(row, kinds, strict=True)]
            for row in window.rows
        ]
        caption = f"{self._label()}: {window.matching:,} of {window.total:,} rows, as of {clock_text(time.time())}"
        if window.matching > len(rows):
            caption += f"; the first {len(rows)}"
        text = "\n".join([caption, *("  ".join(map(printable, row)) for row in rows)])
        figures = {column["label"] for column in columns if column["type"] not in {"text", "state", "tasks"}}
        html = table_html([column["label"] for column in columns], rows, caption, figures)
        return {**data, "text/html": html, "text/plain": text}, metadata


class _Shown:
    """What a copy is taken from: a model in the place of a cockpit's picture."""

    def __init__(self, model: TableModel) -> None:
        self._model = model
        self.now = time.time()
        self.snapshot = self

    def table(self, view: str) -> pa.Table:
        if view != self._model.view:
            raise KeyError(view)
        return self._model.table

    @property
    def tasks(self) -> pa.Table:
        from gcs_lab.status.tables import empty_table

        return empty_table("tasks") if self._model.tasks is None else self._model.tasks

    def mask(self, _view: str) -> NDArray[np.bool_]:
        import numpy as np

        return np.isin(self._model.table["key"].to_numpy(), self._model.matching_keys())
