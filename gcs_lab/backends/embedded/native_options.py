"""``native_specification``: the options of ``qsub`` that the embedded cluster honours."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.jobs.requests import parse_requests, parse_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NativeOptions", "parse_native", "parse_slots"]

_MOMENT = re.compile(r"(?P<date>\d{8}|\d{10}|\d{12})(?:\.(?P<second>\d\d))?\Z", re.ASCII)
_CENTURY_TURN = 70


@dataclass
class NativeOptions:
    """What the options say; None is "not given".

    ``start_time`` is in seconds since the epoch. Mail: ``mail_on_end`` is about a normal end (``-m e``),
    ``mail_on_abort`` about any other, and about a job that is to run again (``-m a``; ``qsub(1)``). ``cleared`` says
    that what stands below these options is not to count (``-clear``).
    """

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
    account: str | None = None
    hold_jid: list[str] | None = None
    hold_jid_ad: list[str] | None = None
    start_time: float | None = None
    email: list[str] | None = None
    mail_on_start: bool | None = None
    mail_on_end: bool | None = None
    mail_on_abort: bool | None = None
    reservation_id: str | None = None
    cleared: bool = False

    def over(self, below: NativeOptions) -> NativeOptions:
        """Return these options, with those from `below` where these say nothing."""
        if self.cleared:
            return self
        made = NativeOptions()
        for name in (f.name for f in fields(self)):
            own, other = getattr(self, name), getattr(below, name)
            setattr(made, name, {**other, **own} if isinstance(own, dict) else other if own is None else own)
        return made


def parse_native(text: str) -> NativeOptions:
    """Return what `text` says, which is written as on qsub's command line.

    Raises
    ------
    UnsupportedAttribute
        If it has an option that the embedded cluster does not honour; the message says why, or what to use.
    InvalidArgument
        If an option has no value or one that cannot work.
    """
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise InvalidArgument(f"native_specification {text!r}: {error}; close the quotes.") from None
    found = NativeOptions()
    for word in words:
        if word in _REFUSED:
            raise _refused(word)
        read = _READERS.get(word)
        if read is None:
            raise UnsupportedAttribute(
                f"native_specification: the embedded cluster does not honour {word!r}. "
                f"It honours {', '.join(_READERS)}."
            )
        read(found, _Values(word, words))
    return found


#: Options of qsub(1) that are understood and cannot be honoured here: the reason, or what to use.
_REFUSED = {
    "-t": "for an array job use submit_array (DRMAA2's run_bulk_jobs), which takes begin, end and step",
    "-tc": "the most tasks at once are max_parallel of submit_array",
    "-dl": "in Grid Engine it raises the priority up to a deadline, and here priorities stand still; the template's "
    "deadline_time ends a job at its time",
    "-P": "it has no projects; use -A (accounting_id) to mark jobs in the accounting file",
    "-S": "it runs the command itself, never a shell: name the shell as remote_command and the script in args",
    "-notify": "no signal is sent before an end or a suspension; use -l s_rt for a warning (SIGUSR1) before h_rt",
    "-soft": "requests are always hard here: what is asked for is had, or the job waits",
    "-masterq": "all queues of a job are alike; use -q",
    "-ckpt": "there is no checkpointing; use -r y, and let the job exit with 99 to run again",
    "-c": "there is no checkpointing; use -r y, and let the job exit with 99 to run again",
    "-binding": "jobs are not bound to cores",
    "-dc": "jobs have no context; use the job's environment (-v)",
    "-ac": "jobs have no context; use the job's environment (-v)",
    "-sc": "jobs have no context; use the job's environment (-v)",
    "-jsv": "there is no job submission verifier; job_categories in cluster.toml hold options for many jobs",
    "-@": "options are not read from files; job_categories in cluster.toml hold options for many jobs",
    "-C": "the command is run as it is; no file is searched for options",
    "-js": "jobs have no share; use -p (priority)",
    "-pty": "a job has no terminal",
    "-verify": "to see what would be sent, check the template (Jobs.check)",
}


def _refused(option: str, value: str = "") -> UnsupportedAttribute:
    given, why = f"{option} {value}".strip(), _REFUSED.get(option) or _ONLY[option]
    return UnsupportedAttribute(f"native_specification: the embedded cluster does not honour {given!r}: {why}.")


class _Values:
    """The values that follow an option."""

    def __init__(self, option: str, words: Iterator[str]) -> None:
        self.option, self._words = option, words

    def text(self) -> str:
        value = next(self._words, None)
        if not value:
            raise InvalidArgument(f"native_specification: {self.option} is given without its value.")
        return value

    def texts(self) -> list[str]:
        return [part for part in self.text().split(",") if part]

    def wrong(self, value: str, expected: str) -> InvalidArgument:
        return InvalidArgument(f"native_specification: {self.option} {value}: expected {expected}.")

    def yes(self) -> bool:
        value = self.text().lower()
        if value not in {"y", "yes", "n", "no"}:
            raise self.wrong(value, "y or n")
        return value.startswith("y")

    def number(self) -> int:
        value = self.text()
        try:
            return int(value)
        except ValueError:
            raise self.wrong(value, "a whole number") from None

    def moment(self) -> float:
        """Return seconds since the epoch; ``[[CC]YY]MMDDhhmm[.SS]`` in local time (``sge_types(1)``, date_time)."""
        value = self.text()
        match = _MOMENT.match(value)
        if match is None:
            raise self.wrong(value, "[[CC]YY]MMDDhhmm[.SS], for example 202712312359")
        date, now = match["date"], datetime.now().astimezone()
        year = date[:-8]
        if len(year) == 2:  # noqa: PLR2004
            year = f"{'20' if int(year) < _CENTURY_TURN else '19'}{year}"
        try:
            digits = f"{year or now.year:0>4}{date[-8:]}{match['second'] or '00'}"
            # Naive is local time, as in qsub.
            return datetime.strptime(digits, "%Y%m%d%H%M%S").timestamp()  # noqa: DTZ007
        except (ValueError, OverflowError):
            raise self.wrong(value, "a date and time that exist") from None


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


def _whole_environment(found: NativeOptions, _: _Values) -> None:
    # What -v names counts more, wherever it stands.
    found.environment = {**os.environ, **found.environment}


def _mail_when(found: NativeOptions, values: _Values) -> None:
    value = values.text()
    letters = set(value.replace(",", ""))
    if "s" in letters:
        raise UnsupportedAttribute(
            "native_specification: the embedded cluster does not honour '-m s': it sends no mail when a job is "
            "suspended; use b (start), e (normal end) and a (aborted or run again)."
        )
    if not letters or letters - set("bean") or ("n" in letters and len(letters) > 1):
        raise values.wrong(value, "letters b, e and a, or n alone")
    found.mail_on_start, found.mail_on_end, found.mail_on_abort = ("b" in letters, "e" in letters, "a" in letters)


def _clear(found: NativeOptions, _: _Values) -> None:
    for name in (f.name for f in fields(found)):
        setattr(found, name, getattr(NativeOptions(), name))
    found.cleared = True


#: Options that are taken with one value only, because that is how it is here; why the others are not.
_ONLY = {
    "-b": "it runs the command itself, as -b y; for a script name the shell as remote_command and the script in args",
    "-shell": "it starts the command without a shell; name the shell as remote_command if there is to be one",
    "-w": "what fits nowhere is accepted and waits, as with -w n; the job's annotation says what is lacking",
    "-R": "slots are not kept free for a job that waits; ask for an advance reservation (reservation_id)",
    "-now": "a job that finds no room waits",
    "-sync": "a submission returns at once; wait with wait_terminated",
}


def _only(allowed: str) -> Callable[[NativeOptions, _Values], None]:
    def read(_: NativeOptions, values: _Values) -> None:
        value = values.text().lower()
        if value not in {allowed, {"y": "yes", "n": "no"}[allowed]}:
            raise _refused(values.option, value)

    return read


def _set(attribute: str, read: Callable[[_Values], object]) -> Callable[[NativeOptions, _Values], None]:
    return lambda found, values: setattr(found, attribute, read(values))


_READERS: dict[str, Callable[[NativeOptions, _Values], None]] = {
    "-N": _set("name", _Values.text),
    "-q": _set("queues", _Values.texts),
    "-l": _requests,
    "-hard": lambda _found, _values: None,
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
    "-V": _whole_environment,
    "-r": _set("rerunnable", _Values.yes),
    "-A": _set("account", _Values.text),
    "-hold_jid": _set("hold_jid", _Values.texts),
    "-hold_jid_ad": _set("hold_jid_ad", _Values.texts),
    "-a": _set("start_time", _Values.moment),
    "-M": _set("email", _Values.texts),
    "-m": _mail_when,
    "-ar": _set("reservation_id", _Values.text),
    "-clear": _clear,
    "-b": _only("y"),
    "-shell": _only("n"),
    "-w": _only("n"),
    "-R": _only("n"),
    "-now": _only("n"),
    "-sync": _only("n"),
}
