"""What the cockpit and the explorer have in common as widgets: a host that answers, one for each notebook cell.

They are anywidgets without synced state beside their program: all that they show travels as custom messages, so that
a saved notebook stays small. What the browser asks for reaches the kernel as in all live cards
(:mod:`gcs_lab.widgets.live_card`).
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import anywidget
from traitlets import Integer, Unicode

from gcs_lab.cockpit.front_end import front_end
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.widgets.live_card import follow_the_browser

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FacesOfCells", "HostedFace", "cell_of", "notebook_shell"]

_LEAST_HEIGHT = 200


class _Host(Protocol):
    """What answers a browser."""

    def receive(self, message: object) -> None: ...
    def close(self) -> None: ...


class _Page(Protocol):
    """What stands beside the widget for pages without a kernel."""

    def close(self) -> None: ...


H = TypeVar("H", bound=_Host)


class HostedFace(anywidget.AnyWidget, Generic[H]):
    """A widget whose messages a host answers. Close it (:meth:`close`) when it is not shown any more.

    Parameters
    ----------
    make_host
        Makes the host; it is given what sends a message to the browser.
    height
        Pixels.
    traits
        Of the widget's own.

    Raises
    ------
    InvalidArgument
        If the height is no whole number from 200 on.
    Internal
        If the front end was not built into this installation.
    """

    #: Name of the front end's files, and how another one is made.
    front_end: ClassVar[str]
    made_by: ClassVar[str]

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    _height = Integer(0).tag(sync=True)

    def __init__(
        self, make_host: Callable[[Callable[[dict[str, Any]], None]], H], height: int, **traits: Any
    ) -> None:
        if not isinstance(height, int) or isinstance(height, bool) or height < _LEAST_HEIGHT:
            raise InvalidArgument(
                f"the height is {height!r}; expected pixels, a whole number from {_LEAST_HEIGHT} on."
            )
        self._host: H | None = None
        #: What stands beside it for pages without a kernel, if there is one.
        self.page: _Page | None = None
        program, style = front_end(f"{self.front_end}.js"), front_end(f"{self.front_end}.css")
        host = make_host(self._send_message)
        try:
            super().__init__(_esm=program, _css=style, _height=height, **traits)
        except BaseException:
            host.close()
            raise
        self._host = host
        follow_the_browser(self.comm)
        self.on_msg(self._on_message)

    @property
    def host(self) -> H:
        """What answers the browser."""
        if self._host is None:
            raise InvalidState(f"the {self.front_end} was closed; {self.made_by} makes a new one.")
        return self._host

    def close(self) -> None:
        """Take it out of the page and the kernel; its threads end, and it asks for nothing more."""
        # Also called by the garbage collector, for one whose construction failed.
        host = getattr(self, "_host", None)
        if host is not None:
            self._host = None
            host.close()
        page = getattr(self, "page", None)
        if page is not None:
            page.close()
        super().close()

    def _send_message(self, message: dict[str, Any]) -> None:
        if self._host is not None:
            self.send(message)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if self._host is not None:
            self._host.receive(content)


F = TypeVar("F", bound=HostedFace[Any])


class FacesOfCells(Generic[F]):
    """The widget of each notebook cell that made one: one that is run again closes the one before."""

    def __init__(self) -> None:
        self._faces: weakref.WeakValueDictionary[str, F] = weakref.WeakValueDictionary()

    def close_of(self, cell: str) -> None:
        """Close the widget that a cell made before."""
        if (before := self._faces.pop(cell, None)) is not None:
            before.close()

    def keep(self, cell: str, face: F) -> None:
        """Remember the widget of a cell; a cell that is not known (``""``) has none."""
        if cell:
            self._faces[cell] = face


def notebook_shell() -> Any:
    """Return the shell of a kernel; None in a terminal or a script."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def cell_of(shell: Any) -> str:
    """Return the id of the running cell, where the front end tells it; empty otherwise."""
    try:
        return str(shell.get_parent()["metadata"].get("cellId", ""))
    except (AttributeError, KeyError, TypeError):
        return ""
