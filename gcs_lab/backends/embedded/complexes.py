"""Resources that jobs ask for by ``-l``: their types, their relations, and what counts as enough (``complex(5)``)."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.patterns import matches
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.protocol import Complex
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CONSUMABLE_TYPES", "LIMITS", "RELATIONS", "STANDARD", "TYPES", "Amount", "ComplexDefinition"]

#: A quantity: seconds, bytes or a plain number. Fractions are exact, so that what is given back is what was taken.
Amount = int | Fraction | float

#: Types whose values are quantities; only these can be consumed.
CONSUMABLE_TYPES = ("INT", "DOUBLE", "MEMORY", "TIME")
TYPES = (*CONSUMABLE_TYPES, "BOOL", "STRING", "CSTRING", "RESTRING", "HOST")
#: What was asked for stands on the left: ``<=`` says that it may be no more than what there is.
RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
_NUMBER = re.compile(r"\d{1,30}(?:\.\d{1,30})?\Z", re.ASCII)
_YES, _NO = frozenset({"TRUE", "T", "1", "YES"}), frozenset({"FALSE", "F", "0", "NO"})


@dataclass(frozen=True)
class ComplexDefinition:
    """A resource. ``consumable``: ``YES`` is used up by each slot, ``JOB`` by each job, ``NO`` is a fixed value."""

    name: str
    shortcut: str
    type: str
    relation: str = "<="
    consumable: str = "NO"
    requestable: bool = True

    def announced(self) -> Complex:
        """Return it as the jobs area sees it."""
        return Complex(self.name, self.shortcut, self.type, self.requestable, consumable=self.consumable != "NO")

    def amount(self, text: str) -> Any:
        """Return the value that `text` says: a quantity, a truth value, or text.

        Raises
        ------
        InvalidArgument
            If it is no value of the type.
        """
        if self.type == "MEMORY":
            return parse_memory(text)
        if self.type == "TIME":
            return parse_time(text)
        if self.type in {"INT", "DOUBLE"}:
            if not _NUMBER.match(text) or (self.type == "INT" and "." in text):
                kind = "a whole number" if self.type == "INT" else "a number"
                raise InvalidArgument(f"{text!r} is not {kind} of 0 or more.")
            return int(text) if self.type == "INT" else Fraction(text)
        if self.type == "BOOL":
            if text.upper() not in _YES | _NO:
                raise InvalidArgument(f"{text!r} is neither TRUE nor FALSE.")
            return text.upper() in _YES
        if self.type in {"RESTRING", "HOST"} and set(text) & set("&()"):
            raise InvalidArgument("the embedded cluster knows | between alternatives, * ? [] and a leading !.")
        return text.lower() if self.type in {"CSTRING", "HOST"} else text

    def suits(self, asked: str, there: str) -> bool:
        """Tell whether a fixed value `there` is what was `asked` for, by type and relation."""
        if self.type in {"RESTRING", "HOST"}:
            # The host's own value is no pattern: it is taken as it stands.
            return matches(self.amount(asked), there.lower() if self.type == "HOST" else there)
        return bool(RELATIONS[self.relation](self.amount(asked), self.amount(there)))

    def check_request(self, text: str) -> None:
        """Make sure that a job may ask for the value `text`. Raises InvalidArgument if not."""
        amount = self.amount(text)
        if self.name in _ABOVE_ZERO and amount <= 0:
            raise InvalidArgument(f"expected more than 0 {'seconds' if self.type == 'TIME' else 'bytes'}.")
        if self.consumable != "NO" and math.isinf(amount):
            raise InvalidArgument("expected how many; there is no end of what a host has.")


#: Limits that jobs may set themselves and queues set for them (``queue_conf(5)``, resource limits).
LIMITS: Mapping[str, str] = {
    **{f"{edge}_{what}": "TIME" for what in ("rt", "cpu") for edge in "hs"},
    **{f"{edge}_{what}": "MEMORY" for what in ("vmem", "core", "data", "fsize", "stack") for edge in "hs"},
}
#: A job with none of these could do nothing at all; the others may be 0 (no core file, no growing file).
_ABOVE_ZERO = frozenset({"h_rt", "s_rt", "h_cpu", "s_cpu", "h_vmem", "s_vmem", "h_data", "h_stack"})

#: Names, shortcuts, types and relations of Grid Engine's own complexes.
STANDARD = (
    ComplexDefinition("arch", "a", "RESTRING", "=="),
    ComplexDefinition("hostname", "h", "HOST", "=="),
    ComplexDefinition("mem_total", "mt", "MEMORY"),
    ComplexDefinition("num_proc", "p", "INT", "=="),
    ComplexDefinition("qname", "q", "RESTRING", "=="),
    *(ComplexDefinition(name, name, kind) for name, kind in LIMITS.items()),
    # As in Grid Engine, slots are asked for by -pe, never by -l.
    ComplexDefinition("slots", "s", "INT", consumable="YES", requestable=False),
)
