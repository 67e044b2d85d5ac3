"""The JupyterLab extension in a real browser: start, first paint, scrolling, traffic, memory, sizes.

Run it with ``make benchmark`` or ``python benchmarks/lab_extension.py [--loads 7] [--minutes 2] [--jobs 100000]``.
The peer is JupyterLab itself without the extension: a second server that does not find it, loaded in turn.
Chromium has no GPU here. Times are medians; what a person would see on a machine of two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cells import show
from jupyter_core.paths import jupyter_path
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from live_lab import LiveLab, launch_chromium  # noqa: E402  (the harness of the browser tests)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, WebSocket

#: Notes when JupyterLab was ready and when the panel was painted, in milliseconds since the page was asked for.
WATCH = """
let kept;
Object.defineProperty(window, 'jupyterapp', {
  get: () => kept,
  set: app => { kept = app; void app.restored.then(() => { window.gcsReady = performance.now(); }); },
  configurable: true
});
new MutationObserver((_, observer) => {
  if (document.querySelector('.jp-gcs-lab-panel .jp-gcs-lab-health, .jp-gcs-lab-panel .jp-gcs-lab-start') !== null) {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.gcsPainted = performance.now(); }));
  }
}).observe(document, { childList: true, subtree: true });
"""
SCROLL = """
async ([selector, seconds, pixels]) => {
  const place = document.querySelector(selector);
  const times = [];
  let direction = 1;
  await new Promise(done => {
    const begin = performance.now();
    const step = now => {
      times.push(now);
      if (place.scrollTop + place.clientHeight >= place.scrollHeight - 2) { direction = -1; }
      place.scrollTop += direction * pixels;
      if (now - begin < 1000 * seconds) { requestAnimationFrame(step); } else { done(); }
    };
    requestAnimationFrame(step);
  });
  return times.slice(1).map((time, at) => time - times[at]);
}
"""
SUBMIT = """
import sys
import gcs_lab
from gcs_lab.vocabulary import JobTemplate
cluster = gcs_lab.connect("embedded")
wanted = int(sys.argv[1])
for first in range(0, wanted, 1000):
    cluster.jobs.submit_many([
        JobTemplate(remote_command="/bin/sleep", args=["100000"], job_name=f"job_{first + n}", queue_name="sim.q",
                    output_path="/dev/null", join_files=True)
        for n in range(min(1000, wanted - first))
    ])
