"""What is there of a cell's job when something fails between its submission and its handle."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest
from in_memory_backend import InMemoryJobs

from gcs_lab.cells.job_folder import jobs_folder
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.cells.submission import submit_cell
from gcs_lab.errors import DrmCommunication
from gcs_lab.jobs import Jobs


@pytest.fixture
def backend():
    backend = InMemoryJobs()
    backend.supports_everything()
    return backend


@pytest.fixture
def cluster(backend):
    return SimpleNamespace(name="memory", system="in-memory system", jobs=Jobs(backend))


@pytest.fixture
def plan(monkeypatch, tmp_path):
    monkeypatch.setenv("GCS_LAB_JOBS", str(tmp_path / "jobs"))
    options = CellOptions(name="fit")
    return plan_cell(CellRequest(
        source="x = 1", filename="<cell>", display_name="Cell In[1]", display_source="x = 1", namespace={},
        options=options,
    ))  # fmt: skip


def test_a_job_that_was_submitted_keeps_its_folder_when_the_journal_cannot_be_written(
    cluster, backend, plan, tmp_path, monkeypatch
):
    journal = Journal(tmp_path / "journal.sqlite")

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(journal, "update", full)
    with pytest.raises(sqlite3.OperationalError):
        submit_cell(plan, cluster, journal)
    (template,) = backend.templates.values()
    (entry,) = journal.without_id()
    assert entry.folder in template.args
    assert [str(folder) for folder in jobs_folder().iterdir()] == [entry.folder]


def test_nothing_is_left_of_a_job_that_was_refused(cluster, backend, plan, tmp_path, monkeypatch):
    def silent(*_):
        raise DrmCommunication("the master does not answer.")

    monkeypatch.setattr(backend, "submit", silent)
    journal = Journal(tmp_path / "journal.sqlite")
    with pytest.raises(DrmCommunication):
        submit_cell(plan, cluster, journal)
    assert list(jobs_folder().iterdir()) == []
    assert journal.everything() == []
