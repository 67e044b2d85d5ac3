"""What is said about the package is true of it: metadata, licence, set-up."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path

import nbformat
import pytest

import gcs_lab

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TOUR = ROOT / "notebooks" / "0-tour.ipynb"


def _third_party_imports() -> set[str]:
    found = set()
    for path in (ROOT / "gcs_lab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"gcs_lab"}


def _run_with_path(*arguments: str, cwd: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=cwd, env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_version_is_told_in_one_place() -> None:
    assert gcs_lab.__version__ == version("gcs-lab")
    assert json.loads((ROOT / "labextension" / "package.json").read_text())["version"] == gcs_lab.__version__


def test_the_changelog_has_the_version_and_a_place_for_what_comes() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", gcs_lab.__version__]


def test_the_licence_is_the_one_that_is_declared() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_third_party_import_is_a_declared_dependency() -> None:
    declared = {re.split(r"[\[<>=!~ ;]", name)[0].lower() for name in PROJECT["dependencies"]}
    optional = {"matplotlib", "tqdm", "PIL"}  # used if the user's own code brought them
    # What runs a notebook is imported in the job alone, whose Python is asked for it beforehand.
    optional |= {"papermill", "nbclient", "jupyter_client", "yaml"}
    optional |= {"jupyterlab"}  # the doctor looks whether it is there
    homes = packages_distributions()
    undeclared = {
        name
        for name in _third_party_imports() - optional
        if not {home.lower().replace("_", "-") for home in homes.get(name, [name])} & declared
    }
    assert not undeclared


def test_every_package_that_the_front_end_imports_is_declared_and_locked() -> None:
    folder = ROOT / "labextension"
    imported = {
        name
        for path in (folder / "src").rglob("*.ts*")
        for name in re.findall(r"""(?:from |import\()'((?:@[\w-]+/)?\w[^'/]*)""", path.read_text())
    }
    package = json.loads((folder / "package.json").read_text())
    lock = json.loads((folder / "package-lock.json").read_text())["packages"][""]
    assert {"preact", "@jupyterlab/application", "@lumino/widgets"} <= imported
    assert imported <= {*package["dependencies"], *package["devDependencies"]}
    for kind in ("dependencies", "devDependencies"):
        assert package[kind] == lock[kind]


def test_what_the_front_end_bundles_is_not_what_jupyterlab_ships() -> None:
    # Users build with these alone: the rest is of JupyterLab, which has its own.
    dependencies = json.loads((ROOT / "labextension" / "package.json").read_text())["dependencies"]
    assert not [name for name in dependencies if name.startswith(("@lumino/", "react")) or name == "yjs"]
    assert {name for name in dependencies if name.startswith("@jupyterlab/")} == {"@jupyterlab/core-meta"}


def test_both_backends_are_entry_points() -> None:
    assert {"embedded", "gridengine"} <= {point.name for point in entry_points(group="gcs_lab.backends")}


def test_the_command_is_there_and_tells_its_version() -> None:
    command = Path(sys.executable).with_name("gcs-lab")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == f"gcs-lab {gcs_lab.__version__}"


def test_type_checkers_may_use_the_annotations() -> None:
    assert (ROOT / "gcs_lab" / "py.typed").exists()


def test_the_readme_names_the_commands_that_the_makefile_has() -> None:
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"lab", "tour", "test"} <= named <= targets


@pytest.mark.parametrize(
    "document", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [target for target in targets if target and not (document.parent / target).exists()]
    assert not missing


def test_the_tour_is_valid_and_committed_without_outputs() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_the_tour_shows_both_ways_to_run_a_cell_and_how_to_come_back() -> None:
    text = "\n".join(cell.source for cell in nbformat.read(TOUR, as_version=4).cells)
    for word in ("%%gcs run", "%%gcs submit", "--explain", "%gcs status", "%gcs jobs", "%gcs wait", "%gcs attach"):
        assert word in text


def test_a_python_that_is_too_old_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    done = _run_with_path(str(ROOT / "tools" / "make_venv.sh"), "", cwd=tmp_path, path=f"{tmp_path}")
    assert done.returncode == 1
    assert "no Python 3.11 or newer was found" in done.stderr
    assert "make lab PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_its_venv_module_is_refused_with_the_apt_line(tmp_path: Path) -> None:
    # As on Debian without python3-venv: the interpreter runs, and ensurepip cannot be imported.
    stand_in = tmp_path / "python3"
    stand_in.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; *) exec "{sys.executable}" "$@" ;; esac\n')
    stand_in.chmod(0o755)
    done = _run_with_path(str(ROOT / "tools" / "make_venv.sh"), "", cwd=tmp_path, path=f"{tmp_path}")
    assert done.returncode == 1
    major, minor = sys.version_info[:2]
    assert f"sudo apt-get install python{major}.{minor}-venv" in done.stderr


def test_packages_that_cannot_be_installed_are_named_with_the_reason(tmp_path: Path) -> None:
    # A machine without apt-get and dpkg: only what the script itself needs is on PATH.
    for name in ("mktemp", "rm"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/bash", ROOT / "tools" / "install_packages.sh", "gridengine"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.startswith("not installed: gridengine: there is no apt-get here; install gridengine-master")


def test_a_process_that_was_left_behind_is_ended_and_makes_the_run_fail() -> None:
    mark = "GCS_LAB_LEFT=of-this-test"
    with subprocess.Popen(["sleep", "600"], env=os.environ | {"GCS_LAB_LEFT": "of-this-test"}) as left:
        done = subprocess.run(
            [ROOT / "tools" / "end_leftovers.sh", mark], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert f"left behind and ended now: {left.pid} sleep 600" in done.stderr
        assert left.wait(10) == -9
    clean = subprocess.run(
        [ROOT / "tools" / "end_leftovers.sh", mark], capture_output=True, text=True, timeout=60, check=False
    )
    assert clean.returncode == 0


def test_make_alone_lists_its_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    for target in ("lab", "tour", "test", "lint"):
        assert re.search(rf"^  {target} ", done.stdout, re.MULTILINE)
