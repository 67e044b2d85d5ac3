"""binder/: what repo2docker makes of it, and what its entry point really starts (docs/binder.md)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"
TOOLS = ROOT / "tools"
#: Of Binder's images; no such user need be on this machine.
JOVYAN = 1000
#: For these processes alone: another passwd(5), and if the interpreter is in a folder that only root may enter (root's
#: own home, mostly), a folder in its place that has nothing else.
OWN_VIEW = """
mount --bind "$0" /etc/passwd
closed=$1 python=$2
shift 2
if [ -n "$closed" ]; then
    mkdir "$HOME/python"
    mount --bind "$python" "$HOME/python"
    mount -t tmpfs -o mode=755 none "$closed"
    mkdir -p "$python"
    mount --bind "$HOME/python" "$python"
    umount "$HOME/python"
    rmdir "$HOME/python"
fi
exec "$@"
"""
#: Seconds for both clusters; how fast it is on a machine with nothing else to do stands in docs/binder.md.
PATIENCE = 90


def _packages() -> list[str]:
    return [line for line in (BINDER / "apt.txt").read_text().splitlines() if line and not line.startswith("#")]


def _start(home: Path, *command: str | Path, user: bool = False, **environment: str) -> Any:
    """Run binder/start with a command, in a fresh home; with `user` as an ordinary one, even if root runs the tests."""
    words = [BINDER / "start", *command]
    if user and os.geteuid() == 0:
        # Grid Engine wants to know who its user is.
        passwd = home / "passwd"
        others = [line for line in Path("/etc/passwd").read_text().splitlines() if f":{JOVYAN}:" not in line]
        line = f"jovyan:x:{JOVYAN}:{JOVYAN}::{home}:/bin/bash"
        passwd.write_text("\n".join([*others, line, ""]))
        os.chown(home, JOVYAN, JOVYAN)
        become = ["setpriv", f"--reuid={JOVYAN}", f"--regid={JOVYAN}", "--clear-groups", "--no-new-privs"]
        python = Path(sys.base_prefix)
        closed = next((str(folder) for folder in reversed(python.parents) if not folder.stat().st_mode & 1), "")
        words = ["unshare", "--mount", "--propagation=private", "sh", "-ec", OWN_VIEW, passwd, closed, python,
                 *become, *words]  # fmt: skip
        environment["USER"] = "jovyan"
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TMPDIR": os.environ["TMPDIR"]}
    return subprocess.run(
        words, cwd=home, env=env | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=170,
        check=False,
    )  # fmt: skip


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short path, as /home/jovyan is: sockets are in it."""
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# What repo2docker reads.


@pytest.mark.filterwarnings("ignore:pythonjsonlogger.jsonlogger has been moved:DeprecationWarning")  # by repo2docker
def test_repo2docker_takes_python_3_12_and_all_files(tmp_path: Path) -> None:
    sys.path.insert(0, str(TOOLS))
    try:
        from binder_root import BASE_STEP, dockerfile
        from dockerfile import instructions
    finally:
        sys.path.remove(str(TOOLS))
    text = dockerfile(ROOT, tmp_path)
    assert "3-2e12" in text  # its lock file of Python 3.12
    steps = [(one.word, one.rest) for one in instructions(text)]
    names = " ".join(sorted(_packages()))
    order = [
        next(n for n, (_, rest) in enumerate(steps) if words in rest)
        for words in (BASE_STEP + "'", f"apt-get install --yes --no-install-recommends {names} ",
                      '/bin/pip install --no-cache-dir -r "binder/requirements.txt"', "./binder/postBuild",
                      'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"')
    ]  # fmt: skip
    assert order == sorted(order)
    users = [rest for word, rest in steps[: order[3]] if word == "USER"]
    assert users[-1] == "${NB_USER}"
    # What is copied when all of them are known is the requirements alone: that layer stays when a lesson changes.
    copied = [rest for word, rest in steps[: order[2]] if word == "COPY" and " src/" in rest]
    assert [rest.split()[1] for rest in copied] == ["src/binder/requirements.txt"]


