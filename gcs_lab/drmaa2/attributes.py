"""Attributes of the DRMAA2 objects: what may be set, in which forms, and what is read back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from gcs_lab.drmaa2.drmaa2_constants import Bool, Time
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import IntEnum

    from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object

__all__ = [
    "Attribute",
    "ChoiceAttribute",
    "FlagAttribute",
    "ListAttribute",
    "MappingAttribute",
    "MomentAttribute",
    "NameAttribute",
    "NumberAttribute",
    "TextAttribute",
    "Word",
]

T = TypeVar("T")
UNSET_NUMBERS = frozenset({-1, int(Time.UNSET_TIME)})


class Word(str):
    """The name of an enumeration's member, as the binding gives it; equal to the member, too, and as true as it.

    ``info.job_state == "DONE"`` and ``info.job_state == JobState.DONE`` both hold.
    """

    __slots__ = ("member",)
    member: IntEnum

    def __new__(cls, member: IntEnum) -> Self:
        """Return the name of `member`, which remembers it."""
        word = super().__new__(cls, member.name)
        word.member = member
        return word

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else self.member == other

    def __ne__(self, other: object) -> bool:
        # Text has a `!=` of its own, which knows nothing of members.
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __bool__(self) -> bool:
        return self != Bool.FALSE.name

    def __reduce__(self) -> tuple[type[Word], tuple[IntEnum]]:
        return Word, (self.member,)


class Attribute(Generic[T]):
    """One attribute of a DRMAA2 object.

    Parameters
    ----------
    doc
        What it is, with unit: what ``describe_attribute`` answers.
    """

    def __init__(self, doc: str) -> None:
        self.doc = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Drmaa2Object, owner: type) -> T: ...
    def __get__(self, instance: Drmaa2Object | None, owner: type) -> T | Self:
        return self if instance is None else self.read(instance.values_set)

    def __set__(self, instance: Drmaa2Object, value: object) -> None:
        instance.check_writable(self.name)
        accepted = None if value is None else self.accept(value)
        if accepted is None:
            instance.values_set.pop(self.name, None)
        else:
            instance.values_set[self.name] = accepted

    def read(self, values: dict[str, Any]) -> T:
        """Return what a reader sees; None if it is not set."""
        return cast("T", values.get(self.name))

    def accept(self, value: object) -> object:
        """Return `value` as it is kept; None if it means "not set". Raises InvalidArgument if it cannot be one."""
        return value

    def refuse(self, value: object, expected: str) -> InvalidArgument:
        """Return the error of a value that cannot be one."""
        return InvalidArgument(f"{self.name} is {_short(value)} ({type(value).__name__}); expected {expected}.")


class TextAttribute(Attribute[str | None]):
    """Text."""

    def accept(self, value: object) -> object:
        """Take text, and bytes of UTF-8 as the binding does."""
        return text_of(value, self.refuse)


class NameAttribute(Attribute[str]):
    """Text that is always set: the id of a job, the name of a session."""

    def accept(self, value: object) -> object:
        """Take what :class:`TextAttribute` takes."""
        return text_of(value, self.refuse)


class NumberAttribute(Attribute[T]):
    """A number; ``unset`` are the numbers that mean "not set".

    Parameters
    ----------
    doc
        As for :class:`Attribute`.
    unset
        Numbers that mean "not set": the C binding's ``UNSET_NUM`` and ``UNSET_TIME``.
    whole
        Whether it is whole.
    """

    def __init__(self, doc: str, *, unset: frozenset[int] = UNSET_NUMBERS, whole: bool = True) -> None:
        super().__init__(doc)
        self._unset, self._whole = unset, whole

    def accept(self, value: object) -> object:
        """Take a number."""
        kinds = int if self._whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise self.refuse(value, "a whole number" if self._whole else "a number")
        return None if value in self._unset else value


class FlagAttribute(Attribute[Word]):
    """Yes or no; reads as ``"FALSE"`` when it is not set, which is false."""

    def read(self, values: dict[str, Any]) -> Word:
        """Return ``"TRUE"`` or ``"FALSE"``, as true as they say."""
        return Word(Bool(int(values.get(self.name, False))))

    def accept(self, value: object) -> object:
        """Take a bool, 0, 1, a :class:`Bool` or its name."""
        if isinstance(value, str) and value in Bool.__members__:
            return bool(Bool[value])
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise self.refuse(value, "True, False, or 'TRUE', 'FALSE'")


class ChoiceAttribute(Attribute[Word | None]):
    """A member of an enumeration; reads as its name.

    Parameters
    ----------
    doc
        As for :class:`Attribute`.
    kind
        The enumeration; its member -1 means "not set".
    """

    def __init__(self, doc: str, kind: type[IntEnum]) -> None:
        super().__init__(doc)
        self._kind = kind

    def accept(self, value: object) -> object:
        """Take a member, its name or its number."""
        try:
            member = self._kind[str(value)] if isinstance(value, str) else self._kind(cast("int", value))
        except (KeyError, ValueError):
            names = ", ".join(one.name for one in self._kind if one >= 0)
            raise self.refuse(value, f"one of {names}") from None
        return Word(member) if member >= 0 else None


class MomentAttribute(Attribute[datetime | Word | None]):
    """A moment; naive ones are this machine's local time, and so it is read back."""

    def read(self, values: dict[str, Any]) -> datetime | Word | None:
        """Return a naive local datetime, or the word it was set to (``"NOW"``, ``"INFINITE_TIME"``)."""
        value = values.get(self.name)
        return value.astimezone().replace(tzinfo=None) if isinstance(value, datetime) else value

    def accept(self, value: object) -> object:
        """Take a datetime, a :class:`Time` or its name, or seconds since the epoch."""
        if isinstance(value, datetime):
            return self._moment(value)
        if isinstance(value, str):
            if value not in Time.__members__:
                raise self.refuse(value, f"a datetime, or one of {', '.join(Time.__members__)}")
            value = Time[value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(value, "a datetime, a Time, or seconds since the epoch")
        if value in tuple(Time):
            member = Time(int(value))
            return None if member is Time.UNSET_TIME else Word(member)
        try:
            return self._moment(datetime.fromtimestamp(value, tz=UTC))
        except (ValueError, OverflowError, OSError):
            raise self.refuse(value, "seconds since the epoch within the calendar") from None

    def _moment(self, value: datetime) -> datetime:
        try:
            value.astimezone()
            return value.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            raise self.refuse(value, "a datetime that is within the calendar here and in UTC") from None


class ListAttribute(Attribute[list[T]]):
    """A list; what is read is the list itself, so that it can be appended to. An empty one is not set.

    Parameters
    ----------
    doc
        As for :class:`Attribute`.
    entry
        Makes an entry from what was given, or raises the error that its second argument makes.
    """

    def __init__(
        self, doc: str, entry: Callable[[object, Callable[[object, str], InvalidArgument]], T] | None = None
    ) -> None:
        super().__init__(doc)
        self._entry = entry or cast("Callable[[object, Callable[[object, str], InvalidArgument]], T]", text_of)

    def read(self, values: dict[str, Any]) -> list[T]:
        """Return the list; an empty one if it is not set."""
        return cast("list[T]", values.setdefault(self.name, []))

    def accept(self, value: object) -> object:
        """Take a list or tuple."""
        if not isinstance(value, list | tuple):
            raise self.refuse(value, "a list")
        return [self._entry(one, self._refuse_entry) for one in value]

    def _refuse_entry(self, value: object, expected: str) -> InvalidArgument:
        return InvalidArgument(
            f"{self.name} has {_short(value)} ({type(value).__name__}) in it; expected {expected}."
        )


class MappingAttribute(Attribute[dict[str, str]]):
    """A dictionary of text; what is read is the dictionary itself. An empty one is not set."""

    def read(self, values: dict[str, Any]) -> dict[str, str]:
        """Return the dictionary; an empty one if it is not set."""
        return cast("dict[str, str]", values.setdefault(self.name, {}))

    def accept(self, value: object) -> object:
        """Take a dictionary."""
        if not isinstance(value, dict):
            raise self.refuse(value, "a dictionary of text")
        return {text_of(key, self._refuse_entry): text_of(one, self._refuse_entry) for key, one in value.items()}

    def _refuse_entry(self, value: object, expected: str) -> InvalidArgument:
        return InvalidArgument(
            f"{self.name} has {_short(value)} ({type(value).__name__}) in it; expected {expected}."
        )


def text_of(value: object, refuse: Callable[[object, str], InvalidArgument]) -> str:
    """Return text, or raise what `refuse` makes; bytes are UTF-8, a text enumeration's member is its value."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise refuse(value, "text, or bytes of UTF-8") from None
    value = getattr(value, "value", value)
    if not isinstance(value, str):
        raise refuse(value, "text")
    return str(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004
