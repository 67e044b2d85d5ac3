"""The job card in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

SETUP = """
import threading, time
from IPython.display import display
from gcs_lab.errors import DeniedByDrms
from gcs_lab.models import JobModel
from gcs_lab.widgets import JobCard

class Actions:
    heard = []
    def cancel(self):
        self.heard.append("cancel")
        model.set_trait("message", "cancelled by the test")
        model.set_trait("finished", time.time())
        model.set_trait("exit_status", 137)
        model.set_trait("state", "FAILED")
        model.set_trait("ended", True)
    def hold(self):
        self.heard.append("hold")
        raise DeniedByDrms("the queue's owner says no. Ask <b>her</b>.")
    def release(self):
        self.heard.append("release")
        model.state = "QUEUED"
    def log_tail(self, stream, lines):
        return "".join(f"{stream} line {n}\\n" for n in range(40)) if stream == "stdout" else "careful: <i>x</i>\\n"

model = JobModel(name="fit <script>alert(1)</script>", job_id="12", state="QUEUED", sub_state="qw",
                 system="Grid Engine 8.1.9", submitted=time.time())
card = JobCard(model, Actions())
data, metadata = card.bundle()
handle = display(data, metadata=metadata, raw=True, display_id="card")
"""
RUN = """
for name, value in dict(queue="all.q", host="node1", started=time.time() - 65, rss=300 * 2**20, max_rss=2**30,
                        progress=0.3, progress_text="120/400 batches, epoch 3", state="RUNNING").items():
    setattr(model, name, value)
"""
