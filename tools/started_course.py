"""Prove, as what binder/start starts, that two clusters are there and that cells run.

``binder/start python tools/started_course.py --jupyter`` prints one JSON object: seconds since the start until each
thing was there, where jobs and cells ran, and what memory all of it takes. It ends with 1, and says why, if something
is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds for a JupyterLab, for an array, for the answer to a cell.
PATIENCE = 60
#: Of all.q on each node (binder/start).
SLOTS = 2
#: What is counted as what, by words of the command line; the first that fits.
KINDS = {
    "Grid Engine": ("sge_",),
    "embedded cluster": ("gcs_lab.backends.embedded", "embedded.daemon"),
    "kernels": ("ipykernel",),
    "JupyterLab": ("jupyter",),
}


def main() -> int:
    """Prove it all; return 0 if all is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--since", type=float, help="when the start began (time.time()); default: now")
    parser.add_argument("--within", type=float, default=15, help="seconds in which both clusters must be there")
    parser.add_argument("--nodes", type=int, default=4, help="how many the private Grid Engine should have")
    parser.add_argument("--jupyter", action="store_true", help="start JupyterLab too, and run the cells in it")
    parser.add_argument("--server", help="only run a first cell, in the JupyterLab that is starting at this address")
    parser.add_argument("--token", default="", help="what that JupyterLab asks for")
    flags = parser.parse_args()
    if flags.server:
        return _first_cell(flags.server, flags.token)
    began = flags.since or time.time()
    seconds: dict[str, float] = {}
    told: dict[str, Any] = {"seconds": seconds}

    def lap(what: str) -> None:
        seconds[what] = round(time.time() - began, 1)

    lap("start handed over")
    faults = _await_clusters(flags.within - seconds["start handed over"])
    lap("both clusters ready")
    if not faults:
        told["nodes"] = _hosts_of_an_array(flags.nodes)
        lap("a job on each node")
        if len(told["nodes"]) != flags.nodes:
            faults.append(f"an array ran on {told['nodes']}, and there should be {flags.nodes} nodes")
    if flags.jupyter and not faults:
        with _jupyterlab() as (url, token):
            lap("JupyterLab answers")
            kernel = _Kernel(url, token)
            kernel.run("%load_ext gcs_lab")
            told["first cell"] = kernel.run("%%gcs run\nprint('ran on', __import__('socket').gethostname())")
            lap("first cell's result")
            told["on embedded"] = kernel.run("%%gcs run --on embedded\nprint('answer', 6 * 7)")
            lap("a cell on embedded")
            told["connected"] = kernel.run("%gcs connect")
            told["MB"] = memory()
            kernel.close()
        for cell, word in (("first cell", "ran on node"), ("on embedded", "answer 42")):
            if word not in told[cell]:
                faults.append(f"no {word!r} in what the {cell} told: {told[cell]}")
    else:
        told["MB"] = memory()
    print(json.dumps(told, indent=1, ensure_ascii=False), flush=True)
    for fault in faults:
        print(f"started_course.py: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _first_cell(url: str, token: str) -> int:
    """Run a first cell in a JupyterLab; return 0 if it ran as a job."""
    _await_server(url, token)
    kernel = _Kernel(url, token)
    kernel.run("%load_ext gcs_lab")
    told = kernel.run("%%gcs run\nprint('answer', 6 * 7)")
    kernel.close()
    print(told, flush=True)
    return 0 if "answer 42" in told else 1


def _await_clusters(seconds: float) -> list[str]:
    """Wait for both clusters; return what is missing after `seconds`."""
    from gcs_lab.backends.embedded import service
    from gcs_lab.backends.gridengine import demo

    deadline = time.monotonic() + seconds
    while True:
        missing = [f"the private Grid Engine is {cell.state}" for cell in demo.status() if cell.state != "running"]
        if not demo.status():
            missing.append("no private Grid Engine was started")
        if service.status().pid is None:
            missing.append("the embedded cluster's scheduler does not run")
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(0.1)


def _hosts_of_an_array(nodes: int) -> list[str]:
    """Fill all.q of the private Grid Engine with tasks that wait for each other; return the hosts that they saw."""
    import gcs_lab
    from gcs_lab.vocabulary import JobTemplate

    cluster = gcs_lab.connect("demo")
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        tasks = SLOTS * nodes
        told = f'hostname >"{folder}/$SGE_TASK_ID"'
        others = f'[ $(ls "{folder}" | wc -l) -lt {tasks} ] && [ $((n += 1)) -lt 300 ]'
        script = f"{told}; n=0; while {others}; do sleep 0.1; done"
        template = JobTemplate(remote_command="/bin/sh", args=["-c", script], job_name="hosts", queue_name="all.q")
        array = cluster.jobs.submit_array(template, 1, tasks)
        array.wait_terminated(PATIENCE)
        return sorted({path.read_text().strip() for path in Path(folder).iterdir()})


@contextmanager
def _jupyterlab() -> Iterator[tuple[str, str]]:
    """Start JupyterLab as Binder does; give its address and token when it answers."""
    token, port = secrets.token_hex(8), 18888 + os.getpid() % 1000
    options = ["--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}", "--no-browser"]
    if os.geteuid() == 0:
        options.append("--allow-root")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _await_server(url, token)
        yield url, token
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _await_server(url: str, token: str) -> None:
    """Wait until a Jupyter server shows JupyterLab. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{url}/lab?token={token}", timeout=PATIENCE).close()  # noqa: S310
            return
        time.sleep(0.1)
    raise TimeoutError(f"no JupyterLab answered at {url} within {PATIENCE} s")


class _Kernel:
    """A kernel of a Jupyter server, in the folder of the lessons.

    Parameters
    ----------
    url, token
        The server's address, and what it asks for.
    """

    def __init__(self, url: str, token: str) -> None:
        from websocket import create_connection

        self._url, self._token = url, token
        name = json.loads(self._ask("POST", "/api/kernels", {"name": "python3", "path": "notebooks"}))["id"]
        self._path = f"/api/kernels/{name}"
        address = f"{url.replace('http', 'ws')}{self._path}/channels?token={token}"
        self._socket = create_connection(address, timeout=PATIENCE)

    def run(self, code: str) -> str:
        """Execute a cell; return its text, and its error if there is one."""
        number, text = uuid.uuid4().hex, []
        header = {
            "msg_id": number,
            "msg_type": "execute_request",
            "session": number,
            "username": "",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self._socket.send(json.dumps(parts))
        while True:
            message = json.loads(self._socket.recv())
            if message["parent_header"].get("msg_id") != number:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text.append(content["text"])
            elif kind in {"display_data", "execute_result"}:
                text.append(content["data"].get("text/plain", ""))
            elif kind == "error":
                text.append(f"{content['ename']}: {content['evalue']}")
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(text)

    def close(self) -> None:
        """End the kernel."""
        self._socket.close()
        self._ask("DELETE", self._path)

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return bytes(answer.read())


def memory() -> dict[str, int]:
    """Return the megabytes that this user's processes take, by kind: shared pages are counted once (PSS, proc(5))."""
    found: dict[str, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # it has ended meanwhile, or is another user's
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            lines = (folder / "smaps_rollup").read_text().splitlines()
            kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            kind = next((kind for kind, words in KINDS.items() if any(word in command for word in words)), "other")
            found[kind] = found.get(kind, 0) + kilobytes
    return {kind: round(kilobytes / 1024) for kind, kilobytes in sorted(found.items())}


if __name__ == "__main__":
    sys.exit(main())
