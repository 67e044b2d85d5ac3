"""What is shown as one page that needs nothing else: figures that can be zoomed, facts, and what stands out.

It has a copy of plotly.js (from plotly's Python package), draws light or dark as the reader's system is set, and says
what it is about: period, filter, rates. All that comes from records is escaped.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from gcs_lab.explorer.findings import findings
from gcs_lab.explorer.local_time import clock_text
from gcs_lab.explorer.period_text import period_text
from gcs_lab.explorer.state import GROUPINGS, MEASURES, TABS
from gcs_lab.explorer.tabs import content_of

if TYPE_CHECKING:
    from gcs_lab.explorer.drawing import Content, Drawn
    from gcs_lab.explorer.shown import Shown

__all__ = ["html_page"]

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --line: #d0d0d0; --soft: #595959; --bad: #a33b00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1b1b1d; --ink: #e8e8e8; --line: #444; --soft: #b0b0b0; --bad: #ff9a5c; } }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 1400px; padding: 1rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
h3 { font-size: 1rem; margin: 0.5rem 0 0; } p.soft, figcaption, .fact span { color: var(--soft); font-size: 0.85rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; } .fact strong { display: block; font-size: 1.25rem; }
.bad strong::after { content: " ⚠"; color: var(--bad); }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); }
figure { border: 1px solid var(--line); border-radius: 6px; margin: 0; min-width: 0; padding: 0.75rem; }
figure.wide { grid-column: 1 / -1; } .plot { min-height: 360px; } code { overflow-wrap: anywhere; }
nav a { color: inherit; margin-right: 1rem; }
@media print { figure { break-inside: avoid; } }
"""
_SCRIPT = """
const dark = matchMedia('(prefers-color-scheme: dark)');
function looks() {
  const style = getComputedStyle(document.documentElement);
  const [ink, line] = ['--ink', '--line'].map(name => style.getPropertyValue(name).trim());
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, color: ink };
  return { ink, axis };
}
function draw() {
  const { ink, axis } = looks();
  for (const plot of document.querySelectorAll('.plot')) {
    const told = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    const layout = { ...told.layout, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { color: ink, size: 12 },
      xaxis: { ...axis, ...told.layout.xaxis }, yaxis: { ...axis, ...told.layout.yaxis },
      shapes: (told.layout.shapes || []).map(shape => ({ ...shape, line: { color: ink, ...shape.line } })) };
    Plotly.react(plot, told.data, layout, { responsive: true, displaylogo: false });
  }
}
draw();
dark.addEventListener('change', draw);
"""


def html_page(shown: Shown) -> str:
    """Return the whole page: every tab of what is shown, the open one first."""
    from plotly.offline import get_plotlyjs

    first = shown.state.tab
    names = [first, *(name for name in TABS if name != first)]
    parts, numbers = [], iter(range(1, 1000))
    for name in names:
        shown.check()
        content = content_of(_of_tab(shown, name))
        parts.append(_section(name, content, [next(numbers) for _ in content.figures]))
    found = "".join(f"<li>{escape(one.text)}<br><code>{escape(one.term)}</code></li>" for one in findings(shown))
    stands_out = f"<h2>What stands out</h2><ul>{found}</ul>" if found else ""
    system = shown.accounting.system or shown.accounting.cluster or "records"
    links = "".join(f'<a href="#{name}">{TABS[name][0]}</a>' for name in names)
    # Not from a server: it reads well where there is no network, in ten years, too.
    script = get_plotlyjs().replace("</script", "<\\/script")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Accounting of {escape(system)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Accounting of {escape(system)}</h1><p>{escape(period_text(shown))}</p>"
        f'<p class="soft">{escape(_how(shown))}</p><nav aria-label="Parts">{links}</nav>'
        f"{stands_out}{''.join(parts)}<script>{script}</script><script>{_SCRIPT}</script></body></html>\n"
    )


def _of_tab(shown: Shown, tab: str) -> Shown:
    from gcs_lab.explorer.shown import Shown as Another

    state = replace(shown.state, tab=tab, lasso=None)
    return Another(
        shown.accounting,
        state,
        shown.held,
        currency=shown.currency,
        capacity=shown.capacity,
        read_part=shown.read_part,
    )


def _how(shown: Shown) -> str:
    state = shown.state
    rates = "; ".join(
        f"{rate.filter or 'all'}: {rate.per_slot_hour:g} a slot hour"
        + (f", {rate.per_gib_hour:g} a GiB hour" if rate.per_gib_hour else "")
        for rate in state.rates
    )
    return (
        f"Split by {GROUPINGS[state.by].lower()}, usage in {MEASURES[state.measure].lower()}; rates"
        f"{' in ' + shown.currency if shown.currency else ''}: {rates}. Made at {clock_text(time.time())} by gcs_lab."
    )


def _section(name: str, content: Content, numbers: list[int]) -> str:
    label, help_ = TABS[name]
    facts = "".join(
        f'<div class="fact{" bad" if fact.bad else ""}" title="{escape(fact.help)}"><span>{escape(fact.label)}</span>'
        f"<strong>{escape(fact.value)}</strong></div>"
        for fact in content.facts
    )
    figures = "".join(_figure(figure, number) for figure, number in zip(content.figures, numbers, strict=True))
    empty = f"<p>{escape(content.empty)}</p>" if content.empty else ""
    return (
        f'<section><h2 id="{name}">{label}</h2><p class="soft">{help_}</p><div class="facts">{facts}</div>{empty}'
        f'<div class="figures">{figures}</div></section>'
    )


def _figure(drawn: Drawn, number: int) -> str:
    # In a script element nothing is markup but its own end.
    told = json.dumps(drawn.told()["figure"], allow_nan=False).replace("<", "\\u003c")
    return (
        f'<figure class="{"wide" if drawn.wide else ""}"><h3>{escape(drawn.title)}</h3>'
        f'<div class="plot" data-figure="figure-{number}"></div><figcaption>{escape(drawn.caption)}</figcaption>'
        f'<script type="application/json" id="figure-{number}">{told}</script></figure>'
    )
