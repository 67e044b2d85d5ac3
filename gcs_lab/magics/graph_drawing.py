"""Draws the graph of a notebook's jobs: as Mermaid, which JupyterLab draws, and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.magics.text_picture import text_svg
from gcs_lab.widgets.card_line import printable, state_look

if TYPE_CHECKING:
    from gcs_lab.magics.job_graph import Edge, JobGraph, Node

__all__ = ["GraphDrawing", "graph_mermaid", "graph_text"]

_LONGEST_MESSAGE = 80
#: JupyterLab gives Mermaid so many characters (``maxTextSize``); of more it draws an error.
_LONGEST_DRAWN = 100_000
_LONGEST_NAMES = 60


class GraphDrawing:
    """A graph of jobs as a notebook shows it: ``text/vnd.mermaid`` where that is drawn, else text.

    A page that nbconvert makes asks the network for Mermaid, and shows nothing without. It takes a picture first,
    which JupyterLab does not: so the text is there as one, too. (HTML would go before Mermaid in JupyterLab.)

    Parameters
    ----------
    graph
        The graph.
    """

    def __init__(self, graph: JobGraph) -> None:
        self.graph = graph

    def __repr__(self) -> str:
        return graph_text(self.graph)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bundle = {"text/plain": graph_text(self.graph)}
        if self.graph.nodes and len(drawn := graph_mermaid(self.graph)) < _LONGEST_DRAWN:
            bundle |= {"text/vnd.mermaid": drawn, "image/svg+xml": text_svg(bundle["text/plain"])}
        return bundle


def graph_text(graph: JobGraph) -> str:
    """Return the graph as a tree drawn with box characters.

    A job that waits for several stands once, below the last of them; the others are named in its line.
    """
    if not graph.nodes:
        return "no jobs of this notebook; --all shows those of all notebooks"
    return "\n".join([*_Tree(graph).lines, *map(printable, graph.remarks)])


class _Tree:
    """The lines of a graph's tree."""

    def __init__(self, graph: JobGraph) -> None:
        self._nodes = {node.key: node for node in graph.nodes}
        self._several = _several_clusters(graph)
        places = {key: place for place, key in enumerate(self._nodes)}
        self._earlier: dict[str, list[Edge]] = {key: [] for key in self._nodes}
        for edge in sorted(graph.edges, key=lambda edge: places[edge.earlier]):
            self._earlier[edge.later].append(edge)
        self._below: dict[str, list[Edge]] = {key: [] for key in self._nodes}
        for key in self._nodes:
            for edge in self._earlier[key][-1:]:
                self._below[edge.earlier].append(edge)
        self.lines: list[str] = []
        # A stack of what is still to be drawn: a chain may be longer than Python calls functions in each other.
        left = [(key, "", "") for key, edges in self._earlier.items() if not edges][::-1]
        while left:
            left += reversed(self._draw(*left.pop()))

    def _draw(self, key: str, head: str, indent: str) -> list[tuple[str, str, str]]:
        """Add the line of a job, and return what is to be drawn next: those below it."""
        others = [
            f"{self._nodes[edge.earlier].name}{f' ({_names(edge)})' if edge.names else ''}"
            for edge in self._earlier[key][:-1]
        ]
        also = f" · also after {', '.join(others)}" if others else ""
        self.lines.append(f"{head}{_line(self._nodes[key], clusters=self._several)}{also}")
        below = self._below[key]
        found = []
        for edge in below:
            corner, further = ("└─", "   ") if edge is below[-1] else ("├─", "│  ")
            label = _label(edge)
            arrow = f"{corner}{f' {label} ' if label else ''}─▶ "
            found.append((edge.later, f"{indent}{arrow}", f"{indent}{further}"))
        return found


def _label(edge: Edge) -> str:
    return " ".join(filter(None, [_names(edge), "task by task" if edge.by_task else ""]))


