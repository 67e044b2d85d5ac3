"""The thread that answers: what goes wrong in it must not end it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.cockpit.lane import Lane

if TYPE_CHECKING:
    import pytest


def test_a_panic_of_polars_does_not_end_what_comes_after(caplog: pytest.LogCaptureFixture) -> None:
    lane, done, threads = Lane("lane"), threading.Event(), []

    def panic() -> None:
        threads.append(threading.current_thread())
        raise pl.exceptions.PanicException("index out of bounds")

    def after() -> None:
        threads.append(threading.current_thread())
        done.set()

    assert not issubclass(pl.exceptions.PanicException, Exception)
    with caplog.at_level(logging.CRITICAL + 1):
        lane.do(panic)
        lane.do(after)
        assert done.wait(10)
    lane.close(5)
    assert threads[0] is threads[1]
