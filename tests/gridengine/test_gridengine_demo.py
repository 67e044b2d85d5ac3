"""The private demo cell: start, stop, what is left, and starts that were killed."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import mailbox
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from gridengine.demo_lab import need_packages, processes_of
from patience import wait_for

from gcs_lab.backends.gridengine import PROVIDER, demo
from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.demo import configuration, layout
from gcs_lab.backends.gridengine.demo.layout import DemoFolder
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cli import main
from gcs_lab.cluster import Cluster, connect
from gcs_lab.errors import ClusterNotFound, DrmCommunication, InvalidArgument
from gcs_lab.vocabulary import JobState

pytestmark = pytest.mark.gridengine

START = "from gcs_lab.backends.gridengine import demo; demo.start()"
QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}


def port_is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.settimeout(1)
        probe.connect(("127.0.0.1", port))
        return False
    return True


def test_start_tells_its_times_and_stop_leaves_no_process_no_file_and_no_port(own_home: Path) -> None:
    state = demo.start()
    assert (state.state, state.found) == ("running", False)
    assert set(state.seconds) == {"configuration", "sge_qmaster", "sge_execd", "ready"}
    system = GridEngineSystem("demo", state.cell(), "qsub")
    Cluster(system).jobs.run("sleep", "100", **QUIET).wait_started(30)
    settings = state.settings
    assert settings is not None
    assert demo.stop()
    assert not processes_of(own_home)
    assert [p for p in own_home.rglob("*") if not p.is_dir()] == []
    assert not state.folder.exists()
    assert port_is_free(settings.qmaster_port)
    assert port_is_free(settings.execd_port)
    assert not demo.stop()
    assert demo.status() == []


@pytest.mark.usefixtures("own_home")
def test_a_second_start_finds_the_cell_that_runs() -> None:
    first = demo.start()
    second = demo.start()
    assert second.found
    assert second.daemons == first.daemons


@pytest.mark.usefixtures("own_home")
def test_queues_that_somebody_closed_are_told_and_left_as_they_are() -> None:
    cell = demo.start().cell()
    ask(cell, ["qmod", "-d", "all.q"])
    try:
        again = demo.start()
        assert again.found
        assert again.closed == {"all.q@localhost": "d"}
    finally:
        ask(cell, ["qmod", "-e", "all.q"])


@pytest.mark.usefixtures("own_home")
def test_two_cells_run_side_by_side_and_know_nothing_of_each_other() -> None:
    states = [demo.start(), demo.start("other", slots=2)]
    assert [offer.cluster for offer in PROVIDER.offers() if offer.affinity == 2] == ["demo", "demo-other"]
    systems = [PROVIDER.connect(state.cluster) for state in states]
    jobs = [Cluster(system).jobs.run("sleep", "100", **QUIET) for system in systems]
    assert [job.wait_started(30) for job in jobs] == [JobState.RUNNING] * 2
    assert [system.jobs.job_ids() for system in systems] == [["1"], ["1"]]
    assert systems[1].system == "Grid Engine 8.1.9 (demo-other)"
    demo.stop("other")
    assert jobs[0].status(0).state is JobState.RUNNING
    with pytest.raises(DrmCommunication):
        jobs[1].status(0)
    for system in systems:
        system.close()


def test_connect_finds_the_demo_and_the_settings_serve_a_shell(in_demo_home: Path) -> None:
    cluster = connect("demo")
    try:
        assert cluster.system.endswith("(demo)")
        (state,) = demo.status()
        said = subprocess.run(
            ["sh", "-c", '. "$0" && qconf -sql', str(state.settings_sh)],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        assert said.stdout.split() == ["all.q", "short.q"]
        assert json.loads((state.folder / "settings.json").read_text())["sge_root"] == str(state.folder / "sge")
    finally:
        cluster.close()


@pytest.mark.parametrize("seconds", [0.25, 0.35, 0.5, 0.7])
def test_a_start_that_was_killed_half_way_is_cleaned_up_by_the_next(own_home: Path, seconds: float) -> None:
    child = subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=seconds)
    child.kill()
    child.wait()
    state = demo.start()
    assert state.state == "running"
    system = GridEngineSystem("demo", state.cell(), "qsub")
    assert Cluster(system).jobs.run("true", **QUIET).wait_terminated(30) is JobState.DONE
    daemons = [p for p in processes_of(own_home) if "sge_qmaster" in p or "sge_execd" in p]
    assert len(daemons) == 2, daemons
    demo.stop()
    assert not processes_of(own_home)


@pytest.mark.usefixtures("own_home")
def test_daemons_outlive_the_program_that_started_them() -> None:
    subprocess.run([sys.executable, "-c", START], check=True, timeout=60)
    (state,) = demo.status()
    assert state.state == "running"
    assert demo.start().found


@pytest.mark.usefixtures("own_home")
def test_a_dead_execution_daemon_is_noticed_and_mended() -> None:
    state = demo.start()
    pid = state.daemons["sge_execd"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: demo.status()[0].state == "broken", "the notice of the death")
    assert [offer.affinity for offer in PROVIDER.offers() if offer.cluster == "demo"] == [0]
    again = demo.start()
    assert again.state == "running"
    system = GridEngineSystem("demo", again.cell(), "qsub")
    assert Cluster(system).jobs.run("true", **QUIET).wait_terminated(30) is JobState.DONE


@pytest.mark.usefixtures("own_home")
def test_a_pid_that_was_given_to_another_process_is_left_alone() -> None:
    state = demo.start()
    other = subprocess.Popen(["sleep", "100"])
    try:
        for program in ("sge_qmaster", "sge_execd"):
            (state.folder / f"{program}.pid").write_text(f"{other.pid} 1.00\n")
        assert demo.status()[0].state == "broken"
        assert demo.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_shell_that_sourced_the_settings_survives_stop(own_home: Path) -> None:
    state = demo.start()
    shell = subprocess.Popen(
        ["sh", "-c", '. "$0"; echo ready; sleep 100; true', str(state.settings_sh)], stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert shell.stdout is not None
    try:
        assert shell.stdout.readline() == "ready\n"
        demo.stop()
        assert shell.poll() is None
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()
    assert own_home.exists()


@pytest.mark.usefixtures("own_home")
def test_a_cell_of_an_older_version_gets_what_it_lacks() -> None:
    state = demo.start()
    cell = state.cell()
    for queue in ("all.q", "short.q"):
        ask(cell, ["qconf", "-dattr", "queue", "pe_list", "two", queue])
    ask(cell, ["qconf", "-dp", "two"])
    ask(cell, ["qconf", "-mattr", "queue", "seq_no", "7", "all.q"])
    for users in ("arusers", "deadlineusers"):
        ask(cell, ["qconf", "-du", configuration.user_name(), users])
    old = state.folder / "global"
    text = ask(cell, ["qconf", "-sconf"]).text.replace(str(state.folder / "mailer"), "/usr/bin/mail")
    old.write_text(text.replace("1000000", "75000").replace("log_info", "log_warning"))
    ask(cell, ["qconf", "-Mconf", str(old)])
    (state.folder / "mailer").unlink()
    remembered = json.loads((state.folder / "settings.json").read_text())
    del remembered["version"]
    (state.folder / "settings.json").write_text(json.dumps(remembered))

    again = demo.start()
    assert again.settings == state.settings
    assert again.daemons == state.daemons
    assert parse_names(ask(cell, ["qconf", "-spl"]).text) == ("make", "mpi", "smp", "two")
    assert "two" in ask(cell, ["qconf", "-sq", "short.q"]).text
    assert "seq_no                7" in ask(cell, ["qconf", "-sq", "all.q"]).text
    assert configuration.user_name() in ask(cell, ["qconf", "-su", "arusers"]).text
    mailer, level, tasks = (
        line.split()[1]
        for line in ask(cell, ["qconf", "-sconf"]).text.splitlines()
        if line.startswith(("mailer", "loglevel", "max_aj_tasks"))
    )
    assert (mailer, level, tasks) == (str(state.folder / "mailer"), "log_info", "1000000")
    assert os.access(mailer, os.X_OK)
    assert "weight_priority                   1.0" in ask(cell, ["qconf", "-ssconf"]).text
    assert "configuration" not in demo.start().seconds


def test_long_messages_are_set_aside(tmp_path: Path) -> None:
    folder = DemoFolder("demo", tmp_path)
    folder.qmaster_spool.mkdir(parents=True)
    configuration.keep_messages_short(folder)
    messages = folder.qmaster_spool / "messages"
    messages.write_text("short\n")
    configuration.keep_messages_short(folder)
    assert messages.read_text() == "short\n"
    with messages.open("r+b") as file:
        file.truncate((16 << 20) + 1)
    configuration.keep_messages_short(folder)
    assert [path.name for path in folder.qmaster_spool.iterdir()] == ["messages.0"]


@pytest.mark.usefixtures("own_home")
def test_an_unmended_cell_of_an_older_version_is_still_known() -> None:
    state = demo.start()
    remembered = json.loads((state.folder / "settings.json").read_text())
    del remembered["version"]
    (state.folder / "settings.json").write_text(json.dumps(remembered))
    (found,) = demo.status()
    assert found.state == "running"
    system = PROVIDER.connect("demo")
    assert system.jobs.job_ids() == []
    system.close()


def test_the_mailer_keeps_every_message_whole(own_home: Path) -> None:
    folder = layout.DemoFolder("demo", own_home)
    configuration.write_mailer(folder)
    text = "First line\nFrom the beginning\n" + "x" * 200_000 + "\n"
    senders = [
        subprocess.Popen([str(folder.mailer), "-s", f"Job {number} (a 'b' %s)", "a@b.c"], stdin=subprocess.PIPE)
        for number in range(8)
    ]
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write(text.encode())
        sender.stdin.close()
    assert [sender.wait(timeout=20) for sender in senders] == [0] * 8
    with contextlib.closing(mailbox.mbox(folder.mailbox)) as box:
        found = {mail["Subject"]: mail.get_payload() for mail in box}
    assert sorted(found) == [f"Job {number} (a 'b' %s)" for number in range(8)]
    assert set(found.values()) == {text.replace("\nFrom", "\n>From")}
    assert folder.mailbox.stat().st_mode & 0o777 == 0o600


def test_the_command_names_the_mailbox(in_demo_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "status"]) == 0
    assert f"{in_demo_home}/state/demo/demo/mailbox" in capsys.readouterr().out


def test_names_and_places_that_cannot_be_are_refused(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", "a b", "../x", "-x", "x" * 60):
        with pytest.raises(InvalidArgument, match="name of a demo cell"):
            demo.start(name)
    monkeypatch.setenv("GCS_LAB_HOME", str(own_home / "a b"))
    with pytest.raises(InvalidArgument, match="GCS_LAB_HOME"):
        demo.start()


@pytest.mark.usefixtures("own_home")
def test_missing_packages_are_named_with_the_line_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "debian_binaries", lambda: None)
    with pytest.raises(ClusterNotFound, match="apt-get install -y --no-install-recommends gridengine-master"):
        demo.start()


def copy_of_what_is_needed(folder: Path) -> Path:
    """Copy gcs_lab and what its backend imports: checkout and environment may lie where only their owner may look."""
    for name in ("gcs_lab", "platformdirs", "psutil", "drmaa"):
        # Found and not imported: importing drmaa loads its library.
        found = importlib.util.find_spec(name)
        assert found is not None
        shutil.copytree(Path(str(found.origin)).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def can_run(python: str, packages: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether `user` can run `python`, and it is new enough."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys, gcs_lab, psutil; assert sys.version_info >= (3, 11)"],
            user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", env={"PYTHONPATH": str(packages)}, timeout=20,
            capture_output=True, check=False,
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0


def test_an_ordinary_user_has_a_cell_too() -> None:
    need_packages()
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; the other tests of this file then run as an ordinary user")
    user = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    os.chown(place, user.pw_uid, user.pw_gid)
    packages = copy_of_what_is_needed(place / "packages")
    python = next((p for p in (sys.executable, "/usr/bin/python3") if can_run(p, packages, user)), None)
    if python is None:
        shutil.rmtree(place)
        pytest.skip("there is no Python 3.11 or newer here that the user nobody may run")
    code = (
        "from gcs_lab.backends.gridengine import demo, PROVIDER; from gcs_lab.cluster import Cluster\n"
        "demo.start(); system = PROVIDER.connect('demo'); jobs = Cluster(system).jobs\n"
        f"job = jobs.run('sh', '-c', 'id -un; exit 4', output_path={str(place / 'out')!r}, join_files=True, working_directory={str(place)!r})\n"
        "print(job.wait_terminated(30).name, job.info().exit_status, system.jobs.submitter.transport)\n"
        "from gcs_lab.vocabulary import ReservationTemplate\n"
        "print(jobs.reservations.request(ReservationTemplate(duration=60)).info().owner)\n"
        "jobs.run('true', email=['a@b.c'], email_on_terminated=True).wait_terminated(30)\n"
        "import time; box = demo.status()[0].mailbox; late = time.monotonic() + 30\n"
        "while time.monotonic() < late and not (box.exists() and 'Complete' in box.read_text()): time.sleep(0.05)\n"
        "print(box.read_text().count('To: a@b.c'))\n"
        "system.close(); demo.stop()\n"
    )
    try:
        done = subprocess.run(
            [python, "-c", code], user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd=place,
            env={"PATH": os.environ["PATH"], "HOME": str(place), "GCS_LAB_HOME": str(place / "h"), "USER": "nobody",
                 "PYTHONPATH": str(packages),
                 "TMPDIR": os.environ.get("TMPDIR", "/tmp")},
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.stdout.split("\n") == ["FAILED 4 drmaa", "nobody", "1", ""], done.stderr
        assert (place / "out").read_text() == "nobody\n"
        assert not processes_of(place)
    finally:
        shutil.rmtree(place)
