"""The lessons with their outputs, as the site shows them: executed once, and again when they have changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["execute_lessons"]

#: Where an executed lesson says what it was made from.
_KEY = "gcs_lab_made_from"
_TIMEOUT = 600.0


def execute_lessons(root: Path, target: Path, *, again: bool = False) -> list[str]:
    """Execute the lessons on the embedded cluster, unsolved, and return the names of those that failed.

    A lesson is taken as it is if neither it nor its data nor the package's version has changed since.

    Parameters
    ----------
    root
        The repository.
    target
        Takes the executed notebooks.
    again
        Execute all of them, changed or not.
    """
    target.mkdir(parents=True, exist_ok=True)
    wanted = sorted((root / "notebooks").glob("[0-9]-*.ipynb"))
    for old in set(target.glob("*.ipynb")) - {target / lesson.name for lesson in wanted}:
        old.unlink()
    failed = []
    for lesson in wanted:
        key, made = _key(root, lesson), target / lesson.name
        if not again and _made_from(made) == key:
            continue
        print(f"executing {lesson.name}", flush=True)
        if _execute(root, lesson, made):
            _note(made, key)
        else:
            failed.append(lesson.name)
    return failed


def _execute(root: Path, lesson: Path, made: Path) -> bool:
    tour = str(root / "tools" / "run_tour.py")
    # Not the user's own journal and cluster: a lesson shows what a beginner sees.
    with tempfile.TemporaryDirectory(prefix="gcs-lab-docs-", ignore_cleanup_errors=True) as home:
        environment = os.environ | {"GCS_LAB_HOME": f"{home}/gcs_lab", "GCS_LAB_JOBS": f"{home}/jobs"}
        done = subprocess.run(
            [sys.executable, tour, "--engine", "embedded", "--notebook", str(lesson), "--output", str(made)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            cwd=root,
        )
    if done.returncode:
        print(f"{lesson.name} failed:\n{(done.stdout + done.stderr)[-4000:]}", file=sys.stderr)
    return done.returncode == 0


def _key(root: Path, lesson: Path) -> str:
    digest = hashlib.sha256()
    for path in (lesson, *_beside(root)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _beside(root: Path) -> Iterator[Path]:
    yield root / "gcs_lab" / "_version.py"
    yield root / "tools" / "run_tour.py"
    yield from sorted(path for path in (root / "notebooks" / "data").glob("*") if path.is_file())


def _made_from(made: Path) -> str | None:
    import nbformat

    if not made.is_file():
        return None
    key = nbformat.read(made, as_version=4).metadata.get(_KEY)  # type: ignore[no-untyped-call]
    return None if key is None else str(key)


def _note(made: Path, key: str) -> None:
    import nbformat

    notebook = nbformat.read(made, as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata[_KEY] = key
    nbformat.write(notebook, made)  # type: ignore[no-untyped-call]
