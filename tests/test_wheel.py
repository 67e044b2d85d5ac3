"""What a user gets: the wheel that is built of the sdist without Node.js, in a fresh environment with JupyterLab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

import gcs_lab

ROOT = Path(__file__).resolve().parent.parent
SHARED = f"gcs_lab-{gcs_lab.__version__}.data/data/"
EXTENSION = SHARED + "share/jupyter/labextensions/gcs-lab/"

#: One process for each test, for it takes seconds to import JupyterLab: what its own commands do and say, and what we say.
COMMANDS = """
import contextlib, io, json, os, sys
from jupyter_server.extension.serverextension import (
    DisableServerExtensionApp, EnableServerExtensionApp, ListServerExtensionsApp
)
from gcs_lab.doctor.jupyterlab_halves import jupyterlab, page_half, server_half

def run(command, *arguments):
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        command.launch_instance(list(arguments))
        command.clear_instance()
    return text.getvalue()

def told(half):
    return dict(vars(half), works=half.works)

def both():
    from jupyterlab.labextensions import ListLabExtensionsApp
    lists = {"page": run(ListLabExtensionsApp), "server": run(ListServerExtensionsApp)}
    return lists | {"halves": [told(page_half()), told(server_half())], "doctor": [vars(finding) for finding in jupyterlab()]}
