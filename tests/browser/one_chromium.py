"""One Chromium for all tests of a test process, whatever their folder: Playwright's driver can be started only once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium that reaches this machine only."""
    from browser.live_lab import chromium_path, launch_chromium

    if chromium_path() is None:
        pytest.skip("no chromium on PATH; install one (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception as error:
            pytest.skip(f"Playwright's driver does not start ({error}); on a bare Debian: apt-get install libatomic1")
        browser = launch_chromium(playwright.chromium)
        stack.callback(browser.close)
        yield browser