cluster.close()
"""


@contextlib.contextmanager
def jupyterlab(browser: Browser, place: Path, arguments: list[str]) -> Iterator[LiveLab]:
    """Start a JupyterLab with folders of its own in `place`."""
    lab = LiveLab(browser, place, {"GCS_LAB_HOME": str(place / "gcs")}, arguments)
    lab.start()
    try:
        yield lab
    finally:
        lab.stop()
        gcs_lab(place, "embedded", "stop")


def gcs_lab(place: Path, *arguments: str) -> None:
    """Run the command ``gcs-lab`` in the home of a JupyterLab."""
    environment = {**os.environ, "GCS_LAB_HOME": str(place / "gcs")}
    command = [sys.executable, "-m", "gcs_lab.cli", *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def without_us(place: Path) -> list[str]:
    """Return arguments with which JupyterLab finds all extensions but this one."""
    others = place / "others"
    others.mkdir(parents=True)
    for folder in map(Path, jupyter_path("labextensions")):
        for extension in sorted(folder.glob("*")) if folder.is_dir() else []:
            if extension.name != "gcs-lab" and not (others / extension.name).exists():
                (others / extension.name).symlink_to(extension.resolve())
    return [f"--LabServerApp.labextensions_path={others}", "--ServerApp.jpserver_extensions={'gcs_lab': False}"]


@contextlib.contextmanager
def opened(lab: LiveLab, *, reset: bool = False, before: Callable[[Page], None] = lambda _: None) -> Iterator[Page]:
    """Open JupyterLab in a new page, whose files are in the browser's cache, and wait until it is ready.

    `before` is called with the page while it is empty.
    """
    page = lab._pages().new_page()
    try:
        before(page)
        page.add_init_script(WATCH)
        page.goto(f"{lab.url}/lab?{'reset&' if reset else ''}token={lab.token}")
        page.wait_for_function("() => window.gcsReady !== undefined")
        yield page
    finally:
        page.close()


def start_rows(lab: LiveLab, bare: LiveLab, loads: int) -> None:
    """Print what the extension adds to the start, and when the panel is there."""
    with opened(lab, reset=True) as page:
        page.evaluate("() => window.jupyterapp.commands.execute('gcs-lab:show-panel')")
        page.locator(".jp-gcs-lab-panel").wait_for()
        page.wait_for_timeout(2000)  # the layout is kept a moment after it has changed
    for one in (lab, bare):
        with opened(one):
            pass
    with_us, without, painted = [], [], []
    busy_with_us, busy_without = [], []
    for number in range(loads):
        # Which goes first changes, so that neither has the quieter machine.
        for one in (lab, bare) if number % 2 else (bare, lab):
            clocks: list[Callable[[], float]] = []
            with opened(one, before=lambda page, clocks=clocks: clocks.append(_busy(page))) as page:
                busy = clocks[0]()
                ready = page.evaluate("() => window.gcsReady")
                (with_us if one is lab else without).append(ready)
                (busy_with_us if one is lab else busy_without).append(busy)
                if one is lab:
                    page.wait_for_function("() => window.gcsPainted !== undefined")
                    painted.append(page.evaluate("() => window.gcsPainted") - ready)
    show("JupyterLab ready, with the panel open", statistics.median(with_us) / 1000, "s", "")
    show("JupyterLab ready, without the extension (peer)", statistics.median(without) / 1000, "s", "")
    show("added to the start", statistics.median(with_us) - statistics.median(without), "ms", "<= 50")
    pairs = [mine - other for mine, other in zip(with_us, without, strict=True)]
    show("  of it, by pairs (median of differences)", statistics.median(pairs), "ms", "")
    added = statistics.median(busy_with_us) - statistics.median(busy_without)
    show("  of it, processor time of the page's main thread", 1000 * added, "ms", "")
    show("first paint of the panel after ready", max(0.0, statistics.median(painted)) / 1000, "s", "<= 0.5")


def _busy(page: Page) -> Callable[[], float]:
    """Count seconds of processor time of the page's main thread, to which what else the machine does adds little."""
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})

    def used() -> float:
        told = {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"])

    return used


def scroll_rows(lab: LiveLab, jobs: int) -> None:
    """Print how a table of many jobs scrolls in the queue tab."""
    with opened(lab) as page:
        page.evaluate("() => window.jupyterapp.commands.execute('gcs-lab:open-queue', {cluster: 'embedded'})")
        page.locator(".jp-gcs-lab-view .gcs-row-line").first.wait_for(timeout=120_000)
        page.locator(".jp-gcs-lab-view").get_by_text(f"{jobs:,}").first.wait_for(timeout=120_000)
        for pixels, what in ((60, "slowly"), (3000, "fast")):
            frames: list[float] = page.evaluate(SCROLL, [".jp-gcs-lab-view .gcs-scroller", 5, pixels])
            show(f"frames a second, scrolling {jobs:,} jobs {what}", 1000 * len(frames) / sum(frames), "1/s", ">= 59")
            show("  slowest of 100 frames", sorted(frames)[int(len(frames) * 0.99)], "ms", "")


def idle_rows(lab: LiveLab, minutes: float) -> None:
    """Print what ten tabs send and keep while nobody does anything."""
    lines: list[WebSocket] = []

    def listen(page: Page) -> None:
        page.on("websocket", lambda line: lines.append(line) if "gcs-lab/channels" in line.url else None)

    with opened(lab, reset=True, before=listen) as page:
        for command in ("show-panel", "open-queue", "open-accounting", "open-hosts"):
            page.evaluate("name => window.jupyterapp.commands.execute(name)", f"gcs-lab:{command}")
        for number in range(1, 8):
            arguments = {"cluster": "embedded", "job_id": str(number)}
            page.evaluate("args => window.jupyterapp.commands.execute('gcs-lab:open-job', args)", arguments)
        page.wait_for_timeout(5000)
        show("WebSockets of ten tabs and the panel", sum(not line.is_closed() for line in lines), "", "<= 1")
        for words, command in (("a running job", None), ("hosts", "open-hosts")):
            if command is not None:
                page.evaluate("name => window.jupyterapp.commands.execute(name)", f"gcs-lab:{command}")
                page.wait_for_timeout(5000)
            told, asked, _ = _watched(page, 0.5)
            show(f"bytes of the WebSocket in a minute, {words} in front", told, "B", "")
            show(f"requests of ours in a minute, {words} in front", asked, "", "")
        # Of all that is in sight only the panel is live then.
        page.evaluate("() => window.jupyterapp.commands.execute('gcs-lab:open-accounting')")
        page.wait_for_timeout(5000)
        told, asked, heaps = _watched(page, minutes)
        show("bytes of the WebSocket in an idle minute", told, "B", "<= 1000")
        show("requests of ours in an idle minute", asked, "", "<= 0")
        show(f"JS heap, at first (of {minutes:g} min)", heaps[0] / 1e6, "MB", "")
        show("JS heap, growth from the first quarter's median to the last's", _growth(heaps) / 1e6, "MB", "<= 1")


def _watched(page: Page, minutes: float) -> tuple[float, float, list[float]]:
    """Return bytes of the WebSocket and requests of ours in a minute, and the heap's size again and again."""
    traffic, end = _count_traffic(page)
    heap = _heap(page)
    heaps, began = [heap()], time.monotonic()
    while time.monotonic() - began < 60 * minutes:
        page.wait_for_timeout(min(30_000, 60_000 * minutes))
        heaps.append(heap())
    took = (time.monotonic() - began) / 60
    end()
    return traffic["bytes"] / took, traffic["requests"] / took, heaps


def _growth(values: list[float]) -> float:
    part = max(1, len(values) // 4)
    return statistics.median(values[-part:]) - statistics.median(values[:part])


def _count_traffic(page: Page) -> tuple[dict[str, int], Callable[[], None]]:
    counted = {"bytes": 0, "requests": 0}
    ours: set[str] = set()
    wire = page.context.new_cdp_session(page)

    def framed(event: dict[str, Any]) -> None:
        text = event["response"]["payloadData"]
        # Of kernels and terminals there are none here; JupyterLab's own line of events speaks otherwise.
        if text.startswith('{"op"'):
            counted["bytes"] += len(text)

    def asked(event: dict[str, Any]) -> None:
        if "gcs-lab" in event["request"]["url"]:
            ours.add(event["requestId"])
            counted["requests"] += 1

    wire.on("Network.webSocketFrameSent", framed)
    wire.on("Network.webSocketFrameReceived", framed)
    wire.on("Network.requestWillBeSent", asked)
    wire.send("Network.enable")
    return counted, wire.detach


def _heap(page: Page) -> Callable[[], float]:
    wire = page.context.new_cdp_session(page)

    def used() -> float:
        wire.send("HeapProfiler.collectGarbage")
        return float(wire.send("Runtime.getHeapUsage")["usedSize"])

    return used


def size_rows() -> None:
    """Print how large what we add is on the wire."""
    static = ROOT / "gcs_lab" / "labextension" / "static"
    sizes = {path: len(gzip.compress(path.read_bytes(), 9)) for path in static.glob("*.js")}
    plotly = {path for path in sizes if b"plotly.js" in path.read_bytes()[:2_000_000] and sizes[path] > 200_000}
    entry = sum(size for path, size in sizes.items() if path.name.startswith("remoteEntry"))
    show(
        "gzipped, all without plotly",
        sum(size for path, size in sizes.items() if path not in plotly) / 1000,
        "kB",
        "<= 300",
    )
    show("gzipped, plotly (loaded with the first chart)", sum(sizes[path] for path in plotly) / 1000, "kB", "")
    show("gzipped, entry alone", entry / 1000, "kB", "")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--loads", type=int, default=7, help="of the page, with and without the extension (default: 7)"
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="how long an idle page is watched (default: 2)")
    parser.add_argument("--jobs", type=int, default=100_000, help="in the queue tab (default: 100,000)")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="gb-", dir="/tmp"))
    try:
        size_rows()
        with sync_playwright() as playwright, contextlib.ExitStack() as stack:
            browser = launch_chromium(playwright.chromium)
            stack.callback(browser.close)
            lab = stack.enter_context(jupyterlab(browser, place / "with", []))
            gcs_lab(place / "with", "embedded", "start", "--simulated", "50")
            bare = stack.enter_context(jupyterlab(browser, place / "bare", without_us(place)))
            start_rows(lab, bare, options.loads)
            environment = {**os.environ, "GCS_LAB_HOME": str(place / "with" / "gcs")}
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", SUBMIT, str(options.jobs)], env=environment, check=True)
            show(f"({options.jobs:,} jobs submitted)", time.monotonic() - began, "s", "")
            scroll_rows(lab, options.jobs)
            idle_rows(lab, options.minutes)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
