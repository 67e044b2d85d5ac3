"""Read ``qconf -sc`` into the table of complexes (complex(5); 8.1.9 and 9.x alike)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.catalogue import complex_rows
from gcs_lab.backends.gridengine.qhost_xml import read_number
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_complexes"]


def read_complexes(text: str) -> pa.Table:
    """Return the complexes (``COMPLEX_COLUMNS``) in such a list; a default of ``NONE`` is null."""
    import pyarrow as pa

    wanted = schema("complexes")
    rows = []
    for *words, urgency in complex_rows(text):
        values: list[object] = [*words, read_number(urgency)]
        row = dict(zip(wanted.names, values, strict=True))
        rows.append(row | {"default": None if row["default"] == "NONE" else row["default"]})
    return pa.Table.from_pylist(rows, schema=wanted)
