"""The checks of the lessons: each looks at what was really done, and says what is right and what is missing.

None of them gives the solution away, raises where something is missing, or can be satisfied by a cell that only
claims a result: they read the journal, job folders, the cluster and the kernel's variables.
"""

from __future__ import annotations

from gcs_lab.lessons.accounting import failing_node, own_question, own_request, wasted_memory
from gcs_lab.lessons.dependencies import breath, chain, mended, steepest
from gcs_lab.lessons.elsewhere import notebook_job, own_script, same_cell
from gcs_lab.lessons.first_job import cancelled, error, first_job
from gcs_lab.lessons.sweeps import few_waves, neighbours, run_again
from gcs_lab.lessons.waiting import busiest, released, sooner, typo

__all__ = [
    "breath",
    "busiest",
    "cancelled",
    "chain",
    "error",
    "failing_node",
    "few_waves",
    "first_job",
    "mended",
    "neighbours",
    "notebook_job",
    "own_question",
    "own_request",
    "own_script",
    "released",
    "run_again",
    "same_cell",
    "sooner",
    "steepest",
    "typo",
    "wasted_memory",
]
