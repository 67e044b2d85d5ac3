"""The cockpit in a notebook: ``cluster.dashboard()``.

The live cockpit is an anywidget without synced state beside its program: all it shows travels as custom messages
(docs/cockpit-protocol.md), so that a saved notebook stays small. Polling and sending are done in threads: it keeps up
while the kernel computes. What the browser asks for reaches the kernel as in all live cards
(:mod:`gcs_lab.widgets.live_card`).
"""

from __future__ import annotations

import contextlib
import time
import uuid
import weakref
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Integer, Unicode

from gcs_lab.cockpit.front_end import front_end
from gcs_lab.cockpit.host import CockpitHost
from gcs_lab.cockpit.lane import Lane
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState
from gcs_lab.widgets.cockpit_html import cockpit_html, cockpit_text
from gcs_lab.widgets.live_card import follow_the_browser

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.status import Update

__all__ = ["Cockpit", "StaticPage", "dashboard"]

#: Seconds between two changes of the static page: each is a change of the notebook document.
PAGE_SECONDS = 30.0
_LEAST_HEIGHT = 200
#: The cockpit of each notebook cell that made one: one that is run again closes the one before.
_of_cell: weakref.WeakValueDictionary[str, Cockpit] = weakref.WeakValueDictionary()


class Cockpit(anywidget.AnyWidget):
    """The live cockpit of a cluster; put it where a widget can be (a cell, a layout, Voila).

    Close it (:meth:`close`) when it is not shown any more. While nobody sees it, it asks the cluster for nothing.

    Parameters
    ----------
    cluster
        What is shown.
    height
        Pixels.
    mine
        Whether only this user's jobs are shown at first.
    filter
        What is shown at first, in the language of filters: ``"state:r slots>4"``.

    Raises
    ------
    FilterError
        If the filter cannot be read.
    InvalidArgument
        If the height is no whole number from 200 on.
    Internal
        If the front end was not built into this installation.
    UnsupportedOperation
        If the system does not tell what it does.
    """

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    _cockpit_id = Unicode().tag(sync=True)
    _height = Integer(0).tag(sync=True)

    def __init__(self, cluster: Cluster, *, height: int = 760, mine: bool = False, filter: str = "") -> None:  # noqa: A002
        if not isinstance(height, int) or isinstance(height, bool) or height < _LEAST_HEIGHT:
            raise InvalidArgument(
                f"the height is {height!r}; expected pixels, a whole number from {_LEAST_HEIGHT} on."
            )
        self._host: CockpitHost | None = None
        #: What stands beside it for pages without a kernel, if there is one.
        self.page: StaticPage | None = None
        program, style = front_end("cockpit.js"), front_end("cockpit.css")
        host = CockpitHost(cluster, self._send_message, mine=mine, filter=filter)
        try:
            super().__init__(_esm=program, _css=style, _cockpit_id=uuid.uuid4().hex[:12], _height=height)
        except BaseException:
            host.close()
            raise
        self._host = host
        follow_the_browser(self.comm)
        self.on_msg(self._on_message)

    @property
    def host(self) -> CockpitHost:
        """What answers the browser."""
        if self._host is None:
            raise InvalidState("the cockpit was closed; cluster.dashboard() makes a new one.")
        return self._host

    @property
    def page_id(self) -> str:
        """Id of the element with the static page, which the live cockpit hides."""
        return f"gcs-static-{self._cockpit_id}"

    def close(self) -> None:
        """Take the cockpit out of the page and the kernel; its threads end, and it asks the cluster for nothing."""
        # Also called by the garbage collector, for one whose construction failed.
        host = getattr(self, "_host", None)
        if host is not None:
            self._host = None
            host.close()
        page = getattr(self, "page", None)
        if page is not None:
            page.close()
        super().close()

    def _send_message(self, message: dict[str, Any]) -> None:
        if self._host is not None:
            self.send(message)

    def _on_message(self, _widget: Cockpit, content: object, _buffers: object) -> None:
        if self._host is not None:
            self._host.receive(content)


