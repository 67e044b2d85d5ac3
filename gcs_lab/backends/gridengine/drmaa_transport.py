"""Submit with libdrmaa in a helper process: seven times quicker than starting qsub."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.gridengine import drmaa_helper
from gcs_lab.backends.gridengine.commands import error_of
from gcs_lab.errors import CommandFailed, DeniedByDrms, DrmCommunication, InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["DrmaaTransport", "HelperUnavailable"]

_START_SECONDS = 10.0
#: Seconds for one submission; Grid Engine's own limit for a request is 60.
_ANSWER_SECONDS = 70.0
#: Debian's library brings jemalloc, whose thread-local block fits only into a process started with this.
_TUNABLES = "glibc.rtld.optional_static_tls=4096"


class HelperUnavailable(DrmCommunication):
    """The helper could not be started; nothing was submitted."""


class DrmaaTransport:
    """A helper process with a DRMAA session; started in the background, restarted when it died.

    Parameters
    ----------
    cell
        The cell to submit to.
    library
        Its libdrmaa.
    """

    name = "drmaa"

    def __init__(self, cell: SgeCell, library: Path) -> None:
        self._cell, self._library = cell, library
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None
        self._pid = os.getpid()
        self._buffer = b""
        self._serial = 0
        self._ready = False
        self._closed = False
        #: The DRMAA session, opened again by a restarted helper.
        self.contact = ""

    @property
    def helper_pid(self) -> int | None:
        """Pid of the helper, if one was started."""
        return None if self._helper is None else self._helper.pid

    def start(self) -> None:
        """Start the helper without waiting for it; the first submission does."""
        with self._lock:
            if not self._closed:
                self._launch()

    def submit(self, request: JobRequest, marker: str) -> str:
        """Submit one job; see :meth:`~gcs_lab.backends.gridengine.qsub_transport.Transport.submit`.

        Raises
        ------
        HelperUnavailable
            If there is no helper to be had; the job was not submitted.
        """
        # `-w n`: what cannot run now may wait, as with qsub; the library's own default would refuse it.
        native = ["-w", "n", "-ac", marker, *request.options]
        if variables := request.variables():
            native += ["-v", ",".join(variables)]
        fields = (
            "command",
            "name",
            "hold",
            "working_directory",
            "input_path",
            "output_path",
            "error_path",
            "join_files",
        )
        wire = {field: getattr(request, field) for field in fields}
        wire |= {"args": list(request.args), "environment": request.environment, "native": native}
        with self._lock:
            self._ensure()
            self._serial += 1
            self._send({**wire, "serial": self._serial})
            reply = self._receive(_ANSWER_SECONDS)
        if "job_id" in reply:
            return str(reply["job_id"])
        raise self._error(str(reply.get("error")), str(reply.get("message")))

    def close(self) -> None:
        """End the helper; jobs go on."""
        with self._lock:
            self._closed = True
            if self._helper is None or self._pid != os.getpid():
                return
            assert self._helper.stdin is not None
            with contextlib.suppress(OSError):
                self._helper.stdin.close()
            try:
                self._helper.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._helper.kill()
            self._drop()

    def _launch(self) -> None:
        env = self._cell.environment() | {"DRMAA_LIBRARY_PATH": str(self._library)}
        others = [t for t in env.get("GLIBC_TUNABLES", "").split(":") if t and "optional_static_tls" not in t]
        env["GLIBC_TUNABLES"] = ":".join([*others, _TUNABLES])
        # -I -S would hide the installed drmaa package; the script's own folder is of no use to it.
        self._helper = subprocess.Popen(
            [sys.executable, "-P", drmaa_helper.__file__, self.contact],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pid, self._buffer, self._ready = os.getpid(), b"", False

    def _ensure(self) -> None:
        """See to it that a helper is ready."""
        if self._helper is not None and (self._pid != os.getpid() or self._helper.poll() is not None):
            self._drop()
        if self._helper is None:
            self._launch()
        if self._ready:
            return
        try:
            hello = self._receive(_START_SECONDS)
        except DrmCommunication as error:
            raise HelperUnavailable(str(error)) from error
        if not hello.get("ready"):
            self._drop()
            said = str(hello.get("message"))
            raise HelperUnavailable(f"libdrmaa does not open a session: {said}")
        self.contact, self._ready = str(hello.get("contact") or ""), True

    def _send(self, message: dict[str, Any]) -> None:
        assert self._helper is not None
        assert self._helper.stdin is not None
        try:
            self._helper.stdin.write(json.dumps(message).encode() + b"\n")
            self._helper.stdin.flush()
        except OSError:
            self._lost("it died")

    def _receive(self, timeout: float) -> dict[str, Any]:
        assert self._helper is not None
        assert self._helper.stdout is not None
        descriptor = self._helper.stdout.fileno()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self._lost(f"it did not answer within {timeout:g} s")
            data = os.read(descriptor, 1 << 16)
            if not data:
                self._lost("it died")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _lost(self, how: str) -> None:
        argv = ["drmaa_helper"]
        if self._helper is not None:
            argv = [str(word) for word in self._helper.args] if isinstance(self._helper.args, list) else argv
            self._helper.kill()
        self._drop()
        raise CommandFailed(argv, None, f"the helper with libdrmaa was lost: {how}. It is started again when needed.")

    def _drop(self) -> None:
        if self._helper is not None:
            for stream in (self._helper.stdin, self._helper.stdout):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            if self._pid == os.getpid():
                self._helper.wait()
        self._helper, self._ready, self._buffer = None, False, b""

    def _error(self, kind: str, message: str) -> Exception:
        text = message.partition(": ")[2] if message.startswith("code ") else message
        by_text = error_of(text, ["drmaa_run_job"], None)
        if kind == "DrmCommunicationException" and not isinstance(by_text, DrmCommunication):
            return DrmCommunication(text)
        if kind in {"InvalidAttributeValueException", "InvalidAttributeFormatException", "InvalidArgumentException"}:
            return InvalidArgument(f"Grid Engine does not take this: {text}")
        if kind == "DeniedByDrmException" and type(by_text) is CommandFailed:
            return DeniedByDrms(f"Grid Engine refused: {text}")
        return by_text
