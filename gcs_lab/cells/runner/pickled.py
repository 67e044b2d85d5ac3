"""Values as pickles: plain where that will do, by cloudpickle where code must travel."""

from __future__ import annotations

import pickle
import sys

from .error_report import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Pickled", "pickle_values", "pickle_what_can_be"]


class Pickled:
    """One dict of values as a pickle and its out-of-band buffers."""

    def __init__(self, data: bytes, buffers: list[memoryview]) -> None:
        self.data = data
        self.buffers = buffers


def pickle_values(values: Mapping[str, object], by_value: Sequence[str] = ()) -> Pickled:
    """Pickle `values` as one dict, so that what they share stays shared.

    Plain pickle does it where it can. What lives in ``__main__`` or in a module named in `by_value` does not exist on
    the other side under that name, so it goes through cloudpickle, as does what plain pickle refuses.

    Raises
    ------
    Exception
        Whatever a value raises when it is pickled (``TypeError``, ``PicklingError`` …).
    """
    buffers: list[pickle.PickleBuffer] = []
    plain = dict(values)
    try:
        data = pickle.dumps(plain, protocol=5, buffer_callback=buffers.append)
    except MemoryError:
        raise
    except Exception:
        data = b""
    # A reference by name must spell the module; any other occurrence of the word only costs time.
    if data and not any(name.encode() in data for name in ("__main__", *by_value)):
        return Pickled(data, [buffer.raw() for buffer in buffers])
    return _cloudpickle_values(plain, by_value)


def _cloudpickle_values(values: dict[str, object], by_value: Sequence[str]) -> Pickled:
    import cloudpickle

    registered = [
        sys.modules[name]
        for name in by_value
        if name in sys.modules and name not in cloudpickle.list_registry_pickle_by_value()
    ]
    buffers: list[pickle.PickleBuffer] = []
    for module in registered:
        cloudpickle.register_pickle_by_value(module)
    try:
        data = cloudpickle.dumps(values, protocol=5, buffer_callback=buffers.append)
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
    return Pickled(data, [buffer.raw() for buffer in buffers])


def pickle_what_can_be(
    values: Mapping[str, object], by_value: Sequence[str] = ()
) -> tuple[dict[str, object], Pickled, dict[str, dict[str, str]]]:
    """Pickle all values, or those that can be; return them, the pickle, and ``{name: {type, why}}`` of the others."""
    try:
        return dict(values), pickle_values(values, by_value), {}
    except Exception:
        good: dict[str, object] = {}
        skipped: dict[str, dict[str, str]] = {}
        for name, value in values.items():
            try:
                pickle_values({name: value}, by_value)
                good[name] = value
            except Exception as error:
                skipped[name] = {"type": _type_name(type(value)), "why": one_line(error)}
        return good, pickle_values(good, by_value), skipped


def _type_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
