"""Which values need a missing module: all are rebuilt with stand-ins for what it has, and looked through."""

from __future__ import annotations

import io
import pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["names_that_need"]


class _StandIn:
    """Takes the place of whatever a missing module has."""

    def __new__(cls, *_: object, **__: object) -> Any:
        return object.__new__(cls)

    def __setstate__(self, _: object) -> None:
        return


class _LenientUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except ImportError:
            return _StandIn


class _StandInFinder(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        if value is _StandIn or isinstance(value, _StandIn):
            raise LookupError
        return NotImplemented


def _holds_stand_in(value: object) -> bool:
    try:
        _StandInFinder(io.BytesIO(), protocol=5, buffer_callback=lambda _: None).dump(value)
    except LookupError:
        return True
    except Exception:
        return False
    return False


def names_that_need(data: Any, buffers: list[Any]) -> list[str]:
    """Return the names whose values hold something of a missing module: rebuild all with stand-ins and look."""
    try:
        values = _LenientUnpickler(io.BytesIO(data), buffers=buffers).load()
    except Exception:
        return []
    return [name for name, value in values.items() if _holds_stand_in(value)]
