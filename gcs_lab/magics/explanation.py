"""What ``--explain`` shows: all that would be sent, and nothing is."""

from __future__ import annotations

import html
import shlex
from typing import TYPE_CHECKING

from gcs_lab.cells.submission import pickled_sizes
from gcs_lab.jobs.requests import format_memory
from gcs_lab.magics.script_explanation import script_sections
from gcs_lab.magics.sweep_explanation import sweep_rows
from gcs_lab.vocabulary import TaskRange

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cluster import Cluster

__all__ = ["Explanation"]

#: Characters of a cell that is not broken into lines.
_SHORT = 24


class Explanation:
    """The plan of a cell's job, drawn as text or HTML.

    Parameters
    ----------
    plan
        The plan.
    cluster
        Where it would go.
    cache
        What the cache has for it, in words; empty if it was not asked.

    Raises
    ------
    GcsError
        If the cluster would refuse it.
    """

    def __init__(self, plan: CellPlan, cluster: Cluster, cache: str = "") -> None:
        template = plan.template("FOLDER/runner.pyz", "FOLDER", "FOLDER/stdout", "FOLDER/stderr")
        cluster.jobs.check(template, TaskRange(1, len(plan.points)) if plan.points else None, must_fit=True)
        back: list[tuple[str, ...]] = [(", ".join(plan.outputs) or "nothing: the cell assigns no name",)]
        stays: list[tuple[str, ...]] = [
            (call.name, f"line {call.line}: {call.text} may change it, in the job only") for call in plan.discarded
        ]
        self.sections = [
            ("job", self._job_rows(plan, cluster)),
            ("sent", self._input_rows(plan)),
            ("comes back", back),
            ("environment", self._environment_rows(plan)),
        ]
        if plan.language:
            self.sections[1:3] = script_sections(plan)
        if plan.kind == "notebook":
            self.sections[1:3] = [("notebook", _notebook_rows(plan))]
        if plan.warnings:
            self.sections.append(("warnings", [(text,) for text in plan.warnings]))
        if waits := _waiting_rows(plan):
            self.sections.insert(1, ("waits for", waits))
        if stays:
            self.sections.append(("stays in the job", stays))
        if plan.points:
            self.sections.insert(1, ("sweep", sweep_rows(plan)))
        if used := plan.request.options.from_defaults:
            self.sections.insert(1, ("from defaults", list(used.items())))
        if cache:
            self.sections.append(("cache", [(cache,)]))

    @staticmethod
    def _job_rows(plan: CellPlan, cluster: Cluster) -> list[tuple[str, ...]]:
        options = plan.request.options
        rows: list[tuple[str, ...]] = [
            ("cluster", f"{cluster.name}: {cluster.system}"),
            ("name", plan.name),
            ("command", shlex.join([*plan.launcher, plan.python, "FOLDER/runner.pyz", "FOLDER"])),
            ("folder", plan.cwd),
        ]
        if options.requests:
            rows.append(("requests", ", ".join(f"{name}={value}" for name, value in options.requests.items())))
        if options.queue:
            rows.append(("queue", options.queue))
        if options.parallel_environment and options.slots:
            low, high = options.slots
            rows.append(("slots", f"{low if low == high else f'{low}-{high}'} ({options.parallel_environment})"))
        if options.priority is not None:
            rows.append(("priority", str(options.priority)))
        if options.hold:
            rows.append(("hold", "yes; %gcs release lets it go"))
        if options.project:
            rows.append(("project", options.project))
        if options.native:
            rows.append(("native", options.native))
        return rows

    @staticmethod
    def _input_rows(plan: CellPlan) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for name, size in pickled_sizes(plan.inputs).items():
            kind = type(plan.inputs[name]).__qualname__
            rows.append((name, kind, format_memory(size) if isinstance(size, int) else f"cannot travel: {size}"))
        rows += [(name, "module", f"import {module}") for name, module in plan.modules.items()]
        from_jobs = "nothing: what the cell needs comes from other jobs"
        return rows or [(from_jobs if plan.from_jobs else "nothing: the cell needs no name of the notebook",)]

    @staticmethod
    def _environment_rows(plan: CellPlan) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [(f"{len(plan.environment)} variables of the notebook",)]
        named = plan.request.options.environment
        rows += [(name, "as given by --env") for name in named]
        if plan.withheld:
            rows.append(("withheld, they look like secrets", ", ".join(plan.withheld)))
        return rows

    def __repr__(self) -> str:
        lines = ["nothing was sent; this would be:"]
        for title, rows in self.sections:
            lines.append(f"{title}:")
            lines += ["  " + "  ".join(row) for row in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        width = max(len(row) for _, rows in self.sections for row in rows)
        parts = ["<div><p>Nothing was sent. This would be:</p><table style='text-align:left'>"]
        for title, rows in self.sections:
            for number, row in enumerate(rows):
                style = "text-align:left;vertical-align:top;white-space:nowrap"
                head = f"<th scope='row' style='{style}'>{title if not number else ''}</th>"
                *others, last = row
                cells = "".join([*(_cell(part, 1) for part in others), _cell(last, width - len(others))])
                parts.append(f"<tr>{head}{cells}</tr>")
        return "".join([*parts, "</table></div>"])


def _cell(text: str, columns: int) -> str:
    """Return a cell that reaches over so many columns; what is short stands on one line."""
    wrap = "" if len(text) > _SHORT else ";white-space:nowrap"
    span = f" colspan='{columns}'" if columns > 1 else ""
    return f"<td{span} style='text-align:left;vertical-align:top{wrap}'>{html.escape(text)}</td>"


def _waiting_rows(plan: CellPlan) -> list[tuple[str, ...]]:
    """Return a row for each earlier job that the cell depends on, with the values that it takes from there."""
    rows: list[tuple[str, ...]] = []
    ended = {upstream.job_id for upstream in plan.ended}
    for upstream in plan.upstreams():
        names = [
            name if one.output in ("", name) else f"{name} (there: {one.output})"
            for name, one in plan.from_jobs.items()
            if one.job_id == upstream.job_id
        ]
        how = "task by task" if plan.after_each and plan.after_each.job_id == upstream.job_id else ""
        how = "nothing: it has ended well" if upstream.job_id in ended else how or "to end well"
        rows.append((str(upstream), how, f"gives {', '.join(names)}" if names else "gives no value"))
    return rows


def _notebook_rows(plan: CellPlan) -> list[tuple[str, ...]]:
    run = plan.more_spec["notebook_run"]
    rows: list[tuple[str, ...]] = [("runs", run["path"]), ("kernel", run["kernel"]), ("output", run["output"])]
    return rows + [("parameter", f"{name} = {value!r}") for name, value in run["parameters"].items()]
