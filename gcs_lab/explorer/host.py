"""The host of an explorer: answers what a browser says, and tells it what the records say.

The messages are those of ``labextension/src/protocol/explorer_messages.ts``; how they travel is not known here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.face_host import FaceHost
from gcs_lab.cockpit.front_end import front_end
from gcs_lab.cockpit.messages import grid_of
from gcs_lab.errors import FilterError, GcsError
from gcs_lab.explorer.messages import check_message
from gcs_lab.explorer.reading_desk import ReadingDesk
from gcs_lab.explorer.records_desk import RecordsDesk
from gcs_lab.explorer.shown import HeldRecords, Shown, SupersededError
from gcs_lab.explorer.stage import ExplorerStage
from gcs_lab.explorer.state import ExplorerState
from gcs_lab.explorer.tabs import TAB_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.accounting.area import Accounting

__all__ = ["ExplorerHost"]

#: Seconds between two looks for new records.
LOOK_SECONDS = 60.0
#: Seconds that what is known of the cluster's slots holds.
_CAPACITY_SECONDS = 300.0

_Message = dict[str, Any]


class ExplorerHost(FaceHost):
    """Keeps one explorer up to date.

    What a newer state replaces is left off between two figures.

    Parameters
    ----------
    accounting
        Whose records are shown.
    send
        Called with each message for the browser, from any thread, one at a time.
    state
        What is shown at first; None: the last 30 days of the records.
    currency
        What the rates of cost are in, for people.
    """

    _left_off = (SupersededError,)

    def __init__(
        self,
        accounting: Accounting,
        send: Callable[[_Message], None],
        *,
        state: ExplorerState | None = None,
        currency: str = "",
    ) -> None:
        super().__init__(send, "explorer", ("figures", "records", "reading", "exports", "ahead"))
        self._accounting, self._currency = accounting, currency
        #: Whether the browser said hello, and whether what is shown at first is known.
        self._hello = self._is_ready = False
        self._visible = True
        #: What is asked for, and the number of the request; both are set together, by whoever receives it.
        self._asked = (0, state or ExplorerState())
        #: Whether somebody chose a period, or "all".
        self._chosen = state is not None and (state.since is not None or state.until is not None)
        self._asking = threading.Lock()
        self._good_filter = self._asked[1].filter
        self._capacity: tuple[float, int | None] = (0.0, None)
        self._held = HeldRecords(accounting)
        self._reading = ReadingDesk(accounting, self.send, self._on_records)
        self._stage = ExplorerStage(accounting, self.send)
        self._records = RecordsDesk(self.send)

    @property
    def state(self) -> ExplorerState:
        """What is shown, or about to be."""
        return self._asked[1]

    def _before_end(self) -> None:
        self._reading.cancel()

    def _after_end(self) -> None:
        self._held.forget()

    def shown(self, wanted: Callable[[], bool] = lambda: True) -> Shown:
        """Return what is shown now; with a filter that cannot be read, the last good one's. Raises GcsError."""
        _, state = self._asked
        try:
            made = self._shown_of(state, wanted)
        except FilterError:
            return self._shown_of(replace(state, filter=self._good_filter), wanted)
        self._good_filter = state.filter
        return made

    def _shown_of(self, state: ExplorerState, wanted: Callable[[], bool]) -> Shown:
        return Shown(
            self._accounting,
            state,
            self._held,
            currency=self._currency,
            capacity=self._capacity[1],
            read_part=self._reading.part,
            wanted=wanted,
        )

    def read_once(self) -> str:
        """Read what came, and wait for it; return why it could not be, or ''.

        In the thread that reads for the browser: two that read at once would take turns, and only one of them would
        tell how far it is and could be stopped.
        """
        done = threading.Event()

        def read() -> None:
            try:
                self._reading.read()
            finally:
                done.set()

        self._do("reading", {"kind": "refresh"}, lambda _: read())
        while not self._closed and not done.wait(0.5):
            pass
        return self._reading.failure

    # -- what the browser says --------------------------------------------------------------------------------------

    def receive(self, message: object) -> None:
        """Do what a message asks for; one that is none is answered with ``trouble``."""
        try:
            checked = check_message(message)
            if checked["kind"] == "state":
                with self._asking:
                    self._asked = (checked["sequence"], ExplorerState.from_json(checked["state"]))
                    self._chosen = True
        except GcsError as reason:
            self._refuse(message, reason)
            return
        kind = checked["kind"]
        if kind == "cancel":
            # Not in a lane: it stops what one does.
            self._reading.cancel()
            return
        if kind == "hello":
            # In the tables' own lane: before what this page asks of them, and after what the last one did.
            self._lanes["records"].do(self._records.forget)
        lane, sort = _LANE_OF.get(kind, ("figures", None))
        key = None if sort is None else (sort, grid_of(checked))
        self._do(lane, checked, getattr(self, f"_on_{kind}"), key)

    def _do(
        self,
        lane: str,
        message: Mapping[str, Any],
        work: Callable[[Mapping[str, Any]], None],
        sort: Any = None,
        after: float = 0.0,
    ) -> None:
        self._lanes[lane].do(lambda: self._answer(message, work), sort, after)

    def _on_hello(self, _: Mapping[str, Any]) -> None:
        self._hello = self._visible = True
        self._begin()
        self._reading.await_first()
        self._stage.welcome(self.state, self._held, self._currency)
        self._is_ready = True
        self._show()
        self._do("reading", {"kind": "refresh"}, lambda _: self._look(), "look")

    def _begin(self) -> None:
        """Choose the period that is shown at first; while they are read, it goes with the last."""
        with self._asking:
            sequence, state = self._asked
            last = self._accounting.store.totals().last_end
            if not self._chosen and last is not None:
                self._chosen = self._reading.part >= 1
                self._asked = (sequence, state.of_latest(last))

    def _on_state(self, _: Mapping[str, Any]) -> None:
        self._show()

    def _show(self) -> None:
        """Send the figures of what is asked for, then what stands out; the rows follow in their own lane."""
        sequence, state = self._asked

        def wanted() -> bool:
            return not self._closed and self._asked[0] == sequence

        error: FilterError | None = None
        try:
            self._shown_of(state, wanted)
        except FilterError as reason:
            error = reason
        if time.monotonic() - self._capacity[0] > _CAPACITY_SECONDS:
            self._capacity = (time.monotonic(), self._slots())
        shown = self.shown(wanted)
        self._lanes["records"].do(lambda: self._answer({"kind": "view"}, lambda _: self._load()), "load")
        self._stage.show(shown, sequence, error)
        # The other tabs of this period will be looked at next.
        self._do("ahead", {"kind": "state"}, lambda _: self._held.fetch_ahead({*TAB_COLUMNS, state.by}), "ahead")

    def _slots(self) -> int | None:
        try:
            return self._accounting.backend.capacity()
        except GcsError:
            return None

    def _on_view(self, message: Mapping[str, Any]) -> None:
        self._records.view(message)
        if self._is_ready and not self._records.is_loaded:
            self._load()

    def _on_unview(self, message: Mapping[str, Any]) -> None:
        self._records.unview(grid_of(message) if "id" in message else None)

    def _load(self) -> None:
        """Take in the rows of what is shown, where a table is open."""
        if self._records.is_open:
            sequence = self._asked[0]
            self._records.load(self.shown(lambda: not self._closed and self._asked[0] == sequence))
        else:
            self._records.is_loaded = False

    def _on_copy(self, message: Mapping[str, Any]) -> None:
        self._records.copy(message)

    def _on_export(self, message: Mapping[str, Any]) -> None:
        from gcs_lab.explorer.export import exported

        self.send({"kind": "exported", "id": message["id"], **exported(self.shown(), message["format"])})

    def _on_code(self, message: Mapping[str, Any]) -> None:
        from gcs_lab.explorer.code_cell import code_of

        self.send({"kind": "code", "id": message["id"], "text": code_of(self.shown())})

    def _on_module(self, message: Mapping[str, Any]) -> None:
        self.send({"kind": "module", "id": message["id"], "name": "chart", "source": front_end("chart.js")})

    def _on_refresh(self, _: Mapping[str, Any]) -> None:
        self._look(asked=True)

    def _on_visible(self, message: Mapping[str, Any]) -> None:
        was, self._visible = self._visible, message["visible"]
        if self._visible and not was and self._hello:
            self._do("reading", {"kind": "refresh"}, lambda _: self._look(), "look")

    # -- what comes --------------------------------------------------------------------------------------------------

    def _look(self, *, asked: bool = False) -> None:
        """Look for new records, and again in a minute while somebody can see them."""
        try:
            self._reading.read(asked=asked)
        finally:
            self._do("reading", {"kind": "refresh"}, lambda _: self._look_again(), "look", LOOK_SECONDS)

    def _look_again(self) -> None:
        # What is not seen is not kept up to date: the next look begins when it is seen.
        if self._visible:
            self._look()

    def _on_records(self) -> None:
        """Take it that there are other records, in the reading thread."""
        if self._hello and not self._closed:
            self._do("figures", {"kind": "state"}, lambda _: self._renew(), "renew")

    def _renew(self) -> None:
        was_chosen = self._chosen
        self._begin()
        if not was_chosen:
            # The first records: the period may be another one now.
            self._stage.welcome(self.state, self._held, self._currency)
        else:
            self._stage.renewed(self._held)
        self._show()


#: Where a kind of message is answered, and what the latest takes the place of (None: each is answered).
_LANE_OF: dict[str, tuple[str, str | None]] = {
    "state": ("figures", "state"),
    "view": ("records", "view"),
    "unview": ("records", None),
    "copy": ("records", None),
    "refresh": ("reading", "look"),
    "export": ("exports", None),
    "code": ("exports", None),
    "module": ("exports", None),
    "visible": ("exports", None),
}
