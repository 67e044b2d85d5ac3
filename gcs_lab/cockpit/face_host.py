"""What the hosts of all faces have in common: messages sent one at a time, lanes, and an answer whatever happens."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gcs_lab.cockpit.lane import Lane
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

__all__ = ["FaceHost"]

_LOG = logging.getLogger(__name__)
#: Seconds that closing waits for what is being done.
_CLOSE_SECONDS = 2.0

_Message = dict[str, Any]


class FaceHost:
    """Answers one browser.

    :meth:`receive` and :meth:`close` may be called from any thread. The first returns at once: what takes long is
    done in threads of the host's own, each of which is there while there is something to do. The second waits two
    seconds at the most for what is being done. What cannot be done is told with a message ``trouble``.

    Parameters
    ----------
    send
        Called with each message for the browser, from any thread, one at a time.
    name
        Of the face, for its threads.
    lanes
        Names of the threads.
    """

    #: What work raises to say that nobody waits for it any more.
    _left_off: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, send: Callable[[_Message], None], name: str, lanes: Iterable[str]) -> None:
        self._send_on = send
        self._sending = threading.RLock()
        self._closed = False
        self._lanes = {lane: Lane(f"gcs-lab-{name}-{lane}") for lane in lanes}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Send nothing more; end the threads."""
        with self._sending:
            if self._closed:
                return
            self._closed = True
        self._before_end()
        until = time.monotonic() + _CLOSE_SECONDS
        for lane in self._lanes.values():
            lane.close(until - time.monotonic())
        self._after_end()

    def _before_end(self) -> None:
        """Stop what gives the threads work."""

    def _after_end(self) -> None:
        """Let go of what is held, when the threads have ended."""

    def send(self, message: _Message) -> None:
        """Send a message, unless the host is closed."""
        with self._sending:
            if not self._closed:
                try:
                    self._send_on(message)
                except Exception:
                    # The way to the browser is gone; whoever owns it closes the host.
                    _LOG.debug("a message could not be sent", exc_info=True)

    def receive(self, message: object) -> None:
        """Do what a message asks for; one that is none is answered with ``trouble``."""
        raise NotImplementedError

    def _checked(self, check: Callable[[object], Mapping[str, Any]], message: object) -> Mapping[str, Any] | None:
        """Return a message that `check` lets through; one that is none is answered with ``trouble``."""
        try:
            return check(message)
        except GcsError as reason:
            self._refuse(message, reason)
            return None

    def _hand_on(self, message: Mapping[str, Any], lane: str, key: Hashable = None) -> None:
        """Let ``_on_<kind>`` answer a message in a lane; of those that wait with one `key` the latest counts."""
        work = getattr(self, f"_on_{message['kind']}")
        self._lanes[lane].do(lambda: self._answer(message, work), key)

    def _answer(self, message: Mapping[str, Any], work: Callable[[Mapping[str, Any]], None]) -> None:
        try:
            work(message)
        except self._left_off:
            pass
        except GcsError as reason:
            self._trouble(str(reason), message.get("id"))
        except BaseException as reason:  # a panic of polars is no Exception, and nobody would be told
            if self._closed:
                # Files that it read may be gone.
                return
            _LOG.exception("a message %r could not be answered", message["kind"])
            self._trouble(
                f"this could not be done, by a fault of gcs_lab ({type(reason).__name__}: {reason}). The log of the "
                "kernel, or of the Jupyter server, has more; please report it.",
                message.get("id"),
            )

    def _refuse(self, message: object, reason: GcsError) -> None:
        """Answer what is no message."""
        self._trouble(str(reason), message.get("id") if isinstance(message, dict) else None)

    def _trouble(self, text: str, number: object) -> None:
        message: _Message = {"kind": "trouble", "message": text}
        if isinstance(number, int) and not isinstance(number, bool):
            message["id"] = number
        self.send(message)
