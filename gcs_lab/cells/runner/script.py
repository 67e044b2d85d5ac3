# ruff: noqa: PTH100, PTH110, PTH112, PTH118, PTH119, PTH120
# Importing pathlib alone would add a tenth to the start of every job.
"""A cell in another language, from its spec to its end."""

from __future__ import annotations

import json
import os
import signal
import sys

from .displays import Displays
from .end_line import plain_results, short_error
from .exit_status import EXIT_OUTPUT_LOST, EXIT_UPSTREAM_FAILED
from .frames import END
from .last_words import telling_line
from .point_file import POINTS, read_point
from .private_file import write_all, write_whole
from .script_paths import standard_path
from .script_process import ScriptProcess, block_signals, named
from .script_results import ScriptResults
from .script_values import place_value
from .strict_json import to_json
from .upstream import UpstreamFailed, check_upstreams, upstream_error, values_from_jobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .channel import Channel

__all__ = ["Script"]

_LINES_TOLD = 10
_NO_CORE = (0, 0)


class Script:
    """Runs one script in the child process.

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
        self._script: dict[str, Any] = spec["script"]
        self._channel = channel
        self._language = str(spec["lang"])
        self._process: ScriptProcess | None = None
        self._results: ScriptResults | None = None
        self._error = ""

    def run(self) -> int:
        """Run it, collect what it leaves, and return the exit status."""
        block_signals()
        status = 1
        try:
            self._prepare()
            status = self._run()
        except UpstreamFailed as error:
            status = EXIT_UPSTREAM_FAILED
            self._error = short_error(type(error).__name__, str(error))
            self._channel.event({"type": "error", **upstream_error(error)})
        except Exception as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            text = f"the {self._language} script did not start: {error}"
            self._tell_error(type(error).__name__, text, missing_module=missing)
        status = self._collect(status)
        self._channel.post(END, self._last_word("error" if status else "done"))
        if status < 0:
            _die_of(-status)
        return status

    def _last_word(self, reason: str) -> bytes:
        word = {"reason": reason, "error": self._error}
        if not self._spec.get("sweep") or self._results is None:
            return to_json(word)
        values = self._results.values
        results, types = plain_results(values, list(values))
        types.update(dict.fromkeys(self._results.copied, "file"))
        return json.dumps({**word, "results": results, "types": types}, ensure_ascii=False).encode("utf-8", "replace")

    def _prepare(self) -> None:
        """Set the working folder and the environment.

        Raises
        ------
        UpstreamFailed
            If an earlier job that it needs did not end well.
        Exception
            If a value cannot be had, or a script cannot take it.
        """
        spec, script = self._spec, self._script
        os.chdir(spec["cwd"])
        check_upstreams(spec)
        os.environ["SGE_CWD_PATH"] = spec["cwd"]
        os.environ.update(script.get("variables") or {})
        values: dict[str, Any] = {}
        if spec.get("sweep"):
            self._reach_modules()
            values.update(read_point(os.path.join(self._folder, POINTS), spec["task"]))
        if spec.get("from_jobs"):
            self._reach_modules()
            values.update(values_from_jobs(spec))
        for name, value in values.items():
            wanted = (script.get("suffixes") or {}).get(name, "")
            os.environ[name], _ = place_value(self._own_folder("inputs"), name, value, wanted)
        files, names = script.get("files") or {}, list(script.get("names") or ())
        self._results = ScriptResults(self._place, spec["cwd"], files, names, os.environ)
        self._results.prepare()
        os.environ["GCS_LAB_OUT"] = self._results.values_file

    def _run(self) -> int:
        script = self._script
        os.environ["JOB_SCRIPT"] = path = self._written()
        copies, stdin = self._standard_files()
        program = self._program()
        # A minus before its name makes a shell a login shell (bash(1), INVOCATION).
        first = f"-{os.path.basename(program)}" if script.get("login") else program
        command = [first, *(script.get("arguments") or ()), path]
        self._process = process = ScriptProcess(program, command, stdin, joined=bool(script.get("join")))
        process.listen("stdout", sys.stdout, copies.get("stdout"))  # type: ignore[arg-type]
        # Messages name the script as the notebook calls the cell.
        shown = (path, str(self._spec.get("display_name") or "the script"))
        process.listen("stderr", sys.stderr, copies.get("stderr"), shown)  # type: ignore[arg-type]
        status = process.wait()
        if status:
            self._tell_status(status)
        return status

    def _reach_modules(self) -> None:
        """Let values be rebuilt that need the notebook's modules, or cloudpickle."""
        fallback = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fallback")
        sys.path += [entry for entry in (*(self._spec.get("sys_path") or ()), fallback) if entry not in sys.path]

    def _own_folder(self, name: str) -> str:
        folder = os.path.join(self._place, name)
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        return folder

    def _written(self) -> str:
        """Write the source to a file beside the spec, where the tasks of a sweep share it; return its path."""
        path = os.path.join(self._folder, f"script{self._script.get('suffix') or ''}")
        source = str(self._spec["source"]).encode("utf-8", "surrogateescape")
        if not os.path.exists(path):
            write_whole(path, lambda descriptor: write_all(descriptor, source))
        return path

    def _program(self) -> str:
        import shutil

        program = str(self._script["program"])
        found = shutil.which(program)
        if found is None:
            raise FileNotFoundError(
                f"there is no {program} on {os.uname().nodename}, where the job runs. Install {self._language} there,"
                " give its path there with --lang, or ask for a host that has it (-l hostname=…, -q …, --module …)."
            )
        return found

    def _standard_files(self) -> tuple[dict[str, int], int]:
        """Open the files of ``-o``, ``-e`` and ``-i``, as a scheduler does: what is there already is kept.

        Raises
        ------
        OSError
            If one cannot be opened; the message names it, and the folder that is not there.
        """
        script, cwd = self._script, str(self._spec["cwd"])
        copies: dict[str, int] = {}
        for name, letter in (("stdout", "o"), ("stderr", "e")):
            if script.get(name) and not (name == "stderr" and script.get("join")):
                path = standard_path(script[name], letter, cwd, os.environ)
                copies[name] = _opened(path, f"-{letter}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.environ[f"SGE_{name.upper()}_PATH"] = path
        if "stdout" in copies and script.get("join"):
            os.environ["SGE_STDERR_PATH"] = os.environ["SGE_STDOUT_PATH"]
        path = standard_path(script["stdin"], "i", cwd, os.environ) if script.get("stdin") else os.devnull
        return copies, _opened(path, "-i", os.O_RDONLY)

    def _collect(self, status: int) -> int:
        """Keep what the script left; return the job's exit status (below 0: the signal that ended it)."""
        if self._results is None:
            return status
        displays = Displays(self._channel, self._place)
        try:
            self._results.collect(self._channel, displays, strict=status == 0)
        except FileNotFoundError as error:
            self._tell_error("FileNotFoundError", f"the {self._language} script is not done: {error}")
            return status or 1
        except OSError as error:
            self._tell_error(type(error).__name__, f"what the {self._language} script left was not kept: {error}")
            return status or EXIT_OUTPUT_LOST
        return status

    def _tell_status(self, status: int) -> None:
        if status < 0:
            names = {number.value: number.name for number in signal.Signals}
            how = f"was killed by {names.get(-status, f'signal {-status}')}"
        else:
            how = f"ended with exit status {status}"
        last = self._process.last_lines(_LINES_TOLD) if self._process is not None else []
        shown = str(self._spec.get("display_name") or "the script")
        last = [named(line, os.environ["JOB_SCRIPT"], shown) for line in last]
        telling = telling_line(self._language, last)
        evalue = f"the {self._language} script {how}{': ' + telling if telling else ''}"
        if len(last) > 1:
            evalue = "\n".join([evalue, "The last that it said on standard error:", *(f"  {line}" for line in last)])
        self._tell_error("ScriptFailed", evalue)

    def _tell_error(self, ename: str, evalue: str, *, missing_module: str | None = None) -> None:
        self._error = self._error or short_error(ename, evalue)
        body = {"ename": ename, "evalue": evalue, "frames": [], "traceback": [f"{ename}: {evalue}"], "notes": []}
        self._channel.event(
            {"type": "error", **body, "payload": False, "cause": None, "missing_module": missing_module}
        )


def _opened(path: str, option: str, how: int) -> int:
    """Open a file that an option of qsub names, or raise the OSError that says what is wrong with it."""
    try:
        return os.open(path, how | os.O_CLOEXEC, 0o644)
    except OSError as error:
        folder, why = os.path.dirname(path), error.strerror or str(error)
        if not os.path.isdir(folder):
            why = f"there is no folder {folder} on {os.uname().nodename}, and no scheduler makes one; make it before"
        raise type(error)(f"{option} {path}: {why}") from None


def _die_of(number: int) -> None:
    """End this process by the signal that ended the script, so that the supervisor sees what happened."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, _NO_CORE)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
