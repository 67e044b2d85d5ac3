"""The live card of one job in a notebook: what it does, and buttons to act on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from traitlets import Dict

from gcs_lab.widgets.card_html import STATE_TRAITS, card_html, card_state, card_text
from gcs_lab.widgets.live_card import LiveCard, plain_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from gcs_lab.models import JobModel

__all__ = ["CardActions", "JobCard"]

_LOG_LINES = 200


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


class JobCard(LiveCard):
    """The card of one job; how it lives is said by :class:`LiveCard`.

    A change of state is sent at once (gathered for 20 ms), progress and memory at most four times a second.

    Parameters
    ----------
    model
        The job.
    actions
        What the buttons do.
    """

    front_end = "job_card"
    observed = STATE_TRAITS
    continuous = frozenset({"progress", "progress_text", "rss", "max_rss", "cpu"})
    buttons = frozenset({"cancel", "hold", "release"})

    #: What :func:`~gcs_lab.widgets.card_state` tells of the model.
    job = Dict().tag(sync=True, to_json=lambda value, _: {**value, "now": time.time()})

    _model: JobModel
    _actions: CardActions

    def __init__(self, model: JobModel, actions: CardActions) -> None:
        super().__init__(model, actions)

    def _described(self) -> dict[str, Any]:
        return card_state(self._model)

    def _synced(self, state: dict[str, Any]) -> dict[str, Any]:
        return {"job": state}

    def _line(self) -> dict[str, str]:
        state = card_state(self._model)
        return {"text/plain": card_text(state), "text/html": card_html(state)}

    def _mark(self, state: Mapping[str, Any]) -> Hashable:
        return str(state["state"])

    def _on_question(self, content: Mapping[str, Any]) -> bool:
        match content:
            case {"kind": "log", "stream": "stdout" | "stderr" as stream, "have": str(have)}:
                question = {"kind": "log", "stream": stream}
                self._in_background(self._answer, question, have, "text", lambda: self._tail(stream))
            case _:
                return False
        return True

    def _tail(self, stream: str) -> str:
        return plain_text(self._actions.log_tail(stream, _LOG_LINES))
