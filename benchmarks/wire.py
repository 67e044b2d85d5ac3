"""What the dashboard's tables cost: milliseconds in the kernel and bytes on the wire, beside named peers in one run.

Run it with ``make benchmark`` or ``python benchmarks/wire.py [SECTION …]``. Each section is a module of
``wire_sections``, as those of ``cells.py``. What the browser does with it (milliseconds of its main thread, first
paint) is measured by a section of its own there.
"""

from __future__ import annotations

from cells import main

if __name__ == "__main__":
    main(__file__, "wire_sections", __doc__)
