"""The threads in which clusters are asked for pages."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.errors import InvalidState

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads"]

_T = TypeVar("_T")


class Threads:
    """Does each work in a thread of its own, so many at once for each cluster; all methods are called in the loop.

    One cluster that does not answer keeps nobody waiting who asks another one. A ``ThreadPoolExecutor`` has one row
    for all, and would keep the program from ending until the last command of a cluster that hangs has timed out.

    Parameters
    ----------
    most
        Threads for a cluster.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._closed = False

    async def run(self, work: Callable[[], _T], of: str | None) -> _T:
        """Do something in a thread, and return what it returns.

        What is no Exception (a panic of polars, ``exit()``) comes as a RuntimeError: the loop would end by it, or the
        page never be answered.

        Parameters
        ----------
        work
            What is done.
        of
            Name of the cluster that is asked; None: it ends something, and waits for no turn.

        Raises
        ------
        InvalidState
            If the server ends.
        Exception
            What the work raises.
        """
        async with contextlib.AsyncExitStack() as turn:
            if of is not None:
                await turn.enter_async_context(self._turns.setdefault(of, asyncio.Semaphore(self._most)))
            if self._closed and of is not None:
                raise InvalidState("the Jupyter server ends; start it again.")
            return await _in_new_thread(work)

    def close(self) -> None:
        """Begin nothing more, but what ends something; what hangs is not waited for."""
        self._closed = True


async def _in_new_thread(work: Callable[[], _T]) -> _T:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(result: _T | None, error: BaseException | None) -> None:
        if done.done():  # nobody waits
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            done.set_exception(error)
        else:
            wrapped = RuntimeError(f"{type(error).__name__}: {error}")
            wrapped.__cause__ = error
            done.set_exception(wrapped)

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        # Without a loop there is nobody to tell.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=run, name="gcs-lab-server", daemon=True).start()
    return await done
