"""`--cache`: an equal job is taken instead of being run again, and what differs is said."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from kernel_session import start_kernel

from gcs_lab.cells.cell_cache import CellCache, ended_in
from gcs_lab.cells.job_folder import JobFolder

EMBEDDED = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


def _submitted(kernel) -> int:
    return int(kernel.value("len(__import__('gcs_lab.cells.journal', fromlist=['x']).Journal().everything())"))


def _run(kernel, flags: str, code: str):
    outputs = kernel.run(f"%%gcs run --cache {flags}\n{code}")
    assert outputs.error() is None, outputs.traceback()
    return outputs


def test_an_equal_cell_is_taken_with_its_output_and_values(kernel, cluster):
    kernel.run("import numpy as np\ndata = np.arange(5)")
    code = f"print('computed on', {cluster!r})\ntotal = int(data.sum())\ntotal + 1"
    first = _run(kernel, f"-N taken-{cluster}", code)
    assert "gcs: nothing to take from the cache: no earlier job" in first.text("stdout")
    before = _submitted(kernel)
    kernel.run("del total")

    second = _run(kernel, f"-N taken-{cluster}", "# a comment\n" + code.replace("\n", "\n\n"))
    assert _submitted(kernel) == before
    said = second.text("stdout")
    assert re.search(
        r"gcs: taken from job \d+ of \d{4}-\d\d-\d\d \d\d:\d\d \(same source, 1 input, Python 3\.\d+\.\d+, 1 package\); "
        r"%gcs cache clear \d+ runs it anew",
        said,
    )
    assert "computed" in said
    assert second.result() == "11"
    assert kernel.value("total") == "10"


@EMBEDDED
def test_a_submitted_cell_has_its_values_at_once_when_it_is_taken(kernel):
    _run(kernel, "-N at-once", "value = 6 * 7")
    kernel.run("del value")
    kernel.run("%%gcs submit --cache\nvalue = 6 * 7")
    assert kernel.value("value") == "42"


@EMBEDDED
def test_a_miss_says_what_differed(kernel):
    kernel.run("def f(x): return x + 1\nn = 1")
    _run(kernel, "-N differs", "y = f(n)")
    kernel.run("n = 2")
    assert "input n changed since job" in _run(kernel, "-N differs", "y = f(n)").text("stdout")
    kernel.run("def f(x): return x + 2")
    assert "input f changed since job" in _run(kernel, "-N differs", "y = f(n)").text("stdout")
    kernel.run("\n\n# moved\ndef f(x): return x + 2")
    assert "taken from job" in _run(kernel, "-N differs", "y = f(n)").text("stdout")
    changed = _run(kernel, "-N differs --env MODE=fast", "y = f(n) * 2").text("stdout")
    assert "source changed, --env MODE is new since job" in changed


@EMBEDDED
def test_files_that_are_named_count(kernel):
    kernel.run("from pathlib import Path\nPath('in.csv').write_text('1')")
    code = "text = open('in.csv').read()"
    _run(kernel, "-N files --cache-file in.csv", code)
    assert "taken from job" in _run(kernel, "-N files --cache-file in.csv", code).text("stdout")
    kernel.run("Path('in.csv').write_text('2')")
    assert re.search(r"in\.csv changed since job", _run(kernel, "-N files --cache-file in.csv", code).text("stdout"))
    assert kernel.value("text") == "'2'"
    missing = kernel.run("%%gcs run --cache-file nothing.csv\n1")
    assert "nothing.csv cannot be read: No such file" in missing.traceback()


@EMBEDDED
def test_a_module_beside_the_notebook_counts_by_its_content(kernel):
    kernel.run("from pathlib import Path\nPath('own_code.py').write_text('import own_more\\nv = own_more.v')")
    kernel.run("Path('own_more.py').write_text('v = 1')")
    code = "import own_code\nseen = own_code.v"
    _run(kernel, "-N module", code)
    assert "2 files of own modules" in _run(kernel, "-N module", code).text("stdout")
    kernel.run("Path('own_more.py').write_text('v = 2')")
    assert "own_more.py changed since job" in _run(kernel, "-N module", code).text("stdout")
    assert kernel.value("seen") == "2"


@EMBEDDED
def test_a_failed_job_is_not_taken(kernel):
    code = "import pathlib\nif not pathlib.Path('ready').exists():\n    raise ValueError('not yet')\nz = 1"
    assert "not yet" in kernel.run(f"%%gcs run --cache -N fails\n{code}").traceback()
    kernel.run("open('ready', 'w').close()")
    second = _run(kernel, "-N fails", code)
    assert re.search(r"job \d+ of .* was equal, but it failed", second.text("stdout"))
    assert "taken from" in _run(kernel, "-N fails", code).text("stdout")


@EMBEDDED
def test_an_equal_job_that_runs_is_attached_to(kernel):
    code = "import time\nprint('once')\ntime.sleep(2)\nslow = 1"
    kernel.run(f"%%gcs submit --cache -N attached\n{code}")
    before = _submitted(kernel)
    outputs = _run(kernel, "-N attached", code)
    assert _submitted(kernel) == before
    assert "is equal and not done yet: nothing is submitted" in outputs.text("stdout")
    assert "once" in outputs.text("stdout")
    assert kernel.value("slow") == "1"
    assert "taken from job" in _run(kernel, "-N attached", code).text("stdout")


@EMBEDDED
def test_a_result_outlives_its_kernel_even_if_nobody_saw_its_end(tmp_path_factory, own_kernel):
    code = "%%gcs submit --cache -N outlives\nimport time\ntime.sleep(1)\nafterwards = [1, 2]"
    folder = own_kernel.value("__import__('os').getcwd()").strip("'")
    own_kernel.run(code)
    own_kernel.manager.shutdown_kernel(now=True)
    (entry,) = [entry for entry in CellCache().everything() if entry.name == "outlives"]
    deadline = time.monotonic() + 30
    while ended_in(JobFolder(Path(entry.folder))) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    other = start_kernel(tmp_path_factory, "embedded")
    try:
        other.run(f"%cd -q {folder}")
        outputs = other.run(code.replace("submit", "run"))
        assert outputs.error() is None, outputs.traceback()
        assert "taken from job" in outputs.text("stdout"), outputs.text()
        assert other.value("afterwards") == "[1, 2]"
    finally:
        other.close()


@EMBEDDED
def test_a_damaged_or_deleted_folder_is_a_miss_and_said(kernel):
    code = "kept = list(range(1000))"
    for harm, told in (("write_bytes(b'x')", "is damaged"), ("parent and shutil.rmtree({}.parent)", "is gone")):
        _run(kernel, "-N harmed", code)
        path = "(Path(gcs_last.folder) / 'outputs.payload')"
        kernel.run(
            "from pathlib import Path\nimport shutil\nfrom gcs_lab.cells.journal import Journal\n"
            f"gcs_last = Journal().find('harmed')[0]\n{path}.{harm.format(path)}"
        )
        outputs = _run(kernel, "-N harmed", code)
        assert told in outputs.text("stdout")
        assert kernel.value("len(kept)") == "1000"


@EMBEDDED
def test_what_cannot_be_compared_is_named_and_the_job_runs(kernel):
    kernel.run(
        "import itertools\nclass Restless:\n    count = itertools.count()\n"
        "    def __reduce__(self): return str, (str(next(Restless.count)),)\nvalue = Restless()"
    )
    outputs = _run(kernel, "", "text = str(value)")
    assert re.search(r"not cached: value, of type __main__.Restless: its pickle is another each time", outputs.text())
    assert kernel.value('text.strip("\'").isdigit()') == "True"


@EMBEDDED
def test_explain_says_whether_it_would_be_taken_and_sends_nothing(kernel):
    before = _submitted(kernel)
    assert "no earlier job" in kernel.run("%%gcs run --cache --explain\nexplained = 1").result()
    _run(kernel, "", "explained = 1")
    assert _submitted(kernel) == before + 1
    assert "taken from job" in kernel.run("%%gcs run --cache --explain\nexplained = 1").result()


@EMBEDDED
def test_the_cache_is_listed_explained_and_cleared(kernel):
    kernel.run("import numpy as np\nlisted_in = np.ones(3)")
    _run(kernel, "-N listed", "listed = listed_in * 2")
    _run(kernel, "-N listed", "listed = listed_in * 2")
    assert kernel.run("%gcs cache").error() is None, kernel.run("%gcs cache").traceback()
    table = kernel.run("cached = %gcs cache\nprint(cached[cached['name'] == 'listed'].iloc[0].to_dict())").text()
    assert "'source': 'listed = listed_in * 2'" in table
    assert "'inputs': 'listed_in'" in table
    assert "'hits': 1" in table
    explained = kernel.run("%gcs cache explain listed").text()
    assert re.search(r"input listed_in \(numpy\.ndarray\) +[0-9a-f]{32}", explained)
    assert re.search(r"package numpy +\d", explained)
    assert "the last cell's key is equal" in explained
    kernel.run("listed_in = np.zeros(3)")
    kernel.run("%%gcs run --cache --explain\nlisted = listed_in * 2")
    assert "against the last cell: input listed_in changed" in kernel.run("%gcs cache explain listed").text()
    assert "the key of the last cell is" in kernel.run("%gcs cache explain -").text()
    assert "say what" in kernel.run("%gcs cache clear").text() + kernel.run("%gcs cache clear").traceback()
    assert "forgot 1 result;" in kernel.run("%gcs cache clear listed").text()
    assert "no cached job is called 'listed'" in kernel.run("%gcs cache explain listed").traceback()


@EMBEDDED
def test_a_cell_in_another_language_is_taken_too(kernel):
    kernel.run("word = 'said'")
    for told in ("no earlier job", "taken from job"):
        outputs = _run(kernel, "-N script --lang bash --in word", "echo $word twice")
        assert told in outputs.text("stdout")
        assert "said twice" in outputs.text("stdout")
    kernel.run("word = 'other'")
    assert "input word changed" in _run(kernel, "-N script --lang bash --in word", "echo $word twice").text("stdout")


@EMBEDDED
def test_a_value_from_another_job_counts_by_that_jobs_key(kernel):
    kernel.run("%%gcs submit --cache -N source\nimport time\ntime.sleep(3)\nsource_value = 20")
    for told in ("no earlier job", "is equal and not done yet"):
        sink = kernel.run("%%gcs submit --cache -N sink\ndoubled = source_value * 2")
        assert sink.error() is None, sink.traceback()
        assert told in sink.text("stdout")
    kernel.run("%gcs wait")
    assert kernel.value("doubled") == "40"
    assert re.search(r"from a job source_value +key [0-9a-f]{32}", kernel.run("%gcs cache explain sink").text())


@EMBEDDED
def test_a_chain_is_taken_whole_when_its_values_have_come(kernel):
    chain = [
        "%%gcs submit --cache -N first\nimport numpy as np, time\ntime.sleep(1)\nrow = np.arange(9)",
        "%%gcs submit --cache -N second\ntotal = int(row.sum())",
        "%%gcs submit --cache -N third\ntext = f'{total}'",
    ]
    for source in chain:
        assert "no earlier job" in kernel.run(source).text("stdout")
    kernel.run("%gcs wait")
    before = _submitted(kernel)
    for source in chain:
        again = kernel.run(source)
        assert "taken from job" in again.text("stdout"), again.text()
    assert kernel.value("text") == "'36'"
    kernel.run("row = row + 1")
    assert "nothing to take from the cache" in kernel.run(chain[1]).text("stdout")
    kernel.run("%gcs wait")
    assert _submitted(kernel) == before + 1


@EMBEDDED
def test_a_sweep_is_one_result(kernel):
    flags, code = '-N swept --over "x=range(4)"', "square = x * x"
    first = kernel.run(f"%%gcs run --cache {flags}\n{code}")
    assert first.error() is None, first.traceback()
    assert "no earlier job" in first.text("stdout")
    before = _submitted(kernel)
    kernel.run("del sweep")
    second = kernel.run(f"%%gcs run --cache {flags} --as other\n{code}")
    assert second.error() is None, second.traceback()
    assert re.search(r"taken from job \d+ of .* \(same source, same points, Python", second.text("stdout"))
    assert _submitted(kernel) == before
    assert kernel.value("other.frame['square'].tolist()") == "[0, 1, 4, 9]"
    # As if the kernel had been gone when it ended: the folder tells.
    kernel.run(
        "from gcs_lab.cells.cell_cache import CellCache, RUNNING\ncache = CellCache()\n"
        "cache.settle(cache.everything()[0].folder, RUNNING)"
    )
    assert "taken from job" in kernel.run(f"%%gcs run --cache {flags}\n{code}").text("stdout")
    third = kernel.run(f'%%gcs run --cache -N swept --over "x=range(5)"\n{code}')
    assert "points of the sweep changed since job" in third.text("stdout")


@EMBEDDED
def test_a_cancelled_job_is_not_taken_and_not_waited_for(kernel):
    code = "import time\ntime.sleep(600 if wait_long else 0)\ndone = True"
    kernel.run("wait_long = True")
    kernel.run(f"%%gcs submit --cache -N cancelled\n{code}")
    kernel.run("%gcs cancel cancelled")
    kernel.run("%gcs wait cancelled")
    explained = kernel.run(f"%%gcs run --cache -N cancelled --explain\n{code}")
    assert explained.error() is None, explained.traceback()
    assert "was equal, but it failed" in explained.result()
