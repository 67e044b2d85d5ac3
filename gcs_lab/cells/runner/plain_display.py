"""``display`` and its MIME bundles where there is no IPython, or no need of it."""

from __future__ import annotations

import os
import sys

from .error_report import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .displays import Displays

__all__ = ["PlainHandle", "needs_rich_display", "plain_bundle", "plain_display"]


_REPR_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
    "_repr_pdf_": "application/pdf",
}


def plain_bundle(value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of `value` and its metadata, as far as they can be made without IPython."""
    data: dict[str, Any] = {"text/plain": repr(value)}
    metadata: dict[str, Any] = {}
    kind = type(value)
    if hasattr(kind, "_repr_mimebundle_"):
        _merge(data, metadata, _called(value, "_repr_mimebundle_", include=None, exclude=None))
    for method, mime in _REPR_METHODS.items():
        if mime not in data and hasattr(kind, method):
            part = _called(value, method)
            if isinstance(part, tuple):
                part, metadata[mime] = part
            if part is not None:
                data[mime] = part
    return data, metadata


def _merge(data: dict[str, Any], metadata: dict[str, Any], bundle: Any) -> None:
    if isinstance(bundle, tuple):
        bundle, more = bundle
        metadata.update(more or {})
    data.update(bundle or {})


def _called(value: object, method: str, **arguments: object) -> Any:
    """Call a ``_repr_*_`` method; a failure is told and costs only this representation."""
    try:
        return getattr(value, method)(**arguments)
    except NotImplementedError:
        return None
    except Exception as error:
        sys.stderr.write(f"{type(value).__name__}.{method} failed: {one_line(error)}\n")
        return None


class PlainHandle:
    """What ``display(…, display_id=…)`` returns where there is no IPython."""

    def __init__(self, displays: Displays, display_id: str) -> None:
        self._displays = displays
        self.display_id = display_id

    def display(self, value: object) -> None:
        """Show `value` once more under this id."""
        self._displays.send("display", *plain_bundle(value), display_id=self.display_id)

    def update(self, value: object) -> None:
        """Show `value` in place of what was shown."""
        self._displays.send("update_display", *plain_bundle(value), display_id=self.display_id)


def plain_display(displays: Displays, *values: Any, **options: Any) -> PlainHandle | None:
    """Do what IPython's ``display`` does, where there is no IPython."""
    display_id = options.get("display_id")
    if display_id is True:
        display_id = os.urandom(16).hex()
    for value in values:
        bundle = (value, {}) if options.get("raw") else plain_bundle(value)
        data, metadata = bundle[0], {**bundle[1], **(options.get("metadata") or {})}
        displays.send("display", data, metadata, display_id=display_id)
    return PlainHandle(displays, str(display_id)) if display_id else None


_SIMPLE = ("bool", "int", "float", "complex", "str", "bytes", "bytearray", "range")
_WIDTH = 79


def needs_rich_display(value: object) -> bool:
    """Tell whether IPython would show `value` otherwise than its ``repr``."""
    kind = type(value)
    if kind.__module__ == "builtins" and kind.__name__ in _SIMPLE:
        return False
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        # It wraps what is longer than a line.
        return len(value) > _WIDTH or len(repr(value)) > _WIDTH
    if any(hasattr(kind, name) for name in (*_REPR_METHODS, "_repr_mimebundle_", "_ipython_display_")):
        return True
    own_repr = kind.__repr__ is not object.__repr__
    return kind.__module__.partition(".")[0] in ("builtins", "matplotlib", "PIL", "sympy") or not own_repr
