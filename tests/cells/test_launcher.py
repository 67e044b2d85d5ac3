"""Environment modules and conda before a job's Python: `start.sh`, with fakes, and with the real modules if they are here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gcs_lab.cells.conda import CondaEnvironment, find_conda
from gcs_lab.cells.interpreter import job_interpreter
from gcs_lab.cells.launcher import EXIT_NOT_PREPARED, launcher
from gcs_lab.cells.runner.activated import ACTIVATED, beside_activated
from gcs_lab.errors import InvalidArgument, UnknownName

#: Where Debian's packages environment-modules and lmod put the `module` command; they exclude each other.
REAL_MODULES = any(Path(f"/usr/share/{place}/init/bash").exists() for place in ("modules", "lmod/lmod"))

#: What environment-modules does, as far as a job sees it: a shell function that sets variables.
FAKE_INIT = """
module() {
    [ "$1" = load ] || return 0
    case $2 in
        gcc/13) export GCC_HOME=/opt/gcc/13 PATH=/opt/gcc/13/bin:$PATH LOADEDMODULES=${LOADEDMODULES:+$LOADEDMODULES:}$2 ;;
        quiet) echo "quiet: not found" >&2 ;;
        python) export PATH=$FAKE_PYTHON:$PATH LOADEDMODULES=${LOADEDMODULES:+$LOADEDMODULES:}python/3 ;;
        *) echo "no module $2" >&2; return 1 ;;
    esac
}
"""
PRINT = "import json, os, sys; json.dump([dict(os.environ), sys.executable], sys.stdout)"


@pytest.fixture
def fake_modules(tmp_path, monkeypatch) -> Path:
    (tmp_path / "modules" / "init").mkdir(parents=True)
    (tmp_path / "modules" / "init" / "bash").write_text(FAKE_INIT)
    monkeypatch.setenv("MODULESHOME", str(tmp_path / "modules"))
    monkeypatch.delenv("MODULEPATH", raising=False)
    monkeypatch.delenv("LOADEDMODULES", raising=False)
    return tmp_path


@pytest.fixture
def fake_conda(tmp_path, monkeypatch) -> Path:
    """A conda tree: a program that lists and activates, and the environment `ml` with a real Python and a script."""
    root = tmp_path / "conda"
    folder = root / "envs" / "ml"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (folder / "conda-meta").mkdir()
    (folder / "etc" / "conda" / "activate.d").mkdir(parents=True)
    (folder / "etc" / "conda" / "activate.d" / "ml.sh").write_text("export ML_DATA='/data of ml'\n")
    (root / "bin").mkdir()
    program = root / "bin" / "conda"
    program.write_text(
        "#!/bin/bash\n"
        f'[ "$1 $2" = "env list" ] && echo \'{{"envs": ["{root}", "{folder}"]}}\' && exit\n'
        '[ "$1 $2" = "shell.posix activate" ] || exit 3\n'
        "echo \"export CONDA_PREFIX='$3' CONDA_DEFAULT_ENV='${3##*/}' BY=program PATH='$3/bin:$PATH'\"\n"
        "echo \". '$3/etc/conda/activate.d/ml.sh'\"\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("CONDA_EXE", str(program))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    return folder


def _run(command, *more, **env):
    return subprocess.run(
        [*command, *(more or (sys.executable, "-c", PRINT))], capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], **env},
    )  # fmt: skip


def _environment(command, **env):
    ran = _run(command, **env)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)[0]


def test_without_modules_and_conda_nothing_stands_before_the_python():
    assert launcher([], None) == []
    assert job_interpreter(None).is_ours


def test_a_module_is_loaded_and_what_it_changed_is_named(fake_modules):
    found = _environment(launcher(["gcc/13"], None))
    assert found["GCC_HOME"] == "/opt/gcc/13"
    assert found["PATH"].startswith("/opt/gcc/13/bin:")
    assert {"GCC_HOME", "PATH", "LOADEDMODULES"} <= set(found[ACTIVATED].split())
    assert "HOME" not in found[ACTIVATED].split()


def test_modules_come_before_conda(fake_modules, fake_conda):
    found = _environment(launcher(["gcc/13"], find_conda("ml")))
    assert found["PATH"].startswith(f"{fake_conda}/bin:/opt/gcc/13/bin:")
    assert (found["BY"], found["ML_DATA"]) == ("program", "/data of ml")


def test_conda_without_its_program_is_activated_by_hand(fake_conda):
    found = _environment(launcher([], CondaEnvironment(str(fake_conda))))
    assert found["CONDA_PREFIX"] == str(fake_conda)
    assert found["ML_DATA"] == "/data of ml"
    assert "BY" not in found


@pytest.mark.parametrize(
    ("name", "said"), [("nosuch", "module load nosuch failed"), ("quiet", "module load quiet loaded nothing")]
)
def test_a_module_that_cannot_be_loaded_ends_the_job_before_its_code(fake_modules, name, said):
    ran = _run(launcher([name], None))
    assert (ran.returncode, ran.stdout) == (EXIT_NOT_PREPARED, "")
    assert said in ran.stderr.splitlines()[-1]


def test_without_a_module_command_the_job_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("MODULESHOME", raising=False)
    ran = _run(launcher(["gcc/13"], None))
    assert ran.returncode == EXIT_NOT_PREPARED
    # Where modules are installed, they are found and know no such module.
    assert ("module load gcc/13 failed" if REAL_MODULES else "module: not found") in ran.stderr


@pytest.mark.parametrize("name", ["$(touch pwned)", "`touch pwned`", "x;touch", "a'b", 'a"b'])
def test_no_name_ever_becomes_code(fake_modules, monkeypatch, name):
    monkeypatch.chdir(fake_modules)
    if " " in name:
        with pytest.raises(InvalidArgument, match="no name of a module"):
            launcher([name], None)
    else:
        assert _run(launcher([name], None)).returncode == EXIT_NOT_PREPARED
    assert _run(launcher([], CondaEnvironment(name))).returncode == EXIT_NOT_PREPARED
    assert not (fake_modules / "pwned").exists()


def test_the_program_that_is_not_there_is_named(fake_modules):
    ran = _run(launcher(["gcc/13"], None), "python9.9")
    assert ran.returncode == EXIT_NOT_PREPARED
    assert "no program python9.9" in ran.stderr


@pytest.mark.skipif(not REAL_MODULES, reason="neither environment-modules nor lmod is installed")
def test_real_environment_modules_find_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "1.0").write_text("#%Module1.0\nsetenv DEMO_VERSION 1.0\nprepend-path PATH /opt/demo/bin\n")
    monkeypatch.setenv("MODULEPATH", str(tmp_path))
    monkeypatch.delenv("MODULESHOME", raising=False)
    found = _environment(launcher(["demo"], None))
    assert (found["DEMO_VERSION"], found["LOADEDMODULES"]) == ("1.0", "demo/1.0")
    ran = _run(launcher(["demmo"], None))
    assert ran.returncode == EXIT_NOT_PREPARED
    assert "demmo" in ran.stderr


# -- finding environments ------------------------------------------------------------------------------------------


def test_an_environment_is_found_by_name_and_by_folder(fake_conda):
    assert find_conda("ml").folder == str(fake_conda)
    assert find_conda(str(fake_conda)) == find_conda("ml")
    with pytest.raises(UnknownName, match="Did you mean ml"):
        find_conda("mll")
    with pytest.raises(InvalidArgument, match="no conda environment"):
        find_conda(str(fake_conda.parent))


def test_condas_own_list_is_enough_without_its_program(fake_conda, tmp_path, monkeypatch):
    monkeypatch.delenv("CONDA_EXE")
    monkeypatch.delenv("MAMBA_EXE", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{fake_conda}\n/gone/envs/old\n")
    assert find_conda("ml") == CondaEnvironment(str(fake_conda), "")


def test_two_environments_of_one_name_are_told_apart_by_folder(fake_conda, tmp_path):
    other = tmp_path / "other" / "envs" / "ml"
    (other / "bin").mkdir(parents=True)
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{fake_conda}\n{other}\n")
    with pytest.raises(InvalidArgument, match="2 environments have that name"):
        find_conda("ml")


# -- the Python ----------------------------------------------------------------------------------------------------


def test_the_python_is_the_environments(fake_conda):
    found = job_interpreter(None, "ml")
    assert (found.path, found.version) == (str(fake_conda / "bin" / "python"), sys.version_info[:2])
    ran = _run(found.launcher, found.path, "-c", PRINT)
    assert json.loads(ran.stdout)[0]["CONDA_PREFIX"] == str(fake_conda)
    assert job_interpreter("python3", "ml").path == str(fake_conda / "bin" / "python3")
    assert job_interpreter(sys.executable, "ml").path == sys.executable


def test_an_environment_without_python_is_refused(fake_conda):
    (fake_conda / "bin" / "python").unlink()
    with pytest.raises(InvalidArgument, match="has no Python"):
        job_interpreter(None, "ml")


def test_a_bare_name_is_looked_up_after_the_modules(fake_modules, fake_conda, monkeypatch):
    monkeypatch.setenv("FAKE_PYTHON", str(fake_conda / "bin"))
    found = job_interpreter("python", None, ["python"])
    assert (found.path, found.version, found.warnings) == ("python", sys.version_info[:2], [])


def test_modules_that_are_not_here_are_a_warning_because_the_jobs_host_may_have_them(fake_modules):
    found = job_interpreter("python", None, ["elsewhere"])
    assert found.version is None
    assert "module load elsewhere failed" in found.warnings[0]
    assert job_interpreter(None, None, ["elsewhere"]).version == sys.version_info[:2]


# -- beside the notebook's environment -----------------------------------------------------------------------------


def test_what_was_activated_stays_and_what_the_user_names_counts_more():
    present = {ACTIVATED: "PATH GCC_HOME MINE", "PATH": "/opt/gcc/bin:/bin", "GCC_HOME": "/opt/gcc"}
    wanted = {"PATH": "/home/ann/bin:/bin", "GCC_HOME": "/usr", "MINE": "1", "OTHER": "2"}
    assert beside_activated(wanted, ["MINE"], present) == {
        "PATH": "/opt/gcc/bin:/bin:/home/ann/bin",
        "MINE": "1",
        "OTHER": "2",
    }


def test_without_a_launcher_the_notebooks_environment_is_all_there_is():
    wanted = {"PATH": "/bin", "GONE": None}
    assert beside_activated(wanted, [], {"PATH": "/usr/bin"}) == wanted
