"""The live card of one job in a notebook: what it does, and buttons to act on it.

How a press travels. The card never waits in the browser: it says "cancel requested…" at once. The press reaches the
kernel as a comm message. JupyterLab 4.4 and newer sends those to a *subshell*, a thread of the kernel beside the one
that runs cells, if the kernel has subshells (ipykernel 7 does) and the setting "Kernel Comms over subshells" is left
as it is (``perCommTarget``): the press works while a cell runs. In other front ends (Jupyter Notebook 6, VS Code,
nbclient), and with ipykernel 6, the kernel hands out comm messages between cells: the press is handled when the
cell that runs has ended, and the card says so. ipykernel 7.4 sends what the browser says back to the shell in which
the widget last spoke, which is the busy one for a card made in a cell; :func:`_follow_the_browser` undoes that.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anywidget
from traitlets import Dict, Unicode

from gcs_lab.errors import GcsError, Internal
from gcs_lab.widgets.card_html import STATE_TRAITS, card_html, card_state, card_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.models import JobModel

__all__ = ["CardActions", "JobCard"]

_LOG = logging.getLogger(__name__)

#: Traits that change often and by little; they are sent four times a second at the most.
_CONTINUOUS = frozenset({"progress", "progress_text", "rss", "max_rss", "cpu"})
_CONTINUOUS_SECONDS = 0.25
#: A change of state comes as several traits in a row; this long they are gathered into one message.
_GATHER_SECONDS = 0.02

_LOG_LINES = 200
_LOG_CHARACTERS = 64_000
#: ECMA-48 control sequences (colours, cursor movements) and operating system commands (titles, links).
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_OTHER_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CardActions(Protocol):
    """What the buttons of a card do. Called in a thread of its own, so each may take its time.

    Each may raise :class:`~gcs_lab.errors.GcsError`; its text is shown in the card.
    """

    def cancel(self) -> None:
        """End the job."""
        ...

    def hold(self) -> None:
        """Keep the queued job from starting."""
        ...

    def release(self) -> None:
        """Take the hold off."""
        ...

    def log_tail(self, stream: str, lines: int) -> str:
        """Return the last `lines` lines of what the job printed to `stream` (``"stdout"`` or ``"stderr"``)."""
        ...


class JobCard(anywidget.AnyWidget):
    """A card that shows a job and follows its model, from whichever thread the model is changed.

    The model is the only source of what is shown: a second view, or a page that is loaded again, shows the present
    state. A change of state is sent at once (gathered for 20 ms), progress and memory at most four times a second.
    Close the card (:meth:`close`) when it is not shown any more; the kernel keeps it, and its 15 kB of front end in
    the browser, until then.

    Parameters
    ----------
    model
        The job.
    actions
        What the buttons do.

    Raises
    ------
    Internal
        If the front end was not built into this installation.
    """

    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
    #: What :func:`~gcs_lab.widgets.card_state` tells of the model.
    job = Dict().tag(sync=True, to_json=lambda value, _: {**value, "now": time.time()})
    #: The last press that reached the kernel: ``{"action", "phase": "sent" | "accepted" | "failed", "error"}``.
    press = Dict().tag(sync=True)

    def __init__(self, model: JobModel, actions: CardActions) -> None:
        self._model = model
        self._actions = actions
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._due = 0.0
        self._sent_at = 0.0
        self._closed = False
        self._shown = time.time()
        super().__init__(_esm=_front_end("job_card.js"), _css=_front_end("job_card.css"), job=self._state())
        _follow_the_browser(self.comm)
        self.on_msg(self._on_message)
        model.observe(self._on_model_change, names=list(STATE_TRAITS))
        # The model may have changed while the card was being made.
        self.flush()

    def _state(self) -> dict[str, Any]:
        return {**card_state(self._model), "shown": self._shown}

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the MIME bundle and metadata of the live card, with the static line beside it for other readers.

        ``display(data, metadata=metadata, raw=True, display_id=…)`` shows it. A front end without widgets shows the
        line as it was when this was called; update the display with :meth:`final_bundle` when the job has ended.
        """
        data, metadata = self.final_bundle()
        live = None if self._closed else super()._repr_mimebundle_()
        return (data, metadata) if live is None else ({**live[0], **data}, {**live[1], **metadata})

    def final_bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return MIME bundle and metadata of the static line, to put in the place of the card at the end.

        It has no widget in it: where a notebook is opened without the kernel that made it, JupyterLab shows "Error
        displaying widget: model not found" for any output that has one, whatever else the output offers.
        """
        state = card_state(self._model)
        return {"text/plain": card_text(state), "text/html": card_html(state)}, {}

    def flush(self) -> None:
        """Send what has changed in the model now, without waiting for the pace."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._closed:
                return
            self._sent_at = time.monotonic()
            before, self.job = self.job.get("state"), self._state()
            if before != self.job["state"] and self.press.get("phase") != "sent":
                # The new state answers the press better than words about the press.
                self.press = {}

    def close(self) -> None:
        """Stop following the model and take the card out of the kernel and the page."""
        # Also called by the garbage collector, for a card whose construction failed.
        if getattr(self, "_closed", True):
            return
        with self._lock:
            self._closed = True
            self._model.unobserve(self._on_model_change, names=list(STATE_TRAITS))
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.bundle()

    # -- from the model to the browser ---------------------------------------------------------------------------

    def _on_model_change(self, change: Mapping[str, Any]) -> None:
        now = time.monotonic()
        with self._lock:
            if self._closed:
                return
            due = now + _GATHER_SECONDS
            if change["name"] in _CONTINUOUS:
                due = max(due, self._sent_at + _CONTINUOUS_SECONDS)
            if self._timer is not None:
                if self._due <= due:
                    return
                self._timer.cancel()
            self._due = due
            self._timer = threading.Timer(due - now, self.flush)
            self._timer.daemon = True
            self._timer.start()

    # -- from the browser to the actions -------------------------------------------------------------------------

    def _on_message(self, _widget: JobCard, content: Mapping[str, Any], _buffers: object) -> None:
        match content:
            case {"kind": "press", "action": "cancel" | "hold" | "release" as action}:
                self.press = {"action": action, "phase": "sent", "error": ""}
                self._in_background(self._press, action)
            case {"kind": "log", "stream": "stdout" | "stderr" as stream, "have": str(have)}:
                self._in_background(self._answer_log, stream, have)
            case _:
                _LOG.warning("a job card got a message that it does not know: %.200r", content)

    @staticmethod
    def _in_background(work: Any, *arguments: str) -> None:
        threading.Thread(target=work, args=arguments, name="gcs-lab-card", daemon=True).start()

    def _press(self, action: str) -> None:
        before = self._model.state
        try:
            getattr(self._actions, action)()
        except Exception as reason:
            answer = {"action": action, "phase": "failed", "error": _in_words(reason)}
        else:
            changed = self._model.state != before
            answer = {} if changed else {"action": action, "phase": "accepted", "error": ""}
        with self._lock:
            if not self._closed:
                self.press = answer

    def _answer_log(self, stream: str, have: str) -> None:
        """Send the end of the log, or only its version if the browser has just that."""
        answer = {"kind": "log", "stream": stream}
        try:
            text = _plain(self._actions.log_tail(stream, _LOG_LINES))
        except Exception as reason:
            answer |= {"error": _in_words(reason)}
        else:
            version = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
            answer |= {"version": version} if version == have else {"version": version, "text": text}
        with self._lock:
            if not self._closed:
                self.send(answer)


@cache
def _front_end(name: str) -> str:
    path = Path(__file__).with_name("static") / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as reason:
        raise Internal(
            f"the front end of the widgets cannot be read: {reason}. Every built gcs_lab has it. In a checkout, "
            "build it with `npm --prefix labextension ci` and `npm --prefix labextension run build`, or install the "
            "checkout again with `pip install -e .`."
        ) from None


def _follow_the_browser(comm: Any) -> None:
    """Let the browser's choice of subshell stand for the messages of `comm`.

    Source: ``ipykernel.comm.comm.BaseComm`` of ipykernel 7.4 and its caller ``shell_channel_thread_main``. Kernels
    without that method need nothing.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen  # noqa: SLF001


def _in_words(reason: Exception) -> str:
    return str(reason) if isinstance(reason, GcsError) else f"{type(reason).__name__}: {reason}"


def _plain(text: str) -> str:
    """Return `text` as a terminal would leave it: no escape sequences, and of rewritten lines the last state."""
    text = _OTHER_CONTROLS.sub("", _ESCAPES.sub("", text).replace("\r\n", "\n"))
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return "\n".join(lines)[-_LOG_CHARACTERS:]
