"""Sessions of pages: what goes on while a line is broken."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.errors import GcsError, InvalidArgument, TryLater
from gcs_lab.server.problems import problem_of
from gcs_lab.server.sessions_channel import Channel
from gcs_lab.server.sessions_outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gcs_lab.server.clusters import Clusters
    from gcs_lab.server.sessions_channel import OpenHost

__all__ = ["Line", "Session", "SessionLimits", "Sessions"]

#: Close codes of a line (4000 and more are an application's own, RFC 6455 section 7.4.2).
GOING_AWAY, TAKEN_OVER, NOT_DRAINED = 1001, 4001, 4002
#: Seconds that the end of the server waits for hosts.
_CLOSE_SECONDS = 4.0


class Line(Protocol):
    """A WebSocket that a session speaks over; in the loop."""

    def wake(self) -> None:
        """Look whether there is something to send."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close it."""
        ...


@dataclass(frozen=True)
class SessionLimits:
    """What a page, and all of them, may keep busy."""

    resume_seconds: float = 60.0
    sessions: int = 200
    channels: int = 64
    kept_messages: int = 5000
    kept_bytes: int = 64_000_000


class Session:
    """What a page has opened. All but what hosts put into the outbox happens in the loop.

    Parameters
    ----------
    sessions
        All of them.
    """

    def __init__(self, sessions: Sessions) -> None:
        #: Only the page knows it, which was authenticated: Jupyter has a new anonymous user for each use of a token.
        self.id = secrets.token_urlsafe(24)
        self._sessions = sessions
        self._loop = asyncio.get_running_loop()
        limits = sessions.limits
        self.outbox = Outbox(self._wake, most_messages=limits.kept_messages, most_bytes=limits.kept_bytes)
        self._channels: dict[int, Channel] = {}
        #: Channels of lower numbers were open once: what is said to them came too late.
        self._highest = -1
        #: What a page listens to now.
        self.line: Line | None = None
        self._lost: asyncio.TimerHandle | None = None
        self.lost_at = 0.0
        #: How many words about channels the page has said: it says again what was lost with a line.
        self.heard = 0
        self.ended = self._waking = False

    # -- the line ---------------------------------------------------------------------------------------------------

    def attach(self, line: Line) -> None:
        """Speak over this line from now on; the one before is closed."""
        before, self.line = self.line, line
        if self._lost is not None:
            self._lost.cancel()
            self._lost = None
        if before is not None:
            before.end(TAKEN_OVER, "another line goes on with this session")

    def detach(self, line: Line, *, for_good: bool) -> None:
        """Keep everything for a while without a line, or end if the page said that it is gone."""
        if line is not self.line or self.ended:
            return
        self.line = None
        if for_good:
            self._sessions.end(self)
            return
        self.lost_at = time.monotonic()
        self._lost = self._loop.call_later(self._sessions.limits.resume_seconds, self._sessions.end, self)

    def _wake(self) -> None:
        # From any thread. A flood wakes the loop once; without a loop there is nobody to tell.
        if not self._waking:
            self._waking = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        self._waking = False
        if self.outbox.overflown and not self.ended:
            line = self.line
            self._sessions.end(self)
            if line is not None:
                line.end(NOT_DRAINED, "too much was not confirmed; begin anew")
        elif self.line is not None:
            self.line.wake()

    # -- what the page says -----------------------------------------------------------------------------------------

    def open(self, number: int, face: str, start: dict[str, Any]) -> None:
        """Open a channel; the page is told if it cannot be."""
        if number in self._channels:
            self._channels[number].fail(
                InvalidArgument(f"channel {number} was opened twice; give each its own number.")
            )
            return
        self._highest = max(self._highest, number)
        if len(self._channels) >= self._sessions.limits.channels:
            most = self._sessions.limits.channels
            reason = TryLater(f"{most} channels are open, and a page can have no more; close a tab, then try again.")
            self.outbox.failed(number, problem_of(reason)[1])
            return
        channel = Channel(number, start, self.outbox, self._sessions.clusters, self._on_ended)
        self._channels[number] = channel
        self._sessions.do(channel.open(face, self._sessions.make_host))

    def say(self, number: int, message: object) -> None:
        """Hand a message on. One for a channel that has ended is too late; the page has been told."""
        if (channel := self._channels.get(number)) is not None:
            channel.say(message)
        elif number > self._highest:
            reason = InvalidArgument(f"there is no channel {number}; open it first.")
            self.outbox.failed(number, problem_of(reason)[1])

    def close_channel(self, number: int) -> None:
        """Close a channel; one that has ended is closed."""
        if (channel := self._channels.pop(number, None)) is not None:
            self._sessions.do(channel.close())

    def fail_cluster(self, cluster: str, error: GcsError) -> None:
        """Close all channels to a cluster."""
        for channel in list(self._channels.values()):
            if channel.cluster == cluster:
                channel.fail(error)

    def _on_ended(self, channel: Channel, closing: Coroutine[Any, Any, None] | None) -> None:
        if self._channels.get(channel.number) is channel:
            del self._channels[channel.number]
        self._sessions.do(closing)

    def end(self) -> None:
        """Close everything; called by :meth:`Sessions.end`."""
        self.ended = True
        self.line = None
        if self._lost is not None:
            self._lost.cancel()
        self.outbox.drop()
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            self._sessions.do(channel.close())


