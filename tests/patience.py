"""How long tests wait for what must come: so long that only what never comes fails, however slow the machine is."""

from __future__ import annotations

import faulthandler
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PATIENCE_SECONDS", "wait_for"]

PATIENCE_SECONDS = 60.0

_T = TypeVar("_T")


def wait_for(
    condition: Callable[[], _T], what: str = "the condition", seconds: float = PATIENCE_SECONDS, pause: float = 0.01
) -> _T:
    """Return the first true answer of `condition`; fail with all threads' stacks when none comes in `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() >= deadline:
            # What other threads wait for is seen nowhere else.
            faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
            pytest.fail(f"{what} did not come about within {seconds:g} s; the last answer was {answer!r}")
        time.sleep(pause)
    return answer
