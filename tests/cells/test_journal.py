from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.errors import Internal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.sqlite")


def _entry(n, **more):
    return JournalEntry(
        folder=f"/f/{n}", cluster="embedded", job_id=str(n), name=f"job{n}", submitted=float(n), **more
    )


def test_entries_are_found_by_id_and_name_newest_first(journal):
    journal.add(_entry(1))
    journal.add(JournalEntry(folder="/f/2", cluster="embedded", job_id="2", name="job1", submitted=2.0))
    assert [entry.job_id for entry in journal.find("job1")] == ["2", "1"]
    assert [entry.folder for entry in journal.find("1")] == ["/f/1"]
    assert journal.find("1", cluster="demo") == []


def test_an_entry_without_an_id_is_kept_but_not_offered(journal):
    journal.add(JournalEntry(folder="/f/9", cluster="embedded", job_id="", name="x"))
    assert journal.recent() == []
    assert [entry.folder for entry in journal.everything()] == ["/f/9"]


def test_update_changes_only_what_it_names(journal):
    journal.add(_entry(1, notebook="a.ipynb"))
    journal.update("/f/1", state="DONE", finished=5.0)
    (entry,) = journal.of_notebook("a.ipynb")
    assert (entry.state, entry.finished, entry.name) == ("DONE", 5.0, "job1")
    with pytest.raises(TypeError, match="nonsense"):
        journal.update("/f/1", nonsense=1)


def test_remove_forgets(journal):
    journal.add(_entry(1))
    journal.remove(["/f/1"])
    assert journal.everything() == []


def test_names_with_anything_in_them_come_back_unchanged(journal):
    name = "a'; DROP TABLE jobs; --\n\"é$(x)"
    journal.add(JournalEntry(folder="/f/1", cluster="c", job_id="1", name=name))
    assert [entry.name for entry in journal.find(name)] == [name]


_WRITER = """
import sys
from pathlib import Path
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.errors import Internal
journal, start = Journal(Path(sys.argv[1])), int(sys.argv[2])
for n in range(start, start + 50):
    journal.add(JournalEntry(folder=f"/f/{n}", cluster="c", job_id=str(n), name="x"))
"""


def test_processes_write_at_once_and_nothing_is_lost(tmp_path):
    path = tmp_path / "journal.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(100 * n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(Journal(path).everything()) == 150


def test_the_file_is_for_its_user_alone(journal):
    assert journal.path.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(journal.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_journal_of_version_one_is_brought_up_to_date_and_loses_nothing(tmp_path):
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE jobs (folder TEXT PRIMARY KEY, cluster TEXT NOT NULL, job_id TEXT NOT NULL, "
            "name TEXT NOT NULL, notebook TEXT NOT NULL, cell TEXT NOT NULL, execution_count INTEGER NOT NULL, "
            "submitted REAL NOT NULL, state TEXT NOT NULL, finished REAL NOT NULL, message TEXT NOT NULL) STRICT"
        )
        connection.execute("INSERT INTO jobs VALUES ('/f', 'c', '1', 'fit', 'n.ipynb', '', 1, 1.0, 'DONE', 2.0, '')")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    (entry,) = Journal(path).find("fit")
    assert (entry.folder, entry.finished, entry.kind, entry.tasks, entry.after) == ("/f", 2.0, "cell", 0, "[]")
    Journal(path).add(JournalEntry(folder="/g", cluster="c", job_id="2", name="grid", kind="sweep", tasks=9))
    assert [(one.kind, one.tasks) for one in Journal(path).everything()] == [("sweep", 9), ("cell", 0)]


def test_a_journal_of_a_newer_version_is_told_and_left_alone(tmp_path):
    path = tmp_path / "journal.sqlite"
    Journal(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Internal, match="newer gcs_lab"):
        Journal(path)


def test_on_a_network_file_system_the_journal_needs_no_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("gcs_lab.user_database.is_on_network", lambda _: True)
    journal = Journal(tmp_path / "journal.sqlite")
    with closing(sqlite3.connect(journal.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    journal.add(_entry(1))
    assert [entry.job_id for entry in journal.recent()] == ["1"]


def test_entries_without_an_id_are_found_to_be_completed(journal):
    journal.add(_entry(1))
    journal.add(JournalEntry(folder="/f/9", cluster="c", job_id="", name="x"))
    assert [entry.folder for entry in journal.without_id()] == ["/f/9"]
