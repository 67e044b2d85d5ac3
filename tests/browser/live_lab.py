"""A real JupyterLab with a real browser: the harness of all browser tests.

Not called ``jupyterlab.py``: pytest puts this folder on the path, and the name would hide the package.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, BrowserType, Locator, Page, Request

# A busy machine draws in its own time; playwright waits for five seconds if nobody says otherwise.
WAIT_MILLISECONDS = 60_000
expect.set_options(timeout=WAIT_MILLISECONDS)

__all__ = ["WAIT_MILLISECONDS", "LabPage", "LiveLab", "chromium_path", "launch_chromium"]

#: Flags for a container without a sandbox, a GPU or a big /dev/shm, and for a browser that calls nobody.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Every cell is in the page whether it is in view or not, and nothing asks anything.
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "recordTiming": False},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    # By itself it forgets what a kernel answers after a second, which a busy machine needs for IPython's own words.
    "@jupyterlab/completer-extension/manager": {"providerTimeout": 20_000},
}
THEME_SETTING = "lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
START_SECONDS = 120.0


def chromium_path() -> str | None:
    """Return a Chromium of this machine, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def launch_chromium(kind: BrowserType) -> Browser:
    """Start Chromium so that it reaches this machine only.

    All else goes to a proxy on a port where nobody listens. (Playwright's routes would do, but they switch the
    browser's cache off, and JupyterLab would be loaded anew for every test.)
    """
    nobody = {"server": "http://127.0.0.1:9", "bypass": ",".join(sorted(LOOPBACK))}
    return kind.launch(executable_path=chromium_path(), args=list(CHROMIUM_FLAGS), proxy=nobody)


class LiveLab:
    """A JupyterLab server with folders of its own below `home`, and a browser to look at it."""

    def __init__(
        self,
        browser: Browser,
        home: Path,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.browser = browser
        #: More arguments of the command; what a test may change between stop() and start().
        self.arguments = list(arguments)
        self.notebooks = home / "notebooks"
        self.log = home / "server.log"
        self.token = uuid.uuid4().hex
        self._folders = {
            name: home / name.lower() for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        for folder in (self.notebooks, *self._folders.values()):
            folder.mkdir(parents=True)
        self._write_settings()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        own = {name: str(path) for name, path in self._folders.items()} | {"IPYTHONDIR": str(home / "ipython")}
        self.environment = {**os.environ, **own, "JUPYTER_PLATFORM_DIRS": "1", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._context: BrowserContext | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # ended by stop()
                self._command(),
                cwd=self.notebooks,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"JupyterLab did not start; it said:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server with its kernels; what does not go by itself is killed with its process group."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(urllib.error.URLError, OSError):
            self._request("/api/shutdown", method="POST")
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    @contextlib.contextmanager
    def open(
        self, cells: Sequence[str], *, name: str = "", viewport: tuple[int, int] = (1280, 900)
    ) -> Iterator[LabPage]:
        """Open a new notebook of code cells in a page of its own, with its kernel ready."""
        path = self.notebooks / f"{name or uuid.uuid4().hex[:8]}.ipynb"
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, path)
        with self.open_path(path, viewport=viewport) as page:
            yield page

    @contextlib.contextmanager
    def open_path(self, path: Path, *, viewport: tuple[int, int] = (1280, 900)) -> Iterator[LabPage]:
        """Open a notebook that is there already; the theme is light, whatever was chosen before."""
        self._folders["JUPYTER_CONFIG_DIR"].joinpath(THEME_SETTING).unlink(missing_ok=True)
        width, height = viewport
        page = self._pages().new_page()
        try:
            page.set_viewport_size({"width": width, "height": height})
            page.set_default_timeout(WAIT_MILLISECONDS)
            lab_page = LabPage(self, page, path)
            page.on("request", lab_page.note_request)
            lab_page.load()
            yield lab_page
        finally:
            page.close()

    def _pages(self) -> BrowserContext:
        """Return the one browser context of this server: its pages share JupyterLab's own files, loaded once."""
        if self._context is None:
            self._context = self.browser.new_context()
        return self._context

    def _command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            *(["--allow-root"] if os.geteuid() == 0 else []),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.notebooks}",
            "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            # Tests drive the application by its commands, not by the places of its menus.
            "--LabApp.expose_app_in_browser=True",
            *self.arguments,
        ]

    def _write_settings(self) -> None:
        for plugin, values in SETTINGS.items():
            path = self._folders["JUPYTER_CONFIG_DIR"] / "lab" / "user-settings" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def _request(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(
            f"{self.url}{path}", headers={"Authorization": f"token {self.token}"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def _answers(self) -> bool:
        try:
            self._request("/api/status")
        except (urllib.error.URLError, OSError):
            return False
        return True


class LabPage:
    """One notebook in the browser. Cells are counted from 0."""

    def __init__(self, lab: LiveLab, page: Page, path: Path) -> None:
        self.lab = lab
        self.page = page
        self.path = path
        #: Addresses outside this machine that the page asked for; each request was refused.
        self.refused: list[str] = []

    def note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and url.hostname not in LOOPBACK:
            self.refused.append(request.url)

    def load(self) -> None:
        """Load the page (again) and wait until the kernel is idle."""
        relative = self.path.relative_to(self.lab.notebooks)
        self.page.goto(f"{self.lab.url}/lab/tree/{relative}?reset&token={self.lab.token}")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.wait_for_kernel()

    def wait_for_kernel(self, status: str = "idle") -> None:
        self.page.wait_for_function(
            "status => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === status",
            arg=status,
        )

    def command(self, name: str, arguments: Mapping[str, Any] | None = None, *, wait: bool = True) -> None:
        """Execute one of JupyterLab's commands; `wait` for what it promises."""
        call = "window.jupyterapp.commands.execute(name, args)"
        body = f"await {call}" if wait else f"void {call}"
        self.page.evaluate(f"async ([name, args]) => {{ {body}; }}", [name, dict(arguments or {})])

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run a cell; with `wait`, until it has ended."""
        self.page.evaluate(
            "index => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }", index
        )
        self.command("notebook:run-cell", wait=wait)

    def run_all(self, *, wait: bool = True) -> None:
        self.command("notebook:run-all-cells", wait=wait)

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-Cell-outputArea")

    def wait_for_text(self, index: int, text: str, *, seconds: float = WAIT_MILLISECONDS / 1000) -> None:
        """Wait until the output of a cell contains `text`."""
        expect(self.output(index)).to_contain_text(text, timeout=seconds * 1000)

    def restart_kernel(self) -> None:
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
        )
        self.wait_for_kernel()

    def set_theme(self, *, dark: bool) -> None:
        self.command("apputils:change-theme", {"theme": "JupyterLab Dark" if dark else "JupyterLab Light"})
        self.page.locator(f"body[data-jp-theme-light={'false' if dark else 'true'}]").wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def save(self) -> Any:
        """Save the notebook and return it as it is on disk."""
        self.command("docmanager:save")
        return nbformat.read(self.path, as_version=4)

    def screenshot(self, path: Path, *, cell: int | None = None) -> None:
        """Take a picture of the page, or of one cell."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.page if cell is None else self.cell(cell)).screenshot(path=path)
