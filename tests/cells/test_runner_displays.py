"""Displays, results, figures and progress bars of a cell's job."""

from __future__ import annotations

import base64

import pytest
from test_runner import folders, run

from gcs_lab.cells.event_log import EventLog

__all__ = ["folders", "run"]


def test_display_display_id_update_and_clear_output_are_events(run):
    job = run(
        "from IPython.display import clear_output, display, HTML, publish_display_data, update_display\n"
        "display(HTML('<i>a</i>'), metadata={'k': 1})\nh = display('b', display_id=True)\nh.update('c')\n"
        "display('d', display_id='mine')\nupdate_display('e', display_id='mine')\nclear_output(wait=True)\n"
        "publish_display_data({'text/plain': 'f'})"
    )
    told = [(e.type, e.body) for e in job.events if e.type not in ("started", "outputs", "finished")]
    kinds = [kind for kind, _ in told]
    assert kinds == ["display", "display", "update_display", "display", "update_display", "clear_output", "display"]
    assert told[0][1]["data"]["text/html"] == "<i>a</i>"
    assert told[0][1]["metadata"] == {"k": 1}
    assert told[1][1]["display_id"] == told[2][1]["display_id"] is not None
    assert told[4][1]["display_id"] == "mine"
    assert told[5][1] == {"wait": True}
    assert told[6][1]["display_id"] is None


def test_the_display_builtin_needs_no_import(run):
    job = run("display({'a': 1})\nh = display(1, display_id='x')\nh.update(2)")
    assert [b["data"]["text/plain"] for b in job.of("display")] == ["{'a': 1}", "1"]
    assert job.of("update_display")[0]["data"]["text/plain"] == "2"


def test_a_data_frame_as_result_is_html(run):
    (result,) = run("import pandas as pd\npd.DataFrame({'a': [1]})").of("result")
    assert "<table" in result["data"]["text/html"]
    assert "text/plain" in result["data"]


def test_a_figure_shows_once_at_the_end_as_in_a_notebook(run):
    job = run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nx = plt.get_fignums()", outputs=["x"])
    (display,) = job.of("display")
    assert base64.b64decode(display["data"]["image/png"]).startswith(b"\x89PNG")
    assert display["data"]["text/plain"].startswith("<Figure size")
    assert job.outputs == {"x": [1]}


def test_show_shows_figures_at_once_and_closes_them(run):
    job = run(
        "import matplotlib.pyplot as plt\nfor i in range(2):\n    plt.figure()\n    plt.plot([i])\n    plt.show()\n    print(i)"
    )
    kinds = [e.type for e in job.events if e.type in ("display", "stream")]
    assert kinds == ["display", "stream", "display", "stream"]


def test_a_figure_as_last_expression_shows_as_result_and_figure(run):
    job = run("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nfig")
    assert "image/png" in job.of("result")[0]["data"]
    assert len(job.of("display")) == 1


def test_figures_are_shown_even_when_the_cell_fails(run):
    job = run("import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0")
    assert len(job.of("display")) == 1
    assert job.error["ename"] == "ZeroDivisionError"


def test_magics_and_shell_commands_work(run):
    job = run(
        "get_ipython().system('echo hi; echo $((1 + 1))')\nget_ipython().run_line_magic('matplotlib', 'inline')\n"
        "get_ipython().run_line_magic('timeit', '-n1 -r1 pass')\nx = get_ipython().getoutput('echo out')\n"
        "get_ipython().run_cell_magic('capture', 'c', 'print(3)\\n')\nc.stdout",
        shell=True,
        outputs=["x"],
    )
    assert job.status == 0, job.error
    assert "hi" in job.text()
    assert "per loop" in job.text()
    assert job.of("result")[0]["data"]["text/plain"] == "'3\\n'"
    assert list(job.outputs["x"]) == ["out"]


def test_exit_handlers_of_the_cell_still_have_its_variables_when_there_is_a_shell(run):
    job = run("import atexit\nx = 'kept'\natexit.register(lambda: print(x))\nget_ipython()\ndisplay(1)")
    assert job.text() == "kept\n"
    assert job.text("stderr") == ""


