"""A digest of any Python value by its content, so that equal inputs of a cell are known again.

It is xxh3 (128 bit) over a pickle that is made the same way each time: sets in an order of their own, texts and other
values that never change without regard to which of them are one object, functions and classes of the notebook by what
they do, arrays and frames by their bytes. xxh3 finds accidents, not forgeries: nobody but the user writes the cache.
"""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import functools
import pathlib
import pickle
import uuid
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle
from xxhash import xxh3_128, xxh3_128_intdigest

from gcs_lab.cells.code_content import class_parts, code_parts, function_parts, imported_names
from gcs_lab.cells.data_content import data_parts_of, is_unchanging
from gcs_lab.errors import NotPicklable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ContentDigest", "content_digest"]

_ATOMS = frozenset({bool, int, float, complex, str, bytes, type(None)})
#: Values that never change and whose own pickle is always the same: which of them are one object means nothing.
_LEAVES: frozenset[type] = frozenset(
    {dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone, decimal.Decimal,
     fractions.Fraction, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath, range, slice}
)  # fmt: skip
#: Libraries of which all that is not special here pickles the same each time.
_STEADY = {"builtins", "numpy", "pandas", "pyarrow", "datetime", "collections", "functools", "pathlib", "decimal"}
#: Seeds, so that equal bytes of different kinds are different.
_BYTES, _TUPLE, _LEAF, _SET, _FROZENSET, _CODE, _PARTS = range(1, 8)


@dataclass(frozen=True)
class ContentDigest:
    """A value's content: ``digest`` (32 hexadecimal digits), and the modules that its types and functions are of.

    ``modules`` are full names; what they hold is not in the digest, so whoever uses it must look at their versions.
    """

    digest: str
    modules: frozenset[str]


def content_digest(value: object) -> ContentDigest:
    """Return the digest of `value`.

    Equal values have equal digests in any process of the same Python with the same libraries, whatever its hash seed.
    What counts: the order of a dict's keys; the type (``1`` and ``1.0`` differ); whether two places hold the same
    list, dict, array or object or two equal ones; an array's order in memory (C or Fortran), as both travel.
    What does not: which equal texts, numbers, tuples of such and dates are one object; how pandas lays columns
    together; file names and line numbers of functions and classes of the notebook.

    Raises
    ------
    NotPicklable
        If the value has no content that stays the same; the message says why, without the value's name.
    """
    found = _Findings()
    try:
        digest = _digest(value, found)
        # What other libraries and the notebook's own classes say of their objects may differ each time.
        if found.foreign and _digest(value, found) != digest:
            who = ", ".join(sorted(found.foreign))
            raise NotPicklable(f"its pickle is another each time it is made (there are objects of {who} in it)")
    except NotPicklable:
        raise
    except Exception as error:
        said = str(error).strip().splitlines()
        raise NotPicklable(said[0] if said else type(error).__name__) from error
    return ContentDigest(f"{digest:032x}", frozenset(found.modules))


@dataclass
class _Findings:
    """What is learnt on the way, kept over all parts of one value."""

    modules: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    #: Bytes that were hashed already, by the identity of what holds them (which is kept alive).
    parts: dict[int, tuple[object, tuple[Any, ...]]] = field(default_factory=dict)
    handlers: dict[type, Callable[[Any], tuple[Any, ...] | None] | None] = field(default_factory=dict)


def _digest(value: object, found: _Findings) -> int:
    pickler = _Pickler(found)
    pickler.dump(value)
    # Functions and classes are told after what refers to them, each once, in the order in which they were met.
    for definition in pickler.definitions:
        pickler.dump(function_parts(definition) if isinstance(definition, FunctionType) else class_parts(definition))
    return pickler.result()


