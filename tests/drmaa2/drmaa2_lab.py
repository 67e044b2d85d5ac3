"""One system that the DRMAA2 face is driven on."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

import gcs_lab
import gcs_lab.cluster
from gcs_lab.backends.embedded.places import Places
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
# A program need not close its connection before it ends.
PYTHON = (sys.executable, "-W", "error", "-W", "ignore::ResourceWarning")


@dataclass
class Site:
    """A cluster by name, and the home of gcs_lab that it is in."""

    cluster: str
    home: Path

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Make this the cluster that this process connects to."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GCS_LAB_HOME", str(self.home))
            patch.setenv("GCS_LAB_CLUSTER", self.cluster)
            yield

    def disconnect(self) -> None:
        """Close the connection of this process."""
        gcs_lab.connect(self.cluster).close()

    @property
    def jobs(self) -> gcs_lab.cluster.Jobs:
        return gcs_lab.connect(self.cluster).jobs

    @property
    def environment(self) -> dict[str, str]:
        """What a program that uses this cluster has in its environment."""
        return {**os.environ, "GCS_LAB_HOME": str(self.home), "GCS_LAB_CLUSTER": self.cluster}

    def configure(self, text: str) -> None:
        Places.of_user().configuration.write_text(text)

    def python(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program on this cluster, in a folder of the home."""
        return subprocess.run(
            [*PYTHON, *argv],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.home,
            env={**self.environment, **environment},
        )

    def start(self, code: str, *argv: str) -> subprocess.Popen[str]:
        """Start a Python program on this cluster; its output can be read."""
        return subprocess.Popen(
            [*PYTHON, "-c", code, *argv],
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=self.environment,
        )


def end_all_jobs(site: Site) -> None:
    """End every job and reservation, so that the next test finds the slots free."""
    jobs = site.jobs
    for reservation in jobs.reservations.list():
        with suppress(InvalidState, InvalidArgument):
            reservation.terminate()
    jobs.control(JobAction.TERMINATE, [job.id for job in jobs.list()])
    wait_for(lambda: not jobs.list(), "the end of all jobs")
