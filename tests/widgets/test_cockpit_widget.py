"""The cockpit as a widget and as a page without a kernel, with a recorded comm in the place of the browser."""

from __future__ import annotations

import re
import threading
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import comm
import pyarrow as pa
import pytest
from in_memory_backend import InMemorySystem, task_row
from patience import wait_for
from recording_comm import RecordingComm

from gcs_lab.cluster import Cluster
from gcs_lab.cockpit.picture import Picture
from gcs_lab.errors import DrmCommunication, FilterError, InvalidArgument, InvalidState, UnsupportedOperation
from gcs_lab.widgets import cockpit as cockpit_module
from gcs_lab.widgets import hosted_face
from gcs_lab.widgets.chart_svg import bars_svg, lines_svg
from gcs_lab.widgets.cockpit import Cockpit, StaticPage, dashboard
from gcs_lab.widgets.cockpit_html import cockpit_html, cockpit_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InMemorySystem:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(hosted_face, "front_end", lambda name: f"/* {name} */")
    return InMemorySystem(f"widgets-{tmp_path.name[-40:]}")


@pytest.fixture
def cluster(system: InMemorySystem) -> Iterator[Cluster]:
    made = Cluster(system)
    yield made
    made.close()
    wait_for(
        lambda: not [t for t in threading.enumerate() if t.name.startswith(("gcs-lab-cockpit", "gcs_lab-status"))],
        "the end of its threads",
    )


@pytest.fixture
def widget(cluster: Cluster) -> Iterator[Cockpit]:
    made = Cockpit(cluster)
    yield made
    made.close()


def say(widget: Cockpit, **message: Any) -> None:
    widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})


def told(widget: Cockpit, kind: str) -> list[dict[str, Any]]:
    return [message for message in widget.comm.answers() if message["kind"] == kind]


def test_the_widget_answers_by_custom_messages_and_syncs_its_program_alone(widget):
    say(widget, kind="hello", protocol=1)
    wait_for(lambda: any(one["jobs"] == 2 for one in told(widget, "overview")))
    assert told(widget, "welcome")
    assert widget.comm.updates("_esm") == []
    own = {
        name
        for name in widget.get_state()
        if not name.startswith(("_model", "_view", "_dom", "layout", "tabbable", "tooltip"))
    }
    assert own == {"_esm", "_css", "_cockpit_id", "_height", "_anywidget_id"}


def test_a_closed_cockpit_says_nothing_and_lets_go_of_the_cluster(widget, cluster):
    say(widget, kind="hello", protocol=1)
    wait_for(lambda: told(widget, "overview"))
    channel = widget.comm
    widget.close()
    widget.close()
    before = len(channel.sent)
    cluster.status.poller.fresh()
    assert cluster.status.poller._followings == []
    assert len(channel.sent) == before
    with pytest.raises(InvalidState):
        _ = widget.host


def test_a_hidden_page_does_not_make_the_cluster_be_asked_often(widget, cluster):
    say(widget, kind="hello", protocol=1)
    wait_for(lambda: told(widget, "overview"))
    [following] = cluster.status.poller._followings
    assert following.looked_at
    say(widget, kind="visible", visible=False)
    wait_for(lambda: not following.looked_at)


@pytest.mark.parametrize(("options", "error"), [
    ({"height": 10}, InvalidArgument), ({"height": "tall"}, InvalidArgument), ({"height": True}, InvalidArgument),
    ({"filter": "colour:red"}, FilterError),
])  # fmt: skip
def test_what_cannot_be_shown_is_refused_and_leaves_nothing(cluster, options, error):
    with pytest.raises(error):
        Cockpit(cluster, **options)
    assert cluster.status.poller._followings == []


def test_a_system_without_status_has_no_dashboard(system):
    with pytest.raises(UnsupportedOperation):
        Cluster(InMemorySystem("mute", with_status=False)).dashboard()


def test_in_a_terminal_it_is_text(cluster, capsys):
    cluster.dashboard(filter="owner:bob")
    text = capsys.readouterr().out
    assert "in-memory system" in text
    assert "Jobs that fit 'owner:bob': 1" in text
    assert "job2" in text
    assert "job1" not in text


