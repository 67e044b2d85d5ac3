"""The points of a sweep: which parameters each of its tasks has."""

from __future__ import annotations

import hashlib
import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.runner.point_file import pickled_point_value, places_on_axes, read_points, write_points
from gcs_lab.cells.sweep_axes import MOST_POINTS, AxisValues, read_axis
from gcs_lab.errors import InvalidArgument, NotPicklable, UntrustedFile

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.cells.plan import CellOptions

__all__ = ["Axis", "Points", "asked_points"]


@dataclass(frozen=True)
class Axis:
    """The names that an axis binds, and a pickle of each of its values (of several names: of a tuple)."""

    names: tuple[str, ...]
    pickles: Sequence[bytes]

    def values(self, place: int) -> dict[str, Any]:
        """Return the parameters at `place` (from 0)."""
        value = pickle.loads(self.pickles[place])
        return dict(zip(self.names, value, strict=True)) if len(self.names) > 1 else {self.names[0]: value}


class Points(Sequence[dict[str, Any]]):
    """The points of a sweep, in the order of its tasks: all combinations of its axes, or the axes side by side.

    They are never made all at once: point `k` is found from its number. As a sequence it counts from 0, as tasks do
    (:meth:`of_task`) from 1.

    Parameters
    ----------
    axes
        The axes; of combinations the last one runs fastest.
    side_by_side
        Whether they are walked together; then they are equally long.
    """

    def __init__(self, axes: Sequence[Axis], *, side_by_side: bool = False) -> None:
        self.axes = tuple(axes)
        self.side_by_side = side_by_side
        counts = [len(axis.pickles) for axis in self.axes]
        self._counts = counts
        self._length = counts[0] if side_by_side else math.prod(counts)

    def __repr__(self) -> str:
        return f"<{len(self):,} points of {', '.join(self.names)}>"

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError(f"there are {len(self)} points")
        return self.of_task(place + 1)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.of_task(task) for task in range(1, len(self) + 1))

    @property
    def names(self) -> list[str]:
        """The names of all parameters, in the order in which they were given."""
        return [name for axis in self.axes for name in axis.names]

    def of_task(self, task: int) -> dict[str, Any]:
        """Return the parameters of a task (1, 2 …)."""
        point: dict[str, Any] = {}
        for axis, place in zip(self.axes, self._places(task), strict=True):
            point |= axis.values(place)
        return point

    def _places(self, task: int) -> list[int]:
        return places_on_axes(task, self._counts, side_by_side=self.side_by_side)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all points and their names, in hexadecimal: equal points have equal digests."""
        found = hashlib.sha256(b"zip" if self.side_by_side else b"product")
        for axis in self.axes:
            found.update(repr((axis.names, len(axis.pickles))).encode())
            for data in axis.pickles:
                found.update(b"%d:" % len(data) + data)
        return found.hexdigest()

    def columns(self) -> dict[str, list[Any]]:
        """Return the values of each parameter over all points, in the order of the tasks."""
        columns: dict[str, list[Any]] = {}
        inner = len(self)
        for axis, count in zip(self.axes, self._counts, strict=True):
            # Each value stands in a row so often as the axes after this one have combinations.
            inner = 1 if self.side_by_side else inner // count
            outer = len(self) // (inner * count)
            loaded = [pickle.loads(data) for data in axis.pickles]
            for number, name in enumerate(axis.names):
                values = [value[number] for value in loaded] if len(axis.names) > 1 else loaded
                columns[name] = [value for value in values for _ in range(inner)] * outer
        return columns

    def write(self, path: Path) -> None:
        """Write them to a file, from which a task reads its own alone. Raises OSError."""
        write_points(str(path), [(axis.names, axis.pickles) for axis in self.axes], side_by_side=self.side_by_side)

    @classmethod
    def read(cls, path: Path) -> Points:
        """Return the points of a file (``points.bin`` of a sweep's folder).

        Raises
        ------
        UntrustedFile
            If another user could have written it.
        ValueError, OSError
            If it cannot be read.
        """
        try:
            axes, side_by_side = read_points(str(path))
        except PermissionError as error:
            raise UntrustedFile(str(error)) from None
        return cls([Axis(names, pickles) for names, pickles in axes], side_by_side=side_by_side)


def asked_points(options: CellOptions, namespace: Mapping[str, Any]) -> Points | None:
    """Return the points that the flags ask for; None without ``--over``.

    Raises
    ------
    InvalidArgument
        If a flag cannot work, or needs ``--over`` and there is none.
    NotPicklable
        If a value cannot travel.
    NotReady
        If a value is still being computed.
    """
    if not options.over:
        _check_without(options)
        return None
    if not options.sweep_name.isidentifier():
        raise InvalidArgument(f"--as {options.sweep_name}: {options.sweep_name!r} cannot be the name of a variable.")
    if options.max_parallel is not None and options.max_parallel < 1:
        raise InvalidArgument(f"-tc {options.max_parallel}: expected how many tasks may run at once, 1 or more.")
    axes = [read_axis(text, namespace) for text in options.over]
    _check_together(axes, side_by_side=options.side_by_side)
    return Points([_pickled(axis) for axis in axes], side_by_side=options.side_by_side)


def _check_without(options: CellOptions) -> None:
    if options.max_parallel is not None and not options.after_each:
        raise InvalidArgument(
            f'-tc {options.max_parallel} limits the tasks of a sweep; give the points with --over "x=range(10)", or '
            "leave it out. Nothing was sent."
        )
    if options.side_by_side:
        raise InvalidArgument("--zip walks the --over lists side by side, and there is none. Nothing was sent.")


def _check_together(axes: list[AxisValues], *, side_by_side: bool) -> None:
    seen: dict[str, str] = {}
    for axis in axes:
        for name in axis.names:
            if name in seen:
                raise InvalidArgument(
                    f"{name!r} is given by {seen[name]} and by {axis.flag}; each parameter comes from one. "
                    "Nothing was sent."
                )
            seen[name] = axis.flag
    counts = [len(axis.values) for axis in axes]
    if side_by_side and len(set(counts)) > 1:
        told = ", ".join(f"{', '.join(axis.names)}: {count}" for axis, count in zip(axes, counts, strict=True))
        raise InvalidArgument(
            f"--zip needs --over lists of the same length; these are not: {told}. Nothing was sent."
        )
    if not side_by_side and math.prod(counts) > MOST_POINTS:
        told = " x ".join(f"{count:,}" for count in counts)
        raise InvalidArgument(
            f"{told} are {math.prod(counts):,} points; a sweep has at most {MOST_POINTS:,}. Did you mean --zip? "
            "Nothing was sent."
        )


def _pickled(axis: AxisValues) -> Axis:
    pickles = []
    for number, value in enumerate(axis.values, 1):
        try:
            pickles.append(pickled_point_value(value))
        except Exception as error:
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise NotPicklable(
                f"{axis.flag}: value {number}, a {kind}, cannot travel, because it cannot be pickled: {error}. "
                "Nothing was sent. Give what it is made from, and make it in the cell."
            ) from error
    return Axis(axis.names, pickles)
