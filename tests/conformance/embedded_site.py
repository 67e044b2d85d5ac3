"""The embedded cluster as a site: two virtual hosts, and a mailbox that is a file."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gridengine.demo_lab import home
from patience import wait_for

from conformance.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.embedded.places import Places

__all__ = ["embedded_site"]

_CLUSTER = """
max_array_tasks = 1000000

[mail]
command = [{python}, {script}, {mailbox}]
sender = "conformance@localhost"

[job_categories]
quick = "-v FROM_CATEGORY=yes -l h_rt=3600"
room = "-q all.q"

[[complexes]]
name = "licence"
shortcut = "lic"
type = "INT"
consumable = "YES"

[[hosts]]
name = "node1"
complex_values = {{ licence = 2 }}

[[hosts]]
name = "node2"
complex_values = {{ licence = 2 }}

[[queues]]
name = "all.q"
slots = 16

# Its limit keeps out what does not name it.
[[queues]]
name = "narrow.q"
slots = 1
hosts = ["node1"]
h_rt = "1:00:00"

[[parallel_environments]]
name = "smp"
slots = 999
allocation_rule = "$pe_slots"

[[parallel_environments]]
name = "make"
slots = 999
allocation_rule = "$round_robin"

[[parallel_environments]]
name = "mpi"
slots = 999
allocation_rule = "$fill_up"

[[parallel_environments]]
name = "two"
slots = 999
allocation_rule = "2"
"""
#: One `write` a mail, so that two at once do not mix. In a mailbox a line that begins with "From " begins a mail.
_MAILER = """
import os, sys
message = sys.stdin.buffer.read()
box = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(box, b"From conformance@localhost Thu Jan  1 00:00:00 1970\\n" + message + b"\\n\\n")
"""


@contextmanager
def embedded_site() -> Iterator[Site]:
    """Start an embedded cluster in a home of its own; nothing of it is left behind."""
    from gcs_lab.backends.embedded import service
    from gcs_lab.backends.embedded.places import Places
    from gcs_lab.backends.embedded.system import EmbeddedSystem
    from gcs_lab.cluster import Cluster

    with home() as folder:
        places = Places.of_user()
        mailbox, script = folder / "mailbox", folder / "mailer.py"
        script.write_text(_MAILER)
        words = {"python": sys.executable, "script": str(script), "mailbox": str(mailbox)}
        places.configuration.write_text(_CLUSTER.format(**{key: json.dumps(word) for key, word in words.items()}))
        try:
            with Site(
                name="embedded",
                home=folder,
                cluster=Cluster(EmbeddedSystem.connect()),
                hosts=("node1", "node2"),
                mailbox=mailbox,
                lose=lambda job_id: _kill_shepherd(places, job_id),
                keeps_in_error=True,
            ) as site:
                yield site
        finally:
            os.environ["GCS_LAB_HOME"] = str(folder)
            service.stop()


def _kill_shepherd(places: Places, job_id: str) -> None:
    """Lose a run: the scheduler knows it by its shepherd, and that is gone without a record."""
    (record,) = wait_for(lambda: list(places.spool.glob(f"{job_id}.*/shepherd")), f"the shepherd of {job_id}")
    os.kill(int(json.loads(record.read_text())["pid"]), signal.SIGKILL)
