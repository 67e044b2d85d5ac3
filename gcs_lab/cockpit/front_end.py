"""The built front end: what a browser loads (labextension/)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from gcs_lab.errors import Internal

__all__ = ["front_end"]


@cache
def front_end(name: str) -> str:
    """Return the text of a built file (``"cockpit.js"``). Raises Internal if it was not built."""
    try:
        return files("gcs_lab.widgets").joinpath("static", name).read_text(encoding="utf-8")
    except OSError as reason:
        raise Internal(
            f"the front end of the widgets cannot be read: {reason}. Every built gcs_lab has it. In a checkout, "
            "build it with `npm --prefix labextension ci` and `npm --prefix labextension run build`, or install the "
            "checkout again with `pip install -e .`."
        ) from None
