"""Read columns out of XML by a declared mapping: with :mod:`xml2arrow`, or in plain Python with an equal result.

What was seen of xml2arrow 0.19, and what is done about it:

- A child that is there twice in a row is an error (``ParseError``), so repeated children (``hard_request``) are a
  table of their own, which needs a parser of its own: a table within the rows of another one takes the fields of the
  outer one away, in silence.
- A missing or empty child is null; so it is in the plain reader. Text in pieces (entities, CDATA, comments) is put
  together, text of elements within is left out; name spaces' prefixes are dropped, the default one is ignored.
- A document that ends between two elements passes for a whole one, another root passes.
  :class:`~gcs_lab.backends.gridengine.status_files.XmlFile` looks for both before.
- Bytes that are not UTF-8 end in a ``TypeError``: then a clean copy is read. Control characters, which no XML may
  contain, pass: they are looked for in the columns. Carriage returns stay.
- Tags that do not match, unknown entities and numbers of characters that are none are errors.
- It does not see what is wrong outside of the paths that it is told as strictly as expat does (names, attributes).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from xml.parsers import expat

from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from gcs_lab.backends.gridengine.status_files import XmlFile

__all__ = ["ROW", "ArrowReader", "ColumnMap", "PlainReader", "Reader", "Refused", "Repeated", "Rows"]

#: Rows that are read before they are handed on: few enough for little memory, many enough that handing on costs
#: nothing.
_BATCH = 16_384
#: Name of the column with the index of the row that a repeated child belongs to.
ROW = "row"


@dataclass(frozen=True)
class Rows:
    """Each child `element` of `path` is a row; ``fields`` are columns by their path in it (``"a"``, ``"a/@b"``)."""

    name: str
    path: str
    element: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Repeated:
    """Each child `child` of the rows `element` of `path` is a row, with the index of the row that it is in.

    ``fields`` are columns by their path in it (``""``: its text; ``"@b"``).
    """

    name: str
    path: str
    element: str
    child: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ColumnMap:
    """The tables that are read out of a document; all columns are text, those of :data:`ROW` uint32."""

    rows: tuple[Rows, ...]
    repeated: tuple[Repeated, ...] = ()


class Refused(Exception):
    """A reader cannot read a document."""


class Reader(Protocol):
    """Reads a document's tables, a batch of rows after the other."""

    def batches(self, document: XmlFile) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the name of a table and some rows of it, in their order."""
        ...


def _place(*parts: str) -> str:
    return "/".join(part for part in parts if part)


class ArrowReader:
    """Reads with xml2arrow: about 200 MB a CPU second.

    Parameters
    ----------
    columns
        What is read.

    Raises
    ------
    Refused
        If xml2arrow is not installed, or is one that does not take the mapping.
    """

    def __init__(self, columns: ColumnMap) -> None:
        tables = [
            self._table(rows.name, rows.path, [], _place(rows.path, rows.element), rows.fields)
            for rows in columns.rows
        ]
        nested = []
        for repeated in columns.repeated:
            above = _place(repeated.path, repeated.element)
            nested.append(self._table(f"{repeated.name} above", repeated.path, [ROW], above, ()))
            levels, child = [ROW, "child"], _place(above, repeated.child)
            nested.append(self._table(repeated.name, above, levels, child, repeated.fields))
        self._parsers = [_parser(json.dumps({"tables": some})) for some in (tables, nested) if some]
        self._children = {repeated.child.encode() for repeated in columns.repeated}

    @staticmethod
    def _table(
        name: str, path: str, levels: list[str], row: str, fields: tuple[tuple[str, str], ...]
    ) -> dict[str, Any]:
        return {
            "name": name,
            "xml_path": path,
            "levels": levels,
            "fields": [
                {"name": column, "xml_path": _place(row, place), "data_type": "Utf8", "nullable": True}
                for column, place in fields
            ],
        }

    def batches(self, document: XmlFile) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the name of a table and some rows of it, in their order.

        Raises
        ------
        Refused
            If xml2arrow raises whatever it raises.
        """
        import pyarrow as pa

        there = not self._children or any(map(document.contains, self._children))
        for parser in self._parsers if there else self._parsers[:1]:
            try:
                for name, batch in parser.parse_batches(document.path, max_rows_per_batch=_BATCH):
                    columns = {column: batch.column(column) for column in batch.schema.names if column != "<child>"}
                    named = [column.strip("<>") for column in columns]
                    # RecordBatch.rename_columns is there from pyarrow 16 on.
                    yield name, pa.RecordBatch.from_arrays(list(columns.values()), names=named)
            except Exception as error:
                # Its own errors, a TypeError where it meets bytes that are not UTF-8, a RuntimeError where it fails.
                raise Refused(f"xml2arrow: {error}") from error


