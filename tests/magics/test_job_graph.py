"""The graph of jobs: which are shown, and how they are drawn."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from gcs_lab.cells.journal import JournalEntry
from gcs_lab.magics.graph_drawing import GraphDrawing, graph_mermaid, graph_text
from gcs_lab.magics.job_graph import MOST_SHOWN, Edge, JobGraph, Node, graph_of


def entry(name, number, after=(), notebook="/n/mine.ipynb", **more):
    return JournalEntry(
        folder=f"/j/{name}", cluster="here", job_id=str(number), name=name, notebook=notebook,
        submitted=float(number), after=json.dumps([f"/j/{one}" for one in after]), **more,
    )  # fmt: skip


def graph(entries, everything=False):
    mine = {one.folder for one in entries if one.notebook == "/n/mine.ipynb"}
    asked = []

    def states(unfinished):
        asked.append([one.name for one in unfinished])
        return {one.folder: ("RUNNING", {}) for one in unfinished}

    found = graph_of(entries, mine, states, everything=everything)
    assert len(asked) == 1
    return found


def names(found):
    return [node.name for node in found.nodes]


def test_relatives_in_other_notebooks_are_shown_and_strangers_are_not():
    entries = [
        entry("root", 1, notebook="/n/other.ipynb"),
        entry("mine", 2, ["root"]),
        entry("child", 3, ["mine"], notebook="/n/other.ipynb"),
        entry("grandchild", 4, ["child"], notebook="/n/other.ipynb"),
        entry("sibling", 5, ["root"], notebook="/n/other.ipynb"),
    ]
    found = graph(entries)
    assert names(found) == ["root", "mine", "child", "grandchild"]
    assert [node.elsewhere for node in found.nodes] == [True, False, True, True]
    assert names(graph(entries, everything=True)) == ["root", "mine", "child", "grandchild", "sibling"]


def test_of_many_jobs_the_connected_ones_are_shown_then_the_newest():
    alone = [entry(f"alone_{n}", n) for n in range(200)]
    few = [entry("a", 500), entry("b", 501, ["a"])]
    found = graph([*alone, *few])
    assert names(found) == ["a", "b"]
    assert found.left_out == "2 of 202 jobs; --all shows every one"
    assert len(names(graph([*alone, *few], everything=True))) == 202
    chain = [entry("c0", 0), *(entry(f"c{n}", n, [f"c{n - 1}"]) for n in range(1, 200))]
    assert names(graph(chain)) == [f"c{n}" for n in range(200 - MOST_SHOWN, 200)]
    text = graph_text(graph(chain))
    assert text.splitlines()[-1] == "50 of 200 jobs; --all shows every one"


def test_only_unfinished_jobs_are_asked_for():
    entries = [entry("old", 1, state="DONE", finished=2.0), entry("new", 2, ["old"])]
    asked = []
    graph_of(entries, {"/j/old", "/j/new"}, lambda those: asked.extend(those) or {}, everything=False)
    assert [one.name for one in asked] == ["new"]


def test_a_job_that_waits_for_several_stands_once_below_the_last():
    nodes = [Node(f"/{n}", n, n, "here", "RUNNING") for n in "abcd"]
    edges = [
        Edge("/a", "/b", ("x",)),
        Edge("/a", "/d", ("x", "y")),
        Edge("/b", "/d"),
        Edge("/b", "/c", (), by_task=True),
    ]
    assert graph_text(JobGraph(nodes, edges)) == (
        "▶ a · job a · running\n"
        "└─ x ─▶ ▶ b · job b · running\n"
        "   ├─ task by task ─▶ ▶ c · job c · running\n"
        "   └──▶ ▶ d · job d · running · also after a (x, y)"
    )


def test_a_sweep_shows_its_counts_and_a_failure_its_reason():
    nodes = [
        Node("/a", "scan", "1", "here", "RUNNING", tasks=1200, counts={"DONE": 1000, "RUNNING": 200}),
        Node("/b", "fit", "2", "here", "FAILED", message="ValueError: " + "x" * 200),
    ]
    first, second = graph_text(JobGraph(nodes, [])).splitlines()
    assert first == "▶ scan · sweep 1 · running · 1,000 done, 200 running of 1,200"
    assert second.startswith("✗ fit · job 2 · failed · ValueError: xxx")
    assert second.endswith("x…")


def test_mermaid_is_safe_from_names():
    nodes = [Node("/a", 'a"];click<script>', "1", "here", "DONE"), Node("/b", "é\nend", "2", "here", "QUEUED")]
    text = graph_mermaid(JobGraph(nodes, [Edge("/a", "/b", ("x",))]))
    assert 'n0("✓ a#34;#93;#59;click#60;script#62;<br/>job 1 · done"):::state_done' in text
    assert text.count("\n") == 8
    assert 'n0 -->|"x"| n1' in text
    assert "classDef state_done fill:#0b6b4f,stroke:#ffffff,color:#ffffff" in text


def test_the_bundle_has_text_for_those_who_do_not_draw_and_an_empty_graph_says_so():
    assert set(GraphDrawing(JobGraph([], []))._repr_mimebundle_()) == {"text/plain"}
    assert "no jobs of this notebook" in repr(GraphDrawing(JobGraph([], [])))
    bundle = GraphDrawing(JobGraph([Node("/a", "a", "1", "here", "DONE")], []))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/vnd.mermaid", "image/svg+xml"}


def test_a_page_without_network_has_the_text_as_a_picture():
    nodes = [Node("/a", "a<&", "1", "here", "DONE"), Node("/b", "\x1b[1mb\x00", "2", "here", "QUEUED")]
    graph = GraphDrawing(JobGraph(nodes, [Edge("/a", "/b", ("x",))]))
    picture = ET.fromstring(graph._repr_mimebundle_()["image/svg+xml"])
    assert [line.text for line in picture.iter("{http://www.w3.org/2000/svg}text")] == repr(graph).split("\n")
    assert float(picture.attrib["width"]) > max(map(len, repr(graph).split("\n"))) * 7
    page, _ = HTMLExporter().from_notebook_node(
        new_notebook(cells=[new_code_cell(outputs=[new_output("display_data", graph._repr_mimebundle_())])])
    )
    assert 'src="data:image/svg+xml;base64,' in page
    assert '<div class="jp-Mermaid">' not in page


def test_what_must_be_said_is_in_the_text_in_the_picture_and_for_those_who_hear_it():
    graph = JobGraph([Node("/a", "a", "1", "here", "DONE")], [], "1 of 60 jobs", ("there gave no answer: <gone>",))
    assert graph_text(graph).splitlines()[1:] == ["there gave no answer: <gone>", "1 of 60 jobs"]
    drawn = graph_mermaid(graph)
    assert 'remarks["there gave no answer#58; #60;gone#62;<br/>1 of 60 jobs"]:::remarks' in drawn
    assert "accDescr: 1 done. there gave no answer: <gone>. 1 of 60 jobs\n" in drawn
    assert "remarks" not in graph_mermaid(JobGraph(graph.nodes, []))


def test_jobs_of_several_clusters_are_told_apart():
    both = [Node("/a", "a", "1", "here", "DONE"), Node("/b", "b", "1", "there", "RUNNING")]
    assert graph_text(JobGraph(both, [])) == "✓ a · job 1 on here · done\n▶ b · job 1 on there · running"
    assert "job 1 on there · running" in graph_mermaid(JobGraph(both, []))
    assert graph_text(JobGraph(both[:1], [])) == "✓ a · job 1 · done"


def test_a_graph_that_is_too_long_to_be_drawn_is_shown_as_text():
    many = [Node(f"/{n}", "n" * 200, str(n), "here", "DONE") for n in range(600)]
    assert set(GraphDrawing(JobGraph(many, []))._repr_mimebundle_()) == {"text/plain"}


def test_a_chain_longer_than_python_nests_calls_is_drawn():
    nodes = [Node(str(n), f"job_{n}", str(n), "here", "DONE") for n in range(1200)]
    edges = [Edge(str(n), str(n + 1)) for n in range(1199)]
    assert graph_text(JobGraph(nodes, edges)).splitlines()[-1].endswith("└──▶ ✓ job_1199 · job 1199 · done")