def test_the_home_folder_gets_no_ipython_profile(run):
    job = run("display(1)")
    assert not (job.folder / ".ipython").exists()


def test_long_lists_are_shown_as_ipython_does(run):
    (result,) = run("list(range(5000))").of("result")
    assert result["data"]["text/plain"].endswith("...]")


def test_widget_views_are_left_out(run):
    job = run("import ipywidgets\ndisplay(ipywidgets.IntSlider())\ndisplay(1)")
    assert job.status == 0
    assert all("widget-view" not in mime for body in job.of("display") for mime in body["data"])


def test_large_parts_go_to_files_by_hash_and_are_resolved(run):
    job = run(
        "from IPython.display import publish_display_data\n"
        "publish_display_data({'text/html': '<b>' * 200_000, 'application/json': {'a': list(range(100_000))}, 'text/plain': 'x'})"
    )
    (body,) = job.of("display")
    assert set(body["data"]["text/html"]) == {"$file", "encoding"}
    assert body["data"]["text/plain"] == "x"
    data = EventLog(job.folder / "events.jsonl").resolve(body)["data"]
    assert data["text/html"] == "<b>" * 200_000
    assert data["application/json"] == {"a": list(range(100_000))}
    assert all(oct(path.stat().st_mode & 0o777) == "0o600" for path in (job.folder / "files").iterdir())


def test_a_huge_result_arrives(run):
    job = run("'y' * 20_000_000")
    (body,) = job.of("result")
    data = EventLog(job.folder / "events.jsonl").resolve(body)["data"]
    assert data["text/plain"] == repr("y" * 20_000_000)


def test_what_json_lacks_is_sent_as_well_as_it_can_be(run):
    job = run(
        "import numpy as np, datetime\nfrom IPython.display import publish_display_data\n"
        "publish_display_data({'application/json': {'nan': float('nan'), 'inf': [float('inf')], 'a': np.arange(2), 1: {2},"
        "'t': datetime.date(2024, 1, 2), 's': np.float32(0.5)}, 'image/png': b'\\x89PNG', 'text/plain': 'p'})"
    )
    (body,) = job.of("display")
    assert body["data"]["application/json"] == {
        "nan": None,
        "inf": [None],
        "a": [0, 1],
        "1": [2],
        "t": "2024-01-02",
        "s": 0.5,
    }
    assert base64.b64decode(body["data"]["image/png"]) == b"\x89PNG"


@pytest.mark.parametrize("module", ["tqdm", "tqdm.auto", "tqdm.notebook", "tqdm.std"])
def test_progress_bars_are_text_and_events(run, module):
    job = run(
        f"import time\nfrom {module} import tqdm\n"
        "for _ in tqdm(range(40), desc='fit', unit='batch'):\n    time.sleep(0.01)"
    )
    assert job.status == 0, job.error
    told = job.of("progress")
    assert 3 <= len(told) <= 12
    assert len({body["id"] for body in told}) == 1
    assert told[-1] == {"id": told[0]["id"], "n": 40, "total": 40, "desc": "fit", "unit": "batch", "done": True}
    assert [body["n"] for body in told] == sorted(body["n"] for body in told)
    assert "fit: 100%" in job.text("stderr")


def test_plotly_figures_are_shown_without_a_browser(run):
    job = run("import plotly.graph_objects as go\nfig = go.Figure(go.Bar(y=[1, 2]))\nfig.show()\nfig")
    assert job.status == 0, job.error
    shown = [body for body in job.of("display") if "application/vnd.plotly.v1+json" in body["data"]]
    assert len(shown) == 2


def test_displays_from_threads_arrive(run):
    job = run(
        "import threading\nts = [threading.Thread(target=display, args=(i,)) for i in range(8)]\n"
        "[t.start() for t in ts]; [t.join() for t in ts]; None"
    )
    assert sorted(body["data"]["text/plain"] for body in job.of("display")) == [str(i) for i in range(8)]