def _names(edge: Edge) -> str:
    text = ", ".join(edge.names)
    return text if len(text) <= _LONGEST_NAMES else f"{edge.names[0]} and {len(edge.names) - 1} more"


def _several_clusters(graph: JobGraph) -> bool:
    """Tell whether an id alone does not say which job it is."""
    return len({node.cluster for node in graph.nodes}) > 1


def _who(node: Node, *, clusters: bool) -> str:
    there = f" on {printable(node.cluster)}" if clusters else ""
    return f"{'sweep' if node.tasks else 'job'} {node.job_id}{there}"


def _line(node: Node, *, clusters: bool) -> str:
    look = state_look(node.state)
    parts = [f"{look.glyph} {printable(node.name)}", _who(node, clusters=clusters), look.word]
    return " · ".join([*parts, *_more(node)])


def _more(node: Node) -> list[str]:
    """Return what there is to say of a job besides its name and state."""
    more = []
    if node.tasks:
        counts = ", ".join(f"{number:,} {state_look(state).word}" for state, number in node.counts.items())
        more.append(f"{counts} of {node.tasks:,}" if counts else f"{node.tasks:,} tasks")
    if node.elsewhere:
        more.append("not of this notebook")
    if node.state == "FAILED" and node.message:
        text = printable(node.message)
        more.append(text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…")
    return more


def graph_mermaid(graph: JobGraph) -> str:
    """Return the graph in Mermaid's language (https://mermaid.js.org, flowchart); names are escaped."""
    places = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    title = f"{len(graph.nodes)} jobs and what they wait for"
    lines = ["flowchart LR", f"    accTitle: {title}", f"    accDescr: {_summary(graph)}"]
    for node in graph.nodes:
        look = state_look(node.state)
        opening, closing = ("[[", "]]") if node.tasks else ("(", ")")
        who = _who(node, clusters=_several_clusters(graph))
        head = f"{look.glyph} {printable(node.name)}", f"{who} · {look.word}"
        text = "<br/>".join(_escaped(line) for line in [*head, *_more(node)])
        lines.append(f'    {places[node.key]}{opening}"{text}"{closing}:::{_class(node.state)}')
    for edge in graph.edges:
        label = f'|"{_escaped(_label(edge))}"|' if _label(edge) else ""
        arrow = "==>" if edge.by_task else "-->" if edge.names else "-.->"
        lines.append(f"    {places[edge.earlier]} {arrow}{label} {places[edge.later]}")
    for state in sorted({node.state for node in graph.nodes}):
        colour = state_look(state).colour
        lines.append(f"    classDef {_class(state)} fill:{colour},stroke:#ffffff,color:#ffffff")
    lines += _remarks(graph)
    if graph.edges:
        # A grey that is to be seen on light and on dark pages: the picture stays when the theme changes.
        lines.append("    linkStyle default stroke:#7d7d7d")
    return "\n".join(lines)


def _remarks(graph: JobGraph) -> list[str]:
    """Return the lines of a box with what must be said of the graph: a picture has no last line."""
    if not graph.remarks:
        return []
    text = "<br/>".join(_escaped(printable(text)) for text in graph.remarks)
    return [f'    remarks["{text}"]:::remarks', "    classDef remarks fill:#f2f2f2,stroke:#7d7d7d,color:#333333"]


def _summary(graph: JobGraph) -> str:
    counts: dict[str, int] = {}
    for node in graph.nodes:
        word = state_look(node.state).word
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    return ". ".join([told, *(" ".join(printable(text).split()) for text in graph.remarks)])


def _class(state: str) -> str:
    return f"state_{state.lower()}"


def _escaped(text: str) -> str:
    """Return text whose signs mean nothing in Mermaid: those of ASCII but letters and digits as ``#number;``."""
    return "".join(c if c.isalnum() or c in " ,.·" or ord(c) > 127 else f"#{ord(c)};" for c in text)  # noqa: PLR2004
