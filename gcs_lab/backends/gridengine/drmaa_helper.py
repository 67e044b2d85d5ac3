"""The program that holds libdrmaa: one a cell, started by :mod:`~gcs_lab.backends.gridengine.drmaa_transport`.

Debian's libdrmaa needs more static thread storage than a running Python has left, so it lives in a process of its own
that was started with that in mind. It reads requests and writes answers, one JSON object a line; it ends when its
standard input does, that is, when the one who started it is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import threading
import time
from typing import Any

__all__ = ["Waker", "main"]

_LOOK_SECONDS = 0.02
#: A submission takes 1 to 10 ms; one that takes longer is helped along, for one small question to the qmaster.
_LONG_SECONDS = 0.03
_QUIET_LOOKS = 25


class Waker(threading.Thread):
    """Ends waits in which libdrmaa missed an answer.

    libdrmaa 8.1.9 now and then (once in some hundred submissions) does not notice that a request can go on, and looks
    again only after a second. Any other request of the process wakes it, so one is made when a submission takes long.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._since = 0.0
        self._work = threading.Event()
        self._waking = threading.Lock()
        self._job_id = "1"

    def begin(self) -> None:
        """Say that a submission begins."""
        self._since = time.monotonic()
        if not self._work.is_set():
            self._work.set()

    def end(self, job_id: str) -> None:
        """Say that it is over, and which job to ask for next time."""
        self._since = 0.0
        self._job_id = job_id or self._job_id

    def stop(self) -> None:
        """Make no request any more."""
        self._waking.acquire()

    def run(self) -> None:
        """Look after submissions as long as the process lives."""
        while self._work.wait():
            quiet = 0
            while quiet < _QUIET_LOOKS:
                time.sleep(_LOOK_SECONDS)
                since = self._since
                quiet = 0 if since else quiet + 1
                if since and time.monotonic() - since > _LONG_SECONDS:
                    with self._waking:
                        self._ask()
            self._work.clear()
            if self._since:
                self._work.set()

    def _ask(self) -> None:
        from drmaa import wrappers

        # Not Session.jobStatus: its buffer for messages is the one of the submission that is under way.
        message, state = ctypes.create_string_buffer(1024), ctypes.c_int()
        with contextlib.suppress(Exception):
            wrappers.drmaa_job_ps(self._job_id.encode(), ctypes.byref(state), message, len(message))


class _Templates:
    """The template of the last job, for the next one that is like it but for its options: making one takes 50 µs."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._last: tuple[dict[str, Any], Any] | None = None

    def of(self, request: dict[str, Any]) -> Any:
        """Return the template of a job."""
        native = request.pop("native")
        if self._last is None or self._last[0] != request:
            if self._last is not None:
                self._session.deleteJobTemplate(self._last[1])
                self._last = None
            self._last = request, _template(self._session, request)
        template = self._last[1]
        template.nativeSpecification = native
        return template


def _template(session: Any, request: dict[str, Any]) -> Any:
    import drmaa

    template = session.createJobTemplate()
    template.remoteCommand = request["command"]
    template.args = request["args"]
    for attribute, key in (
        ("jobName", "name"),
        ("workingDirectory", "working_directory"),
        ("inputPath", "input_path"),
        ("outputPath", "output_path"),
        ("errorPath", "error_path"),
    ):
        if request[key] is not None:
            setattr(template, attribute, request[key])
    template.joinFiles = request["join_files"]
    if request["hold"]:
        template.jobSubmissionState = drmaa.JobSubmissionState.HOLD_STATE
    return template


def _submit(session: Any, templates: _Templates, request: dict[str, Any], tasks: list[int] | None) -> str:
    before = {name: os.environ.get(name) for name in request["environment"]}
    if before:
        os.environ.update(request["environment"])  # `-v NAME` takes the value from here
    template = templates.of(request)
    try:
        if tasks is None:
            return str(session.runJob(template))
        return str(session.runBulkJobs(template, *tasks)[0]).partition(".")[0]
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _open(contact: str) -> Any:
    import drmaa

    session = drmaa.Session()
    try:
        session.initialize(contact or None)
    except drmaa.errors.DrmaaException:
        if not contact:
            raise
        session.initialize()  # the qmaster was started anew and has forgotten that session
    return session


def main() -> int:
    """Serve until standard input ends. The first argument is the contact string of the session to open again."""
    # The library may print; what it prints must not get between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    session: Any = None

    def answer(**values: Any) -> None:
        os.write(answers, json.dumps(values).encode() + b"\n")  # shorter than what a pipe takes at once

    try:
        session = _open(sys.argv[1] if len(sys.argv) > 1 else "")
        answer(ready=True, contact=session.contact)
    except Exception as error:
        answer(ready=False, error=type(error).__name__, message=str(error))
        return 1
    templates, waker = _Templates(session), Waker()
    waker.start()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            for job in request["jobs"]:
                waker.begin()
                job_id = _submit(session, templates, job, request["tasks"])
                waker.end("" if request["tasks"] else job_id)
                answer(job_id=job_id)
        except Exception as error:
            waker.end("")
            answer(error=type(error).__name__, message=str(error))
    waker.stop()
    session.exit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
