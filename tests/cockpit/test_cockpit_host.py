"""The cockpit's host: views, filter, strip, map, replay; what it sends when, and when it does not."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
from cockpit_lab import ME
from hypothesis import given
from hypothesis import strategies as st
from in_memory_backend import InMemorySystem, task_row
from patience import wait_for

from gcs_lab.cluster import Cluster
from gcs_lab.cockpit.messages import check_message
from gcs_lab.errors import DrmCommunication, FilterError, InvalidArgument, UnsupportedOperation

if TYPE_CHECKING:
    from cockpit_lab import Page


#: What a grid of all jobs asks for.
JOBS = {
    "view": "jobs",
    "sort": [],
    "first": 0,
    "count": 50,
    "columns": ["job_id", "owner", "letters"],
    "expanded": [],
    "anew": False,
}


def ids(rows: dict[str, Any]) -> list[str]:
    return [rows["rows"][key][0] if key in rows["rows"] else f"({key})" for key in rows["keys"]]


def jobs_shown(page: Page) -> list[str]:
    return ids(page.view(anew=True))


def test_hello_is_answered_with_who_and_what_then_with_the_strip(lab):
    page = lab.page()
    welcome, overview = page.messages[0], page.messages[1]
    assert [welcome["kind"], overview["kind"]] == ["welcome", "overview"]
    assert welcome["cluster"] == lab.cluster.name
    assert welcome["user"] == ME
    assert welcome["protocol"] == 1
    assert {"jobs", "queues", "queue_instances", "hosts"} == set(welcome["columns"])
    assert {action["name"] for action in welcome["actions"]} >= {"cancel", "hold", "alter", "requeue", "clear_error"}


def test_the_words_of_the_filter_have_the_names_that_there_are(lab):
    page = lab.page()
    welcome = page.wait(lambda m: m["kind"] in {"welcome", "renewed"} and values(m, "owner"))
    assert sorted(values(welcome, "owner")) == sorted({ME, "bob", "eve"})
    assert sorted(values(welcome, "host")) == ["node1", "node2"]
    assert "short.q" in values(welcome, "queue")


def values(welcome: dict[str, Any], name: str) -> list[str]:
    return next(word for word in welcome["words"] if word["word"] == name)["values"]


def test_the_strip_counts_slots_hosts_tasks_owners_and_queues(lab):
    lab.status.hosts[1]["state"] = "u"
    overview = lab.page().told("overview")[-1]
    assert overview["slots"] == {"used": 4, "free": 2, "closed": 4, "total": 10}
    assert overview["hosts"] == {"up": 1, "down": 1}
    assert overview["tasks"] == {"RUNNING": 4, "QUEUED": 9, "QUEUED_HELD": 1, "ERROR": 1}
    assert overview["jobs"] == 7
    assert overview["owners"][0] == {"owner": ME, "slots": 2, "waiting": 10}
    assert {"queue": "all.q", "used": 3, "total": 8, "closed": 4} in overview["queues"]
    assert overview["matching"] == {"jobs": 7, "running": 4, "waiting": 10}


def test_of_many_owners_the_last_stand_together(lab):
    lab.status.tasks = [task_row(str(n), f"user{n:02}", "r", slots=30 - n) for n in range(1, 21)]
    owners = lab.page().told("overview")[-1]["owners"]
    assert len(owners) == 12
    assert owners[-1] == {"owner": "…", "slots": sum(30 - n for n in range(12, 21)), "waiting": 0}


def test_a_view_is_answered_and_pushed_only_when_something_in_it_changes(lab, each_look_is_told):
    page = lab.page()
    rows = page.view()
    assert ids(rows) == ["1", "2", "3", "4", "5", "6", "7"]
    assert rows["filter_error"] is None
    before = len(page.told("rows"))
    overviews = len(page.told("overview"))
    lab.now()
    wait_for(lambda: len(page.told("overview")) > overviews)
    assert len(page.told("rows")) == before
    lab.status.tasks[3] = task_row("4", ME, "r", host="node2")
    lab.now()
    push = page.wait(lambda m: m["kind"] == "rows" and "r" in str(m["rows"]), after=len(page.messages) - 1)
    assert push["id"] == rows["id"]
    assert list(push["rows"].values()) == [["4", ME, "r"]]


def test_a_view_that_is_not_shown_any_more_is_not_kept_up(lab):
    page = lab.page()
    page.view()
    page.say("unview", view="jobs")
    lab.status.tasks = []
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 0)
    assert all(len(rows["keys"]) for rows in page.told("rows"))


def test_two_grids_of_one_view_are_both_kept_up_and_each_has_its_own_window(lab):
    page = lab.page()
    one, other = 3 << 32, 5 << 32
    page.say("view", **JOBS | {"id": one + 1})
    page.say("view", **JOBS | {"id": other + 1, "first": 2, "count": 2})
    page.wait(lambda m: m["kind"] == "rows" and m["id"] == other + 1)
    before = len(page.messages)
    lab.status.tasks[3] = task_row("4", ME, "r", host="node2")
    lab.now()
    for number, many in ((one + 1, 7), (other + 1, 2)):
        push = page.wait(lambda m, number=number: m["kind"] == "rows" and m["id"] == number, after=before)
        assert len(push["keys"]) == many
    page.say("unview", view="jobs", id=one + 1)
    before = len(page.messages)
    lab.status.tasks[2] = task_row("3", ME, "r", host="node2")
    lab.now()
    page.wait(lambda m: m["kind"] == "rows" and m["id"] == other + 1, after=before)
    assert all(m["id"] != one + 1 for m in page.messages[before:] if m["kind"] == "rows")


def test_one_filter_narrows_jobs_queues_hosts_and_the_map(lab):
    page = lab.page()
    for view in ("jobs", "queues", "hosts", "queue_instances"):
        page.view(view, columns=["host"] if view == "hosts" else ["queue"])
    page.say("map", open=True)
    page.wait(lambda m: m["kind"] == "map")
    page.say("filter", text="owner:eve", mine=False)
    overview = page.wait(lambda m: m["kind"] == "overview" and m["filter"] == "owner:eve")
    assert overview["matching"] == {"jobs": 1, "running": 1, "waiting": 0}
    assert overview["jobs"] == 7
    shown = {}
    for view in ("jobs", "queues", "hosts", "queue_instances"):
        rows = page.view(
            view, columns=["job_id"] if view == "jobs" else ["host" if view == "hosts" else "queue"], anew=True
        )
        shown[view] = [row[0] for row in rows["rows"].values()]
    assert shown == {"jobs": ["3"], "queues": ["short.q"], "hosts": ["node2"], "queue_instances": ["short.q"]}
    told = page.told("map")[-1]
    assert told["all"] is False
    assert {host["host"]: host["matches"] for host in told["hosts"]} == {"node1": False}


def test_a_term_on_a_host_counts_for_the_hosts_themselves(lab):
    lab.status.tasks = [task_row("1", ME, "r", host="node1")]
    page = lab.page(filter="host:node2")
    assert [row[0] for row in page.view("hosts", columns=["host"])["rows"].values()] == ["node2"]
    assert page.view()["keys"] == []


def test_mine_is_beside_the_text_of_the_filter(lab):
    page = lab.page(mine=True, filter="state:r or state:qw")
    assert jobs_shown(page) == ["1", "4", "7"]
    assert page.told("overview")[-1]["filter"] == "state:r or state:qw"
    page.say("filter", text="state:r or state:qw", mine=False)
    assert jobs_shown(page) == ["1", "2", "3", "4", "7"]


def test_a_filter_that_cannot_be_read_is_told_and_the_rows_stay(lab):
    page = lab.page(filter="owner:bob")
    assert jobs_shown(page) == ["2", "6"]
    page.say("filter", text="colour:red", mine=False)
    rows = page.wait(lambda m: m["kind"] == "rows" and m["filter_error"] is not None)
    assert (rows["filter_error"]["start"], rows["filter_error"]["end"]) == (0, len("colour"))
    assert jobs_shown(page) == ["2", "6"]
    before = len(page.messages)
    page.say("filter", text="", mine=False)
    assert page.wait(lambda m: m["kind"] == "rows", after=before)["filter_error"] is None


def test_a_cockpit_with_a_first_filter_that_cannot_be_read_is_not_made(lab):
    with pytest.raises(FilterError):
        lab.page(hello=False, filter="colour:red")


def test_the_map_tells_all_hosts_then_those_that_changed(lab):
    page = lab.page()
    page.say("map", open=True)
    whole = page.wait(lambda m: m["kind"] == "map")
    assert whole["all"] is True
    first = next(host for host in whole["hosts"] if host["host"] == "node1")
    assert (first["used"], first["total"], first["load"], first["cores"]) == (3, 4, 1.5, 4)
    shares = dict(zip((whole["owners"][i] for i in first["owners"][::2]), first["owners"][1::2], strict=True))
    assert shares == {ME: 2, "bob": 1}
    lab.status.hosts[1]["load_avg"] = 3.26
    lab.now()
    change = page.wait(lambda m: m["kind"] == "map" and not m["all"])
    assert [(host["host"], host["load"]) for host in change["hosts"]] == [("node2", 3.3)]
    before = len(page.told("map"))
    lab.status.hosts.pop()
    lab.now()
    gone = page.wait(lambda m: m["kind"] == "map" and m["all"] and len(m["hosts"]) == 1)
    assert gone["hosts"][0]["host"] == "node1"
    page.say("map", open=False)
    lab.status.hosts[0]["load_avg"] = 9.0
    lab.now()
    page.view()
    assert len(page.told("map")) == before + 1


def test_nothing_is_sent_while_nobody_sees_it_and_all_when_somebody_does(lab):
    page = lab.page()
    page.view()
    page.say("visible", visible=False)
    wait_for(lambda: not page.host._following.looked_at)
    before = len(page.messages)
    lab.status.tasks = lab.status.tasks[:2]
    lab.now()
    lab.now()
    assert len(page.messages) == before
    page.say("visible", visible=True)
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 2)
    page.wait(lambda m: m["kind"] == "rows" and len(m["keys"]) == 2)
    assert page.host._following.looked_at


def test_pushes_are_four_a_second_at_the_most(lab):
    page = lab.page()
    page.view()
    before = len(page.told("rows"))
    began = time.monotonic()
    for n in range(40):
        lab.status.tasks[3] = task_row("4", ME, "r" if n % 2 else "qw")
        lab.now()
    page.wait(lambda m: m["kind"] == "rows" and m["rows"] and len(page.told("rows")) > before)
    took = time.monotonic() - began
    assert len(page.told("rows")) - before <= took / 0.25 + 2


def test_replay_shows_a_recorded_moment_everywhere_and_goes_back(lab):
    page = lab.page()
    assert jobs_shown(page) == ["1", "2", "3", "4", "5", "6", "7"]
    page.say("map", open=True)
    wait_for(lab.cluster.status.poller.recorder.times)
    first = lab.cluster.status.poller.recorder.times()[0]
    lab.status.tasks = [task_row("9", ME, "qw")]
    lab.now()
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 1)
    page.say("replay", at=first)
    past = page.wait(lambda m: m["kind"] == "overview" and m["replay"]["at"] is not None)
    assert past["jobs"] == 7
    assert jobs_shown(page) == ["1", "2", "3", "4", "5", "6", "7"]
    # What the cluster does meanwhile is not shown, and nothing can be done to the past.
    lab.status.tasks = []
    lab.now()
    assert jobs_shown(page) == ["1", "2", "3", "4", "5", "6", "7"]
    refused = page.ask("plan", action="cancel", targets=[{"job_id": "1", "task": None}], fields={})
    assert refused["kind"] == "trouble"
    assert "past" in refused["message"]
    # Each time that was told is that of its own moment, not of the one before.
    told = [times for one in page.told("overview") if (times := one["replay"].get("times"))][-1]
    moments = lab.cluster.status.poller.recorder.times()
    assert [max(at for at in moments if at <= one) for one in told[-1:]] == moments[-1:]
    before = len(page.messages)
    page.say("replay", at=None)
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 0, after=before)
    assert jobs_shown(page) == []


def test_a_moment_of_which_nothing_was_recorded_is_refused(lab):
    page = lab.page()
    page.say("replay", at=12.0)
    assert "nothing was recorded" in page.wait(lambda m: m["kind"] == "trouble")["message"]


def test_nothing_is_told_of_an_idle_cluster_between_two_beats(lab):
    page = lab.page()
    page.view()
    before = len(page.messages)
    for _ in range(3):
        looked = lab.cluster.status.poller.latest().sequence
        lab.now()
        wait_for(lambda looked=looked: lab.cluster.status.poller.latest().sequence > looked)
    lab.status.tasks[3] = task_row("4", ME, "r", host="node2")
    lab.now()
    page.wait(lambda m: m["kind"] == "overview", after=before)
    assert [m["kind"] for m in page.messages[before:] if m["kind"] == "overview"] == ["overview"]
    assert page.told("overview")[-1]["tasks"]["RUNNING"] == 5


def test_the_recorded_times_are_told_when_they_differ_alone(lab, each_look_is_told):
    page = lab.page()
    wait_for(lab.cluster.status.poller.recorder.times)
    for _ in range(3):
        count = len(page.told("overview"))
        lab.now()
        wait_for(lambda count=count: len(page.told("overview")) > count)
    told = [overview["replay"]["times"] for overview in page.told("overview") if "times" in overview["replay"]]
    assert told[-1] != []
    assert all(one != other for one, other in itertools.pairwise(told))
    assert "times" not in page.told("overview")[-1]["replay"]


def test_a_cluster_that_does_not_answer_is_said_to_be_stale_and_recovers(lab):
    page = lab.page()
    lab.status.fault = DrmCommunication("the qmaster does not answer")
    stale = page.wait(lambda m: m["kind"] == "overview" and m["stale_since"] > 0, seconds=30)
    assert "does not answer" in stale["error"]
    assert stale["jobs"] == 7
    lab.status.fault = None
    before = len(page.messages)
    page.wait(lambda m: m["kind"] == "overview" and m["stale_since"] == 0, seconds=30, after=before)


def test_a_cluster_that_never_answered_has_an_empty_cockpit(lab):
    lab.status.fault = DrmCommunication("the qmaster does not answer")
    page = lab.page(hello=False)
    page.say("hello", protocol=1)
    overview = page.wait(lambda m: m["kind"] == "overview" and m["error"], seconds=30)
    assert (overview["sequence"], overview["jobs"]) == (0, 0)
    assert page.view()["keys"] == []
    page.say("map", open=True)
    page.say("charts", names=["running", "owners", "waiting"])
    for action in ("plan", "copy"):
        parts: dict[str, Any] = {"action": "cancel", "targets": "matching", "fields": {}}
        if action == "copy":
            parts = {"view": "jobs", "format": "csv", "keys": "matching", "columns": ["job_id"]}
        assert "has not answered" in page.ask(action, **parts)["message"]
    assert page.ask("details", job_id="1", task=None)["kind"] == "details"
    lab.status.fault = None
    page.wait(lambda m: m["kind"] == "overview" and m["jobs"] == 7, seconds=30)
    page.wait(lambda m: m["kind"] == "rows" and len(m["keys"]) == 7)


def test_a_cluster_without_status_has_no_cockpit(lab):
    from gcs_lab.cockpit import CockpitHost

    with pytest.raises(UnsupportedOperation):
        CockpitHost(Cluster(InMemorySystem("mute", with_status=False)), print)


def test_after_closing_nothing_is_sent_and_nobody_follows(lab):
    page = lab.page()
    page.host.close()
    page.host.close()
    before = len(page.messages)
    page.say("hello", protocol=1)
    page.say("view", view="jobs")
    lab.now()
    assert len(page.messages) == before
    assert lab.cluster.status.poller._followings == []


def test_a_page_that_is_loaded_again_is_told_all_anew(lab):
    page = lab.page()
    page.view()
    before = len(page.messages)
    page.say("hello", protocol=1)
    welcome = page.wait(lambda m: m["kind"] == "welcome", after=before)
    assert welcome["user"] == ME
    assert "times" in page.wait(lambda m: m["kind"] == "overview", after=before)["replay"]
    assert ids(page.view()) == ["1", "2", "3", "4", "5", "6", "7"]


def test_a_way_to_the_browser_that_breaks_ends_nothing(lab):
    page = lab.page()
    taken, page.host._send_on = page.host._send_on, lambda _: (_ for _ in ()).throw(OSError("gone"))
    lab.now()
    page.say("view", view="jobs")
    page.host._send_on = taken
    assert page.view()["kind"] == "rows"


GOOD = {
    "kind": "view",
    "view": "jobs",
    "id": 1,
    "sort": [["owner", "ascending"]],
    "first": 0,
    "count": 50,
    "columns": ["owner"],
    "expanded": ["18446744073709551615"],
    "anew": True,
}


WRONG: list[object] = [
    None,
    [],
    "hello",
    {},
    {"kind": 7},
    {"kind": []},
    {"kind": "dance"},
    {"kind": "view"},
    *({**GOOD, name: bad} for name, bad in [
        ("view", "cells"), ("id", -1), ("id", True), ("id", "1"), ("sort", "owner"), ("sort", [["owner"]]),
        ("sort", [["owner", "up"]]), ("first", -1), ("count", 10**6), ("columns", "owner"), ("columns", [1]),
        ("expanded", ["x"]), ("expanded", [1]), ("anew", 1),
    ]),
    {"kind": "filter", "text": 3, "mine": False},
    {"kind": "filter", "text": "x" * 20_000, "mine": False},
    {"kind": "replay", "at": "now"},
    {"kind": "plan", "id": 1, "action": "cancel", "targets": "all", "fields": {}},
    {"kind": "plan", "id": 1, "action": "cancel", "targets": [{"job_id": ""}], "fields": {}},
    {"kind": "plan", "id": 1, "action": "cancel", "targets": [], "fields": {"name": 1}},
]  # fmt: skip


def test_what_is_no_message_is_answered_with_trouble(lab):
    page = lab.page()
    for wrong in WRONG:
        before = len(page.messages)
        page.host.receive(wrong)
        trouble = page.wait(lambda m: m["kind"] == "trouble", after=before)
        assert (
            "cannot be" in trouble["message"]
            or "expected" in trouble["message"]
            or "no message" in trouble["message"]
        )
        if isinstance(wrong, dict) and wrong.get("id") is GOOD["id"]:
            assert trouble["id"] == 1
    assert page.view()["kind"] == "rows"


def test_a_column_or_sort_that_there_is_not_is_answered_with_trouble(lab):
    page = lab.page()
    assert page.view(columns=["colour"])["kind"] == "trouble"
    assert page.view()["kind"] == "rows"


def test_a_good_message_is_taken_as_it_is():
    assert check_message(GOOD) is GOOD


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(
    _VALUES | st.fixed_dictionaries({"kind": st.sampled_from(["hello", "view", "log", "act", "copy"]), "id": _VALUES})
)
def test_any_json_is_a_message_or_refused_in_words(value):
    try:
        check_message(value)
    except InvalidArgument as reason:
        said = str(reason)
    else:
        said = "it is one"
    assert said
