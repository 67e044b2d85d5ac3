"""``native_specification``: the options of ``qsub`` that the embedded cluster honours."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.jobs.requests import parse_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NativeOptions", "parse_native", "parse_slots"]

_SLOTS = re.compile(r"(?P<least>\d+)?(?P<dash>-)?(?P<most>\d+)?\Z", re.ASCII)
#: What ``-pe smp 4-`` asks for at most.
UNLIMITED_SLOTS = 9_999_999


@dataclass
class NativeOptions:
    """What the options say; None is "not given"."""

    name: str | None = None
    queues: list[str] | None = None
    requests: dict[str, str] = field(default_factory=dict)
    parallel_environment: str | None = None
    slots: tuple[int, int] | None = None
    priority: int | None = None
    held: bool | None = None
    working_directory: str | None = None
    output_path: str | None = None
    error_path: str | None = None
    input_path: str | None = None
    join_files: bool | None = None
    environment: dict[str, str] = field(default_factory=dict)
    rerunnable: bool | None = None


def parse_slots(text: str) -> tuple[int, int]:
    """Return least and most of a slot range: ``4``, ``2-8``, ``2-``, ``-8`` (``qsub(1)``, -pe).

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    match = _SLOTS.match(text)
    if match is None or not (match["least"] or match["most"]):
        raise InvalidArgument(f"-pe: {text!r} is no range of slots; expected for example 4, 2-8, 2- or -8.")
    least = int(match["least"] or 1)
    most = int(match["most"] or (UNLIMITED_SLOTS if match["dash"] else least))
    if not 1 <= least <= most:
        raise InvalidArgument(f"-pe: {text!r} asks for {least} to {most} slots; expected 1 <= least <= most.")
    return least, most


def parse_native(text: str) -> NativeOptions:
    """Return what `text` says, which is written as on qsub's command line.

    Raises
    ------
    UnsupportedAttribute
        If it has an option that the embedded cluster does not honour.
    InvalidArgument
        If an option has no value or one that cannot work.
    """
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise InvalidArgument(f"native_specification {text!r}: {error}; close the quotes.") from None
    found = NativeOptions()
    for word in words:
        read = _READERS.get(word)
        if read is None:
            raise UnsupportedAttribute(
                f"native_specification: the embedded cluster does not honour {word!r}. "
                f"It honours {', '.join(_READERS)}."
            )
        read(found, _Values(word, words))
    return found


class _Values:
    """The values that follow an option."""

    def __init__(self, option: str, words: Iterator[str]) -> None:
        self.option, self._words = option, words

    def text(self) -> str:
        value = next(self._words, None)
        if not value:
            raise InvalidArgument(f"native_specification: {self.option} is given without its value.")
        return value

    def yes(self) -> bool:
        value = self.text().lower()
        if value not in {"y", "yes", "n", "no"}:
            raise InvalidArgument(f"native_specification: {self.option} {value}: expected y or n.")
        return value.startswith("y")

    def number(self) -> int:
        value = self.text()
        try:
            return int(value)
        except ValueError:
            raise InvalidArgument(f"native_specification: {self.option} {value}: expected a whole number.") from None


def _hold(found: NativeOptions, _: _Values) -> None:
    found.held = True


def _working_directory_here(found: NativeOptions, _: _Values) -> None:
    found.working_directory = os.getcwd()  # noqa: PTH109


def _pe(found: NativeOptions, values: _Values) -> None:
    found.parallel_environment = values.text()
    found.slots = parse_slots(values.text())


def _requests(found: NativeOptions, values: _Values) -> None:
    found.requests |= parse_requests(values.text())


def _variables(found: NativeOptions, values: _Values) -> None:
    for part in values.text().split(","):
        name, equals, value = part.partition("=")
        if not equals:
            value = os.environ.get(name, "")
        found.environment[name] = value


def _set(attribute: str, read: Callable[[_Values], object]) -> Callable[[NativeOptions, _Values], None]:
    return lambda found, values: setattr(found, attribute, read(values))


_READERS: dict[str, Callable[[NativeOptions, _Values], None]] = {
    "-N": _set("name", _Values.text),
    "-q": _set("queues", lambda values: values.text().split(",")),
    "-l": _requests,
    "-pe": _pe,
    "-p": _set("priority", _Values.number),
    "-h": _hold,
    "-wd": _set("working_directory", _Values.text),
    "-cwd": _working_directory_here,
    "-o": _set("output_path", _Values.text),
    "-e": _set("error_path", _Values.text),
    "-i": _set("input_path", _Values.text),
    "-j": _set("join_files", _Values.yes),
    "-v": _variables,
    "-r": _set("rerunnable", _Values.yes),
}
