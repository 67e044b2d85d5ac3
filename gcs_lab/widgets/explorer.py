"""The explorer of accounting in a notebook: ``cluster.accounting.explore()``.

The live explorer is a widget like the cockpit (:mod:`gcs_lab.widgets.hosted_face`); docs/explorer.md says what it
shows.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Unicode

from gcs_lab.accounting.choice import Choice
from gcs_lab.cockpit.lane import Lane
from gcs_lab.errors import GcsError
from gcs_lab.explorer.host import ExplorerHost
from gcs_lab.explorer.shown import HeldRecords, Shown
from gcs_lab.explorer.state import ExplorerState, checked_rates
from gcs_lab.widgets.explorer_html import explorer_html, explorer_text
from gcs_lab.widgets.hosted_face import FacesOfCells, HostedFace, cell_of
from gcs_lab.widgets.hosted_face import notebook_shell as _notebook_shell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from IPython.display import DisplayHandle

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.choice import Moment

__all__ = ["Explorer", "ExplorerPage", "explore"]


class Explorer(HostedFace[ExplorerHost]):
    """The live explorer of accounting; put it where a widget can be (a cell, a layout, Voila).

    Close it (:meth:`close`) when it is not shown any more. While nobody sees it, it reads nothing.

    Parameters
    ----------
    accounting
        Whose records are shown: ``cluster.accounting``, or ``gcs_lab.open_accounting(…)``.
    height
        Pixels.
    state
        What is shown at first; None: the last 30 days of the records.
    currency
        What the rates of cost are in, for people: ``"EUR"``.

    Raises
    ------
    InvalidArgument
        If the height is no whole number from 200 on.
    Internal
        If the front end was not built into this installation.
    """

    front_end: ClassVar[str] = "explorer"
    made_by: ClassVar[str] = "accounting.explore()"

    _explorer_id = Unicode().tag(sync=True)

    def __init__(
        self, accounting: Accounting, *, height: int = 900, state: ExplorerState | None = None, currency: str = ""
    ) -> None:
        super().__init__(
            lambda send: ExplorerHost(accounting, send, state=state, currency=currency),
            height,
            _explorer_id=uuid.uuid4().hex[:12],
        )

    @property
    def page_id(self) -> str:
        """Id of the element with the static page, which the live explorer hides."""
        return f"gcs-static-{self._explorer_id}"


class ExplorerPage:
    """What is shown where no program runs: made once, in a thread, so that the cell does not wait for it.

    Parameters
    ----------
    accounting
        Whose records.
    explorer
        The live explorer that it stands beside.
    """

    def __init__(self, accounting: Accounting, explorer: Explorer) -> None:
        self._accounting, self._id, self._host = accounting, explorer.page_id, explorer.host
        self._lane = Lane("gcs-lab-explorer-page")
        self._handle: DisplayHandle | None = None

    def show(self) -> None:
        """Display it in the running cell; its content follows when the records are read."""
        from IPython.display import display

        waiting = f"Accounting of {self._accounting.system}: reading its records …"
        self._handle = display(  # type: ignore[no-untyped-call]
            self._bundle(f"<p>{waiting}</p>", waiting), raw=True, display_id=f"{self._id}-page"
        )
        self._lane.do(self._renew)

    def close(self) -> None:
        """Leave it as it is."""
        self._lane.close()

    def _bundle(self, html: str, text: str) -> dict[str, str]:
        return {"text/html": f'<div id="{self._id}">{html}</div>', "text/plain": text}

    def _renew(self) -> None:
        failure = self._host.read_once()
        try:
            shown = _shown(self._accounting, self._host.state)
            data = self._bundle(explorer_html(shown), explorer_text(shown))
        except GcsError as reason:
            failure = failure or str(reason)
        if failure:
            data = self._bundle("<p>The records could not be read.</p>", f"The records could not be read: {failure}")
        if self._handle is not None and not self._host.closed:
            # By its id, from this thread: what a cell prints meanwhile is not touched.
            self._handle.update(data, raw=True)  # type: ignore[no-untyped-call]


#: The explorer of each notebook cell that made one.
_of_cell: FacesOfCells[Explorer] = FacesOfCells()


def explore(
    accounting: Accounting,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    where: str = "",
    by: str = "owner",
    measure: str = "slot_hours",
    tab: str = "usage",
    rates: Sequence[Mapping[str, Any]] | float | None = None,
    currency: str = "",
    height: int = 900,
) -> None:
    """Show the explorer in the running cell; in a terminal, what it would show at first as text.

    A page without a kernel (an exported notebook, one that is opened later) shows the figures as they were. Running
    the cell again closes the explorer that it made before.

    Parameters
    ----------
    accounting
        Whose records are shown.
    since, until
        Records that ended from `since` on, and before `until`, as everywhere in ``accounting``: ``"2026-11-01"``,
        ``"30d"``, a time. None for both: the last 30 days of the records.
    where
        In the language of filters: ``"owner:alice slots>4 ok:no"``.
    by
        What usage is split by: owner, project, queue, department, group, host, parallel_environment, account, name.
    measure
        slot_hours, cpu_hours, memory, jobs or cost.
    tab
        usage, waits, efficiency, failures, utilisation, cost or jobs.
    rates
        What an hour costs: a number for each slot hour, or a list of ``{"filter": "queue:gpu.q", "per_slot_hour":
        0.5, "per_gib_hour": 0.0}``, of which the first that fits counts.
    currency
        What the rates are in, for people.
    height
        Pixels.

    Raises
    ------
    InvalidArgument
        If one of them says nothing: UnknownName, FilterError.
    """
    period = Choice.of({"since": since, "before": until, "by_end": True, "where": where}).period()
    state = ExplorerState(tab=tab, since=period.begin, until=period.end, filter=where.strip(), by=by, measure=measure)
    if rates is not None:
        told = [{"per_slot_hour": rates}] if isinstance(rates, int | float) else list(rates)
        state = replace(state, rates=checked_rates(told))
    shell = _notebook_shell()
    if shell is None:
        accounting.refresh()
        print(explorer_text(_shown(accounting, state)))  # noqa: T201
        return
    from IPython.display import display

    cell = cell_of(shell)
    _of_cell.close_of(cell)
    explorer = Explorer(accounting, height=height, state=state, currency=currency)
    _of_cell.keep(cell, explorer)
    display(explorer)  # type: ignore[no-untyped-call]
    page = ExplorerPage(accounting, explorer)
    explorer.page = page
    page.show()


def _shown(accounting: Accounting, state: ExplorerState) -> Shown:
    """Return what is shown of a state now; the last 30 days, where no period is chosen."""
    last = accounting.store.totals().last_end
    if state.since is None and state.until is None and last is not None:
        state = state.of_latest(last)
    return Shown(accounting, state, HeldRecords(accounting))
