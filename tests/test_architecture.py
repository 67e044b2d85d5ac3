"""The house of docs/index.md, held from the code itself."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "gcs_lab"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES]
HEAVY = {
    "IPython",
    "anywidget",
    "cloudpickle",
    "drmaa",
    "ipykernel",
    "ipywidgets",
    "matplotlib",
    "numpy",
    "pandas",
} | {
    "psutil",
    "traitlets",
}
LONGEST = 400


def _run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        cwd=ROOT,
    )


def _repository_files() -> list[Path]:
    """Return the files that are, or would be, committed."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            timeout=60,
            check=True,
            cwd=ROOT,
        )
        names = [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
    else:  # a source archive
        names = [
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if not {".venv", "node_modules", "__pycache__", ".make"} & set(path.relative_to(ROOT).parts)
        ]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_a_room_imports_only_from_lower_floors(tmp_path: Path) -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint_imports, "--cache-dir", tmp_path], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_named_for_what_it_holds(path: Path) -> None:
    assert not set(path.stem.split("_")) & {"utils", "util", "helpers", "common", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_functions_are_short(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {node.name: length for node in functions if (length := (node.end_lineno or 0) - node.lineno + 1) > 70}
    assert not long


def test_import_gcs_lab_is_light() -> None:
    done = _run_python("import sys, gcs_lab; print(*sorted({name.partition('.')[0] for name in sys.modules}))")
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())


def test_asking_what_there_is_to_connect_to_is_light_too() -> None:
    done = _run_python(
        "import sys, gcs_lab.cluster as c; c.offers(); print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    # psutil tells whether the processes of a private Grid Engine are still those that were started.
    assert not (HEAVY - {"psutil"}) & set(done.stdout.split())


def test_the_extension_loads_little_of_the_package() -> None:
    # Every notebook pays for it; what a cell's job needs is loaded by the first one.
    done = _run_python("import sys, gcs_lab.magics.gcs_magics; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    rooms = {".".join(name.split(".")[:2]) for name in done.stdout.split() if name.startswith("gcs_lab.")}
    assert rooms == {"gcs_lab._version", "gcs_lab.cells", "gcs_lab.errors", "gcs_lab.magics"}
    assert "gcs_lab.cells.plan" not in done.stdout.split()


def test_each_module_can_be_imported_first() -> None:
    # One fresh namespace of gcs_lab modules each, in one process: circular imports show, and it stays quick.
    code = f"""
import importlib, sys
for name in {MODULES!r}:
    for loaded in [m for m in sys.modules if m.partition(".")[0] == "gcs_lab"]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""
    done = _run_python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p != PACKAGE / "_version.py"], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    home = re.compile(rf"(?<![\w.])(/home/(?!ann\b|user\b)[a-z]\w*/|{re.escape(str(Path.home()))}/)")
    found = []
    for path in _repository_files():
        if path.is_relative_to(ROOT / "tests" / "data") or path == ROOT / "LICENSE":
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # a picture
            continue
        if home.search(text) or f"{ROOT}/" in text:
            found.append(str(path.relative_to(ROOT)))
    assert not found


def test_no_large_file_is_committed() -> None:
    assert [str(path) for path in _repository_files() if path.stat().st_size > 1 << 20] == []