@lru_cache(maxsize=8)
def _parser(mapping: str) -> Any:
    try:
        import xml2arrow

        # It takes its mapping from a file only: YAML, of which JSON is a part.
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(mapping)
            file.flush()
            return xml2arrow.XmlToArrowParser(file.name)
    except Exception as error:
        raise Refused(f"xml2arrow: {error}") from error


class PlainReader:
    """Reads with expat and Python: some 13 MB a CPU second, an equal result.

    Parameters
    ----------
    columns
        What is read.
    """

    def __init__(self, columns: ColumnMap) -> None:
        self._columns = columns

    def batches(self, document: XmlFile) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the name of a table and some rows of it, in their order.

        Raises
        ------
        Internal
            If the document is not well-formed.
        """
        reading = _Reading(self._columns)
        document = document.cleaned()  # expat is strict
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = reading.start
        parser.EndElementHandler = reading.end
        parser.CharacterDataHandler = reading.text
        try:
            for chunk in document.chunks():
                parser.Parse(chunk, False)
                yield from reading.full(_BATCH)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Internal(f"Grid Engine printed what is not XML ({error}). Report this with the version.") from error
        finally:
            document.close()
        yield from reading.full(1)


@dataclass
class _Table:
    """A table that is being read; ``now`` is the row that is open, ``index`` its number."""

    columns: dict[str, list[Any]]
    now: dict[str, str] | None = None
    index: int = -1
    above: _Table | None = None

    def close_row(self) -> None:
        """Add the open row."""
        now = self.now or {}
        for name, values in self.columns.items():
            # Empty is null, as xml2arrow has it.
            values.append(self.above.index if name == ROW and self.above else now.get(name) or None)
        self.now = None


@dataclass
class _Reading:
    """The state between expat's calls: which element is open, which column takes its text."""

    mapping: ColumnMap
    tables: dict[str, _Table] = field(default_factory=dict)
    _rows: dict[str, list[_Table]] = field(default_factory=dict)
    _fields: dict[str, list[tuple[_Table, str]]] = field(default_factory=dict)
    _attributes: dict[str, list[tuple[_Table, str, str]]] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _texts: list[list[str] | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        counted: dict[str, _Table] = {}
        for repeated in self.mapping.repeated:
            row = _place(repeated.path, repeated.element)
            if row not in counted:
                # Counts the rows; has no column of its own.
                counted[row] = _Table({})
                self._rows.setdefault(row, []).append(counted[row])
            self._add(repeated.name, _place(row, repeated.child), repeated.fields, counted[row])
        for rows in self.mapping.rows:
            self._add(rows.name, _place(rows.path, rows.element), rows.fields, None)

    def _add(self, name: str, row: str, fields: tuple[tuple[str, str], ...], above: _Table | None) -> None:
        columns: dict[str, list[Any]] = {ROW: []} if above is not None else {}
        table = self.tables[name] = _Table(columns | {column: [] for column, _ in fields}, above=above)
        self._rows.setdefault(row, []).append(table)
        for column, place in fields:
            element, at, attribute = place.partition("@")
            where = _place(row, element.rstrip("/"))
            if at:
                self._attributes.setdefault(where, []).append((table, column, attribute))
            else:
                self._fields.setdefault(where, []).append((table, column))

    def start(self, tag: str, attributes: list[str]) -> None:
        """Open an element."""
        path = f"{self._open[-1] if self._open else ''}/{tag.rpartition(':')[2]}"
        self._open.append(path)
        for table in self._rows.get(path, ()):
            table.now = {}
            table.index += 1
        wanted = self._attributes.get(path)
        if wanted and attributes:
            given = {name.rpartition(":")[2]: value for name, value in zip(*[iter(attributes)] * 2, strict=True)}
            for table, column, attribute in wanted:
                if table.now is not None and attribute in given:
                    table.now.setdefault(column, given[attribute])
        self._texts.append([] if path in self._fields else None)

    def text(self, data: str) -> None:
        """Take a piece of text."""
        if self._texts:
            pieces = self._texts[-1]
            if pieces is not None:
                pieces.append(data)

    def end(self, _: str) -> None:
        """Close an element: its text goes into its column, its row into its table."""
        path, pieces = self._open.pop(), self._texts.pop()
        if pieces:
            value = "".join(pieces)
            for table, column in self._fields[path]:
                if table.now is not None:
                    table.now.setdefault(column, value)
        for table in self._rows.get(path, ()):
            table.close_row()

    def full(self, least: int) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the tables that have so many rows by now, and forget the rows."""
        import pyarrow as pa

        for name, table in self.tables.items():
            number = len(next(iter(table.columns.values())))
            if number < least:
                continue
            types = {column: pa.uint32() if column == ROW else pa.string() for column in table.columns}
            arrays = [pa.array(values, types[column]) for column, values in table.columns.items()]
            for values in table.columns.values():
                values.clear()
            yield name, pa.RecordBatch.from_arrays(arrays, names=list(table.columns))
