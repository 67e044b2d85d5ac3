"""Questions to a cluster that are not waited for as long as a system may let them hang."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["answer_in_time"]

_T = TypeVar("_T")

#: A cluster that is well answers in tenths of a second; the commands of one that hangs end after a minute.
_SECONDS = 2.0
_lock = threading.Lock()
#: Questions without an answer, and when they were asked.
_open: dict[Hashable, tuple[float, Future[Any]]] = {}


def answer_in_time(question: Hashable, ask: Callable[[], _T], seconds: float = _SECONDS) -> _T | None:
    """Ask something in a thread beside, and return the answer; None: it did not come in time.

    A question that hangs is not asked a second time: who asks it meanwhile is told at once that there is no answer.

    Parameters
    ----------
    question
        What tells it from others.
    ask
        Asks it.
    seconds
        How long is waited for it, from when it was asked.

    Raises
    ------
    Exception
        What `ask` raises in time.
    """
    with _lock:
        if question not in _open:
            _open[question] = time.monotonic(), Future()
            begun, answer = _open[question]
            threading.Thread(
                target=_ask, args=(question, ask, answer), name="gcs-lab-server-asks", daemon=True
            ).start()
        else:
            begun, answer = _open[question]
    try:
        found: _T = answer.result(max(begun + seconds - time.monotonic(), 0.0))
    except TimeoutError:
        if answer.done():  # what was raised is a TimeoutError itself
            raise
        return None
    return found


def _ask(question: Hashable, ask: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        result = ask()
    except BaseException as error:  # raised where the answer is waited for
        _closed(question)
        answer.set_exception(error)
    else:
        _closed(question)
        answer.set_result(result)


def _closed(question: Hashable) -> None:
    with _lock:
        del _open[question]
