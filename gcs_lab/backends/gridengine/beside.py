"""A command that runs beside another one."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["beside"]

_T = TypeVar("_T")


@contextmanager
def beside(call: Callable[[], _T]) -> Iterator[Future[_T]]:
    """Make `call` in a thread of its own, which has ended after the ``with``; what it returned is the result.

    A ``ThreadPoolExecutor`` refuses to, once the main thread of a program has ended: the poller of a kernel that ends
    would then tell all others that the cluster does not answer.
    """
    result: Future[_T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:  # raised where the result is asked for
            result.set_exception(error)

    thread = threading.Thread(target=run, name="gcs_lab-beside", daemon=True)
    thread.start()
    try:
        yield result
    finally:
        thread.join()
