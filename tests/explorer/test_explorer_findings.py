"""What was planted in the site is found, by computing and with a filter that shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gcs_lab.explorer.findings import findings


def test_the_failing_node_the_memory_waster_and_the_rush_are_found(site):
    facts = site.facts
    found = findings(site.shown())
    by_tab = {tab: [one for one in found if one.tab == tab] for tab in ("failures", "efficiency", "waits")}

    # The only host that is named, and it stands first of all.
    assert [one.term for one in by_tab["failures"]] == [f"host:{facts.failing_node} ok:no"]
    assert found[0].tab == "failures"
    assert f"owner:{facts.memory_waster}" in [one.term for one in by_tab["efficiency"]]
    days = {
        f"{datetime.fromtimestamp(facts.rush_begin, UTC) + timedelta(days=ahead):%Y-%m-%d}" for ahead in range(-4, 5)
    }
    assert any(one.term.split()[0].removeprefix("submitted>=") in days for one in by_tab["waits"])
    assert all(0 <= one.weight <= 1 for one in found)


def test_each_term_shows_what_its_finding_says(site):
    for one in findings(site.shown()):
        assert site.shown(filter=one.term).counts()[0] > 0, one


def test_a_site_where_nothing_is_wrong_has_no_bad_host(site):
    # Before the node began to fail.
    shown = site.shown(until=float(site.facts.failing_since))
    assert [one for one in findings(shown) if one.tab == "failures"] == []