"""


def _run(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        arguments,
        cwd=cwd,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"} if env is None else env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"gcs_lab-{gcs_lab.__version__}"


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    without_node = {"PATH": str(folder), "HOME": str(folder)}
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=unpacked, env=without_node)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are those of the environment that tests."""
    folder = tmp_path_factory.mktemp("venv")
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    program = folder / "bin" / "python"
    site = Path(_run(program, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip())
    _run(sys.executable, "-m", "pip", "--python", program, "install", "--quiet", "--no-deps", "--no-index", wheel)
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return program


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _jupyter(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user's is configured."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}


def _ask(python: Path, folder: Path, *lines: str) -> Any:
    """Run lines of Python after `COMMANDS`, the last of which is an expression; return its value."""
    code = "\n".join([COMMANDS, *lines[:-1], f"json.dump({lines[-1]}, sys.stdout)"])
    return json.loads(_run(python, "-c", code, env=_jupyter(folder)))


def test_the_wheel_has_both_halves_of_the_extension_once(wheel: Path, names: set[str]) -> None:
    schemas = [f"schemas/gcs-lab/{path.name}" for path in (ROOT / "labextension" / "schema").glob("*.json")]
    assert schemas
    for name in ("package.json", "install.json", "static/style.js", "schemas/gcs-lab/package.json.orig", *schemas):
        assert EXTENSION + name in names
    with zipfile.ZipFile(wheel) as archive:
        package = json.loads(archive.read(EXTENSION + "package.json"))
        enabled = json.loads(archive.read(SHARED + "etc/jupyter/jupyter_server_config.d/gcs_lab.json"))
    assert EXTENSION + package["jupyterlab"]["_build"]["load"] in names
    assert package["version"] == gcs_lab.__version__
    assert enabled == {"ServerApp": {"jpserver_extensions": {"gcs_lab": True}}}
    assert "gcs_lab/server/extension.py" in names
    assert not [name for name in names if name.startswith("gcs_lab/labextension")]


def test_the_wheel_has_the_widgets_and_nothing_that_only_developers_need(names: set[str]) -> None:
    for name in ("job_card", "sweep_card", "grid", "cockpit", "explorer"):
        assert {f"gcs_lab/widgets/static/{name}.js", f"gcs_lab/widgets/static/{name}.css"} <= names
    assert "gcs_lab/widgets/static/chart.js" in names
    assert not [name for name in names if name.endswith((".map", ".ts", ".tsx")) or "node_modules" in name]


def test_licences_of_what_is_bundled_are_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in (
            EXTENSION + "static/third-party-licenses.json",
            "gcs_lab/widgets/static/third-party-licenses.json",
        ):
            packages = {one["name"]: one for one in json.loads(archive.read(name))["packages"]}
            assert {"preact", "@preact/signals", "plotly.js-cartesian-dist-min"} <= set(packages)
            assert all(one["versionInfo"] and one["licenseId"] and one["extractedText"] for one in packages.values())


def test_no_folder_of_the_machine_that_built_it_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        telling = [name for name in archive.namelist() if str(ROOT).encode() in archive.read(name)]
    assert not telling


def test_the_sdist_was_installed_without_its_build_tools(unpacked: Path, wheel: Path) -> None:
    assert wheel.is_file()
    assert (unpacked / "labextension" / "package-lock.json").is_file()
    assert not (unpacked / "labextension" / "node_modules").exists()
    assert not (unpacked / "labextension" / "lib").exists()


def test_all_that_is_added_is_small_enough_without_plotly(unpacked: Path) -> None:
    tool = ROOT / "tools" / "front_end_size.py"
    sizes = _run(sys.executable, tool, unpacked / "gcs_lab" / "labextension", "--limit", "300")
    assert "without plotly" in sizes


def test_jupyterlab_finds_both_halves_and_the_doctor_says_the_same(python: Path, tmp_path: Path) -> None:
    told = _ask(python, tmp_path, "both()")
    assert (
        f"gcs-lab v{gcs_lab.__version__} \x1b[32menabled\x1b[0m \x1b[32mOK\x1b[0m (python, gcs-lab)" in told["page"]
    )
    assert f"gcs_lab {gcs_lab.__version__} \x1b[32mOK\x1b[0m" in told["server"]
    assert [half["works"] for half in told["halves"]] == [True, True]
    assert [half["version"] for half in told["halves"]] == [gcs_lab.__version__] * 2
    (finding,) = told["doctor"]
    assert finding["level"] == "good"
    assert f"both are on: {python.parent.parent}/share/jupyter/labextensions/" in finding["text"]


def test_a_page_that_is_switched_off_is_told_with_the_command_that_mends_it(python: Path, tmp_path: Path) -> None:
    told = _ask(
        python,
        tmp_path,
        "from jupyterlab.labextensions import DisableLabExtensionsApp",
        "run(DisableLabExtensionsApp, '--level=user', 'gcs-lab')",
        "both()",
    )
    assert f"gcs-lab v{gcs_lab.__version__} \x1b[31mdisabled\x1b[0m" in told["page"]
    assert [half["enabled"] for half in told["halves"]] == [False, True]
    halves, fault = told["doctor"]
    assert "half-installed, only the server's half works" in halves["text"]
    assert (fault["level"], fault["remedy"]) == ("broken", "jupyter labextension enable gcs-lab")


def test_a_server_that_is_switched_off_is_told_with_the_command_that_mends_it(python: Path, tmp_path: Path) -> None:
    told, again = _ask(
        python,
        tmp_path,
        "run(DisableServerExtensionApp, 'gcs_lab')",
        "off = both()",
        "run(EnableServerExtensionApp, 'gcs_lab')",
        "[off, told(server_half())]",
    )
    assert "gcs_lab \x1b[31mdisabled\x1b[0m" in told["server"]
    assert [half["enabled"] for half in told["halves"]] == [True, False]
    halves, fault = told["doctor"]
    assert "half-installed, only the page's half works" in halves["text"]
    assert (fault["level"], fault["remedy"]) == ("broken", "jupyter server extension enable gcs_lab")
    assert again["works"] is True


def test_the_folder_that_counts_first_is_the_one_that_is_named(python: Path, tmp_path: Path) -> None:
    own = tmp_path / "config" / "jupyter_server_config.d" / "gcs_lab.json"
    own.parent.mkdir(parents=True)
    own.write_text('{"ServerApp": {"jpserver_extensions": {"gcs_lab": false}}}')
    # In a virtual environment its own configuration goes before the user's, elsewhere it is the other way round.
    inside, outside, again = _ask(
        python,
        tmp_path,
        "inside = told(server_half())",
        "os.environ['JUPYTER_PREFER_ENV_PATH'] = '0'",
        "outside = told(server_half())",
        "run(EnableServerExtensionApp, '--user', 'gcs_lab')",
        "[inside, outside, told(server_half())]",
    )
    assert [inside["works"], outside["works"], again["works"]] == [True, False, True]
    assert "jupyter server extension enable gcs_lab --user" in outside["faults"][0][1]


def test_a_server_that_nothing_names_is_told_to_be_installed_anew(python: Path, tmp_path: Path) -> None:
    # `jupyter server extension enable` refuses what no configuration names.
    named = python.parent.parent / "etc" / "jupyter" / "jupyter_server_config.d" / "gcs_lab.json"
    content = named.read_text()
    named.unlink()
    try:
        half = _ask(python, tmp_path, "told(server_half())")
    finally:
        named.write_text(content)
    assert half["enabled"] is False
    assert "pip install --force-reinstall" in half["faults"][0][1]
