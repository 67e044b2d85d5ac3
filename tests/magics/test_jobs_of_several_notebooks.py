"""Jobs that several notebooks, or clusters, have under one name; no kernel is needed."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.errors import ClusterNotFound
from gcs_lab.magics import notebook_graph as module
from gcs_lab.magics.earlier_jobs import watch_unfinished
from gcs_lab.magics.notebook_graph import notebook_graph
from gcs_lab.magics.session import Session


@pytest.fixture
def session(monkeypatch, tmp_path):
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path))
    monkeypatch.setenv("JPY_SESSION_NAME", "/n/mine.ipynb")
    return Session()


def add(name, number, notebook="/n/mine.ipynb", cluster="embedded"):
    entry = JournalEntry(
        folder=f"/j/{cluster}-{number}", cluster=cluster, job_id=str(number), name=name, notebook=notebook,
        submitted=float(number), state="RUNNING",
    )  # fmt: skip
    Journal().add(entry)
    return entry.folder


def test_a_name_means_the_job_of_this_notebook_though_another_has_a_newer_one(session):
    mine = [add("fit", 1), add("fit", 2)]
    other = add("fit", 3, "/n/other.ipynb")
    assert [entry.folder for entry in session.entries(["fit", "3", "1"])] == [mine[1], other, mine[0]]
    only = add("scan", 4, "/n/other.ipynb")
    assert [entry.folder for entry in session.entries(["scan"])] == [only]


def test_the_graph_says_which_cluster_gave_no_answer(session):
    add("fit", 1, cluster="gone")
    add("scan", 2, cluster="gone")
    first, *_, last = repr(notebook_graph(session, everything=False)).splitlines()
    assert first == "▶ fit · job 1 · running"
    assert last.startswith("gone gave no answer, so 2 jobs there may be further than shown: ")
    assert "gone" in last.partition(": ")[2]


def test_a_cluster_that_hangs_is_not_waited_for(session, monkeypatch):
    add("fit", 1, cluster="slow")
    answer = threading.Event()

    def slow(name):
        answer.wait(60)
        raise ClusterNotFound(name)

    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    monkeypatch.setattr(session, "cluster", slow)
    try:
        told = repr(notebook_graph(session, everything=False)).splitlines()[-1]
    finally:
        answer.set()
    assert told.endswith("1 job there may be further than shown: it did not say anything within 0.05 s")


def test_a_waiting_job_of_a_cluster_that_is_gone_keeps_nobody_from_looking_at_the_others(session):
    with JobFolder.create("fit") as folder:
        folder.write_spec({"outputs": [], "source": "", "filename": "f"})
    lost = replace(
        session.journal.of_folder(add("fit", 2, cluster="gone")), folder=str(folder.path), after='["/j/gone-1"]'
    )
    session.journal.add(lost)
    watch_unfinished(session, [lost])
