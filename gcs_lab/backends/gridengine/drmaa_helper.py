"""The program that holds libdrmaa: one a cell, started by :mod:`~gcs_lab.backends.gridengine.drmaa_transport`.

Debian's libdrmaa needs more static thread storage than a running Python has left, so it lives in a process of its own
that was started with that in mind. It reads requests and writes answers, one JSON object a line; it ends when its
standard input does, that is, when the one who started it is gone.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["main"]


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
    template.nativeSpecification = " ".join(request["native"])
    return template


def _submit(session: Any, request: dict[str, Any]) -> str:
    before = {name: os.environ.get(name) for name in request["environment"]}
    os.environ.update(request["environment"])  # `-v NAME` takes the value from here
    template = _template(session, request)
    try:
        return str(session.runJob(template))
    finally:
        session.deleteJobTemplate(template)
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
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    session: Any = None

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")

    try:
        session = _open(sys.argv[1] if len(sys.argv) > 1 else "")
        answer(ready=True, contact=session.contact)
    except Exception as error:
        answer(ready=False, error=type(error).__name__, message=str(error))
        return 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(serial=request["serial"], job_id=_submit(session, request))
        except Exception as error:
            answer(serial=request["serial"], error=type(error).__name__, message=str(error))
    session.exit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
