"""What ``--explain`` shows: all that would be sent, and nothing is."""

from __future__ import annotations

import html
import shlex
from typing import TYPE_CHECKING

from gcs_lab.cells.submission import pickled_sizes
from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cluster import Cluster

__all__ = ["Explanation"]


class Explanation:
    """The plan of a cell's job, drawn as text or HTML.

    Parameters
    ----------
    plan
        The plan.
    cluster
        Where it would go.

    Raises
    ------
    GcsError
        If the cluster would refuse it.
    """

    def __init__(self, plan: CellPlan, cluster: Cluster) -> None:
        template = plan.template("FOLDER/runner.pyz", "FOLDER", "FOLDER/stdout", "FOLDER/stderr")
        cluster.jobs.check(template)
        back: list[tuple[str, ...]] = [(name,) for name in plan.outputs]
        stays: list[tuple[str, ...]] = [
            (call.name, f"line {call.line}: {call.text} may change it, in the job only") for call in plan.discarded
        ]
        self.sections = [
            ("job", self._job_rows(plan, cluster)),
            ("sent", self._input_rows(plan)),
            ("comes back", back or [("nothing: the cell assigns no name",)]),
            ("environment", self._environment_rows(plan)),
        ]
        if stays:
            self.sections.append(("stays in the job", stays))

    @staticmethod
    def _job_rows(plan: CellPlan, cluster: Cluster) -> list[tuple[str, ...]]:
        options = plan.request.options
        rows: list[tuple[str, ...]] = [
            ("cluster", f"{cluster.name}: {cluster.system}"),
            ("name", plan.name),
            ("command", shlex.join([plan.python, "FOLDER/runner.pyz", "FOLDER"])),
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
        return rows or [("nothing: the cell needs no name of the notebook",)]

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
        parts = ["<div><p>Nothing was sent. This would be:</p><table style='text-align:left'>"]
        for title, rows in self.sections:
            for number, row in enumerate(rows):
                head = (
                    f"<th scope='row' style='text-align:left;vertical-align:top'>{title if not number else ''}</th>"
                )
                cells = "".join(f"<td style='text-align:left'>{html.escape(part)}</td>" for part in row)
                parts.append(f"<tr>{head}{cells}</tr>")
        return "".join([*parts, "</table></div>"])
