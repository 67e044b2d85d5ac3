"""One result of a sweep over all its tasks, in the narrowest kind of array that holds it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ResultColumn"]

_KINDS: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64}

#: A float holds all whole numbers up to this one.
_LARGEST_IN_FLOAT = 1 << 53


class ResultColumn:
    """The values of one result, by place (from 0); some or most are not known yet.

    Parameters
    ----------
    length
        Number of tasks.
    """

    def __init__(self, length: int) -> None:
        self._values: np.ndarray[Any, Any] = np.empty(0)
        self._known = np.zeros(length, np.bool_)

    def put(self, place: int, value: Any) -> None:
        """Set a value; an array of numbers becomes one of wider numbers, or of objects, if it must."""
        if value is None and len(self._values) and self._values.dtype != object:
            # A number that is not there, as pandas has it.
            self._known[place] = False
            return
        wanted = np.dtype(_KINDS.get(type(value), object))
        if not len(self._values):
            self._values = np.empty(len(self._known), wanted)
        elif self._values.dtype != wanted:
            self._widen(wanted)
        self._values[place] = value
        self._known[place] = True

    def _widen(self, wanted: np.dtype[Any]) -> None:
        numbers = {self._values.dtype, wanted} == {np.dtype(np.int64), np.dtype(np.float64)} and not self._is_large()
        wider = np.dtype(np.float64) if numbers else np.dtype(object)
        if self._values.dtype != wider:
            values = np.empty(len(self._known), wider)
            values[self._known] = self._values[self._known]
            self._values = values

    def _is_large(self) -> bool:
        """Tell whether a known value is a whole number that no float can hold: a hash, or a seed."""
        if self._values.dtype != np.int64:
            return False
        known = self._values[self._known]
        return bool(len(known)) and (int(known.max()) > _LARGEST_IN_FLOAT or int(known.min()) < -_LARGEST_IN_FLOAT)

    def forget(self, places: np.ndarray[Any, Any]) -> None:
        """Take values back: their tasks run again."""
        self._known[places] = False

    def has(self, place: int) -> bool:
        """Tell whether the value at `place` is known."""
        return bool(self._known[place])

    def value(self, place: int) -> Any:
        """Return the value at `place` as a Python object."""
        value = self._values[place]
        return value.item() if isinstance(value, np.generic) else value

    def array(self) -> np.ndarray[Any, Any]:
        """Return all values: NaN where a number is missing (whole numbers are then floats), None where another is."""
        if self._known.all():
            return self._values.copy()
        kind = object if self._values.dtype in (object, np.bool_) or self._is_large() else np.float64
        values = np.full(len(self._known), None if kind is object else np.nan, kind)
        if len(self._values):
            values[self._known] = self._values[self._known]
        return values
