"""The one listener of a program, when a cluster is closed and connected to again."""

from __future__ import annotations

from in_memory_backend import InMemoryJobs

from gcs_lab.drmaa2 import listening
from gcs_lab.jobs import Jobs


def test_a_cluster_that_was_closed_is_listened_to_again() -> None:
    before, after = (Jobs(InMemoryJobs(poll_floor=0.01), cluster="memory") for _ in range(2))
    try:
        gone = listening._subscribe(before)
        before.close()
        assert gone.closed
        heard_of = listening._subscribe(after)
        assert not heard_of.closed
        assert listening._subscribe(after) is heard_of
    finally:
        listening.stop_listening()
        after.close()
