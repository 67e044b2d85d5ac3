"""An IPython shell around the cell, made when it is first needed."""

from __future__ import annotations

import io
import os
import sys

from .plain_display import needs_rich_display, plain_bundle, plain_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, NoReturn

    from .displays import Displays

__all__ = ["Rich", "find_module"]


class Rich:
    """Shows values: through an IPython shell where one can be had and is needed, else plainly.

    The shell costs a fifth of a second, so a cell that only computes never makes one.
    """

    def __init__(self, displays: Displays, main: ModuleType) -> None:
        self.displays = displays
        self.shell: Any = None
        self._main = main
        self._making = False
        self.available = find_module("IPython")

    def install(self) -> None:
        """Give the cell ``display``, ``get_ipython`` (if IPython is there) and an ``input`` that says why not."""
        import builtins

        builtins.__dict__["display"] = self._display
        if self.available:
            builtins.__dict__["get_ipython"] = self._get_ipython
        builtins.input = _no_input

    def ensure(self) -> Any:
        """Return the shell, made now if need be; None where there is no IPython or it is being made."""
        if self.shell is None and self.available and not self._making:
            self._making = True
            try:
                self.shell = make_shell(self.displays, self._main)
            finally:
                self._making = False
            import builtins

            from IPython.display import display

            builtins.__dict__["display"] = display
            builtins.__dict__["get_ipython"] = self.shell.get_ipython
            builtins.input = _no_input
        return self.shell

    def _display(self, *values: Any, **options: Any) -> Any:
        if self.ensure() is None:
            return plain_display(self.displays, *values, **options)
        import IPython.display

        show: Callable[..., Any] = IPython.display.display
        return show(*values, **options)

    def _get_ipython(self) -> Any:
        return self.ensure()

    def result(self, value: object) -> None:
        """Send the value of the cell's last expression."""
        shell = self.shell or (self.ensure() if needs_rich_display(value) else None)
        bundle = plain_bundle(value) if shell is None else shell.display_formatter.format(value)
        self.displays.send("result", *bundle)

    def finish(self) -> None:
        """Do what a notebook does after a cell: show the figures that are open and close them."""
        if self.shell is not None:
            self.shell.events.trigger("post_execute")
        figures = sys.modules.get("matplotlib._pylab_helpers")
        if self.shell is not None or figures is None:
            return
        for manager in figures.Gcf.get_all_fig_managers():
            content = io.BytesIO()
            manager.canvas.figure.savefig(content, format="png", bbox_inches="tight")
            data = {"text/plain": repr(manager.canvas.figure), "image/png": content.getvalue()}
            self.displays.send("display", data, {}, display_id=None)
        figures.Gcf.destroy_all()


def _no_input(prompt: object = "") -> NoReturn:
    raise EOFError(
        f"input({str(prompt)!r}) was called in a job, where nobody can answer. "
        "Put the value into a variable before the cell is submitted."
    )


def make_shell(displays: Displays, main: ModuleType) -> Any:
    """Make an IPython shell around the cell's namespace: its displays are our events, and it remembers nothing."""
    import atexit
    import tempfile

    from IPython.core.profiledir import ProfileDir
    from traitlets.config import Config

    folder = tempfile.TemporaryDirectory(prefix="gcs_lab-")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor" if _ipython_major() < 9 else "nocolor"  # noqa: PLR2004
    config.InteractiveShell.display_page = True
    profile_class: Any = ProfileDir
    shell = _shell_class(displays).instance(
        config=config,
        ipython_dir=folder.name,
        profile_dir=profile_class.create_profile_dir(folder.name),
        user_module=main,
        user_ns=main.__dict__,
    )
    atexit.register(_clean_up_in, os.getpid(), folder)
    # Both would serve a person at a keyboard.
    sys.excepthook = sys.__excepthook__
    for name in ("exit", "quit"):
        main.__dict__.pop(name, None)
    return shell


def _shell_class(displays: Displays) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    class Publisher(DisplayPublisher):
        def publish(  # type: ignore[override,unused-ignore]
            self,
            data: dict[str, Any],
            metadata: dict[str, Any] | None = None,
            *_: object,
            transient: dict[str, Any] | None = None,
            update: bool = False,
            **__: object,
        ) -> None:
            display_id = (transient or {}).get("display_id")
            displays.send("update_display" if update else "display", data, metadata, display_id=display_id)

        def clear_output(self, wait: bool = False) -> None:
            displays.clear(wait=wait)

    class Hook(DisplayHook):
        def __call__(self, result: object = None) -> None:
            if result is not None:
                shell: Any = self.shell
                displays.send("result", *shell.display_formatter.format(result))

    class JobShell(InteractiveShell):
        def init_virtualenv(self) -> None:
            """Leave sys.path as the cell's."""

        def enable_gui(self, gui: object = None) -> None:
            """Do nothing: a job has no event loop of a window system."""

        def ask_exit(self) -> None:
            """Do nothing: the cell ends when its code does."""

        def atexit_operations(self) -> None:
            """Leave the variables to the exit handlers that the cell registered."""

    shell_class: Any = JobShell
    shell_class.displayhook_class = Hook
    shell_class.display_pub_class = Publisher
    return shell_class


def _clean_up_in(pid: int, folder: Any) -> None:
    # A process that the cell forked leaves through here too, and must not take the folder away.
    if os.getpid() == pid:
        folder.cleanup()


def _ipython_major() -> int:
    import IPython

    return int(IPython.version_info[0])


def find_module(name: str) -> bool:
    """Tell whether a top-level module could be imported, without importing it."""
    from importlib.machinery import PathFinder

    return PathFinder.find_spec(name) is not None
