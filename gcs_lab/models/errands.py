"""One thread for what need not be done at once and may take long: questions to a scheduler that nobody waits for."""

from __future__ import annotations

from gcs_lab.cells.errands import Errands

__all__ = ["ERRANDS", "Errands"]

#: Does the errands of this process; what ends jobs that wait in vain has a thread of its own.
ERRANDS = Errands()
