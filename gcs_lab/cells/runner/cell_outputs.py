# ruff: noqa: PTH116, PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""What a cell leaves: its variables and its exception, in payload files."""

from __future__ import annotations

import os
import pickle
import sys

from .payload import write_pickled
from .pickled import pickle_values, pickle_what_can_be
from .private_file import remove_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from .channel import Channel

__all__ = ["send_outputs", "write_exception"]


def write_exception(path: str, error: BaseException, by_value: Sequence[str]) -> bool:
    """Pickle the exception if it comes back as the same type; return whether the file is there."""
    remove_file(path)
    try:
        pickled = pickle_values({"exception": error}, by_value)
        back = pickle.loads(pickled.data, buffers=pickled.buffers)["exception"]
        if type(back).__qualname__ != type(error).__qualname__:
            return False
        write_pickled(path, ["exception"], pickled, {}, {})
    except Exception:
        return False
    return True


def send_outputs(
    folder: str, spec: Mapping[str, Any], namespace: Mapping[str, Any], channel: Channel, *, strict: bool
) -> list[str]:
    """Write ``outputs.payload`` from what the cell has bound, tell what is in it, and return the names of the values.

    Raises
    ------
    OSError
        If it cannot be written.
    NameError
        If `strict` and a name that the user asked for was never bound.
    pickle.PicklingError
        If `strict` and a value that the user asked for cannot be pickled.
    """
    explicit = spec.get("explicit_outputs") or []
    wanted = list(dict.fromkeys([*(spec.get("outputs") or []), *explicit]))
    bound = {name: namespace[name] for name in wanted if name in namespace}
    modules = {name: value.__name__ for name, value in bound.items() if isinstance(value, type(sys))}
    stays = _code_that_stays(bound, spec)
    values = {name: value for name, value in bound.items() if name not in modules and name not in stays}
    good, pickled, skipped = pickle_what_can_be(values, spec.get("notebook_modules") or ())
    skipped = {**skipped, **stays}
    missing = [name for name in wanted if name not in bound]
    path = os.path.join(folder, "outputs.payload")
    write_pickled(path, list(good), pickled, modules, {"skipped": skipped, "missing": missing})
    told = {"names": [*good, *modules], "missing": missing, "skipped": skipped}
    channel.event({"type": "outputs", **told, "bytes": os.stat(path).st_size})
    if strict:
        _insist_on(explicit, skipped, missing)
    return list(good)


def _code_that_stays(bound: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the cell's functions and classes, with why, if the notebook's Python cannot run this one's bytecode."""
    theirs, ours = list(spec.get("python_version") or ()), list(sys.version_info[:2])
    if not theirs or theirs == ours:
        return {}
    here, there = (".".join(map(str, version)) for version in (ours, theirs))
    why = f"code of Python {here} cannot run in the notebook's Python {there}"
    code = (type, type(_code_that_stays))
    return {
        name: {"type": type(value).__name__, "why": why}
        for name, value in bound.items()
        if isinstance(value, code) and getattr(value, "__module__", None) == "__main__"
    }


def _insist_on(explicit: Iterable[str], skipped: Mapping[str, Mapping[str, str]], missing: Iterable[str]) -> None:
    absent = [name for name in explicit if name in set(missing)]
    if absent:
        raise NameError(f"the cell was to leave {', '.join(absent)}, and never bound it. Name what it does bind.")
    refused = [name for name in explicit if name in skipped]
    if refused:
        name = refused[0]
        raise pickle.PicklingError(
            f"the cell was to send back {name!r}, a {skipped[name]['type']} that cannot be pickled: "
            f"{skipped[name]['why']}. Leave something that can be, or write it to a file."
        )
