"""The JupyterLab extension as tests handle it: a JupyterLab with a home of its own, and the places of a page."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from live_lab import WAIT_MILLISECONDS, LabPage, LiveLab
from patience import wait_for
from playwright.sync_api import TimeoutError as LateError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from playwright.sync_api import Browser, Locator

__all__ = [
    "badge",
    "job_row",
    "main_tab",
    "notification",
    "open_bare",
    "own_lab",
    "panel",
    "press_in_row",
    "show_panel",
    "status",
    "wait_until_ready",
]


@contextlib.contextmanager
def own_lab(
    browser: Browser, *, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[LiveLab]:
    """Start a JupyterLab whose clusters, jobs and settings nobody shares; end all of it afterwards."""
    place = Path(tempfile.mkdtemp(prefix="lx-", dir="/tmp"))
    home = (environment or {}).get("GCS_LAB_HOME", str(place / "gcs"))
    lab = LiveLab(browser, place / "lab", {**(environment or {}), "GCS_LAB_HOME": home}, arguments)
    try:
        lab.start()
        yield lab
    finally:
        lab.stop()
        _end_embedded(Path(home))
        shutil.rmtree(place, ignore_errors=True)


def _end_embedded(home: Path) -> None:
    """End the scheduler in a home, and the jobs that run there."""
    if not (home / "state" / "embedded").exists():
        return
    import gcs_lab
    from gcs_lab.backends.embedded import service
    from gcs_lab.errors import GcsError

    before = os.environ["GCS_LAB_HOME"]
    os.environ["GCS_LAB_HOME"] = str(home)
    try:
        cluster = gcs_lab.connect("embedded")
        for job in cluster.jobs.list():
            with contextlib.suppress(GcsError):
                job.terminate()
        cluster.close()
        service.stop()
    finally:
        os.environ["GCS_LAB_HOME"] = before


@contextlib.contextmanager
def open_bare(lab: LiveLab, *, reset: bool = True, viewport: tuple[int, int] = (1280, 900)) -> Iterator[LabPage]:
    """Open JupyterLab without a notebook; `reset`: as nobody has left it."""
    page = lab._pages().new_page()
    try:
        page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
        page.set_default_timeout(WAIT_MILLISECONDS)
        bare = LabPage(lab, page, lab.notebooks)
        page.on("request", bare.note_request)
        page.goto(f"{lab.url}/lab?{'reset&' if reset else ''}token={lab.token}")
        wait_until_ready(bare)
        yield bare
    finally:
        page.close()


def wait_until_ready(page: LabPage) -> None:
    """Wait until JupyterLab has its layout of last time."""
    page.page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)")
    page.page.locator("#jupyterlab-splash").wait_for(state="detached")


def show_panel(page: LabPage) -> Locator:
    page.command("gcs-lab:show-panel")
    panel(page).wait_for()
    return panel(page)


def panel(page: LabPage) -> Locator:
    return page.page.locator(".jp-gcs-lab-panel")


def job_row(page: LabPage, name: str) -> Locator:
    """Return a job's row in the panel."""
    named = page.page.locator(".jp-gcs-lab-job-name").get_by_text(name, exact=True)
    return panel(page).locator(".jp-gcs-lab-job").filter(has=named)


def press_in_row(row: Locator, name: str) -> None:
    """Press a button that a job's row shows while the pointer is over it; rows above that come and go move it away."""

    def press() -> bool:
        row.hover()
        try:
            row.get_by_role("button", name=name).click(timeout=2000)
        except LateError:
            return False
        return True

    wait_for(press, f"a press of {name}")


def badge(page: LabPage, cell: int) -> Locator:
    """Return the badge of a cell of the notebook that is open."""
    return page.cell(cell).locator(".jp-gcs-lab-badge")


def main_tab(page: LabPage, kind: str) -> Locator:
    """Return the content of the tab of a kind (queue, accounting, hosts, job) that is in front."""
    return page.page.locator(f"[id^='gcs-lab-{kind}:']:not(.lm-mod-hidden) .jp-gcs-lab-view")


def status(page: LabPage) -> Locator:
    return page.page.locator(".jp-gcs-lab-status button")


def notification(page: LabPage, text: str | re.Pattern[str]) -> Locator:
    return page.page.locator(".jp-toastContainer .Toastify__toast").filter(has_text=text)