class Sessions:
    """The sessions of one server; all methods but :meth:`fail_cluster` are called in the loop.

    Parameters
    ----------
    clusters
        What the hosts are about.
    make_host
        Makes the host of a face.
    limits
        What they may use.
    """

    def __init__(self, clusters: Clusters, make_host: OpenHost, limits: SessionLimits) -> None:
        self.clusters, self.make_host, self.limits = clusters, make_host, limits
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, session_id: str | None, seen: int) -> tuple[Session, bool]:
        """Return the session of a page, and whether it goes on where it was.

        Raises
        ------
        TryLater
            If there are too many.
        """
        if self._closed:
            raise TryLater("the Jupyter server ends.")
        self._loop = asyncio.get_running_loop()
        session = self._sessions.get(session_id or "")
        if session is not None:
            if session.outbox.can_go_on_after(seen):
                session.outbox.confirm(seen)
                return session, True
            # The page lost what was confirmed already: nobody will ask for this one again.
            self.end(session)
        self._make_room()
        session = Session(self)
        self._sessions[session.id] = session
        return session, False

    def _make_room(self) -> None:
        if len(self._sessions) < self.limits.sessions:
            return
        lost = [session for session in self._sessions.values() if session.line is None]
        if not lost:
            raise TryLater(f"{self.limits.sessions} pages are open on this server; close one.")
        self.end(min(lost, key=lambda session: session.lost_at))

    def end(self, session: Session) -> None:
        """End a session with all its hosts."""
        if self._sessions.pop(session.id, None) is not None:
            session.end()

    def do(self, work: Coroutine[Any, Any, None] | None) -> None:
        """Do something beside; it is waited for when the server ends."""
        if work is not None:
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def fail_cluster(self, cluster: str, error: GcsError) -> None:
        """Close all channels to a cluster, and wait until that is done; from a thread."""
        loop = self._loop
        if loop is None:
            return

        async def fail() -> None:
            for session in list(self._sessions.values()):
                session.fail_cluster(cluster, error)
            await self._settled()

        # A host that does not end is closed all the same: it sends nothing more.
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(fail(), loop).result(2 * _CLOSE_SECONDS)

    async def close(self) -> None:
        """End all sessions: no host, and no thread of one, is left."""
        self._closed = True
        for session in list(self._sessions.values()):
            line = session.line
            self.end(session)
            if line is not None:
                line.end(GOING_AWAY, "the Jupyter server ends")
        await self._settled()

    async def _settled(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=_CLOSE_SECONDS)
