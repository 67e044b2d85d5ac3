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
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Unicode

from gcs_lab.cockpit.host import CockpitHost
from gcs_lab.cockpit.lane import Lane
from gcs_lab.errors import GcsError
from gcs_lab.widgets.cockpit_html import cockpit_html, cockpit_text
from gcs_lab.widgets.hosted_face import FacesOfCells, HostedFace, cell_of
from gcs_lab.widgets.hosted_face import notebook_shell as _notebook_shell

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.status import Update

__all__ = ["Cockpit", "StaticPage", "dashboard"]

#: Seconds between two changes of the static page: each is a change of the notebook document.
PAGE_SECONDS = 30.0


class Cockpit(HostedFace[CockpitHost]):
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

    front_end: ClassVar[str] = "cockpit"
    made_by: ClassVar[str] = "cluster.dashboard()"

    _cockpit_id = Unicode().tag(sync=True)

    def __init__(self, cluster: Cluster, *, height: int = 760, mine: bool = False, filter: str = "") -> None:  # noqa: A002
        super().__init__(
            lambda send: CockpitHost(cluster, send, mine=mine, filter=filter),
            height,
            _cockpit_id=uuid.uuid4().hex[:12],
        )

    @property
    def page_id(self) -> str:
        """Id of the element with the static page, which the live cockpit hides."""
        return f"gcs-static-{self._cockpit_id}"


#: The cockpit of each notebook cell that made one.
_of_cell: FacesOfCells[Cockpit] = FacesOfCells()


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

    cell = cell_of(shell)
    _of_cell.close_of(cell)
    # The first answer is awaited: a page of zeros would be shown, and saved.
    with contextlib.suppress(GcsError):
        if cluster.status.poller.latest() is None:
            cluster.status.poller.fresh()
    cockpit = Cockpit(cluster, height=height, mine=mine, filter=filter)
    _of_cell.keep(cell, cockpit)
    display(cockpit)  # type: ignore[no-untyped-call]
    cockpit.page = StaticPage(cluster, cockpit)
    cockpit.page.show()


def _text(cluster: Cluster, *, mine: bool, filter: str) -> str:  # noqa: A002
    from gcs_lab.cockpit.picture import Picture, current_user, whole_filter

    whole = whole_filter(filter, current_user() if mine else None)
    return cockpit_text(Picture(cluster.status.poller.fresh(), whole), system=cluster.system)
