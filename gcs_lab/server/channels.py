"""The one WebSocket of a page: ``<base>gcs-lab/channels``. What travels is told in docs/server.md."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from gcs_lab._version import __version__
from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.server.channels_words import PROTOCOL, read_message

if TYPE_CHECKING:
    from gcs_lab.server.sessions import Session, Sessions

__all__ = ["ChannelsSocket"]

#: Close codes (RFC 6455, section 7.4): the page is gone; and an application's own.
_GONE = (1000, 1001)
MALFORMED, SILENT, OTHER_PROTOCOL, TOO_MANY = 4400, 4408, 4426, 4429
#: Bytes of a message: the keys of a hundred thousand jobs.
_MOST_MESSAGE = 4_000_000
#: Seconds that a page has for its first word.
_FIRST_WORD_SECONDS = 20.0
#: Bytes of a close frame's reason.
_MOST_REASON = 120


class ChannelsSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A line: it has a session from the first word on, until it breaks."""

    auth_resource = "gcs_lab"
    _session: Session | None = None
    _timer: asyncio.TimerHandle | None = None
    _writer: asyncio.Task[None] | None = None
    _ended = False

    @property
    def max_message_size(self) -> int:
        """Bytes of a message that is taken; a longer one closes the line (1009)."""
        return _MOST_MESSAGE

    @property
    def ping_interval(self) -> int:
        """Send no pings besides: the beats are for both ends, and a page sees no ping."""
        return 0

    def get_compression_options(self) -> dict[str, Any] | None:
        """Compress if the server's other sockets do."""
        options: dict[str, Any] | None = self.settings.get("websocket_compression_options")
        return options

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Become a WebSocket, for those who may."""
        user = self.current_user
        if not await ensure_async(self.authorizer.is_authorized(self, user, "execute", self.auth_resource)):
            raise HTTPError(403)
        await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        """Wait for the first word."""
        super().open(*args, **kwargs)
        self._news = asyncio.Event()
        self._heard = self._beat_due = False
        self._silent_beats = 0
        self._sent = 0
        self._timer = asyncio.get_running_loop().call_later(_FIRST_WORD_SECONDS, self._nothing_was_said)

    @property
    def _sessions(self) -> Sessions:
        sessions: Sessions = self.settings["gcs_lab_sessions"]
        return sessions

    # -- what the page says -----------------------------------------------------------------------------------------

    def on_message(self, text: str | bytes) -> None:
        """Do what the page says; what is none of its words closes the line."""
        self._heard = True
        if self._ended:
            return
        try:
            message = read_message(text)
            if (self._session is None) != (message["op"] == "start"):
                raise InvalidArgument(f"{message['op']!r} came {'first' if self._session is None else 'again'}")
            if self._session is None:
                self._start(message)
            else:
                self._do(self._session, message)
        except InvalidArgument as reason:
            self.end(MALFORMED, str(reason))

    def _start(self, message: dict[str, Any]) -> None:
        if message["protocol"] != PROTOCOL:
            # It reads from this which version the server has.
            self._say_started("", resumed=False, heard=0)
            self.end(OTHER_PROTOCOL, f"this server speaks protocol {PROTOCOL}: reload the page")
            return
        try:
            session, resumed = self._sessions.begin(message["session"], message["seen"])
        except GcsError as reason:
            self.end(TOO_MANY, str(reason))
            return
        self._session, self._sent = session, message["seen"] if resumed else 0
        self._say_started(session.id, resumed=resumed, heard=session.heard)
        session.attach(self)
        self._writer = asyncio.get_running_loop().create_task(self._write(session))
        self._next_beat()

    def _say_started(self, session: str, *, resumed: bool, heard: int) -> None:
        answer = {
            "op": "started",
            "protocol": PROTOCOL,
            "version": __version__,
            "session": session,
            "resumed": resumed,
            "heard": heard,
            "beat": self.settings["gcs_lab_beat_seconds"],
        }
        # It comes before the writer's first word: what is written is sent in this order.
        self.write_message(json.dumps(answer))

    def _do(self, session: Session, message: dict[str, Any]) -> None:
        op = message["op"]
        if op == "seen":
            if not session.outbox.confirm(message["seq"]):
                raise InvalidArgument(f"seen: {message['seq']} was not told yet")
            return
        session.heard += 1
        if op == "say":
            session.say(message["channel"], message["message"])
        elif op == "open":
            session.open(message["channel"], message["face"], message["start"])
        else:
            session.close_channel(message["channel"])

    # -- what is said to it -----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look whether there is something to send."""
        self._news.set()

    async def _write(self, session: Session) -> None:
        """Send what is new, one message after the other: no more than one waits in the socket's buffer."""
        try:
            while not self._ended:
                self._news.clear()
                while (text := session.outbox.after(self._sent)) is not None:
                    await self.write_message(text)
                    self._sent += 1
                if self._beat_due:
                    self._beat_due = False
                    await self.write_message(json.dumps({"op": "beat", "seq": self._sent, "heard": session.heard}))
                await self._news.wait()
        except (WebSocketClosedError, StreamClosedError):
            # on_close does what is to be done.
            pass

    # -- whether it lives -------------------------------------------------------------------------------------------

    def _nothing_was_said(self) -> None:
        self.end(SILENT, "nothing was said; the first word is `start`")

    def _next_beat(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        seconds = float(self.settings["gcs_lab_beat_seconds"])
        self._timer = asyncio.get_running_loop().call_later(seconds, self._beat)

    def _beat(self) -> None:
        self._silent_beats = 0 if self._heard else self._silent_beats + 1
        self._heard = False
        if self._silent_beats >= 2:  # noqa: PLR2004  (as envelope.ts says)
            self.end(SILENT, "the page did not answer two beats")
            return
        self._beat_due = True
        self._news.set()
        self._next_beat()

    def end(self, code: int, reason: str) -> None:
        """Close the line; the session, if it has one, may go on with another."""
        if not self._ended:
            self._let_go(for_good=False)
            self.close(code, reason.encode()[:_MOST_REASON].decode(errors="ignore"))

    def on_close(self) -> None:
        """Keep the session for a while, unless the page said that it goes."""
        self._let_go(for_good=self.close_code in _GONE)
        super().on_close()

    def _let_go(self, *, for_good: bool) -> None:
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            # One that waits for a page that does not read would wait on.
            self._writer.cancel()
        if self._session is not None:
            self._session.detach(self, for_good=for_good)
