"""What all live cards have in common: they follow a model at a measured pace, and carry presses to the kernel.

How a press travels. The card never waits in the browser: it says "cancel requested…" at once. The press reaches the
kernel as a comm message. JupyterLab 4.4 and newer sends those to a *subshell*, a thread of the kernel beside the one
that runs cells, if the kernel has subshells (ipykernel 7 does) and the setting "Kernel Comms over subshells" is left
as it is (``perCommTarget``): the press works while a cell runs. In other front ends (Jupyter Notebook 6, VS Code,
nbclient), and with ipykernel 6, the kernel hands out comm messages between cells: the press is handled when the
cell that runs has ended, and the card says so. ipykernel 7.4 sends what the browser says back to the shell in which
the widget last spoke, which is the busy one for a card made in a cell; :func:`follow_the_browser` undoes that.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
from traitlets import Dict, Unicode

from gcs_lab.cells.terminal_text import plain_text
from gcs_lab.cockpit.front_end import front_end as _front_end
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from traitlets import HasTraits

__all__ = ["LiveCard", "follow_the_browser", "plain_text"]

_LOG = logging.getLogger(__name__)

_CONTINUOUS_SECONDS = 0.25
#: A change of state comes as several traits in a row; this long they are gathered into one message.
_GATHER_SECONDS = 0.02


class LiveCard(anywidget.AnyWidget):
    """A card that shows a model and follows it, from whichever thread the model is changed.

    The model is the only source of what is shown: a second view, or a page that is loaded again, shows the present
    state. Close the card (:meth:`close`) when it is not shown any more; the kernel keeps it, and its front end in the
    browser, until then.

    Parameters
    ----------
    model
        What is shown.
    actions
        What the buttons do: an object with a method for each of the class's ``buttons``.

    Raises
    ------
    Internal
        If the front end was not built into this installation.
    """

    #: Name of the front end's files, the model's traits that are shown, those of them that change often and by
    #: little (they are sent four times a second at the most), and the actions that the browser may ask for.
    front_end: ClassVar[str]
    observed: ClassVar[tuple[str, ...]]
    continuous: ClassVar[frozenset[str]]
    buttons: ClassVar[frozenset[str]]

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    #: The last press that reached the kernel: ``{"action", "phase": "sent" | "accepted" | "failed", "error"}``.
    press = Dict().tag(sync=True)

    def __init__(self, model: HasTraits, actions: object) -> None:
        self._model = model
        self._actions = actions
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._due = 0.0
        self._sent_at = 0.0
        self._closed = False
        self._shown = time.time()
        self._sent = self._state()
        name = self.front_end
        super().__init__(_esm=_front_end(f"{name}.js"), _css=_front_end(f"{name}.css"), **self._synced(self._sent))
        follow_the_browser(self.comm)
        self.on_msg(self._on_message)
        model.observe(self._on_model_change, names=list(self.observed))
        # The model may have changed while the card was being made.
        self.flush()

    # -- what each kind of card says for itself --------------------------------------------------------------------

    @abstractmethod
    def _described(self) -> dict[str, Any]:
        """Return what the card shows of its model, ready for JSON."""

    @abstractmethod
    def _synced(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the widget's own traits and their values for `state`."""

    @abstractmethod
    def _line(self) -> dict[str, str]:
        """Return the static line of the present state by MIME type."""

    @abstractmethod
    def _mark(self, state: Mapping[str, Any]) -> Hashable:
        """Return what of `state` answers a press when it changes."""

    @abstractmethod
    def _on_question(self, content: Mapping[str, Any]) -> bool:
        """Answer what the browser asks; tell whether the question is one of this card's."""

    # -- the card's life -------------------------------------------------------------------------------------------

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the MIME bundle and metadata of the live card, with the static line beside it for other readers.

        ``display(data, metadata=metadata, raw=True, display_id=…)`` shows it. A front end without widgets shows the
        line as it was when this was called; update the display with :meth:`final_bundle` when all has ended.
        """
        data, metadata = self.final_bundle()
        live = None if self._closed else super()._repr_mimebundle_()
        return (data, metadata) if live is None else ({**live[0], **data}, {**live[1], **metadata})

    def final_bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return MIME bundle and metadata of the static line, to put in the place of the card at the end.

        It has no widget in it: where a notebook is opened without the kernel that made it, JupyterLab shows "Error
        displaying widget: model not found" for any output that has one, whatever else the output offers.
        """
        return dict(self._line()), {}

    def flush(self) -> None:
        """Send what has changed in the model now, without waiting for the pace."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._closed:
                return
            self._sent_at = time.monotonic()
            before, self._sent = self._sent, self._state()
            with self.hold_sync():
                for name, value in self._synced(self._sent).items():
                    setattr(self, name, value)
                if self._mark(before) != self._mark(self._sent) and self.press.get("phase") != "sent":
                    # The new state answers the press better than words about the press.
                    self.press = {}

    def close(self) -> None:
        """Stop following the model and take the card out of the kernel and the page."""
        # Also called by the garbage collector, for a card whose construction failed.
        if getattr(self, "_closed", True):
            return
        with self._lock:
            self._closed = True
            self._model.unobserve(self._on_model_change, names=list(self.observed))
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.bundle()

    def _state(self) -> dict[str, Any]:
        return {**self._described(), "shown": self._shown}

    # -- from the model to the browser -----------------------------------------------------------------------------

    def _on_model_change(self, change: Mapping[str, Any]) -> None:
        now = time.monotonic()
        with self._lock:
            if self._closed:
                return
            due = now + _GATHER_SECONDS
            if change["name"] in self.continuous:
                due = max(due, self._sent_at + _CONTINUOUS_SECONDS)
            if self._timer is not None:
                if self._due <= due:
                    return
                self._timer.cancel()
            self._due = due
            self._timer = threading.Timer(due - now, self.flush)
            self._timer.daemon = True
            self._timer.start()

    # -- from the browser to the actions ---------------------------------------------------------------------------

    def _on_message(self, _widget: LiveCard, content: Mapping[str, Any], _buffers: object) -> None:
        match content:
            case {"kind": "press", "action": str(action)} if action in self.buttons:
                with self._lock:
                    self.press = {"action": action, "phase": "sent", "error": ""}
                self._in_background(self._press, action)
            case _ if not self._on_question(content):
                _LOG.warning("a card got a message that it does not know: %.200r", content)

    @staticmethod
    def _in_background(work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name="gcs-lab-card", daemon=True).start()

    def _press(self, action: str) -> None:
        before = self._mark(self._state())
        try:
            getattr(self._actions, action)()
        except Exception as reason:
            answer = {"action": action, "phase": "failed", "error": _in_words(reason)}
        else:
            changed = self._mark(self._state()) != before
            answer = {} if changed else {"action": action, "phase": "accepted", "error": ""}
        with self._lock:
            if not self._closed:
                self.press = answer

    def _answer(self, question: dict[str, Any], have: str, part: str, ask: Callable[[], Any]) -> None:
        """Send what `ask` returns as `part` of the answer, or only its version if the browser has just that."""
        try:
            value = ask()
        except Exception as reason:
            answer = question | {"error": _in_words(reason)}
        else:
            text = json.dumps(value, allow_nan=False)
            version = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
            answer = question | {"version": version} | ({} if version == have else {part: value})
        with self._lock:
            if not self._closed:
                self.send(answer)


def follow_the_browser(comm: Any) -> None:
    """Let the browser's choice of subshell stand for the messages of `comm`.

    Source: ``ipykernel.comm.comm.BaseComm`` of ipykernel 7.4 and its caller ``shell_channel_thread_main``. Kernels
    without that method need nothing.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen  # noqa: SLF001


def _in_words(reason: Exception) -> str:
    return str(reason) if isinstance(reason, GcsError) else f"{type(reason).__name__}: {reason}"
