"""Follow binder/ in a clean root as repo2docker does, and prove what it starts (for tools/clean_root.py)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dockerfile import Build, Instruction, instructions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from clean_root import Steps

__all__ = ["dockerfile", "prove_binder"]

USER = {"NB_USER": "jovyan", "NB_UID": "1000"}
#: The one step that cannot be followed: it downloads conda's packages from their own channel.
BASE_STEP = "install-base-env.bash"
#: What of conda's environment matters here, in the versions of repo2docker's lock file, from the Python index.
_LOCKED = (
    "ipykernel", "ipython", "ipywidgets", "jupyter_client", "jupyter_server", "jupyterhub-base", "jupyterlab",
    "jupyter-resource-usage", "notebook",
)  # fmt: skip
_ENVIRONMENT = "/srv/conda/envs/notebook"


def dockerfile(checkout: Path, context: Path) -> str:
    """Return the Dockerfile that repo2docker writes for a checkout; what it copies is put into `context`.

    Raises
    ------
    ValueError
        If repo2docker would not take its Python build for it.
    """
    from repo2docker.buildpacks import PythonBuildPack
    from repo2docker.buildpacks.base import __file__ as buildpacks

    with contextlib.chdir(checkout):
        build = PythonBuildPack(base_image="docker.io/library/buildpack-deps:24.04")
        build.platform = "linux/amd64"
        if not build.detect():
            raise ValueError("repo2docker does not see a Python environment in binder/")
        text = str(build.render(USER))
        for source in build.get_build_script_files():
            name, path = build.generate_build_context_filename(source)
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, context / name)
    for name in ("repo2docker-entrypoint", "python3-login"):
        shutil.copy2(Path(buildpacks).with_name(name), context / name)
    return text


def prove_binder(flags: argparse.Namespace, steps: Steps, checkout: Path, machine: Mapping[str, str]) -> None:
    """Build in the root, start it as Kubernetes would, and run cells on both clusters."""
    context = checkout.parent
    if flags.wheel:
        with steps.step("a wheel for binder/wheels", "developer"):
            _build_wheel(checkout / "binder" / "wheels", steps)
    text = dockerfile(checkout, context)
    build = Build(flags.folder, context, arguments=USER, machine=machine)
    for instruction in instructions(text):
        name = _name_of(instruction)
        if BASE_STEP in instruction.rest and instruction.word == "RUN":
            with steps.step("Python and Jupyter (instead of conda's)"):
                _base_environment(build, steps, text)
        elif name:
            with steps.step(name, build.user):
                build.follow(instruction, steps.output)
        else:
            build.follow(instruction, steps.output)
    # What leads to mirrors is for the build alone.
    build.machine = {}
    with steps.step("start: two clusters, a job on each node, JupyterLab, a cell on each", build.user):
        prove = ["python", "tools/started_course.py", "--jupyter", f"--since={time.time()}"]
        build.run([*build.entrypoint, *prove], steps.output, confined=True)
    print(steps.told(), flush=True)
    for notebook in flags.notebook:
        for engine in ("gridengine", "embedded"):
            with steps.step(f"{notebook} on {engine}", build.user):
                run = ["python", "tools/run_tour.py", "--engine", engine, "--notebook", notebook]
                build.run([*build.entrypoint, *run], steps.output, confined=True)


def _name_of(instruction: Instruction) -> str:
    """Return what a step is called in the table; empty if it takes no time worth a row."""
    rest = instruction.rest
    if instruction.word != "RUN":
        return ""
    if "apt-get install" in rest and "gridengine" in rest:
        return "binder/apt.txt"
    for name in ("binder/requirements.txt", "./binder/postBuild"):
        if name in rest:
            return name.removeprefix("./")
    return "repo2docker's packages" if "apt-get" in rest else ""


def _base_environment(build: Build, steps: Steps, text: str) -> None:
    """Put the root's own Python where conda's would be, with the Jupyter packages of repo2docker's lock file."""
    lock = next(build.inside("/tmp/env").glob("*.lock")).read_text()  # noqa: S108
    pattern = re.compile(r"/([\w-]+?)-([\d.]+)-\w+\.conda")
    locked = {match[1]: match[2] for match in map(pattern.search, lock.splitlines()) if match}
    packages = [f"{name.removesuffix('-base')}=={locked[name]}" for name in _LOCKED]
    apt = "apt-get -qq update && apt-get -qq install --yes --no-install-recommends python3-venv >/dev/null"
    build.run(["/bin/sh", "-c", apt], steps.output)
    build.run(["python3", "-m", "venv", _ENVIRONMENT], steps.output)
    build.run([f"{_ENVIRONMENT}/bin/pip", "install", "--quiet", "--no-cache-dir", *packages], steps.output)
    build.run(["chown", "-R", f"{USER['NB_UID']}:{USER['NB_UID']}", "/srv/conda"], steps.output)
    # Where conda's profile would put the environment into the PATH of a login shell.
    build.inside("/etc/profile.d/activate-conda.sh").write_text(f"PATH={_ENVIRONMENT}/bin:/srv/conda/bin:$PATH\n")
    if f"environment.py-{_python_of(build)}" not in text.replace("-2e", ".").replace("-2d", "-"):
        print(f"   (Python {_python_of(build)} is the root's; repo2docker would take that of binder/runtime.txt)")


def _python_of(build: Build) -> str:
    return next(build.inside(f"{_ENVIRONMENT}/lib").glob("python3*")).name.removeprefix("python")


def _build_wheel(to: Path, steps: Steps) -> None:
    root = Path(__file__).resolve().parent.parent
    to.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    steps.output(done.stdout)
    done.check_returncode()
