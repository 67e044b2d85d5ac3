"""Keys of cells, and the cache that finds jobs by them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gcs_lab.cells.cell_cache import DONE, FAILED, RUNNING, CacheEntry, CellCache, ended_in, stamp
from gcs_lab.cells.cell_key import CellKey, cell_key, differences
from gcs_lab.cells.file_digest import named_file_digest
from gcs_lab.cells.imported_code import imported_code, imports_in, versions_there
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.upstream import Upstream
from gcs_lab.errors import InvalidArgument, NotPicklable


def plan(source: str, namespace=None, **options):
    request = CellRequest(
        source=source,
        filename="/tmp/cell.py",
        display_name="Cell In[1]",
        display_source=source,
        namespace=namespace or {},
        options=CellOptions(cache=True, **options),
        execution_count=1,
    )
    return plan_cell(request)


def key(source: str, namespace=None, **options) -> CellKey:
    found = plan(source, namespace, **options)
    found.points = asked_points(found.request.options, {})
    return cell_key(found, lambda _: None)


def test_comments_blank_lines_and_the_magics_line_do_not_count():
    plain = key("\nx = 1\nif x:\n    y = [1, 2]\n")
    assert key("\n\n# a comment\nx = 1  # more\n\nif x:\n\n    y = [1,\n         2]\n") == plain
    assert key("\nx = 2\nif x:\n    y = [1, 2]\n").digest != plain.digest


def test_magics_in_the_source_count():
    one = "\nfiles = get_ipython().getoutput('ls {}')\n"
    assert key(one.format("a")).digest != key(one.format("b")).digest


def test_what_does_not_change_a_result_does_not_count():
    plain = key("x = 1")
    others = [
        key("x = 1", name="named"),
        key("x = 1", requests={"h_rt": "60"}, queue="all.q"),
        key("x = 1", parallel_environment="smp", slots=(2, 2), priority=3),
    ]
    assert {other.digest for other in others} == {plain.digest}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": "y = n + 2"}, "source changed"),
        ({"namespace": {"n": 2}}, "input n changed"),
        ({"outputs": ["n"]}, "--out: nothing → n"),
        ({"cwd": "/tmp"}, "folder: "),
        ({"environment": {"A": "1"}}, "--env A is new"),
        ({"over": ["x=range(3)"]}, "it is a sweep now"),
        ({"inputs": ["extra"], "namespace": {"n": 1, "extra": 2}}, "input extra is new"),
        ({"source": "import numpy\ny = n + 1"}, "source changed, it uses numpy "),
        ({"cache_files": [__file__]}, f"--cache-file {__file__} is new"),
    ],
)
def test_what_changes_a_result_counts_and_is_told(change, told):
    plain = {"source": "y = n + 1", "namespace": {"n": 1}}
    before, after = key(**plain), key(**(plain | change))
    assert before.digest != after.digest
    assert ", ".join(differences(before, after)).startswith(told)
    assert differences(before, key(**plain)) == []


def test_versions_of_packages_count(monkeypatch):
    import gcs_lab.cells.imported_code as module

    before = key("y = a.sum()", {"a": np.zeros(3)})
    assert "numpy" in before.parts["packages"]
    monkeypatch.setattr(module, "_version", lambda name: "2.99.0" if name == "numpy" else "0")
    after = key("y = a.sum()", {"a": np.zeros(3)})
    assert f"numpy {before.parts['packages']['numpy']} → 2.99.0" in differences(before, after)


def test_the_values_of_the_environment_are_not_kept():
    found = key("x = 1", environment={"PASSWORD": "very-secret"})
    assert "very-secret" not in found.to_json()


def test_a_key_is_the_same_after_it_was_kept():
    found = key("y = n", {"n": 1})
    assert CellKey.from_json(found.to_json()) == found
    assert CellKey.from_json(found.to_json()).digest == found.digest


def test_values_of_earlier_jobs_count_by_the_key_of_these_or_by_the_job():
    upstream = Upstream("7", "first", folder="/jobs/first", output="a")
    later = plan("b = 1")
    later.from_jobs = {"a": upstream}
    keyed = cell_key(later, lambda folder: "k1" if folder == "/jobs/first" else None)
    assert keyed.parts["from jobs"] == {"a": "key k1 a"}
    assert cell_key(later, lambda _: None).parts["from jobs"] == {"a": "/jobs/first a"}


def test_what_cannot_be_compared_is_named_with_its_type_and_the_reason():
    with pytest.raises(NotPicklable, match="gen, of type generator: cannot pickle 'generator' object"):
        key("y = list(gen)", {"gen": (n for n in range(3))})


def test_the_own_modules_that_a_module_imports_count_too(tmp_path):
    (tmp_path / "gcs_test_one.py").write_text("import json\nfrom gcs_test_two.part import v\nfrom . import nothing\n")
    (tmp_path / "gcs_test_two").mkdir()
    (tmp_path / "gcs_test_two" / "__init__.py").write_text("")
    (tmp_path / "gcs_test_two" / "part.py").write_text("v = 1\n")
    (tmp_path / "gcs_test_two" / "data.txt").write_text("not code")
    found = imported_code(["gcs_test_one", "numpy.linalg", "json", "no_such_module"], [str(tmp_path)])
    assert sorted(Path(name).name for name in found.files) == ["__init__.py", "gcs_test_one.py", "part.py"]
    assert list(found.packages) == ["numpy"]
    (tmp_path / "gcs_test_two" / "part.py").write_text("v = 2\n")
    again = imported_code(["gcs_test_one"], [str(tmp_path)])
    assert [name for name in found.files if found.files[name] != again.files[name]] == [
        str(tmp_path / "gcs_test_two" / "part.py")
    ]


def test_imports_are_found_wherever_they_stand():
    assert imports_in("import a.b\ndef f():\n    from c.d import e\n    from . import g\n") == {"a.b", "c.d"}


def test_another_python_is_asked_for_its_versions(tmp_path):
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    version, packages = versions_there([], str(python))
    assert version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert isinstance(packages, dict)
    with pytest.raises(NotPicklable, match="could not be asked for its version"):
        versions_there([], "/bin/false")


def test_a_folder_counts_by_its_files_and_their_names(tmp_path):
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (data / "deep" / "a").write_text("1")
    path, before = named_file_digest("data", str(tmp_path))
    assert path == str(data)
    (data / "deep" / "a").rename(data / "deep" / "b")
    assert named_file_digest("data", str(tmp_path))[1] != before
    with pytest.raises(InvalidArgument, match=r"--cache-file nowhere: .* cannot be read: No such file"):
        named_file_digest("nowhere", str(tmp_path))


# -- the database -----------------------------------------------------------------------------------------------------


def entry(folder, found: CellKey, **values) -> CacheEntry:
    values = {"cluster": "embedded", "job_id": "1", "name": "fit", **values}
    return CacheEntry(folder=str(folder), key=found.digest, parts=found.to_json(), **values)


@pytest.fixture
def cache(tmp_path) -> CellCache:
    return CellCache(tmp_path / "cache.sqlite")


def test_jobs_are_found_by_their_key_newest_first(cache):
    one, other = key("x = 1"), key("x = 2")
    cache.add(entry("/a", one, submitted=1.0))
    cache.add(entry("/b", one, submitted=2.0))
    cache.add(entry("/c", other, submitted=3.0))
    assert [found.folder for found in CellCache(cache.path).equal_to(one)] == ["/b", "/a"]
    assert cache.key_of("/c") == other.digest
    assert cache.key_of("/d") is None
    cache.remove(["/b", "/never"])
    assert [found.folder for found in cache.equal_to(one)] == ["/a"]
    assert cache.path.stat().st_mode & 0o777 == 0o600


def test_the_predecessor_is_that_of_the_cell_then_of_the_name_then_of_the_source(cache):
    found = key("x = n", {"n": 1})
    cache.add(entry("/cell", key("x = 1"), notebook="a.ipynb", cell="c1", submitted=1.0))
    cache.add(entry("/name", key("x = 2"), notebook="b.ipynb", name="fit", named=1, submitted=2.0))
    cache.add(entry("/source", key("x = n", {"n": 5}), name="cell_3", submitted=3.0))

    def folder(*where):
        earlier = cache.predecessor(*where, found)
        return earlier and earlier.folder

    assert folder("a.ipynb", "c1", "fit") == "/cell"
    assert folder("b.ipynb", "c1", "fit") == "/name"
    assert folder("c.ipynb", "c1", "fit") == "/source"
    assert folder("", "", None) == "/source"
    cache.remove(["/source"])
    assert folder("", "", "cell_3") is None


def test_hits_and_ends_are_kept(cache):
    cache.add(entry("/a", key("x = 1")))
    assert cache.everything()[0].state == RUNNING
    cache.settle("/a", DONE, "stamp", finished=5.0)
    cache.count_hit("/a")
    cache.count_hit("/a")
    found = cache.everything()[0]
    assert (found.state, found.stamp, found.finished, found.hits) == (DONE, "stamp", 5.0, 2)


# -- folders ----------------------------------------------------------------------------------------------------------


def event(seq: int, kind: str, **body) -> str:
    return json.dumps({"seq": seq, "t": 1.0, "type": kind, **body}) + "\n"


@pytest.fixture
def folder(tmp_path) -> JobFolder:
    found = JobFolder(tmp_path / "job")
    found.path.mkdir(mode=0o700)
    for file in (found.spec, found.outputs):
        file.write_text("{}")
        file.chmod(0o600)
    return found


GOOD = event(1, "outputs", names=["x"], missing=[], skipped={}) + event(2, "finished", exit_status=0, reason="done")


@pytest.mark.parametrize(
    ("log", "ended"),
    [
        ("", None),
        (event(0, "started"), None),
        (event(0, "started") + GOOD, DONE),
        (event(0, "started") + GOOD + event(3, "started"), None),
        (event(0, "started") + event(1, "finished", exit_status=1, reason="error"), FAILED),
        (event(0, "started") + event(1, "finished", exit_status=0, reason="killed"), FAILED),
        (event(0, "started") + GOOD.replace('"skipped": {}', '"skipped": {"y": {"type": "T", "why": "w"}}'), FAILED),
    ],
)
def test_how_a_job_ended_is_read_from_its_folder(folder, log, ended):
    folder.events.write_text(log)
    assert ended_in(folder) == ended


def test_a_result_that_is_not_as_it_was_left_is_refused(folder):
    folder.events.write_text(GOOD)
    folder.events.chmod(0o600)
    kept = entry(folder.path, key("x = 1"), state=DONE, stamp=stamp(folder))
    assert kept.what_is_wrong() == ""
    os.utime(folder.outputs, (time.time() + 5, time.time() + 5))
    assert "damaged" in kept.what_is_wrong()
    kept.stamp = stamp(folder)
    folder.outputs.chmod(0o666)
    assert "may be written by everybody" in kept.what_is_wrong()
    folder.outputs.unlink()
    assert "damaged" in kept.what_is_wrong()
    folder.spec.unlink()
    folder.events.unlink()
    folder.path.rmdir()
    assert kept.what_is_wrong() == "its job folder is gone"
