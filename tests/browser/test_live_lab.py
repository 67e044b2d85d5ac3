"""The harness itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from live_lab import LiveLab

pytestmark = pytest.mark.browser


def test_a_page_reaches_nothing_but_this_machine_and_what_it_tried_is_noted(lab: LiveLab):
    with lab.open(["1 + 1"]) as page:
        page.run_all()
        page.wait_for_text(0, "2")
        assert page.refused == []
        fetched = "url => fetch(url, {mode: 'no-cors'}).then(() => 'reached', () => 'not reached')"
        outside = ["http://192.0.2.1/", "http://example.org/", "https://example.org/"]
        assert [page.page.evaluate(fetched, url) for url in outside] == ["not reached"] * 3
        assert page.refused == outside
        assert page.page.evaluate(fetched, f"{lab.url}/api") == "reached"


def test_themes_are_set_and_do_not_stay_for_the_next_notebook(lab: LiveLab):
    light = "() => document.body.dataset.jpThemeLight"
    with lab.open([""]) as page:
        page.set_theme(dark=True)
        assert page.page.evaluate(light) == "false"
    with lab.open([""]) as page:
        assert page.page.evaluate(light) == "true"


def test_a_restarted_kernel_has_forgotten_everything(lab: LiveLab):
    with lab.open(["print('x' in globals())", "x = 1"]) as page:
        page.run_all()
        page.restart_kernel()
        page.run_cell(0)
        page.wait_for_text(0, "False")
