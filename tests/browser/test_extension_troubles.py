"""What the extension says and does when something of it, or of the server, is not as it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from extension_page import job_row, notification, open_bare, own_lab, panel, show_panel, status, wait_until_ready
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Browser, Route, WebSocketRoute

pytestmark = pytest.mark.browser

BEAT = 2
#: The server of clusters is off, as on a machine where only the front end was installed.
OFF = "--ServerApp.jpserver_extensions={'gcs_lab': False}"
HELD = """
import os
import gcs_lab
cluster = gcs_lab.connect("embedded")
job = cluster.jobs.run("sleep", "600", job_name="lasting", working_directory=os.getcwd())
"""


@pytest.fixture(scope="module")
def cluster_lab(chromium: Browser) -> Iterator[LiveLab]:
    with own_lab(chromium, arguments=[f"--GcsLabServer.beat_seconds={BEAT}"]) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(cluster_lab: LiveLab) -> Iterator[LabPage]:
    with cluster_lab.open([HELD, "job.terminate()"]) as opened:
        opened.run_cell(0)
        show_panel(opened)
        expect(job_row(opened, "lasting")).to_contain_text("running")
        yield opened


def test_an_idle_page_is_silent_but_for_the_beat(page: LabPage) -> None:
    wire = page.page.context.new_cdp_session(page.page)
    seen: list[str] = []
    wire.on("Network.webSocketFrameSent", lambda frame: seen.append(frame["response"]["payloadData"]))
    wire.on("Network.webSocketFrameReceived", lambda frame: seen.append(frame["response"]["payloadData"]))
    asked: list[str] = []
    wire.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    wire.send("Network.enable")
    page.page.wait_for_timeout(3 * BEAT * 1000)
    wire.detach()
    said = [json.loads(frame) for frame in seen if frame.startswith('{"op"')]
    assert {message["op"] for message in said} == {"beat", "seen"}
    assert len(said) <= 2 * 4
    assert [url for url in asked if "gcs-lab" in url] == []


def test_another_version_of_the_server_is_told_with_what_to_do(cluster_lab: LiveLab) -> None:
    def older(route: Route) -> None:
        about: dict[str, Any] = route.fetch().json()
        route.fulfill(json={**about, "version": "0.0.1"})

    def older_line(line: WebSocketRoute) -> None:
        def say(text: str | bytes) -> None:
            told = json.loads(text)
            line.send(json.dumps({**told, "version": "0.0.1"}) if told["op"] == "started" else text)

        line.connect_to_server().on_message(say)

    with open_bare(cluster_lab) as page:
        page.page.route("**/gcs-lab/api/about*", older)
        page.page.route_web_socket("**/gcs-lab/channels*", older_line)
        page.page.reload()
        wait_until_ready(page)
        expect(show_panel(page)).to_contain_text("0.0.1")
        toast = notification(page, "0.0.1")
        expect(toast.get_by_role("button", name="Reload the page")).to_be_visible()


def test_a_server_that_was_started_again_is_found_again(page: LabPage, cluster_lab: LiveLab) -> None:
    cluster_lab.stop()
    expect(status(page)).to_contain_text("no connection")
    expect(panel(page)).to_contain_text("No connection since")
    expect(job_row(page, "lasting")).to_be_visible()
    cluster_lab.start()
    expect(panel(page)).not_to_contain_text("No connection since")
    expect(status(page)).not_to_contain_text("no connection")
    expect(status(page)).to_contain_text("▶ 1")
    expect(job_row(page, "lasting")).to_contain_text("running")


def test_a_server_without_the_extension_is_told_with_what_to_do(cluster_lab: LiveLab) -> None:
    cluster_lab.stop()
    cluster_lab.arguments.append(OFF)
    cluster_lab.start()
    with open_bare(cluster_lab) as page:
        expect(show_panel(page)).to_contain_text("jupyter server extension enable gcs_lab")
        expect(status(page)).to_contain_text("not enabled")
        expect(notification(page, "server half of gcs_lab")).to_be_visible()
