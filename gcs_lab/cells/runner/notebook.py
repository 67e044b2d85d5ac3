# ruff: noqa: PTH118, PTH119
# Importing pathlib alone would add a tenth to the start of every job.
"""A whole notebook as a job: papermill runs it in a kernel, and every step is written to the output notebook."""

from __future__ import annotations

import os
import signal
import sys
import time

from .displays import Displays
from .kernel_errors import KernelErrors
from .notebook_failure import NotebookCellFailed, died_in_cell
from .notebook_progress import NotebookProgress
from .signals import ENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .channel import Channel

__all__ = ["NotebookRun"]


#: Seconds between writes of the output notebook while a cell shows something, and the least share of the time in
#: which it is not being written (a notebook of many megabytes takes its time).
_SAVE_SECONDS, _SAVE_SHARE = 2.0, 20
#: Seconds that a kernel may take to start: the first import from a network file system is slow.
_START_SECONDS = 300
#: A unix socket's path may have 107 bytes, of which jupyter_client adds some.
_LONGEST_SOCKET_FOLDER = 80
_PR_SET_PDEATHSIG = 1


class NotebookRun:
    """Runs a notebook in the place of a cell's code.

    Parameters
    ----------
    wanted
        ``spec.json``'s ``notebook_run`` (docs/event-log.md).
    channel
        Where progress is told.
    folder
        Where large parts of displays go.
    """

    def __init__(self, wanted: dict[str, Any], channel: Channel, folder: str) -> None:
        self._wanted = wanted
        self._progress = NotebookProgress(channel, Displays(channel, folder))
        self._papermill: Any = None

    def run(self, show: Callable[[object], object]) -> None:  # noqa: ARG002  (there is no last value to show)
        """Run it to its end.

        Raises
        ------
        NotebookCellFailed
            If a cell raised; the output notebook has it.
        OSError
            If the output notebook cannot be written.
        """
        self._import()
        exceptions = sys.modules["papermill.exceptions"]
        output = OutputNotebook(self._wanted["output"])
        manager = _manager_class(output, self._progress)
        sockets = _SocketFolder()

        def finish() -> None:
            if manager.latest is not None:
                output.write(manager.latest.nb)
            sockets.remove()

        _before_the_end(finish)
        sys.modules["papermill.engines"].papermill_engines.register("gcs_lab", _engine_class(manager, sockets))
        try:
            self._papermill.execute_notebook(
                # Papermill would put parameters where a path has braces.
                self._wanted["path"].replace("{", "{{").replace("}", "}}"),
                None,
                parameters=self._wanted.get("parameters") or {},
                engine_name="gcs_lab",
                kernel_name=self._wanted.get("kernel"),
                progress_bar=False,
            )
        except exceptions.PapermillExecutionError as error:
            failure = NotebookCellFailed.of(error, os.path.basename(self._wanted["path"]), self._progress)
            # Papermill has marked the cell since.
            output.write(manager.latest.nb)
            self._progress.end()
            raise failure from None
        except Exception as error:
            self._progress.end(died=True)
            raise died_in_cell(error, os.path.basename(self._wanted["path"]), self._progress) from None
        output.insist()
        self._progress.end()

    def close(self) -> None:
        """Nothing is left running: the kernel ended with the notebook."""

    def _import(self) -> None:
        import logging
        import warnings

        with warnings.catch_warnings():
            # tqdm's word that there are no widgets, and the like: nobody here needs them.
            warnings.simplefilter("ignore")
            import papermill
            import papermill.engines
        logging.getLogger("papermill").setLevel(logging.ERROR)
        self._papermill = papermill


class OutputNotebook:
    """The notebook that is written while it runs: always whole, so that it can be opened at any time.

    Parameters
    ----------
    path
        Where; it is written under a hidden name beside it and renamed.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self._failure: OSError | None = None

    def write(self, notebook: Any) -> None:
        """Write it now; a failure is told once and tried again the next time (a full disk may be mended)."""
        notebook.metadata.setdefault("papermill", {})["output_path"] = self.path
        try:
            self._write(notebook)
            self._failure = None
        except OSError as error:
            if self._failure is None:
                sys.stderr.write(f"{self.path} could not be written, the notebook goes on: {error}\n")
            self._failure = error

    def insist(self) -> None:
        """Raise OSError if what was to be written last is not there."""
        if self._failure is not None:
            raise self._failure

    def _write(self, notebook: Any) -> None:
        nbformat: Any = __import__("nbformat")
        folder, name = os.path.split(self.path)
        temporary = os.path.join(folder, f".{name}.{os.getpid()}.part")
        text = nbformat.writes(notebook)
        try:
            with open(temporary, "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(text if text.endswith("\n") else text + "\n")
            if os.path.exists(self.path):  # noqa: PTH110
                os.chmod(temporary, os.stat(self.path).st_mode & 0o777)  # noqa: PTH101, PTH116
            os.replace(temporary, self.path)  # noqa: PTH105
        except OSError:
            if os.path.exists(temporary):  # noqa: PTH110
                os.unlink(temporary)  # noqa: PTH108
            raise


def _manager_class(output: OutputNotebook, progress: NotebookProgress) -> Any:
    """Return papermill's record of a run, which writes to `output` and tells `progress`."""
    base: Any = sys.modules["papermill.engines"].NotebookExecutionManager

    class Manager(base):  # type: ignore[misc]
        latest: Any = None
        nb: Any

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            Manager.latest = self
            self._quiet = False

        def save(self, **more: Any) -> None:
            self.nb = more.get("nb") or self.nb
            if not self._quiet:
                output.write(self.nb)
            self.last_save_time = self.now()

        def notebook_start(self, **more: Any) -> None:
            progress.begin(self.nb)
            super().notebook_start(**more)

        def cell_start(self, cell: Any, cell_index: Any = None, **more: Any) -> None:
            # Text cells are passed in no time: the notebook is not written for them.
            self._quiet = not progress.cell_begins(cell_index)
            super().cell_start(cell, cell_index, **more)

        def cell_complete(self, cell: Any, cell_index: Any = None, **more: Any) -> None:
            super().cell_complete(cell, cell_index, **more)
            progress.cell_ends(cell_index, failed=cell.metadata.papermill["status"] == self.FAILED)
            self._quiet = False

    return Manager


