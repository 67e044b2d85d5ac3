"""Where notebooks are now: the journal has the names that they had when they submitted."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from logging import Logger

__all__ = ["CONTENTS_EVENTS", "NotebookRenames"]

#: Schema of what Jupyter's contents manager tells (``jupyter_server/event_schemas/contents_service/v1.yaml``).
CONTENTS_EVENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
_FILE = "notebook-renames.jsonl"
#: So many renames of one notebook are followed.
_MOST_STEPS = 100


class NotebookRenames:
    """Remembers which files and folders were renamed in JupyterLab, over restarts of the server.

    The journal itself stays as it is: a kernel that runs on has the former name, and finds its jobs by that. What is
    renamed in a terminal is not noticed.

    Parameters
    ----------
    log
        Where faults are told.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._guard = threading.Lock()
        self._moved: dict[str, str] | None = None

    def now(self, absolute: str) -> str:
        """Return the path that a file has now. One that is still there, or was never renamed, keeps its own."""
        moved = self._known()
        for _ in range(_MOST_STEPS):
            step = _next(absolute, moved)
            # Another notebook may have been made under the former name.
            if step is None or os.path.exists(absolute):  # noqa: PTH110  (asked for each row of a picture)
                break
            absolute = step
        return absolute

    def listener(self, to_file: Callable[[str], Path]) -> Callable[..., Coroutine[Any, Any, None]]:
        """Return what is to be told of the events of the contents manager; `to_file` makes a file's path of its."""

        async def heard(*, data: dict[str, Any], **_: Any) -> None:
            if data.get("action") != "rename":
                return
            try:
                self.note(str(to_file(data["source_path"])), str(to_file(data["path"])))
            except (GcsError, OSError, KeyError) as error:
                self._log.warning("gcs_lab: a rename could not be noted, so jobs stay with the old name: %s", error)

        return heard

    def note(self, former: str, present: str) -> None:
        """Remember a rename. Raises OSError if it cannot be written."""
        moved = self._known()
        with self._guard:
            moved[former] = present
        line = json.dumps({"from": former, "to": present}) + "\n"
        # One write a line: servers of the same user do not cut into each other's.
        descriptor = os.open(state_folder() / _FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _known(self) -> dict[str, str]:
        with self._guard:
            if self._moved is None:
                self._moved = _read()
            return self._moved


def _next(absolute: str, moved: dict[str, str]) -> str | None:
    """Return where a file went with the last rename of it, or of a folder that it is in; None if there was none."""
    if not moved:
        return None
    path = Path(absolute)
    for part in (path, *path.parents):
        to = moved.get(str(part))
        if to is not None:
            return str(Path(to) / path.relative_to(part))
    return None


def _read() -> dict[str, str]:
    try:
        lines = (state_folder() / _FILE).read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        try:
            told = json.loads(line)
            found[str(told["from"])] = str(told["to"])
        except (ValueError, KeyError, TypeError):
            # A torn last line.
            continue
    return found
