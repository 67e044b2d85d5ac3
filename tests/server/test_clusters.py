"""What can be used from a server: listed, started, stopped, connected to once; and its catalogue."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest
from gridengine.demo_lab import need_packages
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.gridengine import demo
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.errors import InvalidArgument
from gcs_lab.server.contents_paths import ContentsPaths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live_server import LiveServer


def test_about_says_versions_and_warms_up(home: Path, start_server: Callable[..., LiveServer]) -> None:
    assert home.is_dir()
    service.start()
    server = start_server(default_cluster="embedded")
    about = server.get("about")
    assert about["version"] == server.line().started["version"]
    assert "channels" in about["features"]
    # The cluster that runs is connected to before the panel asks.
    wait_for(lambda: server.extension._clusters.connected("embedded"), "that it is warm")


def test_the_list_starts_nothing(home: Path, start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    server.get("about")
    found = {info["name"]: info for info in server.get("clusters")}
    assert found["embedded"]["state"] == "stopped"
    assert found["embedded"]["chosen"]
    assert found["embedded"]["startable"]
    assert found["demo"]["state"] == "stopped"
    assert not found["demo"]["chosen"]
    assert service.status().pid is None


def test_the_embedded_cluster_is_started_and_stopped(home: Path, start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    assert server.post("clusters/embedded/start")["state"] == "running"
    pid = service.status().pid
    assert server.post("clusters/embedded/start")["state"] == "running"
    assert service.status().pid == pid
    line = server.line()
    line.open(1)
    line.say(1, "hello", protocol=1)
    line.told(1, "welcome")
    assert server.post("clusters/embedded/stop")["state"] == "stopped"
    assert "was stopped" in line.failed(1)["message"]
    assert service.status().pid is None
    # What opens by itself does not start it again.
    line.open(2)
    assert "was stopped" in line.failed(2)["message"]
    assert "was stopped" in server.refused(409, "GET", "clusters/embedded/catalogue")["message"]
    assert service.status().pid is None
    line.open(3, wake=True)
    line.say(3, "hello", protocol=1)
    line.told(3, "welcome")
    assert service.status().pid is not None
    assert server.post("clusters/embedded/stop")["state"] == "stopped"
    # A kernel submits.
    service.start()
    line.open(4)
    line.say(4, "hello", protocol=1)
    line.told(4, "welcome")


def test_a_page_that_is_only_opened_starts_nothing(home: Path, start_server: Callable[..., LiveServer]) -> None:
    line = start_server().line()
    line.open(1, "panel", wake=False)
    assert "does not run" in line.failed(1)["message"]
    assert service.status().pid is None
    line.open(2, "panel")
    line.say(2, "hello", protocol=1)
    assert line.told(2, "panel")["cluster"] == "embedded"


def test_many_first_questions_connect_once(home: Path, start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.get("clusters/embedded/catalogue"), range(8)))
    assert all(answer["cluster"] == "embedded" for answer in answers)
    assert [queue["name"] for queue in answers[0]["queues"]] == ["all.q", "short.q"]


@pytest.mark.gridengine
def test_a_private_grid_engine_is_started_used_and_stopped(
    home: Path, start_server: Callable[..., LiveServer]
) -> None:
    need_packages()
    server = start_server()
    assert "does not run" in server.refused(409, "GET", "clusters/demo/catalogue")["message"]
    started = server.post("clusters/demo/start")
    assert started["state"] == "running"
    assert started["chosen"]
    assert server.get("clusters")[0] == started
    catalogue = server.get("clusters/demo/catalogue")
    assert "all.q" in [queue["name"] for queue in catalogue["queues"]]
    complexes = {one["name"]: one for one in catalogue["complexes"]}
    assert complexes["h_rt"]["type"] == "TIME"
    line = server.line()
    line.open(1, cluster="demo")
    line.say(1, "hello", protocol=1)
    assert line.told(1, "welcome")["cluster"] == "demo"
    # It is stopped and made anew beside a page that looks on: that is another cell, with other ports.
    assert server.post("clusters/demo/stop")["state"] == "stopped"
    assert line.failed(1)["type"] == "InvalidState"
    line.open(2, cluster="demo")
    assert line.failed(2)["type"] == "InvalidState"
    server.post("clusters/demo/start")
    line.open(3, cluster="demo")
    line.say(3, "hello", protocol=1)
    assert line.told(3, "welcome")["cluster"] == "demo"
    server.post("clusters/demo/stop")


@pytest.mark.gridengine
def test_a_master_that_died_closes_no_channel_and_is_started_again(
    home: Path, start_server: Callable[..., LiveServer]
) -> None:
    need_packages()
    server = start_server()
    server.post("clusters/demo/start")
    line = server.line()
    line.open(1, "panel", cluster="demo")
    line.say(1, "hello", protocol=1)
    line.wait(lambda m: m["op"] == "said" and m["message"].get("time"))
    pid = demo.status()[0].daemons["sge_qmaster"]
    psutil.Process(pid).kill()
    wait_for(lambda: demo.status()[0].daemons["sge_qmaster"] is None, "that it is dead")
    info = next(info for info in server.get("clusters") if info["name"] == "demo")
    assert (info["state"], info["startable"]) == ("unreachable", True)
    assert "sge_qmaster of it is dead" in info["text"]
    line.say(1, "refresh")
    line.wait(lambda m: m["op"] == "said" and m["message"].get("stale_since"))
    assert server.post("clusters/demo/start")["state"] == "running"
    line.say(1, "refresh")
    line.wait(lambda m: m["op"] == "said" and m["message"].get("stale_since") == 0)


@pytest.mark.gridengine
def test_a_job_is_told_while_the_master_hangs(
    home: Path, start_server: Callable[..., LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_packages()
    server = start_server()
    server.post("clusters/demo/start")
    (server.root / "long.sh").write_text("echo hello; sleep 60\n")
    words = ("name", "queue", "project", "parallel_environment", "slots", "after", "over", "max_parallel")
    form = dict.fromkeys((*words, "priority", "more"), "") | {"verb": "submit", "requests": {}}
    sent = server.post("clusters/demo/submit", {"kind": "script", "path": "long.sh", "form": form})
    job = f"clusters/demo/jobs/{sent['job_id']}"
    wait_for(lambda: server.get(f"{job}/log")["lines"] == ["hello"])
    master = psutil.Process(demo.status()[0].daemons["sge_qmaster"])
    master.suspend()
    try:
        for module in ("job_lookup", "job_record"):
            monkeypatch.setattr(f"gcs_lab.server.{module}.STATE_SECONDS", 0.0)
        monkeypatch.setattr("gcs_lab.server.job_record._INFO_SECONDS", 0.5)
        # The commands hang for a minute; so long no request waits.
        log = server.get(f"{job}/log")
        assert (log["lines"], log["live"]) == (["hello"], True)
        facts = server.get(job)
        assert facts["source"] == "echo hello; sleep 60\n"
        assert "does not answer now" in facts["outcome"]
    finally:
        master.resume()


def test_what_may_not_be_started_or_is_not_there_is_refused(
    home: Path, start_server: Callable[..., LiveServer]
) -> None:
    server = start_server(GcsLabServer={"allow_start": False, "clusters": ["embedded"]})
    assert [info["name"] for info in server.get("clusters")] == ["embedded"]
    assert server.get("clusters")[0]["startable"] is False
    assert "allow_start" in server.refused(403, "POST", "clusters/embedded/start")["message"]
    assert "allow_start" in server.refused(403, "POST", "clusters/embedded/stop")["message"]
    assert server.refused(409, "GET", "clusters/embedded/catalogue")["type"] == "InvalidState"
    error = server.refused(404, "POST", "clusters/demo/start")
    assert error["type"] == "ClusterNotFound"
    assert "GcsLabServer.clusters" in error["message"]
    assert service.status().pid is None
    assert server.refused(404, "GET", "clusters/no%20name/catalogue")["field"] == "name"
    assert server.refused(404, "GET", "clusters/nowhere/catalogue")["type"] == "ClusterNotFound"


def test_the_default_cluster_is_chosen(home: Path, start_server: Callable[..., LiveServer]) -> None:
    server = start_server(GcsLabServer={"default_cluster": "demo"})
    found = server.get("clusters")
    assert [info["name"] for info in found if info["chosen"]] == ["demo"]
    assert found[0]["name"] == "demo"


def test_packages_that_are_missing_are_named(
    home: Path, start_server: Callable[..., LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gcs_lab.backends.gridengine.demo.layout.debian_binaries", lambda: None)
    server = start_server()
    info = next(info for info in server.get("clusters") if info["name"] == "demo")
    assert info["startable"] is False
    assert "apt-get install" in info["text"]
    assert "apt-get install" in server.refused(404, "POST", "clusters/demo/start")["message"]


# -- the catalogue -------------------------------------------------------------------------------------------------


def test_the_catalogue_has_what_was_asked_for_last_and_what_is_configured(
    home: Path, start_server: Callable[..., LiveServer]
) -> None:
    server = start_server()
    sent = [
        ("fit.ipynb", "%%gcs submit -l h_rt=0:10:00,h_vmem=2G -q short.q -pe smp 2-4\nx = 1"),
        ("other.ipynb", "%%gcs run -q all.q --over 'x=[1,2]' -tc 5\nx"),
        ("third.ipynb", "no magic"),
    ]
    for number, (notebook, source) in enumerate(sent):
        folder = JobFolder(home / f"job-{number}")
        folder.path.mkdir(mode=0o700)
        folder.write_spec({"display_source": source})
        entry = JournalEntry(
            folder=str(folder.path),
            cluster="embedded",
            job_id=str(number + 1),
            name="x",
            notebook=str(server.root / notebook),
            submitted=float(number + 1),
        )
        Journal().add(entry)
    profile = home / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text("c.GcsMagics.queue = 'all.q'\nc.GcsMagics.requests = {'h_rt': '60'}\n")
    (profile / "ipython_config.json").write_text('{"GcsMagics": {"priority": -5, "slots": "two"}}')
    (profile / "ipython_kernel_config.py").write_text("get_ipython().nothing\n")
    catalogue = server.get("clusters/embedded/catalogue", notebook="fit.ipynb")
    assert catalogue["last"] == {"-l": "h_rt=0:10:00,h_vmem=2G", "-q": "short.q", "-pe": "smp 2-4"}
    assert catalogue["defaults"] == {"-q": "all.q", "-l": "h_rt=60", "-p": "-5"}
    assert server.get("clusters/embedded/catalogue")["last"] == {"-q": "all.q", "-tc": "5"}
    error = server.refused(400, "GET", "clusters/embedded/catalogue?notebook=../../etc/passwd")
    assert "leads out of" in error["message"]


def test_free_slots_are_those_of_the_snapshot(server: LiveServer) -> None:
    line = server.line()
    line.open(1)
    line.say(1, "hello", protocol=1)
    line.wait(lambda m: m.get("message", {}).get("kind") == "overview" and m["message"]["sequence"] > 0)
    queue = server.get("clusters/embedded/catalogue")["queues"][0]
    assert 0 <= queue["slots_free"] <= queue["slots_total"]


# -- paths ---------------------------------------------------------------------------------------------------------


def test_paths_of_contents_and_files(tmp_path: Path) -> None:
    root = tmp_path / "real" / "root"
    root.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    paths = ContentsPaths(str(tmp_path / "link" / "root"))
    assert paths.of_file(str(root / "work" / "fit.ipynb")) == "work/fit.ipynb"
    assert paths.of_file(str(tmp_path / "link" / "root" / "fit.ipynb")) == "fit.ipynb"
    assert paths.of_file(str(tmp_path / "fit.ipynb")) == ""
    assert paths.of_file(str(root)) == ""
    assert paths.of_file("") == ""
    assert paths.to_file("/work/fit.ipynb") == tmp_path / "link" / "root" / "work" / "fit.ipynb"
    assert paths.to_file("work/../fit.ipynb") == tmp_path / "link" / "root" / "fit.ipynb"
    for outside in ("..", "../root2/x", "work/../../x", "a\0b"):
        with pytest.raises(InvalidArgument, match="leads out of"):
            paths.to_file(outside)
    elsewhere = ContentsPaths("")
    assert elsewhere.of_file("/tmp/x") == ""
    with pytest.raises(InvalidArgument, match="no files"):
        elsewhere.to_file("x")


# -- weight --------------------------------------------------------------------------------------------------------


def test_loading_the_extension_loads_nothing_heavy() -> None:
    program = (
        "import sys, jupyter_server.serverapp\n"
        "before = set(sys.modules)\n"
        "from gcs_lab.server.extension import GcsLabServer\n"
        "from gcs_lab.server.routes import routes\n"
        "assert routes()\n"
        "new = {name for name in sys.modules if name not in before}\n"
        "print(*(name for name in new if not name.startswith('gcs_lab.server')))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(told.stdout.split())
    assert not {name.partition(".")[0] for name in loaded} & {
        "pandas",
        "pyarrow",
        "polars",
        "numpy",
        "IPython",
        "plotly",
        "anywidget",
        "jsonschema",
    }
    rooms = {name.split(".")[1] for name in loaded if name.startswith("gcs_lab.")}
    assert rooms <= {"_version", "errors", "user_paths"}
