"""Questions to accounting as tables of JSON, and what earlier jobs teach about a form's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.picture import current_user
from gcs_lab.errors import GcsError, InvalidArgument, TryLater, UnsupportedOperation
from gcs_lab.server.accounting_reading import why_not_ready
from gcs_lab.server.tasks_table import plain_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from gcs_lab.accounting import Accounting
    from gcs_lab.accounting.advice import Advice
    from gcs_lab.cluster import Cluster

__all__ = ["QUESTIONS", "accounting_rows", "form_advice"]

#: By name: the question, from the area, `by`, the other arguments, and what narrows it.
QUESTIONS: dict[str, Callable[[Accounting, list[str], Mapping[str, Any], dict[str, Any]], pd.DataFrame]] = {
    "summary": lambda area, by, _, choice: area.summary(by, **choice),
    "waits": lambda area, by, _, choice: area.waits(by, **choice),
    "efficiency": lambda area, by, _, choice: area.efficiency(by or ["owner"], **choice),
    "failures": lambda area, by, _, choice: area.failures(by or ["reason"], **choice),
    "utilisation": lambda area, by, more, choice: area.utilisation(more["freq"], _one(by), **choice),
    "top": lambda area, by, more, choice: area.top(more["n"], _one(by) or "owner", more["measure"], **choice),
    "families": lambda area, _, __, choice: area.families(**choice),
}
_SHARE = 0.95


def _one(by: list[str]) -> str | None:
    if len(by) > 1:
        raise InvalidArgument(f"by={','.join(by)}: this question is split by one column.")
    return by[0] if by else None


def accounting_rows(
    cluster: Cluster,
    question: str,
    by: list[str],
    *,
    more: Mapping[str, Any],
    choice: Mapping[str, Any],
    limit: int,
) -> dict[str, Any]:
    """Return columns, rows and total of an answer: times as ISO 8601, durations in seconds, memory in bytes.

    Parameters
    ----------
    cluster
        Whose records.
    question
        One of :data:`QUESTIONS`.
    by
        What it is split by.
    more
        ``freq``, ``n`` and ``measure``.
    choice
        Which records: keywords of :class:`~gcs_lab.accounting.choice.Choice`; what is empty is left out.
    limit
        So many rows at most.

    Raises
    ------
    TryLater
        If there is much that was not read yet: it is being read.
    UnsupportedOperation
        If the system has no accounting.
    InvalidArgument
        If a word says nothing.
    """
    area = cluster.accounting
    if why := why_not_ready(area):
        raise TryLater(why)
    words = {name: value for name, value in choice.items() if value not in ("", None)}
    frame = QUESTIONS[question](area, by, more, words)
    part = frame.iloc[:limit]
    columns = [part.iloc[:, place].tolist() for place in range(part.shape[1])]
    rows = [[plain_cell(value) for value in row] for row in zip(*columns, strict=True)]
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": rows,
        "total": len(frame),
        "notes": [*area.notes],
    }


def form_advice(cluster: Cluster, name: str) -> dict[str, Any]:
    """Return an ``IFormAdvice`` on the user's own jobs that are named alike.

    Parameters
    ----------
    cluster
        Whose records.
    name
        The job's name, as the form has it.
    """
    try:
        advice = _advice(cluster, name.strip()) if name.strip() else None
    except GcsError as error:
        return {"text": f"What earlier jobs needed is not known: {error}", "requests": []}
    if advice is None or not advice.records or not advice.known:
        return {"text": "", "requests": []}
    requests = []
    for measure in advice.measures:
        if measure.flag and measure.name != "slots":
            killed = f", and it ended {measure.killed:,} of them" if measure.killed else ""
            why = f"enough for {_SHARE:.0%} of {measure.jobs:,} earlier jobs{killed}"
            requests.append({"name": measure.name, "value": measure.flag, "why": why})
    sentences = "".join(f" {sentence[0].upper()}{sentence[1:]}." for sentence in advice.sentences if sentence)
    runs = "1 earlier run" if advice.records == 1 else f"{advice.records:,} earlier runs"
    return {"text": f"From {runs} of {advice.family}: {advice.flags}.{sentences}", "requests": requests}


def _advice(cluster: Cluster, name: str) -> Advice | None:
    """Return what records say of jobs of a name; None if there can be none. Raises GcsError."""
    try:
        area = cluster.accounting
        if why := why_not_ready(area):
            raise TryLater(why)
        return area.advice(name, share=_SHARE, owner=current_user())
    except (UnsupportedOperation, InvalidArgument):
        # The system keeps no records, or the name says nothing of a family.
        return None
