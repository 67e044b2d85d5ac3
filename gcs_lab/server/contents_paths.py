"""Paths of pages ("work/fit.ipynb", as JupyterLab has them) and of the file system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from gcs_lab.server.notebook_renames import NotebookRenames

__all__ = ["ContentsPaths"]


class ContentsPaths:
    """Maps paths of the Jupyter server's contents to files, and back.

    Parameters
    ----------
    root
        The folder that the server shows (``contents_manager.root_dir``); ``""``: its contents are no files.
    renames
        What was renamed since.
    """

    def __init__(self, root: str, renames: NotebookRenames | None = None) -> None:
        self._renames = renames
        self._root = Path(os.path.abspath(os.path.expanduser(root))) if root else None  # noqa: PTH100, PTH111  (links stay)

    def of_file(self, absolute: str) -> str:
        """Return the contents path that a file has now; ``""`` if it is outside of what the server shows."""
        if self._root is None or not absolute:
            return ""
        if self._renames is not None:
            absolute = self._renames.now(absolute)
        path = Path(os.path.normpath(absolute))
        for root, one in ((self._root, path), (self._root.resolve(), path.resolve())):
            if one.is_relative_to(root):
                relative = one.relative_to(root).as_posix()
                return "" if relative == "." else relative
        return ""

    def to_file(self, path: str) -> Path:
        """Return the file of a contents path; whether it exists is not checked.

        Raises
        ------
        InvalidArgument
            If it leads out of the root, or if the server's contents are no files. A link in the root may lead
            anywhere, as it may for JupyterLab itself.
        """
        if self._root is None:
            raise InvalidArgument("the contents of this Jupyter server are no files, so that no job can read them.")
        file = Path(os.path.normpath(self._root / path.strip("/")))
        if "\0" in path or not file.is_relative_to(self._root):
            raise InvalidArgument(
                f"the path {path[:200]!r} leads out of {self._root}, which this Jupyter server shows. Give one in it."
            )
        return file
