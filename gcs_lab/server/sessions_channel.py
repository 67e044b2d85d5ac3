"""One channel of a page: a host that is opened in a thread, and what the page says to it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.server.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gcs_lab.server.clusters import Clusters
    from gcs_lab.server.sessions_outbox import Outbox

__all__ = ["Channel", "Host", "OpenHost"]

_LOG = logging.getLogger(__name__)
#: What may be said before the host is there.
_MOST_WAITING = 200


class Host(Protocol):
    """What answers a page: a :class:`gcs_lab.cockpit.face_host.FaceHost`."""

    def receive(self, message: object) -> None:
        """Do what a message asks for, without waiting for it; from any thread."""
        ...

    def close(self) -> None:
        """Send nothing more, and end the threads; may take seconds."""
        ...


class OpenHost(Protocol):
    """Makes the host of a face; called in a thread. Raises GcsError."""

    def __call__(self, face: str, start: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> Host:
        """Make one that sends by `send`."""
        ...


class Channel:
    """A channel, from its opening to its end. All but :meth:`_send` is called in the loop.

    Parameters
    ----------
    number
        The page's.
    start
        What the page opened it with; ``cluster`` is the cluster's name.
    outbox
        Where the host's messages go.
    clusters
        Has the threads.
    ended
        Called when it ends by itself, with what is to be awaited until its threads have ended.
    """

    def __init__(
        self,
        number: int,
        start: dict[str, Any],
        outbox: Outbox,
        clusters: Clusters,
        ended: Callable[[Channel, Coroutine[Any, Any, None] | None], None],
    ) -> None:
        self.number, self.cluster = number, str(start["cluster"])
        self._start, self._outbox, self._clusters, self._ended = start, outbox, clusters, ended
        self._host: Host | None = None
        self._waiting: list[object] = []
        self._closed = False

    async def open(self, face: str, make: OpenHost) -> None:
        """Let the host be made, and hand it what was said meanwhile."""
        try:
            host = await self._clusters.in_thread_of(self.cluster, partial(make, face, self._start, self._send))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not isinstance(error, GcsError):
                _LOG.exception("gcs_lab: the %s of %s could not be opened", face, self.cluster)
            self.fail(error)
            return
        if self._closed:
            await self._clusters.to_the_end(host.close)
            return
        self._host = host
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.say(message)

    def say(self, message: object) -> None:
        """Hand the host a message of the page."""
        if self._closed:
            return
        if self._host is None:
            self._waiting.append(message)
            if len(self._waiting) > _MOST_WAITING:
                self.fail(InvalidArgument(f"more than {_MOST_WAITING} messages came before the channel was open."))
            return
        try:
            self._host.receive(message)
        except Exception as error:
            if not isinstance(error, GcsError):
                _LOG.exception("gcs_lab: a message of a page could not be taken")
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Close it, and tell the page why."""
        if self._closed:
            return
        _, problem = problem_of(error)
        closing = self.close()
        self._outbox.failed(self.number, problem)
        self._ended(self, closing)

    def close(self) -> Coroutine[Any, Any, None] | None:
        """Send nothing more; return what is to be awaited until its threads have ended."""
        self._closed = True
        self._waiting.clear()
        host, self._host = self._host, None
        return None if host is None else self._clusters.to_the_end(host.close)

    def _send(self, message: dict[str, Any]) -> None:
        """Take a host's message, in any thread."""
        if self._closed:
            return
        try:
            self._outbox.said(self.number, message)
        except (TypeError, ValueError):
            # The host that sent it is told nothing by an exception; the page must not wait for it.
            _LOG.exception("gcs_lab: a message for a page is no JSON")
            trouble = {"kind": "trouble", "message": "an answer could not be sent, by a fault of gcs_lab."}
            self._outbox.said(self.number, trouble | ({"id": message["id"]} if "id" in message else {}))
