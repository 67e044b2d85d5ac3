"""A recorded comm in the place of the browser, for tests of cards on the kernel's side."""

from __future__ import annotations

import json
import threading
from typing import Any

from comm.base_comm import BaseComm

__all__ = ["RecordingComm"]


class RecordingComm(BaseComm):
    def __init__(self, *args, **kwargs) -> None:
        self.sent: list[tuple[str, dict[str, Any], str]] = []
        #: Bytes of each message: what is JSON, and the buffers beside it.
        self.sizes: list[int] = []
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        text = json.dumps(data or {}, allow_nan=False)
        self.sizes.append(len(text) + sum(memoryview(buffer).nbytes for buffer in buffers or []))
        self.sent.append((msg_type, json.loads(text), threading.current_thread().name))

    def updates(self, name: str) -> list[Any]:
        states = [data["state"] for _, data, _ in self.sent if data.get("method") == "update"]
        return [state[name] for state in states if name in state]

    def answers(self) -> list[dict[str, Any]]:
        return [data["content"] for _, data, _ in self.sent if data.get("method") == "custom"]
