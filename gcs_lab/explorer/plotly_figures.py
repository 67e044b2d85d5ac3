"""The explorer's figures for users, as plotly figures of their own.

::

from gcs_lab.explorer import figures

made = figures(cluster.accounting, tab="waits", since="2026-10-01", where="queue:long.q")
made["waits_by_hour_of_week"].show()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice
from gcs_lab.explorer.shown import HeldRecords, Shown
from gcs_lab.explorer.state import ExplorerState, Rate, checked_rates
from gcs_lab.explorer.tabs import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.choice import Moment

__all__ = ["figures", "shown_of"]


def shown_of(
    accounting: Accounting,
    *,
    tab: str = "usage",
    since: Moment | None = None,
    before: Moment | None = None,
    where: str = "",
    by: str = "owner",
    measure: str = "slot_hours",
    rates: Sequence[Mapping[str, Any]] | None = None,
    currency: str = "",
) -> Shown:
    """Return what the explorer shows with these words; as :func:`figures`."""
    accounting.refresh()
    period = Choice.of({"since": since, "before": before, "by_end": True, "where": where}).period()
    state = ExplorerState(
        tab=tab,
        since=period.begin,
        until=period.end,
        filter=where,
        by=by,
        measure=measure,
        rates=(Rate("", 0.02, 0.0),) if rates is None else checked_rates(list(rates)),
    )
    capacity = accounting.backend.capacity() if tab == "utilisation" else None
    return Shown(accounting, state, HeldRecords(accounting), currency=currency, capacity=capacity)


def figures(accounting: Accounting, **words: Any) -> dict[str, go.Figure]:
    """Return the figures of a tab of the explorer, by name.

    Parameters
    ----------
    accounting
        Whose records: ``cluster.accounting``, or ``gcs_lab.open_accounting(…)``.
    words
        ``tab`` (usage, waits, efficiency, failures, utilisation, cost, jobs), ``since`` and ``before`` (records that
        ended in between), ``where`` (the filter), ``by``, ``measure``, ``rates``, ``currency``: as the explorer has
        them.

    Raises
    ------
    InvalidArgument
        If one of them says nothing: UnknownName, FilterError.
    """
    import plotly.graph_objects as go

    made = {}
    for drawn in content_of(shown_of(accounting, **words)).figures:
        figure = go.Figure(drawn.told()["figure"])
        figure.update_layout(title=drawn.title)
        made[drawn.name] = figure
    return made