class _Sink:
    def __init__(self, hasher: Any) -> None:
        self.write = hasher.update


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles into a hash.

    What never changes is given to pickle as a *persistent id*, the number of its content: that is never remembered,
    so that it makes no difference whether it is met as one object or as two.
    """

    def __init__(self, found: _Findings) -> None:
        self._stream, self._buffers = xxh3_128(), xxh3_128()
        super().__init__(_Sink(self._stream), protocol=5, buffer_callback=self._take_buffer)
        self._found = found
        self.definitions: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._sets: list[object] = []
        self._rules: dict[type, Callable[[Any], int | None] | None] = {
            bytes: lambda value: xxh3_128_intdigest(value, _BYTES),
            tuple: self._tuple,
            set: self._set,
            frozenset: self._frozenset,
            CodeType: self._code,
            **dict.fromkeys(_LEAVES, self._leaf),
        }

    def result(self) -> int:
        """Return the digest of all that was dumped."""
        return xxh3_128_intdigest(self._stream.digest() + self._buffers.digest())

    def _take_buffer(self, buffer: pickle.PickleBuffer) -> None:
        raw = buffer.raw()
        self._buffers.update(raw.nbytes.to_bytes(8, "little"))
        self._buffers.update(raw)

    # -- values that never change: called by pickle for every object -------------------------------------------------

    def persistent_id(self, value: Any) -> int | None:
        """Return the number of a value that never changes; None for all others."""
        kind = type(value)
        if kind is str:
            return xxh3_128_intdigest(value.encode("utf-8", "surrogatepass"))
        try:
            rule = self._rules[kind]
        except KeyError:
            rule = self._rules[kind] = self._unchanging if is_unchanging(kind) else None
        return None if rule is None else rule(value)

    def _tuple(self, value: tuple[Any, ...]) -> int | None:
        """Return the number of a tuple of which all parts never change; a tuple that is shared is nothing else."""
        parts = []
        for part in value:
            number: Any = part
            if type(part) not in _ATOMS:
                number = None if type(part) is set else self.persistent_id(part)
                if number is None:
                    return None
                number = hex(number)
            try:
                parts.append(f"{type(part).__name__} {number!r}")
            except ValueError:  # an int of more digits than Python writes (sys.set_int_max_str_digits)
                return None
        return xxh3_128_intdigest("\n".join(parts).encode("utf-8", "surrogatepass"), _TUPLE)

    def _leaf(self, value: Any) -> int:
        self._found.modules.add(type(value).__module__)
        return xxh3_128_intdigest(pickle.dumps(value, protocol=5), _LEAF)

    def _unchanging(self, value: Any) -> int:
        parts = self._data(value, type(value))
        return self._leaf(value) if parts is None else _digest(parts, self._found) ^ _PARTS

    def _frozenset(self, value: frozenset[Any]) -> int:
        return self._members(value, _FROZENSET)

    def _set(self, value: set[Any]) -> int:
        # A set can change: that two places hold the same one counts.
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._numbers)
            self._sets.append(value)
        return self._members(value, _SET) ^ number

    def _members(self, value: set[Any] | frozenset[Any], seed: int) -> int:
        digests = sorted(self._member(part) for part in value)
        return xxh3_128_intdigest(b"".join(part.to_bytes(16, "little") for part in digests), seed)

    def _member(self, value: object) -> int:
        number = self.persistent_id(value)
        return _digest(value, self._found) if number is None else number

    def _code(self, value: CodeType) -> int:
        self._found.modules.update(imported_names(value))
        return _digest(code_parts(value), self._found) ^ _CODE

    # -- all objects but plain containers: called by pickle before it looks for their own way ------------------------

    def reducer_override(self, value: Any) -> Any:
        """Return what stands for `value` in the pickle; NotImplemented: its own pickle does."""
        kind = type(value)
        if isinstance(value, (type, FunctionType)):
            return self._definition(value)
        if isinstance(value, ModuleType):
            self._found.modules.add(value.__name__)
        elif kind is functools._lru_cache_wrapper:  # noqa: SLF001  (it has no public name)
            # Its pickle is its name alone.
            return _stands_for, ("lru_cache", value.__wrapped__, value.cache_parameters())
        elif (parts := self._data(value, kind)) is not None:
            return _stands_for, parts
        elif kind.__module__.partition(".")[0] not in _STEADY:
            self._found.foreign.add(f"{kind.__module__}.{kind.__qualname__}")
        return super().reducer_override(value)

    def _definition(self, value: Any) -> Any:
        if value is _stands_for:
            return NotImplemented
        reduced = super().reducer_override(value)
        module = getattr(value, "__module__", None) or ""
        if reduced is NotImplemented or module == "builtins":
            # It is imported by its name in the job.
            self._found.modules.add(module)
            return reduced
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._numbers)
            self.definitions.append(value)
        return _stands_for, ("definition", self._numbers[id(value)])

    def _data(self, value: Any, kind: type) -> tuple[Any, ...] | None:
        known = self._found.parts.get(id(value))
        if known is not None:
            return known[1]
        handlers = self._found.handlers
        if kind not in handlers:
            handlers[kind] = data_parts_of(kind)
        handler = handlers[kind]
        parts = None if handler is None else handler(value)
        if parts is not None:
            self._found.modules.add(kind.__module__)
            if parts[0] in {"array", "arrow"}:
                self._found.parts[id(value)] = (value, parts)
        return parts


def _stands_for(*parts: object) -> None:
    """Name, in a pickle that is never read, what stands for something else."""
