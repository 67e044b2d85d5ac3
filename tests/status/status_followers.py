"""Processes of ``follow_status.py``, and what they said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Follower:
    """One process."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("follow_status.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self.said: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def last(self, name: str) -> Any:
        """Return what it said last about `name`; None: nothing yet."""
        return next((said[name] for said in reversed(self.said) if name in said), None)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def end(self) -> str:
        """End it, and return what it wrote to standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()  # the end of its input ends it
        assert self.process.stderr is not None
        complaints = self.process.stderr.read()
        self.process.wait(20)
        self._reader.join(20)
        self.process.stderr.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return complaints


@contextmanager
def followers(count: int, *arguments: str, env: dict[str, str] | None = None) -> Iterator[list[Follower]]:
    """Run `count` of them; none may have complained at the end."""
    started = [Follower(*arguments, env=env) for _ in range(count)]
    try:
        yield started
    finally:
        complaints = [one.end() for one in started]
    assert not any(complaints), complaints
