"""The base of the DRMAA2 objects: attributes by name, as a dictionary, and the reflective part (GFD.231)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from gcs_lab.drmaa2.attributes import Attribute, Word, text_of
from gcs_lab.errors import InvalidArgument, UnknownName, UnsupportedAttribute, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Drmaa2Object"]


class Drmaa2Object:
    """An object with DRMAA2 attributes; an attribute that is not set reads as None, ``[]``, ``{}`` or ``"FALSE"``.

    Parameters
    ----------
    values
        Attributes by name; also those of ``get_implementation_specific_keys()``.

    Raises
    ------
    InvalidArgument
        If there is no such attribute, or a value cannot be one.
    """

    #: What the implementation adds, by name: a description each. Values are text.
    implementation_specific_keys: ClassVar[dict[str, str]] = {}
    #: Univa's names for some of these that have a name of ours, too.
    aliases: ClassVar[dict[str, str]] = {}
    _read_only = False

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values_set: dict[str, Any] = {}
        self.specific_values: dict[str, str] = {}
        self.from_dict(values)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_") or hasattr(type(self), name) or name in {"values_set", "specific_values"}:
            object.__setattr__(self, name, value)
        elif name in self.implementation_specific_keys:
            self.set_impl_spec_key_value(name, value)
        else:
            raise self._unknown(name)

    def __getattr__(self, name: str) -> str | None:
        # Called only for what is no attribute of the class.
        if name in type(self).implementation_specific_keys:
            return self.get_impl_spec_key_value(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # attributes change

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        # What is set in the copy does not change the original; nor does what is appended to one of its lists.
        made.values_set = {
            name: value.copy() if isinstance(value, list | dict) else value for name, value in self.values_set.items()
        }
        made.specific_values = dict(self.specific_values)
        return made

    def __str__(self) -> str:
        return str(self.to_dict())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    @classmethod
    def attribute_names(cls) -> list[str]:
        """Return the names of the standard's attributes, sorted."""
        return sorted(
            name for one in cls.__mro__ for name, value in vars(one).items() if isinstance(value, Attribute)
        )

    @classmethod
    def get_implementation_specific_keys(cls) -> list[str]:
        """Return the names of what the implementation adds (GFD.231, ``jobTemplateImplSpec`` and its like)."""
        return list(cls.implementation_specific_keys)

    @classmethod
    def create_from_dict(cls, values: object) -> Self:
        """Return an object made from a dictionary; one of this class is returned as it is.

        Raises
        ------
        InvalidArgument
            If it is neither, or as the constructor.
        """
        if isinstance(values, cls):
            return values
        if not isinstance(values, dict):
            raise InvalidArgument(
                f"expected a {cls.__name__} or a dictionary, got {values!r:.80} ({type(values).__name__})."
            )
        made = cls()
        made.from_dict(values)
        return made

    def from_dict(self, values: Mapping[str, Any] | None) -> None:
        """Set attributes from a dictionary; the others stay as they are."""
        if values is not None and not hasattr(values, "items"):
            raise InvalidArgument(f"expected a dictionary, got {values!r:.80} ({type(values).__name__}).")
        for name, value in (values or {}).items():
            if not isinstance(name, str) or (
                name not in self.attribute_names()
                and name != "implementation_specific"
                and name not in self.implementation_specific_keys
            ):
                raise self._unknown(name)
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return what is set, by name; what the implementation adds is under ``implementation_specific``."""
        found = {name: getattr(self, name) for name in self.attribute_names() if self._is_set(name)}
        if self.specific_values:
            found["implementation_specific"] = self.implementation_specific
        return dict(sorted(found.items()))

    @property
    def implementation_specific(self) -> dict[str, str]:
        """What the implementation adds, as far as it is set. Assigning a dictionary sets those that are in it."""
        return {
            key: self.specific_values[key] for key in self.implementation_specific_keys if key in self.specific_values
        }

    @implementation_specific.setter
    def implementation_specific(self, values: Mapping[str, Any]) -> None:
        if not hasattr(values, "items"):
            raise InvalidArgument(f"implementation_specific is {values!r:.80}; expected a dictionary.")
        for key, value in values.items():
            self.set_impl_spec_key_value(key, value)

    def get_impl_spec_key_value(self, key: str) -> str | None:
        """Return the value of what the implementation adds under `key`; None if it is not set.

        Raises
        ------
        UnsupportedAttribute
            If there is no such key.
        """
        return self.specific_values.get(self._specific_key(key))

    def set_impl_spec_key_value(self, key: str, value: object) -> None:
        """Set what the implementation adds under `key`; None and ``""`` unset it. Blanks around the key do not count.

        Raises
        ------
        UnsupportedAttribute
            If there is no such key.
        InvalidArgument
            If the value cannot be one.
        """
        name = self._specific_key(key)
        self.check_writable(name)
        text = "" if value is None else self._specific_text(name, value)
        if text:
            self.specific_values[name] = text
        else:
            self.specific_values.pop(name, None)

    @classmethod
    def describe_attribute(cls, name: str) -> str:
        """Return in words what an attribute is (GFD.231, ``describeAttribute``).

        Raises
        ------
        InvalidArgument
            If there is no such attribute.
        """
        attribute = getattr(cls, name, None)
        if isinstance(attribute, Attribute):
            return attribute.doc
        if name in cls.implementation_specific_keys:
            return cls.implementation_specific_keys[name]
        raise cls._unknown(name)

    def check_writable(self, name: str) -> None:
        """Raise UnsupportedOperation if the object only tells and cannot be changed."""
        if self._read_only:
            raise UnsupportedOperation(f"{name} cannot be set: a {type(self).__name__} tells what the system said.")

    def fill(self, **values: object) -> Self:
        """Set attributes and added ones of an object that is read-only for others; None is left out."""
        for name, value in values.items():
            if value is not None and name in self.implementation_specific_keys:
                if text := self._specific_text(name, value):
                    self.specific_values[name] = text
            elif value is not None:
                attribute = getattr(type(self), name)
                accepted = attribute.accept(value)
                if accepted is not None:
                    self.values_set[name] = accepted
        return self

    def _is_set(self, name: str) -> bool:
        value = self.values_set.get(name)
        return value is not None and value not in ([], {})

    def _added_values(self) -> dict[str, Any]:
        """Return what the implementation adds, under our names. Raises InvalidArgument if two names disagree."""
        found: dict[str, Any] = {}
        for key, value in self.specific_values.items():
            name = self.aliases.get(key, key)
            if found.setdefault(name, value) != value:
                raise InvalidArgument(
                    f"{key} is another name of {name}, and they differ: {value!r} and {found[name]!r}."
                )
        return found

    def _specific_key(self, key: object) -> str:
        name = key.strip() if isinstance(key, str) else ""
        if name not in self.implementation_specific_keys:
            known = ", ".join(self.implementation_specific_keys) or "none"
            raise UnsupportedAttribute(
                f"{type(self).__name__} has no implementation-specific {key!r}. It has: {known}."
            )
        return name

    def _specific_text(self, name: str, value: object) -> str:
        """Return the text of a value of what the implementation adds."""
        if isinstance(value, Word | bool | int | float):
            return str(value)
        return text_of(value, lambda bad, expected: InvalidArgument(f"{name} is {bad!r:.80}; expected {expected}."))

    @classmethod
    def _unknown(cls, name: object) -> UnknownName:
        known = [*cls.attribute_names(), *cls.implementation_specific_keys, "implementation_specific"]
        return UnknownName(f"attribute of a {cls.__name__}", str(name), known)
