"""Tab: a kernel's answer to ``complete_request``, with a catalogue of 500 complexes, 200 queues and 1,000 hosts.

The cluster is one that does not answer: all that is known of it stands in the file that an earlier kernel left. The
peer in the same run is IPython's own completion of a variable.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[str, float, str, str]

CLUSTER = "benchmark"
KERNELS = 5
TABS = 40
LINES = {
    "-l": "%%gcs submit -l h_rt=1:00:00,",
    "-q": "%%gcs submit -q ",
    "-q host": "%%gcs submit -q queue_7.q@",
    "flags": "%%gcs submit ",
    "--in": "%%gcs submit --in ",
    "jobs": "%gcs logs ",
}


def _write_catalogue() -> None:
    from gcs_lab.jobs.protocol import Catalogue, Complex
    from gcs_lab.magics.completion_catalogue import _file, catalogue_to_json

    kinds = ("MEMORY", "TIME", "INT", "BOOL", "STRING")
    catalogue = Catalogue(
        queues=tuple(f"queue_{number}.q" for number in range(200)),
        complexes=tuple(Complex(f"complex_{n}", f"c{n}", kinds[n % len(kinds)]) for n in range(500)),
        hosts=tuple(f"node{number:04}.cluster" for number in range(1000)),
    )
    _file(CLUSTER).write_text(json.dumps(catalogue_to_json(catalogue)))


def _answer(client: Any, code: str) -> tuple[float, int]:
    """Return the seconds until the answer, and how many words it has."""
    began = time.perf_counter()
    reply = client.complete(code, len(code), reply=True, timeout=30)
    return time.perf_counter() - began, len(reply["content"]["matches"])


def _first_tabs(home: str) -> Iterator[tuple[float, dict[str, list[float]], list[float]]]:
    """Start kernels; yield the first answer of each, and (of the last) the warm ones by line and the peer's."""
    from jupyter_client.manager import start_new_kernel

    for number in range(KERNELS):
        manager, client = start_new_kernel(kernel_name="python3", env=dict(os.environ), cwd=home)
        try:
            setup = "%load_ext gcs_lab\nglobals().update({f'variable_{n}': n for n in range(300)})"
            client.execute(setup, reply=True, timeout=60)
            first, words = _answer(client, LINES["-l"])
            if words != 500:
                raise RuntimeError(f"expected 500 complexes in the first answer, not {words}")
            warm: dict[str, list[float]] = {name: [] for name in LINES}
            peer: list[float] = []
            if number == KERNELS - 1:
                _answer(client, "variable_1")  # loads jedi
                for _ in range(TABS):
                    for name, line in LINES.items():
                        warm[name].append(_answer(client, line)[0])
                    peer.append(_answer(client, "variable_1")[0])
            yield first, warm, peer
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()


def run() -> list[Row]:
    """Return rows of what was measured: what it is, its value, the unit, the goal (empty for a peer)."""
    home = tempfile.mkdtemp(prefix="gl-", dir="/tmp")
    before = {name: os.environ.get(name) for name in ("GCS_LAB_HOME", "GCS_LAB_CLUSTER", "IPYTHONDIR")}
    os.environ |= {"GCS_LAB_HOME": home, "GCS_LAB_CLUSTER": CLUSTER, "IPYTHONDIR": str(Path(home) / "ipython")}
    try:
        _write_catalogue()
        results = list(_first_tabs(home))
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        shutil.rmtree(home, ignore_errors=True)
    first = [answer for answer, _, _ in results]
    _, warm, peer = results[-1]
    rows: list[Row] = [
        (f"first Tab after %load_ext, {KERNELS} kernels", statistics.median(first) * 1e3, "ms", "<= 100")
    ]
    rows += [
        (f"Tab, warm: {LINES[name].strip()}", statistics.median(taken) * 1e3, "ms", "<= 100")
        for name, taken in warm.items()
    ]
    slowest = max(max(taken) for taken in warm.values())
    rows.append(("Tab, warm: the slowest of all", slowest * 1e3, "ms", ""))
    rows.append(("IPython's own completion of a variable (jedi loaded)", statistics.median(peer) * 1e3, "ms", ""))
    return rows


if __name__ == "__main__":
    for what, value, unit, goal in run():
        print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal}")