def _before_the_end(finish: Callable[[], object]) -> None:
    """When a signal ends the job, do `finish` first: what the cell that runs has shown so far is kept."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        try:
            finish()
        finally:
            os.kill(os.getpid(), number)

    for number in ENDING:
        signal.signal(number, end)


def _engine_class(manager_class: Any, sockets: _SocketFolder) -> Any:
    """Return the engine that papermill runs the notebook with."""
    import asyncio

    from nbclient.util import run_sync
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine
    from papermill.log import logger

    client_base: Any = PapermillNotebookClient
    engine_base: Any = NBClientEngine

    class Client(client_base):  # type: ignore[misc]
        def execute(self, **kwargs: Any) -> Any:
            self._errors = KernelErrors()
            # The kernel is in a session of its own, where no scheduler would find it.
            return super().execute(
                cleanup_kc=True, preexec_fn=_dies_with_us(), stderr=self._errors.descriptor, **kwargs
            )

        async def _async_cleanup_kernel(self) -> None:
            self._errors.end()
            await super()._async_cleanup_kernel()

        _cleanup_kernel = run_sync(_async_cleanup_kernel)

        async def async_execute_cell(self, *args: Any, **kwargs: Any) -> Any:
            self._shown = False
            saving = asyncio.ensure_future(self._save_what_is_shown())
            try:
                return await super().async_execute_cell(*args, **kwargs)
            finally:
                saving.cancel()

        execute_cell = run_sync(async_execute_cell)

        def process_message(self, *args: Any, **kwargs: Any) -> Any:
            self._shown = True
            return super().process_message(*args, **kwargs)

        async def _save_what_is_shown(self) -> None:
            pause = _SAVE_SECONDS
            while True:
                await asyncio.sleep(pause)
                if self._shown:
                    self._shown = False
                    began = time.monotonic()
                    self.nb_man.save()
                    pause = max(_SAVE_SECONDS, _SAVE_SHARE * (time.monotonic() - began))

    class Engine(engine_base):  # type: ignore[misc]
        @classmethod
        def execute_notebook(cls, nb: Any, kernel_name: str, **_: Any) -> Any:
            # The client saves; papermill would only when the next message comes.
            manager = manager_class(nb, progress_bar=False, autosave_cell_every=0)
            manager.notebook_start()
            with sockets as folder:
                kernel = _kernel_manager(kernel_name, folder)
                client = Client(manager, km=kernel, timeout=None, startup_timeout=_START_SECONDS,
                                iopub_timeout=60, kernel_name=kernel_name, log=logger)  # fmt: skip
                if kernel.transport == "ipc":
                    # It is interrupted before it is told to end, and would log that as an error.
                    client.extra_arguments = ["--IPKernelApp.log_level=50"]
                try:
                    client.execute()
                finally:
                    manager.notebook_complete()
            return manager.nb

    return Engine


class _SocketFolder:
    """A private folder for the kernel's sockets, as a context; empty text if its path would be too long."""

    def __init__(self) -> None:
        self._folder = ""

    def __enter__(self) -> str:
        import tempfile

        self._folder = tempfile.mkdtemp(prefix="gcs-")
        return self._folder if len(self._folder) < _LONGEST_SOCKET_FOLDER else ""

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete it."""
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)


def _kernel_manager(name: str, folder: str) -> Any:
    """Return the manager of a kernel; to IPython's kernel unix sockets lead, so that jobs do not race for ports."""
    from jupyter_client.manager import AsyncKernelManager

    manager: Any = AsyncKernelManager(kernel_name=name)
    words = " ".join((manager.kernel_spec.argv if manager.kernel_spec else None) or [])
    if folder and "ipykernel" in words:
        manager.connection_file = os.path.join(folder, "kernel.json")
        manager.transport = "ipc"
        manager.ip = os.path.join(folder, "kernel")
    return manager


def _dies_with_us() -> Callable[[], None] | None:
    """Return what the kernel's process does first: ask to be killed when this process dies, however it dies."""
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return ask
