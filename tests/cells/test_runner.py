"""The runner as a real process on real job folders: what it prints, computes and how it starts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.cells import runner
from gcs_lab.cells.event_log import Event, EventLog
from gcs_lab.cells.job_folder import JobFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILENAME = "/tmp/ipykernel_7/42.py"


class Run:
    """A job folder whose runner has ended."""

    def __init__(self, folder: Path, status: int, stderr: str) -> None:
        self.folder, self.status, self.stderr = folder, status, stderr
        self.events: list[Event] = []
        log = EventLog(folder / "events.jsonl")
        while batch := log.read():
            self.events += batch
        self.damaged = log.damaged

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.body for event in self.events if event.type == kind]

    def text(self, name: str = "stdout") -> str:
        return "".join(body["text"] for body in self.of("stream") if body["name"] == name)

    @property
    def finished(self) -> dict[str, Any]:
        assert self.events[-1].type == "finished"
        return self.events[-1].body

    @property
    def error(self) -> dict[str, Any]:
        (body,) = self.of("error")
        return body

    @property
    def outputs(self) -> dict[str, Any]:
        return runner.read_payload(str(self.folder / "outputs.payload"))[0]


def make_folder(source: str, inputs: dict[str, Any] | None = None, **spec: Any) -> Path:
    """Make a job folder under a short temporary path."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="gcsr"))
    (folder / "work").mkdir()
    JobFolder(folder).write_runner()
    if inputs:
        runner.write_payload(str(folder / "inputs.payload"), inputs, {})
    full = {
        "version": 1,
        "source": source,
        "filename": FILENAME,
        "display_name": "Cell In[3]",
        "inputs": sorted(inputs or {}),
        "imports": {},
        "outputs": [],
        "explicit_outputs": [],
        "cwd": str(folder / "work"),
        "environment": {},
        "sys_path": [],
        "heartbeat_seconds": 5.0,
        "shell": False,
        **spec,
    }
    (folder / "spec.json").write_text(json.dumps(full))
    return folder


def start(folder: Path, python: tuple[str, ...] = (sys.executable,), **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*python, str(folder / "runner.pyz"), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(folder), **env},
    )


def end(folder: Path, process: subprocess.Popen[str]) -> Run:
    _, stderr = process.communicate(timeout=90)
    return Run(folder, process.returncode, stderr)


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Remove the folders that a test makes."""
    made: list[Path] = []
    yield made
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run(folders: list[Path]) -> Callable[..., Run]:
    """Run a cell's source to its end."""

    def run_cell(source: str, *, python: tuple[str, ...] = (sys.executable,), **spec: Any) -> Run:
        folder = make_folder(source, **spec)
        folders.append(folder)
        return end(folder, start(folder, python))

    return run_cell


def test_a_cell_that_computes_starts_finishes_and_sends_its_value_back(run):
    job = run("x = a + 1", inputs={"a": 41}, outputs=["x"])
    assert [event.type for event in job.events] == ["started", "outputs", "finished"]
    assert [event.seq for event in job.events] == [0, 1, 2]
    assert job.status == 0
    assert job.outputs == {"x": 42}
    assert job.finished["reason"] == "done"
    assert job.finished["exit_status"] == 0
    assert job.finished["max_rss"] > 1_000_000
    assert job.finished["cpu"] > 0
    assert job.stderr == ""


def test_a_cell_that_only_computes_never_imports_ipython_nor_cloudpickle(run):
    job = run(
        "import sys\nprint('IPython' in sys.modules, 'cloudpickle' in sys.modules)\nb = [a]\nb", inputs={"a": 1}
    )
    assert job.text() == "False False\n"


def test_started_tells_what_the_scheduler_says(folders):
    folder = make_folder("pass")
    folders.append(folder)
    scheduler = {"JOB_ID": "17", "SGE_TASK_ID": "undefined", "QUEUE": "all.q", "NSLOTS": "4"}
    body = end(folder, start(folder, **scheduler)).events[0].body
    assert body["job_id"] == "17"
    assert body["task_id"] is None
    assert body["queue"] == "all.q"
    assert body["slots"] == 4
    assert body["try"] == 1
    assert body["executable"] == sys.executable


def test_prints_displays_and_subprocess_output_keep_their_order(run):
    job = run(
        "import subprocess, sys\n"
        "for i in range(3):\n"
        "    print('a', i)\n"
        "    subprocess.run(['echo', 'b', str(i)], check=True)\n"
        "    print('c', i, file=sys.stderr)\n"
        "    display(i)\n"
    )
    told = []
    for event in job.events:
        if event.type == "stream":
            told += event.body["text"].splitlines()
        elif event.type == "display":
            told.append("d " + event.body["data"]["text/plain"])
    assert told == [f"{letter} {i}" for i in range(3) for letter in "abcd"]


