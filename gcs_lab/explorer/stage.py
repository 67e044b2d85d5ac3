"""What an explorer tells: the welcome, the figures of a state, and what stands out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gcs_lab.explorer.columns import CATEGORIES, columns_told, words_told
from gcs_lab.explorer.drawing import Fact
from gcs_lab.explorer.findings import findings
from gcs_lab.explorer.local_time import DAY, clock_changes
from gcs_lab.explorer.messages import PROTOCOL
from gcs_lab.explorer.tabs import content_of, groupings_told, measures_told, tabs_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.errors import FilterError
    from gcs_lab.explorer.shown import HeldRecords, Shown
    from gcs_lab.explorer.state import ExplorerState

__all__ = ["ExplorerStage", "fact_told", "finding_told"]

_Message = dict[str, Any]
#: Before the first record and after the last one somebody may look, too: seconds.
_AROUND = 400 * DAY


class ExplorerStage:
    """Tells what is shown; one thread at a time calls it.

    Parameters
    ----------
    accounting
        Whose records.
    send
        Sends a message.
    """

    def __init__(self, accounting: Accounting, send: Callable[[_Message], None]) -> None:
        self._accounting, self._send = accounting, send
        self._found: tuple[object, list[_Message]] | None = None

    def welcome(self, state: ExplorerState, held: HeldRecords, currency: str) -> None:
        """Send the first message (``IExplorerWelcome``)."""
        self._send(
            {
                "kind": "welcome",
                "protocol": PROTOCOL,
                "cluster": self._accounting.cluster,
                "system": self._accounting.system,
                **self._counts(held, state),
                "columns": columns_told(),
                "tabs": tabs_told(),
                "groupings": groupings_told(),
                "measures": measures_told(),
                "currency": currency,
                "state": state.to_json(),
            }
        )

    def renewed(self, held: HeldRecords) -> None:
        """Tell what of the welcome is other now (``IExplorerRenewed``)."""
        self._send({"kind": "renewed", **self._counts(held, None)})

    def _counts(self, held: HeldRecords, state: ExplorerState | None) -> _Message:
        totals = self._accounting.store.totals()
        span = None if totals.first_end is None or totals.last_end is None else [totals.first_end, totals.last_end]
        # Values of the period that is at hand: to look for them all through the years would take long.
        period = held.latest_period() if state is None else (state.since, state.until)
        records = held.period(*period, CATEGORIES) if totals.records else None
        return {
            "span": span,
            "records": totals.records,
            "rejects": totals.rejects,
            "words": words_told(records),
            "clock": _clock(span),
        }

    def show(self, shown: Shown, sequence: int, error: FilterError | None) -> None:
        """Send the figures of a state (``ITabFigures``), then what stands out (``IFindings``), where that is new."""
        content = content_of(shown)
        matching, period = shown.counts()
        shown.check()
        facts = list(content.facts)
        if 0 < shown.read_part < 1:
            facts.insert(
                0, Fact("Read so far", f"{shown.read_part:.0%}", "The rest of the records is still read.", bad=True)
            )
        mark = (shown.state.since, shown.state.until, shown.state.filter, matching)
        known = self._found[1] if self._found is not None and self._found[0] == mark else None
        self._send(
            {
                "kind": "figures",
                "tab": shown.state.tab,
                "sequence": sequence,
                "matching": matching,
                "period": period,
                "facts": [fact_told(fact) for fact in facts],
                "figures": [figure.told() for figure in content.figures],
                "findings": known or [],
                "empty": content.empty,
                "filter_error": None if error is None else error.told(),
            }
        )
        if known is None:
            shown.check()
            told = [finding_told(one) for one in findings(shown)] if matching else []
            self._found = (mark, told)
            self._send({"kind": "findings", "sequence": sequence, "findings": told})


def _clock(span: list[float] | None) -> list[list[float]]:
    """Return how far this machine's clock is ahead of UTC, and since when, for all that may be looked at."""
    now = time.time()
    first, last = span or (now, now)
    return [list(change) for change in clock_changes(min(first, now) - _AROUND, max(last, now) + _AROUND)]


def fact_told(fact: Fact) -> _Message:
    """Return a fact for a message."""
    told: _Message = {"label": fact.label, "value": fact.value, "help": fact.help}
    return told | ({"bad": True} if fact.bad else {})


def finding_told(finding: Any) -> _Message:
    """Return a finding for a message."""
    return {
        "text": finding.text,
        "term": finding.term,
        "weight": round(finding.weight, 3),
        "tab": finding.tab,
    }
