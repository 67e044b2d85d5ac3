"""The cell that makes what is shown: the area's own question for the table, and the figures."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from gcs_lab.accounting.choice import Choice
from gcs_lab.explorer.state import TABS, ExplorerState

if TYPE_CHECKING:
    from gcs_lab.explorer.shown import Shown

__all__ = ["code_of"]

_DEFAULTS = ExplorerState()


def code_of(shown: Shown) -> str:
    """Return the text of a cell that makes the table and the figures that are shown."""
    state = shown.state
    lines = [
        "import gcs_lab",
        "from gcs_lab.explorer import figures",
        "",
        f"accounting = {_opened(shown)}",
        f"choice = {_choice(shown)}",
        "",
        *_table(state),
        "",
        f"# The figures of the tab {TABS[state.tab][0].lower()}, by name; figure.show() draws one.",
        f"drawn = figures(accounting, {_figure_words(shown)})",
        "for figure in drawn.values():",
        "    figure.show()",
        "table",
    ]
    return "\n".join(lines) + "\n"


def _opened(shown: Shown) -> str:
    cluster = shown.accounting.cluster
    if cluster:
        return f"gcs_lab.connect({cluster!r}).accounting"
    paths = [str(path) for path in shown.accounting.backend.record_files()]
    return f"gcs_lab.open_accounting({', '.join(map(repr, paths))})"


def _moment(at: float) -> str:
    """Return a moment as a local time where the area reads it as that very moment, else as the number."""
    text = f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%dT%H:%M:%S}"
    return repr(text) if Choice(since=text, by_end=True).period().begin == at else repr(at)


def _choice(shown: Shown) -> str:
    words = shown.choice()
    period = {name: words[name] for name in ("since", "before") if name in words}
    told = [f"{name}={_moment(float(at))}" for name, at in period.items()]  # type: ignore[arg-type]
    told += [f"{name}={words[name]!r}" for name in ("by_end", "where") if name in words]
    return f"dict({', '.join(told)})"


def _figure_words(shown: Shown) -> str:
    state = shown.state
    words = [f"tab={state.tab!r}"]
    # `by_end` is how the explorer always chooses.
    choice = {name: value for name, value in shown.choice().items() if name != "by_end"}
    if choice:
        words.append('**{name: word for name, word in choice.items() if name != "by_end"}')
    words += [f"{name}={getattr(state, name)!r}" for name in ("by", "measure") if _differs(state, name)]
    if _differs(state, "rates"):
        words.append("rates=rates" if _uses_rates(state) else f"rates={_rates(state)}")
    if shown.currency:
        words.append(f"currency={shown.currency!r}")
    return ", ".join(words)


def _differs(state: ExplorerState, name: str) -> bool:
    return bool(getattr(state, name) != getattr(_DEFAULTS, name))


def _uses_rates(state: ExplorerState) -> bool:
    return state.tab == "cost" or (state.tab == "usage" and state.measure == "cost")


def _rates(state: ExplorerState) -> str:
    return repr([asdict(rate) for rate in state.rates])


def _table(state: ExplorerState) -> list[str]:
    """Return the lines that make `table` by the area's own questions."""
    by = state.by
    made: dict[str, list[str]] = {
        "waits": [f"table = accounting.waits(by={by!r}, **choice)"],
        "efficiency": [f"table = accounting.efficiency(by={by!r}, **choice)"],
        "failures": ['table = accounting.failures(by="host", **choice)'],
        "utilisation": [f'table = accounting.utilisation("1d", by={by!r}, **choice)'],
        "jobs": ["table = accounting.timeline(**choice)"],
    }
    if state.tab in made:
        return made[state.tab]
    if _uses_rates(state):
        return [
            "from gcs_lab.explorer.measures import cost_of",
            "from gcs_lab.explorer.state import checked_rates",
            "",
            f"rates = {_rates(state)}",
            "cost = cost_of(checked_rates(rates)).sum().alias('cost')",
            f"table = accounting.records(**choice).group_by({by!r}).agg(cost)",
            "table = table.sort('cost', descending=True).collect()",
        ]
    column, told = {
        "slot_hours": ("slot_seconds", "table.slot_seconds / 3600"),
        "cpu_hours": ("cpu", "table.cpu / 3600"),
        "memory": ("memory", "table.memory / 3600"),
        "jobs": ("jobs", "table.jobs"),
    }[state.measure]
    return [
        f"table = accounting.summary(by={by!r}, **choice).sort_values({column!r}, ascending=False)",
        f"table[{state.measure!r}] = {told}",
    ]
