"""Statements of one file that run at the same time: on a cluster that takes a second a step, waiting is shared.

The first test of a file with the mark ``together`` starts all of that file for the same site, in threads; each test
then takes the outcome of its own. A test without the mark waits until the others of its file have ended, and has the
cluster to itself.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_all
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from conformance.site import Site

__all__ = ["Companions"]

#: As many as a site has slots for.
_THREADS = 20


class Companions:
    """The statements that run together, by file and site."""

    def __init__(self) -> None:
        self._pools: list[ThreadPoolExecutor] = []
        self._futures: dict[tuple[str, str], dict[str, Future[Any]]] = {}

    def outcome(self, item: pytest.Function, site: Site) -> Any:
        """Return what the statement returned, or raise what it raised; the first one starts all of its file."""
        key = (str(item.path), site.name)
        if key not in self._futures:
            self._futures[key] = self._start(item, site)
        return self._futures[key][item.nodeid].result()

    def wait(self, item: pytest.Function, site: Site) -> None:
        """Wait until what runs together in the file of `item` has ended."""
        wait_for_all(self._futures.get((str(item.path), site.name), {}).values())

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def _start(self, first: pytest.Function, site: Site) -> dict[str, Future[Any]]:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"{site.name}-")
        self._pools.append(pool)
        companions = [
            item
            for item in first.session.items
            if item.path == first.path
            and item.get_closest_marker("together")
            and item.callspec.params.get("site") == site.name  # type: ignore[attr-defined]
        ]
        return {item.nodeid: pool.submit(_call, item, site) for item in companions}


def _call(item: Any, site: Site) -> Any:
    arguments = {name: value for name, value in item.callspec.params.items() if name != "site"}
    return site.check(lambda: item.obj(site=site, **arguments))