def test_what_is_written_below_python_keeps_its_place_however_fast_it_alternates(run):
    # The pauses are longer than those after which the runner looks for what was written below Python.
    job = run(
        "import os, time\nfor i in range(300):\n    print('a', i)\n    time.sleep(0.0004)\n"
        "    os.write(1, b'b %d\\n' % i)\n    time.sleep(0.0004)\n"
    )
    assert job.text() == "".join(f"a {i}\nb {i}\n" for i in range(300))


def test_text_of_one_stream_is_merged_into_few_events(run):
    job = run("for i in range(200_000):\n    print('line', i)")
    streams = job.of("stream")
    assert job.text() == "".join(f"line {i}\n" for i in range(200_000))
    assert len(streams) < 200
    assert max(len(body["text"]) for body in streams) <= 65536


def test_a_million_lines_come_whole_and_in_bounded_memory(run):
    job = run("for i in range(1_000_000):\n    print(i)")
    assert job.text() == "".join(f"{i}\n" for i in range(1_000_000))
    assert job.finished["max_rss"] < 150 << 20


def test_the_first_line_after_a_pause_is_seen_while_the_cell_still_runs(folders):
    folder = make_folder("print('now')\nimport os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)")
    folders.append(folder)
    process = start(folder)
    log = EventLog(folder / "events.jsonl")
    seen: list[Event] = []
    wait_for(lambda: seen.extend(log.read()) or any(e.type == "stream" for e in seen))
    assert process.poll() is None
    (folder / "work/go").touch()
    assert end(folder, process).status == 0


def test_threads_print_whole_lines(run):
    job = run(
        "import threading\n"
        "def work(n):\n"
        "    for i in range(500):\n"
        "        print(f'{n}:{i}\\n', end='')\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "None"
    )
    assert sorted(job.text().split()) == sorted(f"{n}:{i}" for n in range(8) for i in range(500))


def test_forked_workers_print_and_do_not_disturb_the_log(run):
    job = run(
        "import multiprocessing as m\n"
        "def work(n):\n    print('worker', n)\n    return n * n\n"
        "with m.get_context('fork').Pool(2) as pool:\n    x = pool.map(work, range(20))\n"
        "print('end')",
        outputs=["x"],
    )
    assert job.status == 0
    assert job.outputs["x"] == [n * n for n in range(20)]
    assert sorted(job.text().splitlines()) == sorted([*(f"worker {n}" for n in range(20)), "end"])


def test_bytes_that_are_no_text_are_replaced_and_the_rest_arrives(run):
    job = run(
        "import os, sys\nos.write(1, b'a\\xff\\xfeb\\n')\nsys.stdout.buffer.write(b'c\\xffd\\n')\nsys.stdout.flush()"
    )
    assert job.text() == "a\ufffd\ufffdb\nc\ufffdd\n"


def test_lone_surrogates_are_printed_escaped(run):
    job = run("print('\\ud800 x')\ndisplay('\\udcff')")
    assert job.text() == "\\ud800 x\n"
    assert job.status == 0


def test_a_last_expression_is_the_result_and_a_semicolon_silences_it(run):
    assert run("'a' + 'b'").of("result") == [{"data": {"text/plain": "'ab'"}, "metadata": {}}]
    assert run("'a' + 'b';  # why").of("result") == []
    assert run("x = 1").of("result") == []
    assert run("None").of("result") == []


def test_a_value_that_cannot_be_shown_does_not_make_the_cell_fail(run):
    job = run("class Bad:\n    def __repr__(self): raise ValueError('no repr')\nx = 1\nBad()", outputs=["x"])
    assert job.status == 0
    assert "ValueError: no repr" in job.text("stderr")
    assert job.outputs == {"x": 1}


def test_a_cell_may_await_at_top_level(run):
    job = run(
        "import asyncio\nasync def f(n):\n    await asyncio.sleep(0)\n    return n\n"
        "x = await f(1)\ny = [i async for i in (await f(v) for v in (2, 3))]\nawait f(x + 1)",
        outputs=["x", "y"],
    )
    assert job.outputs == {"x": 1, "y": [2, 3]}
    assert job.of("result")[0]["data"]["text/plain"] == "2"


