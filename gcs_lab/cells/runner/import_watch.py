"""Imports that want something done: IPython, matplotlib, plotly, tqdm."""

from __future__ import annotations

import os

from .rich_shell import find_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from .progress_bars import ProgressBars
    from .rich_shell import Rich

__all__ = ["ImportWatch"]


class ImportWatch:
    """A finder that acts when the cell, or what it unpickles, imports a library that shows things."""

    def __init__(self, rich: Rich, progress: ProgressBars) -> None:
        self._rich = rich
        self._before: dict[str, Callable[[], object]] = {"matplotlib": _choose_backend, "plotly": rich.ensure}
        self._after: dict[str, Callable[[], object]] = {
            "IPython": rich.ensure,
            "tqdm.std": progress.watch,
            "tqdm.notebook": progress.use_text_bars,
        }

    def find_spec(self, name: str, path: Sequence[str] | None = None, _: object = None) -> ModuleSpec | None:
        """Act on `name` (``importlib.abc.MetaPathFinder``); return None to let the usual finders find it."""
        before = self._before.pop(name, None)
        if before is not None:
            before()
        after = self._after.pop(name, None)
        if after is None:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            _call_after_loading(spec.loader, after)
        return spec


def _call_after_loading(loader: Any, after: Callable[[], object]) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        after()

    loader.exec_module = exec_module


def _choose_backend() -> None:
    """Let figures show inline where that can be; a backend that is not installed here would fail the import."""
    inline = find_module("matplotlib_inline") and find_module("IPython")
    chosen = os.environ.get("MPLBACKEND", "")
    if inline and not chosen:
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    elif not inline and (not chosen or "inline" in chosen):
        os.environ["MPLBACKEND"] = "agg"