class Displays:
    """Stands in for a kernel's shell and IPython's display."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[Any] = []
        self.updates: list[dict[str, str]] = []
        self.cell = "cell-1"
        monkeypatch.setattr(cockpit_module, "_notebook_shell", lambda: self)
        monkeypatch.setattr("IPython.display.display", self.display)
        monkeypatch.setattr(cockpit_module, "PAGE_SECONDS", 0.0)

    def get_parent(self) -> dict[str, Any]:
        return {"metadata": {"cellId": self.cell}}

    def display(self, what: Any, **_: Any) -> Any:
        self.shown.append(what)
        return self

    def update(self, data: dict[str, str], **_: Any) -> None:
        self.updates.append(data)

    def close(self) -> None:
        for one in self.shown:
            if isinstance(one, Cockpit):
                one.close()


@pytest.fixture
def displays(monkeypatch: pytest.MonkeyPatch) -> Iterator[Displays]:
    made = Displays(monkeypatch)
    yield made
    made.close()


def test_a_dashboard_is_the_live_cockpit_and_a_page_that_it_hides(cluster, displays):
    assert dashboard(cluster) is None
    live, page = displays.shown
    assert f'<div id="gcs-static-{live._cockpit_id}">' in page["text/html"]
    assert "job1" in page["text/html"]
    assert "job1" in page["text/plain"]


def test_the_page_follows_the_cluster_and_is_changed_only_when_it_differs(cluster, system, displays):
    dashboard(cluster)
    cluster.status.poller.fresh()
    system.status.tasks = [task_row("77", "eve", "r")]
    cluster.status.poller.fresh()
    wait_for(lambda: any("job77" in one["text/html"] for one in displays.updates))
    before = len(displays.updates)
    for _ in range(3):
        cluster.status.poller.fresh()
    system.status.tasks = [task_row("78", "eve", "r")]
    cluster.status.poller.fresh()
    wait_for(lambda: any("job78" in one["text/html"] for one in displays.updates))
    assert len(displays.updates) == before + 1


def test_the_page_stays_when_the_cockpit_is_closed(cluster, system, displays):
    dashboard(cluster)
    displays.shown[0].close()
    system.status.tasks = []
    cluster.status.poller.fresh()
    wait_for(lambda: cluster.status.poller._followings == [])
    assert displays.updates == []


def test_running_the_cell_again_closes_the_cockpit_before(cluster, displays):
    dashboard(cluster)
    first = displays.shown[0].host
    displays.cell = "cell-2"
    dashboard(cluster)
    assert not first.closed
    displays.cell = "cell-1"
    dashboard(cluster)
    assert first.closed


def test_a_cluster_that_does_not_answer_has_a_page_that_says_so(cluster, system, displays):
    system.status.fault = DrmCommunication("the qmaster <does> not answer")
    dashboard(cluster)
    assert "nothing is known of the cluster yet" in displays.shown[1]["text/html"]
    pages = [displays.shown[1], *displays.updates]
    wait_for(lambda: any("&lt;does&gt;" in one["text/html"] for one in pages))


def test_what_must_be_told_to_a_page_is_not_sent_through_a_page_that_went(cluster, displays):
    dashboard(cluster)
    StaticPage(cluster, displays.shown[0]).close()


class Checked(HTMLParser):
    """Refuses HTML in which an element is not closed, and collects the tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def history(rows: int = 300) -> pa.Table:
    times = [1_790_000_000.0 + 60 * n for n in range(rows)]
    counts = [n % 70 for n in range(rows)]
    return pa.table({"time": times, "running": counts, "pending": counts, "held": [0] * rows, "error": counts})


def test_the_page_is_well_formed_small_and_safe(cluster, system):
    evil = "<script>alert(1)</script>\x1b[31m"
    system.status.tasks = [task_row(str(n), f"{evil}{n}", "r", name=evil * 20) for n in range(1, 400)]
    system.status.queue_instances = [
        {"queue": f"{evil}{n}", "host": "node1", "slots_used": 1, "slots_total": 4, "state": "au"} for n in range(200)
    ]
    html = cockpit_html(Picture(cluster.status.poller.fresh()), history(), system=evil, trouble=evil)
    assert len(html.encode()) < 60_000
    assert "script" not in Checked(html).tags
    assert "\x1b" not in re.sub(r"<p>.*?</p>", "", html)
    assert {"table", "svg", "caption", "th"} <= Checked(html).tags
    assert "the first 50 of 399" in html


def test_the_page_shows_what_the_filter_leaves(cluster):
    html = cockpit_html(Picture(cluster.status.poller.fresh(), "owner:bob"), None, system="grid")
    assert "job2" in html
    assert "job1" not in html
    assert "fit &#x27;owner:bob&#x27;: 1" in html


def test_without_an_answer_there_is_a_page_and_a_text():
    assert "nothing is known" in cockpit_html(None, None, system="grid")
    assert "nothing is known" in cockpit_text(None, system="grid")


def test_drawings_are_well_formed_and_readable_without_colour():
    lines = lines_svg(
        "tasks", [1.0, 2.0, 3.0], [("run<", [1, 5, 2], "#123456", ""), ("wait", [0, 0, 0], "#654321", "4 2")]
    )
    assert "svg" in Checked(lines).tags
    assert "run&lt;" in lines
    assert 'stroke-dasharray="4 2"' in lines
    bars = bars_svg("slots", [("ann&bob", 5, 3)])
    assert "svg" in Checked(bars).tags
    assert "5 (+3 wait)" in bars
    assert lines_svg("tasks", [1.0], []) == bars_svg("slots", []) == ""
