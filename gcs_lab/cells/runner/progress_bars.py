"""Progress bars as events."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .channel import Channel

__all__ = ["ProgressBars"]


class ProgressBars:
    """Tells the state of tqdm's bars as events, at most ten a second for each bar, beside their text."""

    _EVERY = 0.1

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._count = 0

    def watch(self) -> None:
        """Watch the bars of ``tqdm.std.tqdm``, from which all text bars derive."""
        bar_class: Any = sys.modules["tqdm.std"].tqdm
        refresh, close = bar_class.refresh, bar_class.close

        def refresh_and_tell(bar: Any, *args: Any, **kwargs: Any) -> Any:
            self._tell(bar, done=False)
            return refresh(bar, *args, **kwargs)

        def close_and_tell(bar: Any) -> Any:
            self._tell(bar, done=True)
            return close(bar)

        bar_class.refresh, bar_class.close = refresh_and_tell, close_and_tell

    @staticmethod
    def use_text_bars() -> None:
        """Replace the widget bars of ``tqdm.notebook``: no front end could reach their widgets."""
        notebook: Any = sys.modules["tqdm.notebook"]
        std: Any = sys.modules["tqdm.std"]
        notebook.tqdm = notebook.tqdm_notebook = std.tqdm
        notebook.trange = notebook.tnrange = std.trange

    def _tell(self, bar: Any, *, done: bool) -> None:
        told = getattr(bar, "_gcs_told", None)
        now = time.monotonic()
        if getattr(bar, "disable", True) or self._channel.detached:
            return
        if told is None:
            self._count += 1
            told = bar._gcs_told = {"id": f"{os.getpid()}-{self._count}", "at": 0.0, "done": False}  # noqa: SLF001
        if told["done"] or (not done and now - told["at"] < self._EVERY):
            return
        told["at"], told["done"] = now, done
        event = {"type": "progress", "id": told["id"], "n": bar.n, "total": bar.total, "done": done}
        self._channel.event({**event, "desc": (bar.desc or "").removesuffix(": "), "unit": bar.unit})
