"""`%gcs graph` as JupyterLab draws it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from live_lab import LiveLab

SHOTS = Path(__file__).parents[2] / "test-results" / "screenshots"
pytestmark = pytest.mark.browser

GRAPH = """\
from gcs_lab.magics.graph_drawing import GraphDrawing
from gcs_lab.magics.job_graph import Edge, JobGraph, Node

def node(key, name, state, **more):
    return Node(key, name, key, "here", state, **more)

nodes = [
    node("1", "prepare", "DONE"),
    node("2", 'fit<b>"]#;a', "RUNNING"),
    node("3", "scan & co", "RUNNING", tasks=10_000, counts={"DONE": 9_000, "RUNNING": 100, "QUEUED": 900}),
    node("4", "report é", "QUEUED_HELD"),
    node("5", "last", "FAILED", message='ValueError: no "such" column <script>document.title = "run"</script>'),
    node("6", "style", "DONE", elsewhere=True),
]
edges = [
    Edge("1", "2", ("data", "X")), Edge("1", "3", ("data",)), Edge("2", "4", ("model",)), Edge("3", "4", ("sweep",)),
    Edge("3", "6", ("y",), by_task=True), Edge("6", "5"),
]
GraphDrawing(JobGraph(nodes, edges))"""


def test_the_graph_is_drawn_with_states_names_and_text_for_those_who_do_not_see_it(lab: LiveLab):
    with lab.open([GRAPH]) as page:
        page.run_all()
        image = page.output(0).locator(".jp-RenderedMermaid img")
        image.wait_for()
        drawn = str(image.get_attribute("src"))
        head, _, data = drawn.partition(",")
        svg = base64.b64decode(data).decode() if head.endswith("base64") else unquote(data)
        for text in (
            "✓ prepare",
            "job 1 · done",
            "data, X",
            "9,000 done, 100 running, 900 queued of 10,000",
            "‖ report é",
        ):
            assert text in svg, text
        assert "fit&lt;b&gt;" in svg
        assert "<script" not in svg
        assert "6 jobs and what they wait for" in str(image.get_attribute("alt"))
        assert page.page.title() != "run"
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(SHOTS / "graph-light.png", cell=0)
        page.set_theme(dark=True)
        page.screenshot(SHOTS / "graph-dark.png", cell=0)
