"""A process of its own that populates a cluster, while the one that started it goes on: start it, ask it, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from gcs_lab.errors import GcsError, InvalidState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.workload.ledger import Ledger

__all__ = ["Stop", "end_player", "last_words", "start_player"]

#: Until it has connected (and perhaps started the embedded cluster), and until it has ended.
_START_SECONDS, _END_SECONDS = 60.0, 60.0
_LOOK = 0.1


class Stop:
    """Whether somebody wants an end: SIGINT (Ctrl-C) or SIGTERM. A second Ctrl-C is KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._heard) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Tell."""
        return self.wanted

    def _heard(self, *_: object) -> None:
        self.wanted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def start_player(ledger: Ledger, options: Sequence[str]) -> int:
    """Start ``gcs-lab demo populate`` with these options in the background; return its number when it plays.

    Raises
    ------
    InvalidState
        If one plays already.
    GcsError
        If it ends at once; the error says what it said.
    """
    playing = ledger.player()
    if playing is not None:
        raise InvalidState(
            f"{ledger.cluster} is being populated already (process {playing}). Wait for its end, or end it: "
            f"`gcs-lab demo populate {ledger.cluster} --stop`."
        )
    argv = [sys.executable, "-m", "gcs_lab.cli", "demo", "populate", ledger.cluster, *options]
    with ledger.log.open("wb") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=dict(os.environ)
        )
    deadline = time.monotonic() + _START_SECONDS
    while ledger.player() != process.pid:
        if process.poll() is not None:
            raise GcsError(f"nobody came: {last_words(ledger) or f'the process ended with {process.returncode}'}")
        if time.monotonic() > deadline:
            process.terminate()
            raise GcsError(f"nobody came within {_START_SECONDS:.0f} s. What was said is in {ledger.log}.")
        time.sleep(_LOOK)
    # It outlives this process, and is nobody's child then.
    process.returncode = 0
    return process.pid


def end_player(ledger: Ledger) -> bool:
    """End the process that plays, and wait for its end; return whether there was one.

    Raises
    ------
    GcsError
        If it does not end within a minute.
    """
    playing = ledger.player()
    if playing is None:
        return False
    deadline = time.monotonic() + _END_SECONDS
    told = None
    while playing is not None and told in {None, playing}:
        # 0: it has just begun, and has not said its number yet.
        if playing and told is None:
            told = playing
            # It may end in this very moment.
            with contextlib.suppress(ProcessLookupError):
                os.kill(playing, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise GcsError(f"process {playing} did not end within {_END_SECONDS:.0f} s: `kill -9 {playing}` ends it.")
        time.sleep(_LOOK)
        playing = ledger.player()
    return True


def last_words(ledger: Ledger) -> str:
    """Return the last line that the process in the background wrote; empty: there is none."""
    try:
        lines = ledger.log.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
