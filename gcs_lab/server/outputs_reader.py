"""What a job drew and returned, as a notebook would show it now: outputs of nbformat, from the event log."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.event_log import EventLog

if TYPE_CHECKING:
    from gcs_lab.cells.event_log import Event
    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.server.log_index import Stop

__all__ = ["OutputsReader", "outputs_of"]

#: Bytes of all outputs in one answer, and how many there may be.
MOST_BYTES = 20_000_000
MOST_OUTPUTS = 500
_MOST_KEPT = 8
#: Room for changes in a version, which begins with the second in which the job started.
_CHANGES = 1 << 22


class OutputsReader:
    """The outputs of one event log, kept up with what is new alone. Any thread may ask; they take turns.

    Displays are changed in place by their id, and cleared, as a notebook does it. What goes beyond 20 MB or 500
    outputs is counted and left out.

    Parameters
    ----------
    folder
        The job folder, or that of a task.
    execution_count
        Number of the cell, for its result.
    """

    def __init__(self, folder: JobFolder, execution_count: int) -> None:
        self._folder, self._execution_count = folder, execution_count
        self._lock = threading.Lock()
        self._log = EventLog(folder.events)
        self._reset()

    def _reset(self) -> None:
        self._generation = self._log.generation
        self._began = self._changes = 0
        self._clear()

    def _clear(self) -> None:
        self._outputs: list[dict[str, Any]] = []
        #: Bytes of each, as far as they stand in the log, and of their large parts.
        self._sizes: list[int] = []
        self._by_id: dict[str, list[int]] = {}
        self._clears_next = False
        self._left_out = 0

    def read(self, stop: Stop | None = None) -> tuple[list[dict[str, Any]], int, str]:
        """Return outputs, version and note of an ``IOutputs``.

        Raises
        ------
        OSError
            If the log is there and cannot be read.
        InvalidState
            If nobody waits any more.
        """
        with self._lock:
            while events := self._log.read():
                if stop is not None:
                    stop.check()
                if self._log.generation != self._generation:
                    self._reset()
                for event in events:
                    self._take(event)
            outputs = [self._resolved(output) for output in self._outputs]
            return outputs, self._began * _CHANGES + self._changes, self._note()

    def _take(self, event: Event) -> None:
        body = event.body
        match event.type:
            case "started":
                self._began = self._began or int(event.t)
                if self._outputs or self._left_out:
                    # It runs again: what it drew and how it ended before is void.
                    self._clear()
                    self._changes += 1
            case "stream":
                if self._clears_next:
                    self._clear()
                    self._changes += 1
            case "display" | "result" | "update_display":
                self._take_display(event.type, body)
            case "error":
                self._add(_error(body))
            case "clear_output":
                if body.get("wait"):
                    self._clears_next = True
                else:
                    self._clear()
                self._changes += 1

    def _take_display(self, kind: str, body: dict[str, Any]) -> None:
        bundle = {"data": body.get("data") or {}, "metadata": body.get("metadata") or {}}
        if kind == "update_display":
            self._update(str(body.get("display_id")), bundle)
        elif kind == "result":
            count = self._execution_count or None
            self._add({"output_type": "execute_result", "execution_count": count, **bundle})
        else:
            self._add({"output_type": "display_data", **bundle}, body.get("display_id"))

    def _add(self, output: dict[str, Any], display_id: str | None = None) -> None:
        if self._clears_next:
            self._clear()
        self._changes += 1
        size = self._size(output)
        # An error is always told: it is what somebody looks for.
        fits = len(self._outputs) < MOST_OUTPUTS and sum(self._sizes) + size <= MOST_BYTES
        if not fits and output["output_type"] != "error":
            self._left_out += 1
            return
        if display_id:
            self._by_id.setdefault(display_id, []).append(len(self._outputs))
        self._outputs.append(output)
        self._sizes.append(size)

    def _update(self, display_id: str, bundle: dict[str, Any]) -> None:
        size = self._size(bundle)
        for place in self._by_id.get(display_id, ()):
            self._changes += 1
            if sum(self._sizes) - self._sizes[place] + size > MOST_BYTES:
                bundle = {"data": {"text/plain": f"[an output of {size / 1e6:.1f} MB is left out]"}, "metadata": {}}
                size = 0
            self._outputs[place] = self._outputs[place] | bundle
            self._sizes[place] = size

    def _size(self, output: dict[str, Any]) -> int:
        size = 0
        for part in (output.get("data") or {}).values():
            if isinstance(part, dict) and isinstance(part.get("$file"), str):
                try:
                    size += (self._folder.files / Path(part["$file"]).name).stat().st_size
                except OSError:
                    continue
            else:
                size += len(part) if isinstance(part, str) else len(json.dumps(part))
        return size

    def _resolved(self, output: dict[str, Any]) -> dict[str, Any]:
        return self._log.resolve(output) if "data" in output else output

    def _note(self) -> str:
        if not self._left_out:
            return ""
        what = "1 output is" if self._left_out == 1 else f"{self._left_out:,} outputs are"
        return (
            f"{what} left out: at most {MOST_OUTPUTS} and {MOST_BYTES // 1_000_000} MB are shown. All of them are in "
            f"{self._folder.path}."
        )


def _error(body: dict[str, Any]) -> dict[str, Any]:
    drawn = body.get("drawn") or body.get("traceback") or []
    lines = drawn.split("\n") if isinstance(drawn, str) else [str(line) for line in drawn]
    ename, evalue = str(body.get("ename") or "Error"), str(body.get("evalue") or "")
    return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": lines or [f"{ename}: {evalue}"]}


_kept: OrderedDict[tuple[str, int], OutputsReader] = OrderedDict()
_lock = threading.Lock()


def outputs_of(folder: JobFolder, execution_count: int, stop: Stop | None = None) -> tuple[list[Any], int, str]:
    """Return the outputs of a job, or of a task of a sweep, as :meth:`OutputsReader.read` does.

    Raises
    ------
    UntrustedFile
        If another user could have written the log.
    OSError, InvalidState
        As :meth:`OutputsReader.read`.
    """
    if not folder.events.exists():
        return [], 0, ""
    folder.check_trusted(folder.events)
    key = (str(folder.path), execution_count)
    with _lock:
        reader = _kept.setdefault(key, OutputsReader(folder, execution_count))
        _kept.move_to_end(key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return reader.read(stop)