def test_requirements_are_those_of_the_package_and_of_its_extra_lab() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for line in (BINDER / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(project["dependencies"] + project["optional-dependencies"]["lab"])


def test_packages_are_there_and_the_one_that_crashes_is_not_asked_for() -> None:
    assert all(re.fullmatch(r"[a-z0-9.+-]+", name) for name in _packages())
    assert "gridengine-master" not in _packages()
    if shutil.which("apt-cache") is None:
        pytest.skip("no apt-cache here: whether the packages of binder/apt.txt exist was not looked up")
    known = subprocess.run(["apt-cache", "policy", *_packages()], capture_output=True, text=True, check=True).stdout
    for name in _packages():
        assert re.search(rf"^{re.escape(name)}:\n.*\n  Candidate: [^(\s]", known, re.MULTILINE), known


def test_scripts_are_whole() -> None:
    for name in ("postBuild", "start"):
        script = BINDER / name
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", script], check=True)
    lines = (BINDER / "start").read_text().rstrip().splitlines()
    assert lines[-1] == 'exec "$@"'
    assert "set -e" not in lines  # nothing that fails keeps JupyterLab from starting
    assert "set -euo pipefail" in (BINDER / "postBuild").read_text()


def test_shellcheck_has_nothing_to_say() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        [shellcheck, BINDER / "postBuild", BINDER / "start"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_jupyterlab_opens_a_notebook_that_is_there() -> None:
    settings = json.loads((BINDER / "jupyter_lab_config.json").read_text())["LabApp"]
    assert (ROOT / settings["default_url"].removeprefix("/lab/tree/")).is_file()


# What starts.


@pytest.mark.gridengine
@pytest.mark.timeout(240)
def test_an_ordinary_user_gets_both_clusters_in_time_and_jobs_run_on_each(home: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    prove = [
        sys.executable,
        TOOLS / "started_course.py",
        "--jupyter",
        f"--since={time.time()}",
        f"--within={PATIENCE}",
    ]
    try:
        done = _start(home, *prove, user=True, GCS_LAB_HOME=str(home / "b"), PATH=path, TMPDIR=str(home))
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["nodes"] == ["node01", "node02", "node03", "node04"]
        assert "ran on node" in told["first cell"]
        assert "answer 42" in told["on embedded"]
        assert not list(home.rglob("start-failures.txt"))
    finally:
        stop = "gcs-lab demo stop; gcs-lab embedded stop"
        _start(home, "sh", "-c", stop, user=True, GCS_LAB_HOME=str(home / "b"), PATH=path, TMPDIR=str(home))


def test_what_cannot_start_is_told_and_stops_nothing(home: Path) -> None:
    # A gcs-lab that fails, as if Grid Engine's packages were missing.
    programs = home / "bin"
    programs.mkdir()
    (programs / "gcs-lab").write_text('#!/bin/sh\n[ "$1" = embedded ] || { echo "no packages" >&2; exit 1; }\n')
    (programs / "gcs-lab").chmod(0o755)
    done = _start(home, "sh", "-c", "echo $OMP_NUM_THREADS; exit 7", PATH=f"{programs}:/usr/bin:/bin",
                  GCS_LAB_HOME=str(home / "own"))  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "1\n")
    told = (home / "own" / "state" / "start-failures.txt").read_text()
    assert "`gcs-lab demo start --nodes 4 --slots 2` ended with status 1" in told
    assert "no packages" in told
    assert "embedded" not in told


def test_without_gcs_lab_the_server_starts_all_the_same(home: Path) -> None:
    done = _start(home, "echo", "JupyterLab", PATH="/usr/bin:/bin", GCS_LAB_HOME=str(home))
    assert (done.returncode, done.stdout) == (0, "JupyterLab\n")
    assert "ended with status 127" in (home / "state" / "start-failures.txt").read_text()


def test_a_home_that_can_only_be_read_is_told_and_another_folder_taken(home: Path) -> None:
    kept = home / ".local" / "state" / "gcs-lab"
    kept.mkdir(parents=True)
    kept.chmod(0o555)
    done = _start(home, "sh", "-c", "echo $GCS_LAB_HOME", user=True, PATH="/usr/bin:/bin", TMPDIR=str(home))
    assert done.returncode == 0
    assert re.fullmatch(rf"{home}/gcs-lab-\d+\n", done.stdout), done.stdout + done.stderr
    assert f"{kept} cannot be written" in done.stderr
    assert "status 127" in (Path(done.stdout.strip()) / "state" / "start-failures.txt").read_text()


# What the proof in a clean root rests on (tools/clean_root.py, which needs root and minutes).


def test_a_dockerfile_is_read_as_docker_reads_it() -> None:
    sys.path.insert(0, str(TOOLS))
    try:
        from dockerfile import Build, instructions
    finally:
        sys.path.remove(str(TOOLS))
    text = (
        "# c\nARG U\nENV A=/a \\\n    B=${A}/b\nENV PATH=${B}/bin:${PATH}\nUSER ${U}\nRUN one && \\\n  # no\n  two\n"
    )
    read = instructions(text)
    assert [one.word for one in read] == ["ARG", "ENV", "ENV", "USER", "RUN"]
    assert read[-1].rest == "one && two"
    build = Build(Path("/none"), Path("/none"), arguments={"U": "jovyan"})
    for one in read[:-1]:
        build.follow(one, print)
    assert build.user == "jovyan"
    assert build.environment["PATH"].startswith("/a/b/bin:/usr/local/sbin")
    with pytest.raises(ValueError, match="HEALTHCHECK is not known"):
        build.follow(instructions("HEALTHCHECK NONE")[0], print)


def test_the_proof_is_refused_where_a_root_is_already(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOLS / "clean_root.py", "binder", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "takes root" in done.stderr or "is there already" in done.stderr
    with contextlib.suppress(FileNotFoundError):
        assert list(tmp_path.iterdir()) == []


def test_a_master_beside_python_counts_where_its_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcs_lab.backends.gridengine import sge_cell

    packages, own = tmp_path / "packages", tmp_path / "own" / "sge_qmaster"
    packages.mkdir()
    own.parent.mkdir()
    monkeypatch.setattr(sge_cell, "OWN_QMASTER", own)
    packaged = packages / "sge_qmaster"
    assert sge_cell.program(packages, "sge_qmaster") == packaged
    own.touch()
    assert sge_cell.program(packages, "sge_qmaster") == own
    assert sge_cell.SgeCell(tmp_path, "default", packages, "lx-amd64").command("sge_qmaster") == str(own)
    packaged.touch()
    assert sge_cell.program(packages, "sge_qmaster") == packaged
