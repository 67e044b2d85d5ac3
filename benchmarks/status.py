"""The status of a cluster: reading what the commands print, differences; each section beside its goals and peers.

Run it with ``make benchmark`` or ``python benchmarks/status.py [SECTION …]``. Each section is a module of
``status_sections``, as those of ``cells.py``.
"""

from __future__ import annotations

from cells import main

if __name__ == "__main__":
    main(__file__, "status_sections", __doc__)
