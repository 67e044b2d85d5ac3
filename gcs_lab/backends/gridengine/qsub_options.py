"""The options of qsub(1) as words: taken apart into options with their values, and what may not be among them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ATTRIBUTES_OF", "Option", "canonical", "parse_options", "refuse_twice"]

#: Options without a value; all others have one, but for the ones in _TWO.
_FLAGS = frozenset(
    (
        "-cwd",
        "-h",
        "-hard",
        "-help",
        "-notify",
        "-noshell",
        "-nostdin",
        "-soft",
        "-terse",
        "-verbose",
        "-verify",
        "-V",
    )
)
_TWO = frozenset(["-pe"])
#: Options that change what submitting one job means, or how its answer reads.
_REFUSED = {
    "-t": "array jobs: use submit_array", "-tc": "array jobs: use submit_array with max_parallel", "-sync": "waiting",
    "-now": "immediate jobs", "-terse": "the answer's form", "-verify": "the answer's form",
    "-help": "the answer's form", "-b": "how the command runs", "-shell": "how the command runs",
    "-noshell": "how the command runs", "-V": "the environment", "-C": "how the command runs",
    "-@": "options from a file", "-inherit": "interactive jobs", "-clear": "the marker that a job is found by",
}  # fmt: skip
#: The attributes of a job template that say the same as an option. ``-l`` and ``-v`` are compared name by name.
ATTRIBUTES_OF = {
    "-N": ("job_name",), "-wd": ("working_directory",), "-cwd": ("working_directory",), "-i": ("input_path",),
    "-o": ("output_path",), "-e": ("error_path",), "-j": ("join_files",), "-h": ("submit_as_hold",),
    "-r": ("rerunnable",), "-q": ("queue_name",), "-p": ("priority",), "-A": ("accounting_id",),
    "-a": ("start_time",), "-M": ("email",), "-m": ("email_on_started", "email_on_terminated"),
    "-hold_jid": ("hold_jid",), "-hold_jid_ad": ("hold_jid_ad",), "-ar": ("reservation_id",),
    "-pe": ("parallel_environment", "min_slots", "max_slots"),
}  # fmt: skip
#: Shortcuts of those complexes that attributes of a template become (sge complex(5), the defaults).
_SHORTCUTS = {"h": "hostname", "a": "arch", "mt": "mem_total"}


def canonical(complex_name: str) -> str:
    """Return the name of a complex, for one of the shortcuts that attributes of a template stand for."""
    return _SHORTCUTS.get(complex_name, complex_name)


@dataclass(frozen=True)
class Option:
    """One option with its values."""

    name: str
    values: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The option as words of a command line."""
        return (self.name, *self.values)

    def names(self) -> set[str]:
        """Return what ``-l`` or ``-v`` sets: names of complexes or of variables."""
        items = self.values[0].split(",") if self.values else []
        return {canonical(item.partition("=")[0].strip()) for item in items}

    def without(self, names: set[str]) -> Option | None:
        """Return it without the items of a ``-l`` or ``-v`` list that set any of `names`; None if nothing is left."""
        items = self.values[0].split(",") if self.values else []
        left = [item for item in items if canonical(item.partition("=")[0].strip()) not in names]
        return Option(self.name, (",".join(left),)) if left else None


def parse_options(where: str, specification: str | Sequence[str]) -> list[Option]:
    """Return the options in a text (quotes as in a shell; no shell sees it) or in words.

    Parameters
    ----------
    where
        What it is, for messages: ``"native_specification"``, ``"the job category 'quick'"``.
    specification
        The text or the words.

    Raises
    ------
    InvalidArgument
        If it is not of options and their values, or has one that would be misunderstood.
    """
    try:
        words = shlex.split(specification) if isinstance(specification, str) else list(specification)
    except ValueError as error:
        raise InvalidArgument(f"{where} {specification!r}: {error}. Close every quote.") from None
    options: list[Option] = []
    at = 0
    while at < len(words):
        name = words[at]
        if name in _REFUSED:
            raise InvalidArgument(f"{where} may not have {name} ({_REFUSED[name]}).")
        if not name.startswith("-"):
            raise InvalidArgument(
                f"{where} has {name!r} where an option of qsub(1) is expected, as -l. The command and its arguments "
                "do not belong there."
            )
        count = 0 if name in _FLAGS else 2 if name in _TWO else 1
        values = words[at + 1 : at + 1 + count]
        if name == "-binding" and values and values[0] in ("env", "pe", "set"):
            values, count = words[at + 1 : at + 3], 2  # the instance may be left out
        for value in values:
            if value in _REFUSED:  # after an option that this table does not know to be a flag
                raise InvalidArgument(f"{where} may not have {value} ({_REFUSED[value]}).")
        if len(values) < count:
            raise InvalidArgument(f"{where}: {name} needs {'a value' if count == 1 else f'{count} values'}.")
        options.append(Option(name, tuple(values)))
        at += 1 + count
    return options


def refuse_twice(option: Option, said: set[str]) -> None:
    """Raise InvalidArgument if attributes, those in `said`, say what `option` of a native specification says, too."""
    if said:
        raise InvalidArgument(
            f"native_specification has {' '.join(option.words)}, and attributes say {', '.join(sorted(said))}, too. "
            "Give one of the two."
        )
