"""Which signals reach the cell, and what they do there."""

from __future__ import annotations

import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from .channel import Channel

__all__ = ["ENDING", "FORWARDED", "Interrupt", "only_wake_up"]


#: Passed on to the cell. After SIGTERM and SIGXCPU, which mean "end", the cell has some seconds before it is killed.
FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
    signal.SIGHUP,
    signal.SIGQUIT,
)
ENDING = (signal.SIGTERM, signal.SIGXCPU)


class Interrupt:
    """Raises KeyboardInterrupt once, even if a signal reaches the job both from its group and from the supervisor."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last = float("-inf")

    def __call__(self, _: int, __: FrameType | None) -> None:
        """Interrupt the cell, unless it was interrupted within the last second; a frame being sent is ended first."""
        now = time.monotonic()
        if now - self._last < 1.0:
            return
        self._last = now
        if self._channel.busy:
            self._channel.interrupted = True
        else:
            raise KeyboardInterrupt


def only_wake_up(_: int, __: FrameType | None) -> None:
    """Let the wake-up descriptor tell of the signal."""
