"""The program that docs/jobs.md spells out, run from its first line to its last."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drmaa2.drmaa2_lab import Site

JOBS = Path(__file__).resolve().parents[2] / "docs" / "jobs.md"
#: The document speaks of an array that takes a while; here it has ten tasks.
SMALLER = {"10_000": "10", "9_001, 10_001": "9, 11", "array.job(17)": "array.job(2)"}
#: A reservation is granted where slots are free: what came before has to end.
BEFORE_RESERVING = """
later.terminate()
cluster.jobs.wait_all_terminated(cluster.jobs.list() or [array], timeout=60)
"""
LAST = """
print("counts", array.counts()[JobState.DONE], array.counts()[JobState.FAILED])
print("session", len(session.get_jobs()))
session.destroy()
"""


def test_the_document_s_program_runs(site: Site, tmp_path: Path) -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", JOBS.read_text(encoding="utf-8"), re.DOTALL))
    for great, small in SMALLER.items():
        assert great in program
        program = program.replace(great, small)
    reserving = "from gcs_lab.vocabulary import ReservationTemplate"
    assert reserving in program
    program = program.replace(reserving, BEFORE_RESERVING + reserving)
    file = tmp_path / "program.py"
    file.write_text(program + LAST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", file],
        env=os.environ | {"GCS_LAB_HOME": str(site.home), "GCS_LAB_CLUSTER": site.cluster},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == ["counts 8 2", "session 1"]
