"""The folder that holds all there is to know of a cell's job (docs/event-log.md)."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells import runner
from gcs_lab.cells.runner.point_file import POINTS
from gcs_lab.cells.runner.private_file import write_all, write_whole
from gcs_lab.cells.runner.task_place import ROUNDS, task_folder
from gcs_lab.cells.runner_archive import runner_archive
from gcs_lab.errors import OutOfResource, UntrustedFile
from gcs_lab.user_paths import private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JobFolder", "jobs_folder"]


def jobs_folder() -> Path:
    """Folder under which the job folders stand: ``GCS_LAB_JOBS``, else the user's state folder.

    On a site's cluster it must be on a file system that the execution hosts see, as home folders usually are.
    """
    named = os.environ.get("GCS_LAB_JOBS")
    return private_folder(Path(named).expanduser().absolute() if named else state_folder() / "jobs")


class JobFolder:
    """The one class that knows the names in a job folder.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = path / "spec.json"
        self.inputs = path / "inputs.payload"
        #: Inputs of a script that are files.
        self.input_files = path / "inputs"
        self.outputs = path / "outputs.payload"
        self.exception = path / "exception.payload"
        self.events = path / "events.jsonl"
        self.files = path / "files"
        self.runner = path / "runner.pyz"
        self.stdout = path / "stdout"
        self.stderr = path / "stderr"
        self.verdict = path / runner.VERDICT
        self.template = path / "template.json"
        # Of a sweep alone.
        self.points = path / POINTS
        self.rounds = path / ROUNDS

    def __repr__(self) -> str:
        return f"<JobFolder {self.path}>"

    @classmethod
    def name_for(cls, job_name: str) -> str:
        """Return a fresh folder name that sorts by time and reads like the job's name."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", job_name).strip("-")[:32] or "cell"
        return f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}-{uuid.uuid4().hex[:8]}"

    @classmethod
    @contextmanager
    def create(cls, job_name: str) -> Iterator[JobFolder]:
        """Make a folder; if the block fails, nothing of it is left.

        Raises
        ------
        OutOfResource
            If the disk is full or a quota is reached while the block writes.
        """
        folder = cls(jobs_folder() / cls.name_for(job_name))
        try:
            private_folder(folder.path)
            yield folder
        except OSError as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise OutOfResource(_disk_full(folder.path.parent, error)) from error
            raise
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise

    def of_task(self, task: int) -> JobFolder:
        """Return the folder of one task of a sweep; it is there once the task has started."""
        return JobFolder(Path(task_folder(str(self.path), task)))

    def round_ids(self) -> list[str]:
        """Return the ids of a sweep's array jobs, the first round's first. Raises OSError, ValueError."""
        records = itertools.takewhile(Path.exists, (self.rounds / f"{number}.json" for number in itertools.count(1)))
        ids = [str(json.loads(record.read_bytes())["job_id"]) for record in records]
        return [job_id for job_id in ids if job_id]

    def write_runner(self) -> None:
        """Put the program that the job runs into the folder."""
        kept = runner_archive()
        try:
            os.link(kept, self.runner)
        except OSError:
            # The cache is on another file system, or this one has no links.
            _write_private(self.runner, kept.read_bytes())

    def write_spec(self, spec: dict[str, Any]) -> None:
        """Write what the runner shall do."""
        _write_private(self.spec, json.dumps(spec, ensure_ascii=False).encode("utf-8", "surrogateescape"))

    def write_template(self, template: dict[str, Any]) -> None:
        """Write what the cluster was asked for: a check can tell it, and a sweep's tasks can be submitted again."""
        _write_private(self.template, json.dumps(template).encode())

    def read_spec(self) -> dict[str, Any]:
        """Return what the runner was asked to do.

        Raises
        ------
        UntrustedFile
            If another user could have written it.
        """
        self.check_trusted(self.spec)
        spec: dict[str, Any] = json.loads(self.spec.read_bytes().decode("utf-8", "surrogateescape"))
        return spec

    def write_verdict(self, why: str, seq: int, upstream: dict[str, Any] | None = None) -> None:
        """Write how a job failed that could not say so itself, for the jobs that wait for it.

        Parameters
        ----------
        why
            ``"failed: killed: h_rt=60 s exceeded"``, ``"was not run: …"``.
        seq
            Number of the last event of its log that is known; what it says after that counts more. -1: none.
        upstream
            The earlier job that is to blame, if one is.
        """
        verdict = {"good": False, "why": why, "seq": seq, "upstream": upstream}
        _write_private(self.verdict, json.dumps(verdict, ensure_ascii=False).encode("utf-8", "surrogateescape"))

    def read_verdict(self) -> dict[str, Any] | None:
        """Return what :meth:`write_verdict` wrote; None if there is none.

        Raises
        ------
        UntrustedFile
            If another user could have written it.
        """
        if not self.verdict.exists():
            return None
        self.check_trusted(self.verdict)
        verdict: dict[str, Any] = json.loads(self.verdict.read_bytes().decode("utf-8", "surrogateescape"))
        return verdict

    def check_trusted(self, path: Path) -> None:
        """Raise UntrustedFile if someone else could have written `path` or swapped a folder above it."""
        try:
            runner.check_trusted(str(path))
        except PermissionError as error:
            raise UntrustedFile(str(error)) from None

    def size(self) -> int:
        """Return the bytes that the folder takes."""
        total = 0
        for base, _, names in os.walk(self.path):
            for name in names:
                try:
                    total += os.lstat(os.path.join(base, name)).st_size  # noqa: PTH118  (hot on big folders)
                except FileNotFoundError:
                    continue
        return total

    def remove(self) -> None:
        """Delete the folder with everything in it."""
        shutil.rmtree(self.path)


def _write_private(path: Path, content: bytes) -> None:
    write_whole(str(path), lambda descriptor: write_all(descriptor, content))


def _disk_full(folder: Path, error: OSError) -> str:
    free = shutil.disk_usage(folder).free
    return (
        f"the job folder could not be written: {error.strerror} under {folder} ({free / 1e6:.0f} MB free). "
        "Nothing was sent. Free some space (%gcs clean shows old job folders), or set GCS_LAB_JOBS to a folder on "
        "another disk that the cluster's hosts see."
    )
