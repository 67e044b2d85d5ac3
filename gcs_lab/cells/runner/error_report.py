# ruff: noqa: PTH120
# Importing pathlib alone would add a tenth to the start of every job.
"""Exceptions in words: what an ``error`` event says."""

from __future__ import annotations

import itertools
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Any

__all__ = ["ErrorReport", "TellsItself", "message_of", "one_line"]


_FRAMES_KEPT = 100
_CAUSES_KEPT = 10
_LONGEST_TEXT = 20_000


class TellsItself(Exception):
    """An error that happened outside of this process; it says itself what the log tells of it.

    Parameters
    ----------
    message
        In one line.
    told
        Keys of the ``error`` event.
    """

    def __init__(self, message: str, told: dict[str, Any]) -> None:
        super().__init__(message)
        self.told = told


class ErrorReport:
    """Describes exceptions as the log does: without our frames, the cell under its display name.

    Parameters
    ----------
    cells
        File names of cells, with what to call them.
    """

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def body(self, error: BaseException, *, payload: bool = False, depth: int = 0) -> dict[str, Any]:
        """Return the keys of an ``error`` event (without ``type``)."""
        if isinstance(error, TellsItself):
            rest: dict[str, Any] = {"frames": [], "traceback": [], "notes": [], "cause": None, "missing_module": None}
            return {**rest, **error.told, "payload": False}
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return {
            "ename": type(error).__name__,
            "evalue": message_of(error),
            "frames": self._frames(error),
            "traceback": self._lines(error, chain=depth == 0),
            "notes": [str(note) for note in getattr(error, "__notes__", None) or ()],
            "payload": payload,
            "cause": self.body(cause, depth=depth + 1) if cause is not None and depth < _CAUSES_KEPT else None,
            "missing_module": error.name if isinstance(error, ModuleNotFoundError) else None,
        }

    def _frames(self, error: BaseException) -> list[dict[str, Any]]:
        frames = _frames_of_others(error.__traceback__)
        if len(frames) > 2 * _FRAMES_KEPT:
            frames = frames[:_FRAMES_KEPT] + frames[-_FRAMES_KEPT:]
        described = [self._frame(*frame) for frame in frames]
        if isinstance(error, SyntaxError) and error.filename:
            described.append(self._frame(error.filename, error.lineno or 1, "<module>", 1))
        return described

    def _frame(self, filename: str, lineno: int, name: str, firstlineno: int) -> dict[str, Any]:
        import linecache

        return {
            "filename": filename,
            "lineno": lineno,
            "firstlineno": firstlineno,
            "name": name,
            "line": linecache.getline(filename, lineno).strip(),
            "cell": filename in self._cells,
        }

    def _lines(self, error: BaseException, *, chain: bool) -> list[str]:
        import traceback

        try:
            described = traceback.TracebackException(type(error), error, error.__traceback__)
            _drop_our_frames(described, set())
            lines = "".join(described.format(chain=chain)).splitlines()
        except Exception:
            return [one_line(error)]
        return [shortened(self._renamed(line)) for line in lines]

    def _renamed(self, line: str) -> str:
        for filename, name in self._cells.items():
            line = line.replace(f'File "{filename}", line ', f"{name}, line ")
        return line


def one_line(error: BaseException) -> str:
    """Return the type and the first line of the message, at most 500 characters."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be shown)"
    return f"{type(error).__name__}: {text}".splitlines()[0][:500]


def shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"


def message_of(error: BaseException) -> str:
    """Return the message, shortened; one that cannot be had is told instead."""
    try:
        return shortened(str(error))
    except Exception as failure:
        return f"(its message cannot be shown: {type(failure).__name__})"


#: Where our modules are, as tracebacks name it; what was compiled beforehand bears a name of the archive's making.
_OURS = os.path.dirname(one_line.__code__.co_filename)


def _is_wanted(filenames: Sequence[str]) -> list[bool]:
    """Tell which frames to show: none of ours, nor those of asyncio by which we start a cell that awaits."""
    wanted = [os.path.dirname(filename) != _OURS for filename in filenames]
    asyncio = getattr(sys.modules.get("asyncio"), "__file__", None)
    if filenames and not wanted[0] and asyncio:
        for place, filename in enumerate(filenames):
            if os.path.dirname(filename) not in (_OURS, os.path.dirname(asyncio)):
                break
            wanted[place] = False
    return wanted


def _frames_of_others(trace: TracebackType | None) -> list[tuple[str, int, str, int]]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        # Up to Python 3.9 a module's code begins at its first statement, for later ones at line 1.
        first = 1 if code.co_name == "<module>" else code.co_firstlineno
        frames.append((code.co_filename, trace.tb_lineno, code.co_name, first))
        trace = trace.tb_next
    return list(itertools.compress(frames, _is_wanted([frame[0] for frame in frames])))


def _drop_our_frames(described: Any, seen: set[int]) -> None:
    if described is None or id(described) in seen:
        return
    seen.add(id(described))
    wanted = _is_wanted([frame.filename for frame in described.stack])
    described.stack[:] = list(itertools.compress(described.stack, wanted))
    for other in (described.__cause__, described.__context__, *(getattr(described, "exceptions", None) or ())):
        _drop_our_frames(other, seen)
