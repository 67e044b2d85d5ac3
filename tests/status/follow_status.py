"""A process that follows a cluster as a notebook's kernel does; what it is told goes to standard output as JSON lines.

Lines on standard input: ``fresh`` asks anew, ``close`` ends it. With ``--counted FILE`` the cluster is one in memory
that writes a line to the file whenever it is asked. With ``--binaries FOLDER`` it is the demo cell, asked by programs in
that folder. Else it is the one that ``gcs_lab.connect(NAME)`` finds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

from gcs_lab.errors import GcsError
from gcs_lab.status.poller import Poller

sys.path.insert(0, str(Path(__file__).parents[1]))

_print_lock = threading.Lock()


def say(**what: object) -> None:
    with _print_lock:
        print(json.dumps(what), flush=True)  # noqa: T201


def counted_poller(counter: Path, floor: float) -> Poller:
    from in_memory_backend import InMemoryStatus

    class Counted(InMemoryStatus):
        def poll(self) -> object:
            with counter.open("a") as file:
                file.write(f"{os.getpid()} {time.monotonic()}\n")
            if counter.with_suffix(".fault").exists():
                raise RuntimeError("rubbish")
            return super().poll()

    return Poller(Counted(floor, "counted"), "counted cluster")


def demo_poller(binaries: Path, floor: float) -> Poller:
    from dataclasses import replace

    from gcs_lab.backends.gridengine import demo
    from gcs_lab.backends.gridengine.status_backend import GridEngineStatus

    (cell,) = [state.cell() for state in demo.status()]
    status = GridEngineStatus(replace(cell, binaries=binaries))
    status.poll_floor = floor
    return Poller(status, "demo")


def told_of(poller: Poller) -> dict[str, object]:
    health = poller.health
    return {
        "polls": health.polls,
        "asks": health.asks,
        "error": health.error,
        "stale": health.stale_since,
        "note": health.note,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--counted", type=Path)
    parser.add_argument("--binaries", type=Path)
    parser.add_argument("--floor", type=float, default=0.2)
    options = parser.parse_args()
    if options.counted is not None:
        poller = counted_poller(options.counted, options.floor)
        close = poller.close
    elif options.binaries is not None:
        poller = demo_poller(options.binaries, options.floor)
        close = poller.close
    else:
        import gcs_lab

        cluster = gcs_lab.connect(options.name)
        cluster.status.backend.poll_floor = options.floor
        poller, close = cluster.status.poller, cluster.close
    poller.follow(lambda update: say(sequence=update.snapshot and update.snapshot.sequence, **told_of(poller)))
    for line in sys.stdin:
        if line.strip() == "close":
            break
        try:
            called = time.time()
            snapshot = poller.fresh()
            say(fresh=snapshot.sequence, asked_after=snapshot.time >= called, rows=snapshot.tasks.num_rows)
        except GcsError as error:
            say(refused=str(error))
    close()
    say(threads=[thread.name for thread in threading.enumerate() if thread.name.startswith("gcs_lab-status")])


if __name__ == "__main__":
    main()
