# ruff: noqa: PTH100, PTH110, PTH118, PTH120
# Importing pathlib alone would add a tenth to the start of every job.
"""One cell, from its spec to its end."""

from __future__ import annotations

import json
import os
import signal
import sys

from .cell_code import CellCode
from .cell_outputs import send_outputs, write_exception
from .displays import Displays
from .end_line import plain_results, short_error
from .error_report import ErrorReport, message_of
from .exit_status import EXIT_OUTPUT_LOST, EXIT_UPSTREAM_FAILED, exit_status_of
from .frames import END
from .import_watch import ImportWatch
from .payload import read_payload
from .point_file import POINTS, read_point
from .progress_bars import ProgressBars
from .rich_shell import Rich
from .strict_json import to_json
from .upstream import UpstreamFailed, check_upstreams, upstream_error, values_from_jobs
from .usage import status_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from .channel import Channel
    from .notebook import NotebookRun

__all__ = ["Cell"]


_RESERVE_BYTES = 16 << 20
#: The file that this package was loaded from; absolute, because the cell's working folder is another.
_ARCHIVE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Cell:
    """Runs one cell in the child process.

    Parameters
    ----------
    folder
        The job folder, absolute.
    spec
        What ``spec.json`` says.
    channel
        Where everything is told.
    """

    def __init__(self, folder: str, spec: dict[str, Any], channel: Channel) -> None:
        self._folder = folder
        #: Where this job writes: the folder, or for a task of a sweep its place in it.
        self._place: str = spec.get("place") or folder
        self._spec = spec
        self._channel = channel
        self._by_value: list[str] = list(spec.get("notebook_modules") or ())
        self._main: ModuleType = type(sys)("__main__")
        self._namespace: dict[str, Any] = self._main.__dict__
        # Functions that came along from other cells have their lines shown too.
        filename, source = str(spec["filename"]), spec["source"]
        self._sources = {**(spec.get("sources") or {}), filename: [spec["display_name"], source]}
        self._cells = {filename: str(name) for filename, (name, _) in self._sources.items()}
        self._code: CellCode | NotebookRun = CellCode(source, filename, self._namespace)
        if spec.get("notebook_run"):
            from .notebook import NotebookRun

            self._code = NotebookRun(spec["notebook_run"], channel, self._place)
        self._report = ErrorReport(self._cells)
        self._rich: Rich | None = None
        self._reserve = _reserve_memory()
        self._left: list[str] = []
        self._error = ""

    def run(self) -> int:
        """Run it, send back what it leaves, and return the exit status."""
        reason, status = "done", 0
        try:
            self._prepare()
            self._code.run(self._show)
        except SystemExit as leaving:
            reason, status = "exit", exit_status_of(leaving)
        except UpstreamFailed as error:
            reason, status = "error", EXIT_UPSTREAM_FAILED
            self._tell_error(error)
        except BaseException as error:  # an interrupt is an outcome like any other
            reason, status = "error", 1
            self._tell_error(error)
        if self._channel.detached:
            # A process that the cell forked and that came out of the cell's end; the cell itself goes on elsewhere.
            return status
        reason, status = self._finish(reason, status)
        # The outcome stands. Python puts the default back when it ends, by which an interrupt told twice would kill.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._channel.post(END, self._last_word(reason))
        return status

    def _last_word(self, reason: str) -> bytes:
        """Return what the supervisor hears at the end; of a sweep's task with the results that a table shows."""
        word = to_json({"reason": reason, "error": self._error, **_peaks()})
        if not self._spec.get("sweep"):
            return word
        results, types = plain_results(self._namespace, self._left)
        # Python's JSON: a result may be NaN.
        more = json.dumps({"results": results, "types": types}, ensure_ascii=False, separators=(",", ":"))
        return word[:-1] + b"," + more.encode("utf-8", "replace")[1:]

    def _finish(self, reason: str, status: int) -> tuple[str, int]:
        steps: list[Callable[[], object]] = [
            self._code.close,
            self._show_figures,
            lambda: self._send_outputs(strict=status == 0),
        ]
        for step in steps:
            try:
                step()
            except BaseException as error:
                self._tell_error(error)
                lost = isinstance(error, OSError) and step is steps[-1]
                reason, status = "error", status or (EXIT_OUTPUT_LOST if lost else 1)
        return reason, status

    def _prepare(self) -> None:
        spec = self._spec
        os.chdir(spec["cwd"])
        ours = {os.path.realpath(self._folder), os.path.realpath(_ARCHIVE)}
        sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") not in ours]
        extra = [entry for entry in spec.get("sys_path") or () if os.path.exists(entry) and entry not in sys.path]
        sys.path[:] = [spec["cwd"], *sys.path, *extra, os.path.join(_ARCHIVE, "fallback")]
        self._namespace["__builtins__"] = __import__("builtins")
        sys.modules["__main__"] = self._main
        self._register_sources()
        displays = Displays(self._channel, self._place)
        self._rich = Rich(displays, self._main)
        self._rich.install()
        sys.meta_path.insert(0, ImportWatch(self._rich, ProgressBars(self._channel)))
        if spec.get("shell") and self._rich.ensure() is None:
            raise ModuleNotFoundError(
                f"the cell uses magics or !commands, which need IPython, and {sys.executable} has none. "
                "Install ipython there, name another Python for the job, or write the cell without them.",
                name="IPython",
            )
        self._bind()

    def _register_sources(self) -> None:
        import linecache
        import warnings

        for filename, (_, source) in self._sources.items():
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        shown, names = warnings.formatwarning, self._cells

        def formatwarning(message: Any, category: Any, filename: str, lineno: int, line: str | None = None) -> str:
            line = linecache.getline(filename, lineno) if line is None else line
            return shown(message, category, names.get(filename, filename), lineno, line)

        warnings.formatwarning = formatwarning

    def _bind(self) -> None:
        import importlib

        check_upstreams(self._spec)
        for name, module in (self._spec.get("imports") or {}).items():
            self._namespace[name] = importlib.import_module(module)
        if self._spec.get("inputs"):
            values, header = read_payload(os.path.join(self._folder, "inputs.payload"))
            self._namespace.update(values)
            for name, module in header["modules"].items():
                self._namespace[name] = importlib.import_module(module)
        if self._spec.get("sweep"):
            self._namespace.update(read_point(os.path.join(self._folder, POINTS), self._spec["task"]))
        self._namespace.update(values_from_jobs(self._spec))

    def _show(self, value: object) -> None:
        if value is None or self._rich is None:
            return
        self._namespace["_"] = value
        try:
            self._rich.result(value)
        except Exception as error:
            # As in a notebook: what cannot be shown does not make the cell fail.
            sys.stderr.write("".join(f"{line}\n" for line in self._report.body(error)["traceback"]))

    def _show_figures(self) -> None:
        if self._rich is not None:
            self._rich.finish()

    def _tell_error(self, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            self._reserve = None
        self._error = self._error or short_error(type(error).__name__, message_of(error))
        if isinstance(error, UpstreamFailed):
            self._channel.event({"type": "error", **upstream_error(error)})
            return
        try:
            path = os.path.join(self._place, "exception.payload")
            body = self._report.body(error, payload=write_exception(path, error, self._by_value))
        except Exception:
            body = {"ename": type(error).__name__, "evalue": message_of(error), "frames": [], "traceback": []}
            body.update(notes=[], payload=False, cause=None, missing_module=None)
        self._channel.event({"type": "error", **body})

    def _send_outputs(self, *, strict: bool) -> None:
        self._left = send_outputs(self._place, self._spec, self._namespace, self._channel, strict=strict)


def _reserve_memory() -> Any:
    """Return untouched address space that is given up when memory runs out, so that this can still be told."""
    import mmap

    try:
        return mmap.mmap(-1, _RESERVE_BYTES)
    except (OSError, ValueError):
        return None


def _peaks() -> dict[str, int]:
    peaks = status_bytes(os.getpid())
    return {"max_rss": peaks.get("VmHWM", 0), "max_vmem": peaks.get("VmPeak", 0)}
