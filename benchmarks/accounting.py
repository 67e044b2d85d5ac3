"""Accounting: from the raw file to the answer, cold and warm; each figure beside its goal, and peers in the same run.

Run it with ``make benchmark`` or ``python benchmarks/accounting.py [SECTION …]``. Each section is a module of
``accounting_sections``, as those of ``cells.py``. The records are those of a synthetic site, about 330 bytes each,
made once a machine in the folder for temporary files. Peers that the environment lacks (DuckDB, Grid Engine) are
left out, which is said.
"""

from __future__ import annotations

import argparse
import os
import sys

from cells import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--records", type=int, help="how many records; 1,000,000 if nothing else is said")
    parser.add_argument(
        "--rounds", type=int, help="rounds, of which the median is printed; 5 if nothing else is said"
    )
    parser.add_argument("--quick", action="store_true", help="100,000 records and one round: does it run?")
    options, rest = parser.parse_known_args()
    if options.quick:
        options.records, options.rounds = options.records or 100_000, options.rounds or 1
    # Sections run in processes of their own.
    for name in ("records", "rounds"):
        if getattr(options, name):
            os.environ[f"GCS_LAB_BENCHMARK_{name.upper()}"] = str(getattr(options, name))
    if {"-h", "--help"} & set(rest):
        parser.print_help()
    sys.argv[1:] = rest
    main(__file__, "accounting_sections", __doc__)
