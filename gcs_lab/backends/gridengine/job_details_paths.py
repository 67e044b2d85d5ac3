"""Where the output of a job's tasks goes (``qsub -o``, ``-e``, ``-j``; tried on 8.1.9)."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_details_xml import pairs_of

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ["OutputPaths"]

_PLACEHOLDER = re.compile(r"\$(JOB_ID|JOB_NAME|TASK_ID|HOSTNAME|HOME|USER)\b")


@dataclass(frozen=True)
class OutputPaths:
    """What decides where a job writes: the paths given by host ("": all others), and what stands for placeholders."""

    job_id: str
    name: str
    owner: str
    home: str
    working_directory: str
    stdout: dict[str, str]
    stderr: dict[str, str]
    merged: bool

    @classmethod
    def of(cls, job: ET.Element) -> OutputPaths:
        """Return those of a job's element of ``qstat -j -xml``."""
        environment = pairs_of(job, "JB_env_list")
        home = environment.get("__SGE_PREFIX__O_HOME", "")
        return cls(
            job_id=job.findtext("JB_job_number") or "",
            name=job.findtext("JB_job_name") or "",
            owner=job.findtext("JB_owner") or "",
            home=home,
            # A job without -cwd and -wd runs in its owner's home.
            working_directory=job.findtext("JB_cwd") or home,
            stdout=_by_host(job, "JB_stdout_path_list"),
            stderr=_by_host(job, "JB_stderr_path_list"),
            merged=job.findtext("JB_merge_stderr") == "true",
        )

    def of_task(self, task: int | None, host: str | None) -> tuple[str | None, str | None]:
        """Return the paths of stdout and stderr of a task on `host`; None where that is not known.

        With ``-j y`` both are the same. A path that is a folder (as far as this machine can see it) gets Grid
        Engine's name of the file within.
        """
        stdout = self._path(self.stdout, "o", task, host)
        return stdout, stdout if self.merged else self._path(self.stderr, "e", task, host)

    def _path(self, given: dict[str, str], letter: str, task: int | None, host: str | None) -> str | None:
        path = given.get(host or "", given.get("", self.working_directory))
        words = {
            "JOB_ID": self.job_id,
            "JOB_NAME": self.name,
            # So it is for a job that is no array.
            "TASK_ID": str(task or 0),
            "HOSTNAME": host,
            "HOME": self.home,
            "USER": self.owner,
        }
        unknown = [name for name in _PLACEHOLDER.findall(path) if not words[name]]
        if not path or unknown:
            return None
        path = _PLACEHOLDER.sub(lambda found: words[found[1]] or "", path)
        if not posixpath.isabs(path):
            if not self.working_directory:
                return None
            path = posixpath.join(self.working_directory, path)
        if path.endswith("/") or path == self.working_directory or os.path.isdir(path):  # noqa: PTH112
            path = posixpath.join(path, f"{self.name}.{letter}{self.job_id}{f'.{task}' if task else ''}")
        return path


def _by_host(job: ET.Element, tag: str) -> dict[str, str]:
    paths: dict[str, str] = {}
    for entry in job.iterfind(f"{tag}/*"):
        host, path = entry.findtext("PN_host") or "", entry.findtext("PN_path") or ""
        if path:
            paths.setdefault(host, path)
    return paths
