"""The observable face of a sweep: what a widget, a panel or a script watches."""

from __future__ import annotations

from traitlets import Bool, Bytes, Dict, Float, Integer, List, Unicode

from gcs_lab.models.fed_traits import FedTraits
from gcs_lab.vocabulary import JobState

__all__ = ["STATES", "STRIP_CELLS", "SweepModel"]

#: Names of the states; a byte of the strip is a place in it (the DRMAA2 numbers of the states).
STATES = tuple(state.name for state in JobState)
#: Cells that a strip has at the most.
STRIP_CELLS = 4_000


class SweepModel(FedTraits):
    """State of one sweep as traits; set from a background thread, observed from anywhere.

    Times are seconds since the epoch, durations seconds, memory bytes; 0.0 and -1 mean "not known".
    """

    name = Unicode(help="the sweep's name (-N)")
    cluster = Unicode(help="name of the cluster")
    system = Unicode(help="what runs the cluster, with its version")
    job_id = Unicode(help="the scheduler's id of the array job of the latest round")
    submitted = Float(help="time of submission")
    started = Float(help="time the first task began; 0.0 before")
    finished = Float(help="time the last task ended; 0.0 before")
    ended = Bool(False, help="True when every task has ended; a rerun makes it False again")
    message = Unicode(help="one line on what went wrong: '3 of 100 failed; first: task 17: ValueError: …'")
    stale_since = Float(help="when the cluster last answered, if it does not answer now; else 0.0")
    waiting = List(Unicode(), help="why no task has started, a sentence each, the weightiest first")
    usage = List(Unicode(), help="at the end: what it asked for and what it used, a sentence each")
    advice = Unicode(help="at the end: the corrected flags, ready to copy; empty if all fits")
    tasks = Integer(0, help="number of points")
    counts = Dict(help="number of tasks by name of their state; states that no task is in are left out")
    strip = Bytes(b"", help="one byte a cell of the strip: place in STATES of the weightiest state of its tasks")
    tasks_per_cell = Integer(1, help="tasks that one cell of the strip stands for; the last may have fewer")
    wall_left = Float(-1.0, help="seconds until the last task ends, at the pace so far; -1 unknown")
    parameters = List(Unicode(), help="names of the parameters")