def test_the_working_folder_path_and_imports_are_those_of_the_spec(folders):
    folder = make_folder(
        "import os, mine, yours\nx = (os.getcwd(), mine.A, yours.B, m.sqrt(4))",
        outputs=["x"],
        imports={"m": "math"},
    )
    folders.append(folder)
    (folder / "work/mine.py").write_text("A = 1")
    (folder / "lib").mkdir()
    (folder / "lib/yours.py").write_text("B = 2")
    spec = json.loads((folder / "spec.json").read_text())
    spec["sys_path"] = [str(folder / "lib"), "/does/not/exist"]
    (folder / "spec.json").write_text(json.dumps(spec))
    job = end(folder, start(folder))
    assert job.outputs["x"] == (str(folder / "work"), 1, 2, 2.0)


def test_the_environment_is_set_and_what_only_works_from_the_start_too(run):
    job = run(
        "import os\nx = (os.environ['A_B'], os.environ.get('HOME'), hash('gcs'), os.environ['LD_LIBRARY_PATH'])",
        outputs=["x"],
        environment={"A_B": "c", "HOME": None, "PYTHONHASHSEED": "0", "LD_LIBRARY_PATH": "/nowhere"},
    )
    expected = subprocess.run(
        [sys.executable, "-c", "print(hash('gcs'))"],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert job.outputs["x"] == ("c", None, int(expected.stdout), "/nowhere")
    assert len(job.of("started")) == 1


def test_input_raises_instead_of_waiting(run):
    job = run("input('name? ')")
    assert job.error["ename"] == "EOFError"
    assert "nobody can answer" in job.error["evalue"]


def test_warnings_name_the_cell_and_its_line(run):
    job = run("\n\nimport warnings\nwarnings.warn('careful')")
    assert job.text("stderr").startswith("Cell In[3]:4: UserWarning: careful\n  warnings.warn('careful')")


def test_functions_of_the_cell_are_pickled_by_value(run):
    job = run("k = 2\ndef f(x):\n    return k * x\nclass C:\n    y = 5\nc = C()", outputs=["f", "c"])
    assert job.outputs["f"](21) == 42
    assert job.outputs["c"].y == 5


def test_heartbeats_go_on_while_the_cell_holds_the_interpreter_lock(run):
    job = run(
        "import ctypes\nlock_holder = ctypes.PyDLL(None)\nblock = bytearray(64 << 20)\nlock_holder.usleep(900_000)",
        heartbeat_seconds=0.2,
    )
    beats = job.of("heartbeat")
    assert len(beats) >= 3
    highest = max(beats, key=lambda beat: beat["rss"])
    assert highest["rss"] > 64 << 20
    assert highest["max_rss"] >= highest["rss"]
    assert highest["vmem"] > highest["rss"]


def test_heartbeats_count_the_whole_process_tree(run):
    job = run(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; x = bytearray(90 << 20); time.sleep(1)'])",
        heartbeat_seconds=0.2,
    )
    assert max(beat["rss"] for beat in job.of("heartbeat")) > 90 << 20


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.12.1", "3.13.0", None])
def test_a_bare_python_runs_cells_with_displays_and_pickles_from_the_folder(folders, version):
    found = sorted(Path.home().glob(f".pyenv/versions/{version}/bin/python")) if version else []
    if version and not found:
        pytest.skip(f"Python {version} is not installed here")
    python = (str(found[0]), "-I", "-S") if found else (sys.executable, "-I", "-S")
    folder = make_folder(
        "class H:\n    def _repr_html_(self): return '<b>x</b>'\n    def __repr__(self): return 'H'\n"
        "display(H())\ng = lambda: 7\nprint('out')\ntry:\n    get_ipython\nexcept NameError:\n    print('none')\nH()",
        outputs=["g"],
    )
    folders.append(folder)
    job = end(folder, start(folder, python))
    assert job.stderr == ""
    assert job.status == 0
    assert job.of("display")[0]["data"] == {"text/plain": "H", "text/html": "<b>x</b>"}
    assert job.of("result")[0]["data"] == {"text/plain": "H", "text/html": "<b>x</b>"}
    assert job.text() == "out\nnone\n"
    assert job.of("outputs")[0]["names"] == ["g"]


def test_starting_loads_little(run):
    # How long a start takes is measured in benchmarks/runner_payload.py; each of these would be a good part of it.
    heavy = {
        "IPython",
        "asyncio",
        "cloudpickle",
        "email",
        "http",
        "importlib.metadata",
        "inspect",
        "logging",
        "numpy",
    }
    heavy |= {"pathlib", "ssl", "subprocess", "tempfile", "typing", "unittest", "xml"}
    job = run("import sys\nloaded = sorted(sys.modules)", inputs={"a": 1}, outputs=["loaded"])
    assert heavy.isdisjoint(job.outputs["loaded"]), heavy.intersection(job.outputs["loaded"])
    assert len(job.outputs["loaded"]) < 150
