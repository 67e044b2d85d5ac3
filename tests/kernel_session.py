"""A real IPython kernel, driven as a front end drives it: outputs are kept by the cell that they belong to."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from queue import Empty
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class CellOutputs:
    """What a front end would show under one cell, and when each message came (monotonic seconds)."""

    messages: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    replied: dict[str, Any] | None = None

    def text(self, name: str | None = None) -> str:
        return "".join(c["text"] for _, kind, c in self.messages if kind == "stream" and name in (None, c["name"]))

    def error(self) -> dict[str, Any] | None:
        return next((content for _, kind, content in self.messages if kind == "error"), None)

    def traceback(self) -> str:
        import re

        error = self.error()
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"])) if error else ""

    def data(self, mime: str, kinds: tuple[str, ...] = ("display_data", "execute_result")) -> list[Any]:
        return [c["data"][mime] for _, kind, c in self.messages if kind in kinds and mime in c["data"]]

    def result(self) -> str | None:
        return next(iter(self.data("text/plain", ("execute_result",))), None)

    def arrived(self, kind: str, part: str) -> float:
        return next(t for t, k, c in self.messages if k == kind and part in str(c))


class KernelSession:
    """A running kernel with the extension loaded."""

    def __init__(self, cwd: Path, env: dict[str, str]) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(cwd), env=env)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.cells: dict[str, CellOutputs] = defaultdict(CellOutputs)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def send(self, code: str) -> str:
        return self.client.execute(code, store_history=True, allow_stdin=False)

    def pump(self, until: Callable[[], bool], timeout: float = 60.0) -> bool:
        """Take messages until `until()` holds; return whether it came to that."""
        deadline = time.monotonic() + timeout
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                message = self.client.get_iopub_msg(timeout=min(left, 0.05))
            except Empty:
                pass
            else:
                self._take(message)
            try:
                reply = self.client.get_shell_msg(timeout=0)
            except Empty:
                continue
            self.cells[reply["parent_header"]["msg_id"]].replied = reply["content"]
        return True

    def _take(self, message: dict[str, Any]) -> None:
        parent = message["parent_header"].get("msg_id", "")
        kind = message["msg_type"]
        if kind in {
            "stream",
            "display_data",
            "execute_result",
            "error",
            "update_display_data",
            "clear_output",
            "status",
        }:
            self.cells[parent].messages.append((time.monotonic(), kind, message["content"]))

    def wait(self, cell: str, timeout: float = 60.0) -> CellOutputs:
        """Wait until the cell has been replied to and its outputs up to idle are there."""

        def done() -> bool:
            outputs = self.cells[cell]
            idle = any(k == "status" and c["execution_state"] == "idle" for _, k, c in outputs.messages)
            return outputs.replied is not None and idle

        assert self.pump(done, timeout), f"the cell did not end within {timeout} s: {self.cells[cell].messages[-5:]}"
        return self.cells[cell]

    def run(self, code: str, timeout: float = 60.0) -> CellOutputs:
        return self.wait(self.send(code), timeout)

    def value(self, expression: str) -> str:
        """Return the repr of an expression in the kernel."""
        outputs = self.run(f"print(repr(({expression})))")
        assert outputs.error() is None, outputs.traceback()
        return outputs.text("stdout").removesuffix("\n")


#: The clusters that a test of the magics runs on.
BOTH = [
    pytest.param("embedded", id="embedded"),
    pytest.param("demo-cells", id="gridengine", marks=pytest.mark.gridengine),
]


def start_kernel(tmp_path_factory: pytest.TempPathFactory, cluster: str, **env: str) -> KernelSession:
    """Start a kernel that uses `cluster` and has the magics."""
    environment = {**os.environ, "GCS_LAB_CLUSTER": cluster, "PYTHONWARNINGS": "default", **env}
    session = KernelSession(tmp_path_factory.mktemp("notebook"), environment)
    try:
        loaded = session.run("%load_ext gcs_lab")
        assert loaded.error() is None, loaded.traceback()
    except BaseException:
        session.close()
        raise
    return session