class StaticPage:
    """What is shown where no program runs: kept up to date in the notebook document, at most every 30 s.

    Parameters
    ----------
    cluster
        What is shown.
    cockpit
        The live cockpit that it stands beside.
    """

    def __init__(self, cluster: Cluster, cockpit: Cockpit) -> None:
        self._cluster = cluster
        self._id = cockpit.page_id
        self._host = cockpit.host
        self._lane = Lane("gcs-lab-cockpit-page")
        self._handle: DisplayHandle | None = None
        self._shown = ""
        # What is at hand may be minutes old: the first answer is shown at once.
        self._shown_at = 0.0
        self._following: Any = None

    def show(self) -> None:
        """Display it in the running cell, and keep it up to date from now on."""
        from IPython.display import display

        self._shown, data = self._page()
        self._handle = display(data, raw=True, display_id=f"{self._id}-page")  # type: ignore[no-untyped-call]
        self._following = self._cluster.status.poller.follow(self._on_update)
        # The live cockpit says whether somebody looks.
        self._following.looked_at = False

    def close(self) -> None:
        """Leave it as it is."""
        if self._following is not None:
            self._following.close()
        self._lane.close()

    def _on_update(self, _: Update) -> None:
        self._lane.do(self._renew, "page", max(self._shown_at + PAGE_SECONDS - time.monotonic(), 0.0))

    def _renew(self) -> None:
        shown, data = self._page()
        if shown == self._shown or self._handle is None:
            return
        self._shown, self._shown_at = shown, time.monotonic()
        # By its id, from this thread: what a cell prints meanwhile is not touched (docs/dashboard.md).
        self._handle.update(data, raw=True)  # type: ignore[no-untyped-call]

    def _page(self) -> tuple[str, dict[str, str]]:
        """Return what tells two pages apart, and the page."""
        picture = self._host.stage.live_picture()
        health = self._cluster.status.poller.health
        system = self._cluster.system
        page = cockpit_html(picture, self._history(), system=system, trouble=health.error)
        mark = repr((health.error, None if picture is None else _content(picture)))
        text = cockpit_text(picture, system=system)
        return mark, {"text/html": f'<div id="{self._id}">{page}</div>', "text/plain": text}

    def _history(self) -> Any:
        recorder = self._cluster.status.poller.recorder
        try:
            return None if recorder is None else recorder.history()
        except GcsError:
            return None


def _content(picture: Picture) -> object:
    """Return what a page shows of a picture, without its time and the load."""
    snapshot = picture.snapshot
    jobs = picture.matching_jobs()
    few = jobs.select(["job_id", "name", "letters", "slots", "queue", "host", "tasks"])
    queues = snapshot.queues.select(["queue", "slots_used", "slots_total", "slots_closed", "states"])
    return picture.filter_text, jobs.num_rows, few.slice(0, 200).to_pydict(), queues.to_pydict()


def dashboard(
    cluster: Cluster,
    *,
    height: int = 760,
    mine: bool = False,
    filter: str = "",  # noqa: A002
) -> None:
    """Show the cockpit of a cluster in the running cell; in a terminal, what the cluster does as text.

    A page without a kernel (an exported notebook, one that is opened later) shows the last figures, jobs, queues and
    charts as they were. Running the cell again closes the cockpit that it made before. Parameters and errors as
    :class:`Cockpit`.
    """
    if (shell := _notebook_shell()) is None:
        print(_text(cluster, mine=mine, filter=filter))  # noqa: T201
        return
    from IPython.display import display

    cell = _cell_of(shell)
    if (before := _of_cell.pop(cell, None)) is not None:
        before.close()
    # The first answer is awaited: a page of zeros would be shown, and saved.
    with contextlib.suppress(GcsError):
        if cluster.status.poller.latest() is None:
            cluster.status.poller.fresh()
    cockpit = Cockpit(cluster, height=height, mine=mine, filter=filter)
    if cell:
        _of_cell[cell] = cockpit
    display(cockpit)  # type: ignore[no-untyped-call]
    cockpit.page = StaticPage(cluster, cockpit)
    cockpit.page.show()


def _text(cluster: Cluster, *, mine: bool, filter: str) -> str:  # noqa: A002
    from gcs_lab.cockpit.picture import Picture, current_user, whole_filter

    whole = whole_filter(filter, current_user() if mine else None)
    return cockpit_text(Picture(cluster.status.poller.fresh(), whole), system=cluster.system)


def _notebook_shell() -> Any:
    """Return the shell of a kernel; None in a terminal or a script."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _cell_of(shell: Any) -> str:
    """Return the id of the running cell, where the front end tells it; empty otherwise."""
    try:
        return str(shell.get_parent()["metadata"].get("cellId", ""))
    except (AttributeError, KeyError, TypeError):
        return ""
