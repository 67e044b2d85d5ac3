"""Submit with libdrmaa in a helper process: four times quicker than starting qsub."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.gridengine import drmaa_helper
from gcs_lab.backends.gridengine.commands import error_of
from gcs_lab.backends.gridengine.helper_process import HelperProcess
from gcs_lab.backends.gridengine.qsub_transport import CONTEXT, concurrency
from gcs_lab.errors import CommandFailed, DeniedByDrms, DrmCommunication, GcsError, InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.qsub_transport import Batch
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["DrmaaTransport", "HelperUnavailable"]

_START_SECONDS = 10.0
#: Seconds for one submission; Grid Engine's own limit for a request is 60.
_ANSWER_SECONDS = 70.0
#: Debian's library brings jemalloc, whose thread-local block fits only into a process started with this.
_TUNABLE = "glibc.rtld.optional_static_tls=4096"
_FIELDS = ("command", "name", "hold", "working_directory", "input_path", "output_path", "error_path", "join_files")
_INVALID = {"InvalidAttributeValueException", "InvalidAttributeFormatException", "InvalidArgumentException"}


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
        self._helper: HelperProcess | None = None
        self._ready = False
        #: Contact string of the DRMAA session, which a restarted helper opens again.
        self.contact = ""

    @property
    def helper_pid(self) -> int | None:
        """Pid of the helper, if one was started."""
        return None if self._helper is None else self._helper.pid

    def start(self) -> None:
        """Start the helper without waiting for it; the first submission does."""
        with self._lock:
            if self._helper is None:
                self._helper = self._launch()

    def submit(self, batch: Batch, ids: list[str]) -> None:
        """Submit jobs; see :meth:`~gcs_lab.backends.gridengine.qsub_transport.Transport.submit`.

        All of them are sent in one message; the helper stops at the first that is refused.

        Raises
        ------
        HelperUnavailable
            If there is no helper to be had; no job was submitted.
        """
        jobs = [_wire(request, marker, batch) for request, marker in zip(batch.requests, batch.markers, strict=True)]
        left = len(jobs)
        with self._lock:
            helper = self._usable_helper()
            try:
                helper.send({"jobs": jobs, "tasks": _tasks(batch)})
                while left:
                    reply = helper.receive(_ANSWER_SECONDS)
                    if "job_id" not in reply:
                        left = 0
                        raise _error(str(reply.get("error")), str(reply.get("message")))
                    left -= 1
                    ids.append(str(reply["job_id"]))
            finally:
                if left:
                    # Also after a Ctrl-C: its answer must not be taken for the next submission's.
                    self._drop(kill=True)

    def close(self) -> None:
        """End the helper; jobs go on."""
        with self._lock:
            self._drop()

    def _launch(self) -> HelperProcess:
        env = self._cell.environment() | {"DRMAA_LIBRARY_PATH": str(self._library)}
        others = [t for t in env.get("GLIBC_TUNABLES", "").split(":") if t and "optional_static_tls" not in t]
        env["GLIBC_TUNABLES"] = ":".join([*others, _TUNABLE])
        # -P: the script's own folder is full of modules that are none of its business.
        return HelperProcess([sys.executable, "-P", drmaa_helper.__file__, self.contact], env)

    def _usable_helper(self) -> HelperProcess:
        if self._helper is not None and not self._helper.usable():
            self._drop()
        try:
            if self._helper is None:
                self._helper = self._launch()
            if self._ready:
                return self._helper
            hello = self._helper.receive(_START_SECONDS)
        except CommandFailed as error:
            self._drop(kill=True)
            raise HelperUnavailable(str(error)) from error
        if not hello.get("ready"):
            self._drop()
            raise HelperUnavailable(f"libdrmaa does not open a session: {hello.get('message')}")
        self.contact, self._ready = str(hello.get("contact") or ""), True
        return self._helper

    def _drop(self, *, kill: bool = False) -> None:
        if self._helper is not None:
            self._helper.end(kill=kill)
        self._helper, self._ready = None, False


def _wire(request: JobRequest, marker: str, batch: Batch) -> dict[str, Any]:
    # `-w n`: what cannot run now may wait, as with qsub; the library's own default would refuse it.
    native = ["-w", "n", "-ac", f"{CONTEXT}={marker}", *concurrency(batch), *request.options]
    if variables := request.variables():
        native += ["-v", ",".join(variables)]
    wire = {field: getattr(request, field) for field in _FIELDS}
    return wire | {"args": request.args, "environment": request.environment, "native": " ".join(native)}


def _tasks(batch: Batch) -> list[int] | None:
    return None if batch.tasks is None else [batch.tasks.begin, batch.tasks.end, batch.tasks.step]


def _error(kind: str, message: str) -> GcsError:
    """Return the error for what libdrmaa said (``"code 17: denied: …"``)."""
    text = message.partition(": ")[2] if message.startswith("code ") else message
    by_text = error_of(text, ["drmaa_run_job"], None)
    if kind == "DrmCommunicationException" and not isinstance(by_text, DrmCommunication):
        return DrmCommunication(text)
    if kind in _INVALID and isinstance(by_text, CommandFailed):
        return InvalidArgument(f"Grid Engine does not take this: {text}")
    if kind == "DeniedByDrmException" and isinstance(by_text, CommandFailed):
        return DeniedByDrms(f"Grid Engine refused: {text}")
    return by_text
