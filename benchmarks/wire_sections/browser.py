"""What a refresh of the grid costs the browser: milliseconds of the main thread in Chromium, and the first paint."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright
from wire_sections._views import COUNTS, ROWS, ViewOfJobs

from gcs_lab.cockpit.front_end import front_end
from gcs_lab.models.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

Row = tuple[str, float, str, str]

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
)
_REFRESHES = 24
#: A model as anywidget hands it out; what the widget sends goes to Python, which answers by calling `hear`.
_SHOW = """
async program => {
  const module = await import(URL.createObjectURL(new Blob([program], {type: "text/javascript"})));
  const listeners = new Map();
  window.hear = message => (listeners.get("msg:custom") ?? []).forEach(listener => listener(message));
  const model = {
    get: () => undefined, off: () => undefined, send: message => { window.say(message); },
    on: (event, listener) => { listeners.set(event, [...(listeners.get(event) ?? []), listener]); }
  };
  const began = performance.now();
  module.default().render({ model, el: document.querySelector("#grid") });
  await new Promise(painted => {
    const look = () => {
      const there = document.querySelector(".gcs-row-line:not(.gcs-skeleton) .gcs-pill") !== null;
      requestAnimationFrame(there ? () => { requestAnimationFrame(painted); } : look);
    };
    look();
  });
  return performance.now() - began;
}
"""


@contextlib.contextmanager
def _page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        # As high as 50 rows and what is around them.
        page = browser.new_page(viewport={"width": 1400, "height": 1640})
        # A frame that was asked for is drawn, as on a screen that is looked at.
        frame = f".gcs-table-frame {{ height: {ROWS * 28 + 66}px !important; }}"
        page.set_content(f"<style>{front_end('grid.css')}{frame}</style><div id=grid></div>")
        yield page
        browser.close()


def _main_thread(session: Any) -> dict[str, float]:
    """Return the seconds that the main thread has worked, by what it did."""
    return {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}


def _measured(page: Page, view: ViewOfJobs, count: int, *, cpu: bool) -> list[Row]:
    columns = [
        column | {"shown": column["shown"] or (cpu and column["name"] == "cpu")} for column in columns_of("jobs")
    ]
    welcome = {"kind": "table", "view": "jobs", "label": "jobs", "columns": columns, "words": [], "filter": ""}

    def say(message: dict[str, Any]) -> None:
        if message["kind"] == "hello":
            page.evaluate("message => hear(message)", welcome)
        elif message["kind"] == "view":
            last.clear()
            last.update(message)
            page.evaluate("message => hear(message)", view.viewport.request(message | {"sort": sort}))

    last: dict[str, Any] = {}
    # By the column that differs in all rows of a window with each look; else few of them are among what changed.
    sort = [["cpu", "descending"]] if cpu else []
    page.expose_function("say", say)
    first = page.evaluate(_SHOW, front_end("grid.js"))
    session = page.context.new_cdp_session(page)
    # Processor time: what else the machine does is not the grid's.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.wait_for_timeout(500)
    before = _main_thread(session)
    refreshes, rows = 0, 0
    for _ in range(_REFRESHES):
        if (push := view.tick()) is not None:
            page.evaluate("message => hear(message)", push)
            page.wait_for_timeout(60)
            refreshes, rows = refreshes + 1, rows + len(push["rows"])
    after = _main_thread(session)
    spent = {name: 1000 * (after[name] - before[name]) / refreshes for name in after}
    parts = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
    jobs = f"{count:,} jobs"
    changed = f"a refresh with {rows / refreshes:.0f} of the rows other"
    paint = [(f"{jobs}: first paint, from the widget's first word", first, "ms", "<= 1000")] if cpu else []
    return [
        *paint,
        (f"{jobs}: {changed}: script, style and layout", sum(spent[part] for part in parts), "ms", "<= 16"),
        (f"{jobs}: {changed}: all of the main thread, painting without a GPU too", spent["TaskDuration"], "ms", ""),
    ]


def run() -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    for count in COUNTS:
        view = ViewOfJobs(count)
        for cpu in (False, True):
            with _page() as page:
                rows += _measured(page, view, count, cpu=cpu)
    return rows
