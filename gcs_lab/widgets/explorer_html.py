"""The explorer without a kernel: facts, what stands out and who used most, as HTML or as text.

No style sheet and no script, as in all static lines (:mod:`gcs_lab.widgets.card_line`); it reads well on light and
dark ground, and every name is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gcs_lab.explorer.findings import findings
from gcs_lab.explorer.groups import totals_by
from gcs_lab.explorer.measures import figure_text, label_of, measure_of
from gcs_lab.explorer.period_text import period_text
from gcs_lab.explorer.state import GROUPINGS, TABS
from gcs_lab.explorer.tabs import content_of
from gcs_lab.explorer.usage import usage_columns
from gcs_lab.widgets.card_line import printable
from gcs_lab.widgets.chart_svg import bars_svg
from gcs_lab.widgets.table_html import table_html

if TYPE_CHECKING:
    from gcs_lab.explorer.drawing import Content, Finding
    from gcs_lab.explorer.shown import Shown

__all__ = ["explorer_html", "explorer_text"]

_MOST_ROWS, _MOST_BARS = 20, 8


def explorer_html(shown: Shown) -> str:
    """Return what the explorer shows of a state as HTML, less than 30 kB."""
    content, found, rows = _parts(shown)
    head = f"<p><strong>{_safe(_title(shown))}</strong><br>{_safe(period_text(shown))}</p>"
    if content.empty:
        return f"<div>{head}<p>{_safe(content.empty)}</p></div>"
    facts = table_html(
        ("", "Value", "What it is"),
        [(fact.label, fact.value, fact.help) for fact in content.facts],
        TABS[shown.state.tab][0],
        ("Value",),
    )
    out = "".join(f"<li>{_safe(one.text)}</li>" for one in found)
    stands_out = f"<p>What stands out:</p><ul>{out}</ul>" if out else ""
    by, measure = GROUPINGS[shown.state.by], label_of(shown.state.measure, shown.currency)
    bars = bars_svg(f"{measure} by {by.lower()}", [(name, round(value), 0) for name, value, _ in rows[:_MOST_BARS]])
    table = table_html(
        (by, measure), [(name, told) for name, _, told in rows], f"{measure} by {by.lower()}", (measure,)
    )
    return f"<div>{head}{stands_out}{facts}{bars}{table}</div>"


def explorer_text(shown: Shown) -> str:
    """Return the same as text, for a terminal."""
    content, found, rows = _parts(shown)
    lines = [_title(shown), period_text(shown), ""]
    if content.empty:
        return "\n".join([*lines, content.empty])
    wide = max(len(fact.label) for fact in content.facts)
    lines += [f"{fact.label:<{wide}}  {printable(fact.value)}" for fact in content.facts]
    if found:
        lines += ["", "What stands out:", *(f"- {printable(one.text)}  [{printable(one.term)}]" for one in found)]
    by, measure = GROUPINGS[shown.state.by], label_of(shown.state.measure, shown.currency)
    wide = max((len(name) for name, _, _ in rows), default=0)
    right = max((len(told) for _, _, told in rows), default=0)
    lines += ["", f"{measure} by {by.lower()}:", *(f"{name:<{wide}}  {told:>{right}}" for name, _, told in rows)]
    return "\n".join(lines)


def _title(shown: Shown) -> str:
    return f"Accounting of {shown.accounting.system or shown.accounting.cluster}"


def _parts(shown: Shown) -> tuple[Content, list[Finding], list[tuple[str, float, str]]]:
    """Return facts, what stands out, and the largest groups: name, amount, and that as text."""
    state = shown.state
    content = content_of(shown)
    if not shown.counts()[0]:
        return content, [], []
    records = shown.records(usage_columns(state.by, state.measure) | shown.rate_columns())
    groups = totals_by(records, state.by, measure_of(state.measure, state.rates))
    rows = [
        (printable(name), float(value), figure_text(float(value), state.measure, shown.currency))
        for name, value in zip(groups.shown(_MOST_ROWS), groups.sums, strict=False)
    ]
    return content, findings(shown), rows


def _safe(text: str) -> str:
    return escape(printable(text))
